"""Other interpreters: one without trio, and one in development mode, where every warning is an error."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from tests.adapters.running import WITH_TRIO

SEND = """
    class Handler:
        def message(self, session):
            return "kept"
        {def_} rcpt(self, session, command):
            return None

    {def_} body():
        {async_}with smtp.serve(Handler(), "127.0.0.1", 0) as server:
            {async_}with smtp.connect(*server.address, tls="none", hostname="crepes.fr") as client:
                outcome = {await_} client.send(None, ["b@h.edu"], b"Hello\\r\\n")
                assert outcome.all_accepted, outcome
                try:
                    {await_} client.send(None, ["b@h.edu"], b"bare\\nnewline\\r\\n")
                except smtpcore.LocalProtocolError:
                    pass
            client = smtp.connect(*server.address, tls="required")
            try:
                {async_}with client:
                    pass
            except Exception as error:
                assert type(error).__name__ == "TlsNotOffered", error
"""


#: In development mode asyncio tells of steps of a tenth of a second, which on a busy machine is any step.
PATIENT = textwrap.dedent("""
    import asyncio

    async def patient():
        asyncio.get_running_loop().slow_callback_duration = 50
        await body()

    asyncio.run(patient())
""")


def script(adapter: str) -> str:
    words = {"def_": "def", "async_": "", "await_": ""}
    if adapter != "blocking":
        words = {"def_": "async def", "async_": "async ", "await_": "await"}
    start = {
        "asyncio": PATIENT,
        "trio": "import trio; trio.run(body)",
        "blocking": "body()",
    }
    return "\n".join(
        [
            "import gc, smtpcore",
            f"import smtpcore.adapters.{adapter} as smtp",
            textwrap.dedent(SEND.format(**words)),
            start[adapter],
            "gc.collect()",
            "print('done')",
        ]
    )


def interpreted(source: str, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *flags, "-c", source], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("adapter", ["asyncio", pytest.param("trio", marks=WITH_TRIO), "blocking"])
@pytest.mark.parametrize("flags", [("-X", "dev", "-W", "error"), ("-O",)], ids=["dev", "optimised"])
def test_nothing_is_left_to_warn_of(adapter, flags):
    ran = interpreted(script(adapter), *flags)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("done\n", "", 0)


WITHOUT_TRIO = "import sys; sys.modules['trio'] = None\n"


@pytest.mark.parametrize("adapter", ["asyncio", "blocking"])
def test_without_trio_the_others_work(adapter):
    ran = interpreted(WITHOUT_TRIO + script(adapter), "-W", "error")
    assert (ran.stdout, ran.stderr) == ("done\n", "")


def test_without_trio_its_adapter_says_so():
    ran = interpreted(WITHOUT_TRIO + "import smtpcore.adapters.trio")
    assert ran.returncode != 0
    assert "trio" in ran.stderr.split("\n")[-2]
