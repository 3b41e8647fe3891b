# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one client calls a failure, against a server that does one thing wrong."""

from __future__ import annotations

import asyncio
import io
import typing as t

import pytest

from fleet import load
from fleet.load import Client, Failed, Kind, Tally

BYE = b"bye"
KEPT = Kind("keep-alive", "/", workers=1, share=1.0)
GOOD = b'HTTP/1.1 200 OK\r\nContent-Length: 33\r\n\r\n{"host": "web1", "version": "v1"}'
BROKEN = b'HTTP/1.1 500 Oops\r\nContent-Length: 33\r\n\r\n{"host": "web1", "version": "v1"}'


def converse(requests: int, *answers: bytes | None, kind: Kind = KEPT, pause: float = 0) -> tuple[list[str], list[str], int]:
    """Ask so often with one client; returns the versions, the failures and the connections made.

    :param answers: what the server sends for each request; None: nothing, it closes; an answer that ends in BYE: it closes after it.
    """
    script = iter(answers)
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.readuntil(b"\r\n\r\n"):
            answer = next(script)
            if answer is None:
                break
            writer.write(answer.removesuffix(BYE))
            if answer.endswith(BYE):
                break
        writer.close()

    async def talk() -> tuple[list[str], list[str]]:
        versions, failures = [], []
        async with await asyncio.start_server(serve, "127.0.0.1") as server:
            client = Client(kind, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            for _round in range(requests):
                try:
                    versions.append(await client.ask())
                except Failed as failure:
                    failures.append(failure.why)
                await asyncio.sleep(pause)
            client.close()
        return versions, failures

    versions, failures = asyncio.run(talk())
    return versions, failures, connections


def test_a_kept_connection_is_used_again() -> None:
    assert converse(3, GOOD, GOOD, GOOD) == (["v1"] * 3, [], 1)


def test_a_client_that_closes_makes_a_connection_each_time() -> None:
    closing = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    assert converse(2, closing, closing, kind=Kind("close", "/", 1, 1.0, keep=False)) == (["v1"] * 2, [], 2)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (BROKEN, "status 500"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "status 200, but not from the app"),
        (None, "IncompleteReadError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 33\r\n\r\n{" + BYE, "IncompleteReadError"),
        (b"garbage\r\n\r\n" + BYE, "IndexError"),
    ],
)
def test_anything_but_a_complete_200_is_a_failure(answer: bytes | None, why: str) -> None:
    versions, failures, _count = converse(2, answer, GOOD)
    assert versions == ["v1"]  # the next request is a new start
    assert len(failures) == 1 and failures[0].startswith(why)


def test_nobody_there_is_a_failure() -> None:
    with pytest.raises(Failed, match="ConnectionRefusedError"):
        asyncio.run(Client(KEPT, "http://127.0.0.1:1").ask())


def test_no_answer_in_time_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "TIMEOUT", 0.05)
    _versions, failures, _count = converse(1, b"HTTP/1.1 200 OK\r\n")
    assert failures == ["no answer within 0.05 s"]


def test_a_close_seen_before_sending_is_no_failure() -> None:
    assert converse(2, GOOD + BYE, GOOD, pause=0.05) == (["v1"] * 2, [], 2)


def test_a_cookie_is_kept() -> None:
    sticky = GOOD.replace(b"\r\n\r\n", b"\r\nSet-Cookie: MEMBER=web1; path=/\r\n\r\n", 1)
    seen: list[str] = []

    async def talk() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _round in range(2):
                seen.append((await reader.readuntil(b"\r\n\r\n")).decode())
                writer.write(sticky)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1") as server:
            client = Client(Kind("sticky", "/sticky/", 1, 1.0, cookie=True), f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            await client.ask()
            await client.ask()
            client.close()

    asyncio.run(talk())
    assert "Cookie" not in seen[0]
    assert "\r\nCookie: MEMBER=web1\r\n" in seen[1]


def test_the_tally_counts_by_kind_and_keeps_the_failures() -> None:
    log = io.StringIO()
    tally = Tally(log)
    tally.answered("slow", "v1")
    tally.answered("close", "v2")
    tally.failed("slow", "status 503", None)
    tally.end_second()
    summary: dict[str, t.Any] = tally.summary()
    assert (summary["sent"], summary["failed"], summary["versions"]) == (3, 1, {"v1": 1, "v2": 1})
    assert summary["by_kind"] == {"close": {"sent": 1, "failed": 0}, "slow": {"sent": 2, "failed": 1}}
    assert [failure["why"] for failure in summary["failures"]] == ["status 503"]
    assert len(log.getvalue().splitlines()) == 2
