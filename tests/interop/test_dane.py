"""DANE by OpenSSL's own client, of the same servers and records: it believes whom ours believes."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest

from smtpcore.adapters.authentication import HAVE_CHAINS
from smtpcore.policy import Dnssec, Tlsa, dane_verdict
from tests.adapters.running import Keeper, serving, talk
from tests.adapters.test_verdict import CA, CHILD, EXPIRED, GOOD, NAME, OTHER_NAME, STRANGE, STRANGER, WILD, der, tlsa

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]

SERVERS = {"good": GOOD, "other-name": OTHER_NAME, "expired": EXPIRED, "wild": WILD, "strange": STRANGE}
AUTHORITY, ROOT, OTHER = der(CHILD.cert_pem), der(CA.cert_pem), der(STRANGER.cert_pem)
RECORDS = {
    "ee": [tlsa(3, 1, 1, GOOD.leaf)],
    "ee-whole": [tlsa(3, 0, 0, EXPIRED.leaf)],
    "ee-of-several": [tlsa(3, 1, 2, OTHER_NAME.leaf), tlsa(3, 0, 2, WILD.leaf)],
    "ta-whole": [tlsa(2, 0, 0, AUTHORITY)],
    "ta-root": [tlsa(2, 0, 0, ROOT)],
    "ta-other": [tlsa(2, 0, 0, OTHER)],
    "ta-whole-or-ee": [tlsa(2, 0, 0, AUTHORITY), tlsa(3, 1, 1, STRANGE.leaf)],
    "ta-digest": [tlsa(2, 0, 1, AUTHORITY)],
    "ta-key": [tlsa(2, 1, 1, AUTHORITY)],
    "ta-key-or-ee": [tlsa(2, 1, 2, AUTHORITY), tlsa(3, 1, 1, STRANGE.leaf)],
}
NEED_CHAINS = {"ta-digest", "ta-key", "ta-key-or-ee"}


def by_openssl(address: tuple[str, int], records: list[Tlsa]) -> bool:
    command = ["openssl", "s_client", "-connect", f"{address[0]}:{address[1]}", "-starttls", "smtp", "-brief"]
    command += ["-verify_return_error", "-dane_tlsa_domain", NAME, "-dane_ee_no_namechecks", "-servername", NAME]
    for record in records:
        command += ["-dane_tlsa_rrdata", str(record)]
    done = subprocess.run(command, input=b"QUIT\r\n", capture_output=True, timeout=60, check=False)
    return done.returncode == 0 and b"Verification: OK" in done.stdout + done.stderr


def by_ours(address: tuple[str, int], records: list[Tlsa]) -> bool:
    async def nothing(connection: Any) -> bool:
        return bool(connection.machine.tls)

    try:
        return bool(talk("blocking", address, nothing, tls=dane_verdict(NAME, records, Dnssec.SECURE)))
    except OSError:
        return False


@pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS)
@pytest.mark.parametrize("kind", RECORDS)
def test_both_believe_the_same(server, kind):
    if kind in NEED_CHAINS and not HAVE_CHAINS:
        pytest.skip("Python 3.13 was the first to tell the chain")
    with serving("asyncio", Keeper(), tls="required", ssl_context=server.context, fails=True) as running:
        theirs = by_openssl(running.address, RECORDS[kind])
        assert by_ours(running.address, RECORDS[kind]) == theirs


def test_openssl_believes_some_and_not_others():
    """Or the comparison would be one of nothing."""
    with serving("asyncio", Keeper(), tls="required", ssl_context=GOOD.context, fails=True) as running:
        assert by_openssl(running.address, RECORDS["ee"])
        assert by_openssl(running.address, RECORDS["ta-whole"])
        assert not by_openssl(running.address, RECORDS["ta-other"])
