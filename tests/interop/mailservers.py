"""Debian's mail servers, each in a root of its own: Postfix, Exim, OpenSMTPD and Dovecot."""

from __future__ import annotations

import base64
import hmac
import json
import time
from pathlib import Path

from tests.interop import machinery
from tests.interop.certificates import Certificate
from tests.interop.peers import Peer


def last_of_each(settings: str) -> str:
    """Lines of ``name = value``, of each name the last.

    Postfix would take that one as well, but every daemon would say so as it starts: with more to say than the socket
    of the log holds, postlogd waits for itself for ever, and the master for postlogd.
    """
    lines = [line for line in settings.splitlines() if line]
    return "".join([f"{line}\n" for line in {line.partition("=")[0].strip(): line for line in lines}.values()])


class Postfix(Peer):
    """Postfix: smtpd, its queue, and virtual(8) into a Maildir, or smtp(8) to the relay."""

    name = "postfix"
    via: str | None = None
    """The transport that takes the place of smtp to the relay."""
    offers = frozenset({"starttls", "implicit", "utf8", "refusals"})
    more = ""
    """Further lines of main.cf."""

    def _command(self) -> list[str]:
        main = f"""
compatibility_level = 3.6
myhostname = postfix.peer.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.1/32
alias_maps =
alias_database =
maillog_file = /peer/maillog
maillog_file_prefixes = /peer
virtual_mailbox_domains = example.com
virtual_mailbox_maps = static:inbox/
virtual_mailbox_base = /peer/mail
virtual_mailbox_limit = 0
virtual_minimum_uid = 1
virtual_uid_maps = static:8
virtual_gid_maps = static:8
default_transport = {self.via or (f"smtp:[127.0.0.1]:{self.relay}" if self.relay else "error:no relay")}
smtp_tls_security_level = may
disable_dns_lookups = yes
smtp_host_lookup = native
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
smtpd_recipient_restrictions = check_recipient_access regexp:/peer/access, permit_mynetworks, reject
smtpd_tls_security_level = may
smtpd_tls_chain_files = /peer/key.pem, /peer/chain.pem
smtpd_tls_received_header = yes
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
smtpd_client_connection_count_limit = 0
message_size_limit = 20480000
{self.more}"""
        access = "/^refuse.*@example/ 550 5.1.1 no such mailbox\n/^defer.*@example/ 450 4.2.1 come back later\n"
        port, implicit = f"127.0.0.1:{self.port}", f"127.0.0.1:{self.implicit_port}"
        script = f"""
set -e
cp /peer/main_cf /etc/postfix/main.cf
mkdir -p /var/spool/postfix
postconf -MX smtp/inet
postconf -M '{port}/inet={port} inet n - n - - smtpd' '{implicit}/inet={implicit} inet n - n - - smtpd'
postconf -F '*/*/chroot=n'
postconf -P '{implicit}/inet/smtpd_tls_wrappermode=yes'
exec postfix start-fg
"""
        return self._rooted(script, main_cf=main, access=access)

    def _rooted(self, script: str, **files: str) -> list[str]:
        files["main_cf"] = last_of_each(files["main_cf"])
        return super()._rooted(script, **files)

    def log(self) -> str:
        path = self.folder / "maillog"
        return path.read_bytes()[-4000:].decode("utf-8", "replace") if path.exists() else super().log()


class CyrusPostfix(Postfix):
    """Postfix with Cyrus SASL and its own database of passwords, in place of a Dovecot."""

    name = "cyrus"
    offers = frozenset({"starttls", "implicit", "auth"})
    mechanisms = ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5")

    def _rooted(self, script: str, **files: str) -> list[str]:
        name, password = self.user
        files["main_cf"] += """
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = postfix.peer.test
smtpd_sasl_security_options = noanonymous
smtpd_sasl_authenticated_header = yes
smtpd_tls_auth_only = yes
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
mynetworks =
"""
        conf = f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: {' '.join(self.mechanisms)}\n"
        prelude = f"""
set -e
mkdir -p /etc/postfix/sasl
cp /peer/smtpd_conf /etc/postfix/sasl/smtpd.conf
echo {password} | saslpasswd2 -p -c -u postfix.peer.test {name}
chown postfix /etc/sasldb2
"""
        return super()._rooted(prelude + script, smtpd_conf=conf, **files)


class Exim(Peer):
    """Exim: AUTH PLAIN and LOGIN, BDAT, a Maildir, or its smtp transport to the relay."""

    name = "exim"
    offers = frozenset({"starttls", "implicit", "auth", "utf8", "refusals"})
    more = ""
    """Further lines of the main section."""

    def _command(self) -> list[str]:
        conf = f"""
primary_hostname = exim.peer.test
spool_directory = /peer/spool
log_file_path = /peer/log.%s
pid_file_path =
local_interfaces = 127.0.0.1
daemon_smtp_ports = {self.port} : {self.implicit_port}
tls_on_connect_ports = {self.implicit_port}
tls_advertise_hosts = *
tls_certificate = /peer/chain.pem
tls_privatekey = /peer/key.pem
acl_smtp_rcpt = rcpt
acl_smtp_data = data
host_lookup =
rfc1413_query_timeout = 0s
smtp_enforce_sync = true
smtputf8_advertise_hosts = *
accept_8bitmime = true
message_size_limit = 20M
keep_environment =
{self.more}begin acl
rcpt:
  deny  domains = example.com
        local_parts = ^refuse
        message = no such mailbox
  defer domains = example.com
        local_parts = ^defer
        message = come back later
  accept
data:
  accept
begin routers
local:
  driver = accept
  domains = example.com
  transport = maildir
out:
  driver = manualroute
  transport = relay
  route_list = * 127.0.0.1 byname
  self = send
begin transports
maildir:
  driver = appendfile
  directory = /peer/mail
  maildir_format
  create_directory
  user = mail
  return_path_add
  envelope_to_add
  delivery_date_add
relay:
  driver = smtp
  port = {self.relay or 9}
  allow_localhost
  hosts_try_chunking = *
  tls_verify_hosts =
  tls_try_verify_hosts =
begin retry
* * F,1m,1s
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and {{{{eq{{$auth2}}{{user}}}}{{eq{{$auth3}}{{secret}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if and {{{{eq{{$auth1}}{{user}}}}{{eq{{$auth2}}{{secret}}}}}}}}
  server_set_id = $auth1
"""
        script = """
set -e
install -m 644 /peer/exim_conf /etc/exim4/exim4.conf
mkdir -p /peer/spool
touch /peer/log.main /peer/log.reject /peer/log.panic
chown Debian-exim /peer/spool /peer/log.* /peer/*.pem
exec exim4 -bdf -q1s
"""
        return self._rooted(script, exim_conf=conf)

    def log(self) -> str:
        texts = [path.read_bytes()[-2000:] for path in sorted(self.folder.glob("log.*"))]
        return super().log() + b"".join(texts).decode("utf-8", "replace")


class OpenSmtpd(Peer):
    """OpenSMTPD: without PIPELINING. It offers STARTTLS, but Debian 12's build fails in the handshake."""

    name = "opensmtpd"

    def _command(self) -> list[str]:
        conf = f"""
pki peer cert "/peer/chain.pem"
pki peer key "/peer/key.pem"
listen on 127.0.0.1 port {self.port} tls pki peer hostname opensmtpd.peer.test
action "keep" maildir "/peer/mail" virtual {{ "@" = mail }}
match from any for domain "example.com" action "keep"
"""
        script = """
set -e
mkdir -p /var/spool/smtpd && chmod 711 /var/spool/smtpd
exec smtpd -d -f /peer/smtpd_conf
"""
        return self._rooted(script, smtpd_conf=conf)


class Dovecot(Peer):
    """Dovecot: its submission port asks for AUTH and passes all mail on to the relay, which it needs; its LMTP delivers
    to bob and carol, of whatever domain, and knows nobody else."""

    name = "dovecot"
    offers = frozenset({"starttls", "implicit", "auth"})
    mechanisms = ("PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "OAUTHBEARER", "XOAUTH2")
    key = b"the key that tokens are signed with"

    def __init__(self, folder: Path, certificate: Certificate, relay: int | None = None) -> None:
        super().__init__(folder, certificate, relay)
        self.lmtp_port = machinery.free_port()

    @property
    def lmtp_socket(self) -> str:
        """The same on a unix socket, as a host."""
        return f"unix:{self.folder / 'lmtp'}"

    def _ports(self) -> tuple[int, ...]:
        return (*super()._ports(), self.lmtp_port)

    def _command(self) -> list[str]:
        conf = f"""
protocols = submission lmtp
base_dir = /run/dovecot
log_path = /peer/dovecot.log
hostname = dovecot.peer.test
listen = 127.0.0.1
ssl = yes
ssl_cert = </peer/chain.pem
ssl_key = </peer/key.pem
disable_plaintext_auth = yes
auth_failure_delay = 0 secs
service anvil {{
  # Else who has failed to log in waits longer each time: two seconds, four, eight
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
auth_mechanisms = {" ".join(self.mechanisms).lower()}
login_trusted_networks =
mail_location = maildir:/peer/mail/%u
first_valid_uid = 8
passdb {{
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = /peer/oauth2_conf
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = passwd-file
  args = username_format=%n /peer/users
  override_fields = uid=8 gid=8 home=/peer/mail/%u
}}
submission_relay_host = 127.0.0.1
submission_relay_port = {self.relay or 9}
submission_relay_ssl = no
service submission-login {{
  inet_listener submission {{
    port = {self.port}
  }}
  inet_listener submissions {{
    port = {self.implicit_port}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {self.lmtp_port}
  }}
  unix_listener /peer/lmtp {{
    mode = 0666
  }}
}}
"""
        users = "user::::::\nbob::::::\ncarol::::::\n"
        oauth2 = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=/peer/keys/
username_attribute = sub
"""
        keys = self.folder / "keys" / "default" / "HS256"
        keys.mkdir(parents=True)
        (keys / "default").write_bytes(base64.b64encode(self.key))
        return self._rooted("exec dovecot -F -c /peer/dovecot_conf", dovecot_conf=conf, oauth2_conf=oauth2, users=users)

    def token(self, user: str, key: bytes | None = None) -> str:
        """A token (RFC 7519) that it believes, unless it is signed with another key."""

        def encoded(octets: bytes) -> bytes:
            return base64.urlsafe_b64encode(octets).rstrip(b"=")

        now = int(time.time())
        claims = {"sub": user, "iat": now - 10, "exp": now + 600}
        parts = [encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
        signature = hmac.digest(self.key if key is None else key, b".".join(parts), "sha256")
        return b".".join([*parts, encoded(signature)]).decode()

    def log(self) -> str:
        path = self.folder / "dovecot.log"
        return super().log() + (path.read_bytes()[-3000:].decode("utf-8", "replace") if path.exists() else "")
