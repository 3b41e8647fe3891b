# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients of all kinds at once, which retry nothing and count everything.

Run by itself: `python -m fleet.load --url http://127.0.0.1:8080 --out load.jsonl`, until SIGTERM, SIGINT or `--seconds`; requests in
flight are finished, then a JSON summary goes to stdout. The log has one line a failure and one line a second.
A request failed when it did not get a complete answer with status 200 within ten seconds. The one thing that is no
failure: a kept connection that was seen closed *before* the next request was sent on it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
import typing as t
import urllib.parse
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from fleet.waiting import wait_until

TIMEOUT = 10.0


@dataclass(frozen=True)
class Kind:
    """One kind of client.

    :param workers: clients of the kind, each with one connection.
    :param share: of the total rate, for all its workers; None: each asks as soon as it has its answer.
    """

    name: str
    path: str
    workers: int
    share: float | None
    keep: bool = True
    cookie: bool = False


KINDS = (
    Kind("keep-alive", "/", workers=4, share=0.5),
    Kind("close", "/", workers=2, share=0.25, keep=False),
    Kind("slow", "/slow?seconds=2", workers=4, share=None),
    Kind("sticky", "/sticky/", workers=4, share=0.25, cookie=True),
)


class Failed(Exception):
    """A request that got no complete 200."""

    def __init__(self, why: str, host: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.host = host


class Tally:
    """What happened to the requests, written to the log as it happens."""

    def __init__(self, log: t.TextIO) -> None:
        self._log = log
        self.sent = 0
        self.by_kind: dict[str, Counter[str]] = {}
        self.versions: Counter[str] = Counter()
        self.failures: list[dict[str, t.Any]] = []
        self._second: Counter[str] = Counter()

    def answered(self, kind: str, version: str) -> None:
        self._count(kind, "ok")
        self.versions[version] += 1
        self._second[version] += 1

    def failed(self, kind: str, why: str, host: str | None) -> None:
        self._count(kind, "failed")
        self.failures.append({"time": time.time(), "kind": kind, "why": why, "host": host})
        self._write({"event": "failed", **self.failures[-1]})

    def end_second(self) -> None:
        totals = {"sent": self.sent, "failed": len(self.failures)}
        self._write({"event": "second", "time": time.time(), **totals, "versions": dict(self._second)})
        self._second.clear()

    def summary(self) -> dict[str, t.Any]:
        return {
            "sent": self.sent,
            "failed": len(self.failures),
            "by_kind": {kind: {"sent": counts.total(), "failed": counts["failed"]} for kind, counts in sorted(self.by_kind.items())},
            "versions": dict(self.versions),
            "failures": self.failures[:20],
        }

    def _count(self, kind: str, outcome: str) -> None:
        self.sent += 1
        self.by_kind.setdefault(kind, Counter())[outcome] += 1

    def _write(self, line: dict[str, t.Any]) -> None:
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()


class Client:
    """One connection's worth of requests of one kind."""

    def __init__(self, kind: Kind, url: str) -> None:
        self.kind = kind
        parts = urllib.parse.urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._cookie = ""

    async def ask(self) -> str:
        """Send one request and return the version that answered.

        :raises Failed: it did not get a complete 200.
        """
        try:
            async with asyncio.timeout(TIMEOUT):
                status, body = await self._exchange()
        except TimeoutError:
            self.close()
            raise Failed(f"no answer within {TIMEOUT:g} s", self._sticks_to()) from None
        except (OSError, EOFError, ValueError, LookupError) as error:
            self.close()
            raise Failed(f"{type(error).__name__}: {error}", self._sticks_to()) from None
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {}  # HAProxy's own error page
        if status != 200:
            raise Failed(f"status {status}", answer.get("host"))
        if "version" not in answer:
            raise Failed("status 200, but not from the app")
        return str(answer["version"])

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self) -> tuple[int, bytes]:
        if self._streams and self._streams[0].at_eof():
            self.close()  # seen before anything was sent: no request was lost
        if not self._streams:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(
            f"GET {self.kind.path} HTTP/1.1\r\nHost: fleet\r\nConnection: {'keep-alive' if self.kind.keep else 'close'}\r\n"
            f"{self._cookie}\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in head[1:])}
        body = await (reader.readexactly(int(headers["content-length"])) if "content-length" in headers else reader.read())
        if self.kind.cookie and "set-cookie" in headers:
            self._cookie = f"Cookie: {headers['set-cookie'].partition(';')[0]}\r\n"
        if headers.get("connection") == "close" or "content-length" not in headers:
            self.close()
        return int(head[0].split()[1]), body

    def _sticks_to(self) -> str | None:
        return self._cookie.partition("=")[2].strip() or None


async def _work(client: Client, tally: Tally, interval: float, delay: float, stop: asyncio.Event) -> None:
    """Ask every `interval` seconds until told to stop; a late request does not make the next ones hurry."""
    due = asyncio.get_running_loop().time() + delay
    while not await _stopped(stop, due - asyncio.get_running_loop().time()):
        try:
            tally.answered(client.kind.name, await client.ask())
        except Failed as failure:
            tally.failed(client.kind.name, failure.why, failure.host)
        # Unequal steps: even ones fall into step with the balancer's round robin, and a client then misses a host for ever.
        due = max(due + interval * random.uniform(0.7, 1.3), asyncio.get_running_loop().time())
    client.close()


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Wait for the time to pass; True when told to stop meanwhile."""
    try:
        async with asyncio.timeout(max(seconds, 0.001)):
            return await stop.wait()
    except TimeoutError:
        return False


async def run(urls: t.Sequence[str], log: t.TextIO, rate: float, seconds: float | None, slow: float = 2) -> dict[str, t.Any]:
    """Drive the load and return the summary.

    :param urls: frontends of the balancers; the workers of each kind take them in turn.
    :param rate: requests a second, all fast kinds together.
    :param slow: how many seconds a slow request takes.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tally = Tally(log)
    workers = []
    for kind in (replace(kind, path=kind.path.replace("seconds=2", f"seconds={slow:g}")) for kind in KINDS):
        interval = kind.workers / (rate * kind.share) if kind.share else 0.01
        for i in range(kind.workers):
            # Slow workers start half a second apart, so that some request is always half-way.
            delay = i * (interval / kind.workers if kind.share else 0.5)
            workers.append(asyncio.create_task(_work(Client(kind, urls[i % len(urls)]), tally, interval, delay, stop)))
    tally.end_second()  # the log's first line says that signals are heard and requests are on their way
    parent, started = os.getppid(), time.monotonic()
    while not await _stopped(stop, 1 if seconds is None else min(1, seconds - (time.monotonic() - started))):
        tally.end_second()
        if os.getppid() != parent or (seconds is not None and time.monotonic() - started >= seconds):
            stop.set()
    await asyncio.gather(*workers)
    tally.end_second()
    return tally.summary()


class Load:
    """The load as a process of its own, on all balancers of a fleet.

    :param urls: frontends; `Load.on(fleet)` takes a fleet's.
    """

    def __init__(self, urls: t.Sequence[str], log: Path, rate: float = 150, slow: float = 2) -> None:
        self._urls, self.log, self._rate, self._slow = urls, log, rate, slow
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Load:
        """Return when requests are being sent."""
        self.log.unlink(missing_ok=True)
        command = [sys.executable, "-m", "fleet.load", "--out", str(self.log), "--rate", str(self._rate), "--slow", str(self._slow)]
        self._process = subprocess.Popen(
            [*command, *(argument for url in self._urls for argument in ("--url", url))],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        wait_until(self._sending, 30, "the load to start")
        return self

    def stop(self) -> dict[str, t.Any]:
        """Let the requests in flight end and return the summary: sent, failed, by_kind, versions, failures (the first 20)."""
        process, self._process = self._process, None
        if process is None:
            raise RuntimeError("the load is not running")
        process.terminate()
        try:
            summary, _errors = process.communicate(timeout=3 * TIMEOUT)
        except BaseException:
            process.kill()
            process.wait()
            raise
        return t.cast("dict[str, t.Any]", json.loads(summary))

    def __enter__(self) -> Load:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process:
            self.stop()

    def _sending(self) -> bool:
        if self._process and self._process.poll() is not None:
            raise RuntimeError(f"the load ended with {self._process.returncode}")
        return self.log.exists() and self.log.stat().st_size > 0


def main() -> None:
    parser = argparse.ArgumentParser(description="mixed client load that retries nothing")
    parser.add_argument("--url", action="append", required=True, help="a balancer's frontend; may be given again")
    parser.add_argument("--out", required=True, help="the log, JSON lines")
    parser.add_argument("--rate", type=float, default=150, help="requests a second, all fast clients together")
    parser.add_argument("--slow", type=float, default=2, help="seconds that a slow request takes")
    parser.add_argument("--seconds", type=float, help="stop after so long")
    arguments = parser.parse_args()
    with open(arguments.out, "w", encoding="utf-8") as log:
        print(json.dumps(asyncio.run(run(arguments.url, log, arguments.rate, arguments.seconds, arguments.slow))))


if __name__ == "__main__":
    main()
