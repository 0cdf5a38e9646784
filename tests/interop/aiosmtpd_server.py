"""An aiosmtpd that keeps what it gets: ``aiosmtpd_server.py PORT FOLDER plain|implicit CERT KEY``.

Each message becomes FOLDER/N.eml (the octets) and FOLDER/N.json (the envelope, written last). Recipients refuse...@ and
defer...@ are refused for good and for now; content with the line ``X-Refuse: 1`` is refused after the final dot.
Runs in the Python of the cache, which knows nothing of smtpcore.
"""

import asyncio
import json
import ssl
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

port, folder, mode, certificate, key = int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:6]


class LongLines(SMTP):
    line_length_limit = 1 << 20


class Keeper:
    count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refuse"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("defer"):
            return "451 4.2.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        if b"\r\nX-Refuse: 1\r\n" in envelope.content:
            return "554 5.7.1 content refused"
        Keeper.count += 1
        name = folder / str(Keeper.count)
        name.with_suffix(".eml").write_bytes(envelope.content)
        data = {
            "sender": "" if envelope.mail_from == "<>" else envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "tls": session.ssl is not None or mode == "implicit",
            "user": session.auth_data.login.decode() if session.auth_data else None,
        }
        name.with_suffix(".part").write_text(json.dumps(data))
        name.with_suffix(".part").rename(name.with_suffix(".json"))
        return "250 2.0.0 kept"


def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"user", b"secret")
    return AuthResult(success=right, handled=False, auth_data=data)


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def session():
        return LongLines(
            Keeper(),
            enable_SMTPUTF8=True,
            hostname="aiosmtpd.peer.test",
            tls_context=context if mode == "plain" else None,
            authenticator=authenticate,
            auth_require_tls=mode == "plain",
            data_size_limit=100_000_000,
        )

    server = await asyncio.get_running_loop().create_server(
        session, "127.0.0.1", port, ssl=context if mode == "implicit" else None
    )
    await server.serve_forever()


asyncio.run(main())
