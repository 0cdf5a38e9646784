"""What is measured without sockets: codecs, machines, round trips."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable

from smtpcore.adapters.memory import Link

from . import adapter_smtpcore, engines
from .report import LINE, Case, Run, cpu, optional, table


def _per_second(unit: str = "") -> Callable[[float], str]:
    return lambda cost: f"{1 / cost:,.0f}{unit}"


def codec(run: Run) -> None:
    """Dot-stuffing and -unstuffing."""
    size = run.amount(16, 1) << 20
    page = LINE * 199 + b"." + LINE
    content = page * (size // len(page))
    stuffed = content.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    protocol = optional("aiosmtplib.protocol")
    quote = smtplib._quote_periods  # type: ignore[attr-defined]  # not in the stubs

    def whole(text: bytes) -> int:
        return len(protocol.PERIOD_REGEX.sub(b"..", protocol.normalize_message_line_endings(text)))

    def expression(name: str, each: Callable[[bytes], int]) -> tuple[str, Callable[[list[bytes]], int]]:
        return name, lambda chunks: sum(map(each, chunks)) + len(b".\r\n")

    def case(work: Callable[[list[bytes]], int], wire: bytes, expected: int) -> Case:
        # A chunk ends with its line: the peers' expressions know nothing of the chunk before.
        chunks, start = [], 0
        while start < len(wire):
            end = wire.find(b"\r\n", start + (1 << 16) - 80) + 2
            chunks.append(wire[start : end if end > 1 else len(wire)])
            start += len(chunks[-1])

        def measured() -> float:
            results: list[int] = []
            spent = cpu(lambda: results.append(work(chunks)))
            if results != [expected]:
                raise ValueError(f"{results[0]} octets, not {expected}")
            return spent / (len(content) / 1e6)

        return measured

    peers = [expression("smtplib._quote_periods", lambda chunk: len(quote(chunk)))]
    if protocol:
        peers.append(expression("aiosmtplib, periods only", lambda chunk: len(protocol.PERIOD_REGEX.sub(b"..", chunk))))
        peers.append(expression("aiosmtplib, line endings and periods", whole))
    cases: dict[str, Case | None] = {"smtpcore": case(adapter_smtpcore.stuff, content, len(stuffed))}
    cases |= {name: case(work, content, len(stuffed)) for name, work in peers}
    if not protocol:
        cases["aiosmtplib"] = None
    table("Dot-stuffing, 64 KiB chunks of text", "MB per CPU second", cases, run, _per_second())

    cases = {"smtpcore": case(adapter_smtpcore.unstuff_strict, stuffed, len(content)), "aiosmtpd": None}
    if optional("aiosmtpd.smtp"):
        cases["aiosmtpd"] = case(engines.aiosmtpd_content(), stuffed, len(content))
    title = "Dot-unstuffing with bare newlines rejected, 64 KiB chunks of text"
    table(title, "MB per CPU second", cases, run, _per_second())


def server(run: Run) -> None:
    """Server machines."""
    count = run.amount(2000, 100)
    for title, steps in ("lock-step", engines.LOCKSTEP), ("pipelined", engines.PIPELINED):

        def ours(steps: engines.Steps = steps) -> float:
            engine = adapter_smtpcore.server_engine()
            engine.feed(b"EHLO client.example\r\n")
            return engines.feed_all(engine.feed, steps, count)

        def aiosmtpd(steps: engines.Steps = steps) -> float:
            return engines.aiosmtpd_server(steps, count)

        def twisted(steps: engines.Steps = steps) -> float:
            return engines.twisted_server(steps, count)

        cases: dict[str, Case | None] = {
            "smtpcore": ours,
            "aiosmtpd": aiosmtpd if optional("aiosmtpd.smtp") else None,
            "Twisted": twisted if optional("twisted.mail.smtp") else None,
        }
        table(f"Server in memory, {title}", "transactions per CPU second", cases, run, _per_second())


def client(run: Run) -> None:
    """Client machines."""
    count = run.amount(2000, 100)

    def ours(make: Callable[[], adapter_smtpcore.ClientEngine]) -> Case:
        def measured() -> float:
            engine = make()
            engine.greet(b"220 mx.example ESMTP\r\n", engines.canned)
            names = [engines.RECIPIENT]

            def work() -> None:
                for _ in range(count):
                    engine.transaction(engines.SENDER, names, engines.BODY, engines.canned)

            return cpu(work) / count

        return measured

    cases: dict[str, Case | None] = {
        "smtpcore, lock-step": ours(adapter_smtpcore.client_engine),
        "smtpcore, pipelined": ours(adapter_smtpcore.client_engine_pipelined),
        "smtpproto": (lambda: engines.smtpproto_client(count)) if optional("smtpproto.protocol") else None,
        "smtplib": lambda: engines.smtplib_client(count),
    }
    table("Client in memory", "transactions per CPU second", cases, run, _per_second())


class _Accepting:
    """A handler that accepts everything."""


def roundtrips(run: Run) -> None:
    """Round trips for a message, counted; nothing here depends on the machine."""
    started = time.perf_counter()
    print("\n### Round trips per message\n\n| recipients | smtpcore | smtplib |\n|--:|--:|--:|")
    for number in (1, 10, 100):
        names = [f"b{index}@example.com" for index in range(number)]
        link = Link(_Accepting(), hostname="mx.example", latency=0.005)
        with link.connect(hostname="client.example") as sender:
            before = link.clock.now
            if not sender.send("a@example.org", names, engines.BODY).all_accepted:
                raise ValueError("refused")
            ours = (link.clock.now - before) / (2 * link.latency)
        peer, sock = engines.smtplib_on_canned()
        before_turns = sock.turns
        peer.sendmail("a@example.org", names, engines.BODY)
        print(f"| {number} | {ours:.0f} | {sock.turns - before_turns} |")
    print("\n### Round trips for each of 100 messages over one connection\n\n| | round trips |\n|---|--:|")
    message = ("a@example.org", ["b@example.com"], engines.BODY)
    for name, chunking in ("send", False), ("send_all", False), ("send_all in chunks", True):
        link = Link(_Accepting(), hostname="mx.example", latency=0.005)
        with link.connect(hostname="client.example") as sender:
            before = link.clock.now
            if name == "send":
                outcomes = [sender.send(*message) for _ in range(100)]
            else:
                outcomes = sender.send_all([message] * 100, chunking=chunking)
            if not all(outcome.all_accepted for outcome in outcomes):
                raise ValueError("refused")
            print(f"| smtpcore, {name} | {(link.clock.now - before) / (2 * link.latency) / 100:.2f} |")
    if time.perf_counter() - started > 10:
        raise ValueError("time in memory is not virtual")
    print(end="", flush=True)
