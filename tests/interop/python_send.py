"""``python_send.py smtplib|aiosmtplib JOB``: JOB is a file of JSON, see clients.py. Knows nothing of smtpcore."""

import asyncio
import json
import smtplib
import ssl
import sys
from pathlib import Path

library = sys.argv[1]
job = json.loads(Path(sys.argv[2]).read_text())
content = Path(job["file"]).read_bytes()
context = ssl.create_default_context(cafile=job["authority"] if job["tls"] != "plain" else None)
options = [*(["BODY=8BITMIME"] if job["eight_bit"] else []), *(["SMTPUTF8"] if job["utf8"] else [])]


def with_smtplib():
    client: smtplib.SMTP
    if job["tls"] == "implicit":
        client = smtplib.SMTP_SSL("127.0.0.1", job["port"], job["hostname"], timeout=20, context=context)
    else:
        client = smtplib.SMTP("127.0.0.1", job["port"], job["hostname"], timeout=20)
    with client:
        if job["tls"] == "starttls":
            client.starttls(context=context)
        if job["auth"]:
            client.ehlo()
            client.user, client.password = job["user"], job["password"]
            client.auth(job["auth"], getattr(client, "auth_" + job["auth"].lower()))
        for _ in range(job["times"]):
            refused = client.sendmail(job["sender"], job["recipients"], content, options)
            print(json.dumps({who: [code, text.decode()] for who, (code, text) in refused.items()}))


async def with_aiosmtplib():
    import aiosmtplib

    client = aiosmtplib.SMTP(
        hostname="127.0.0.1",
        port=job["port"],
        local_hostname=job["hostname"],
        timeout=20,
        use_tls=job["tls"] == "implicit",
        start_tls=job["tls"] == "starttls",
        tls_context=context if job["tls"] != "plain" else None,
    )
    async with client:
        if job["auth"]:
            await client.ehlo()
            await getattr(client, "auth_" + job["auth"].lower())(job["user"], job["password"])
        for _ in range(job["times"]):
            refused, _text = await client.sendmail(job["sender"], job["recipients"], content, mail_options=options)
            print(json.dumps({who: [reply.code, reply.message] for who, reply in refused.items()}))


if library == "smtplib":
    with_smtplib()
else:
    asyncio.run(with_aiosmtplib())
