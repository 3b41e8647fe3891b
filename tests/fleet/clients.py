# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients in a thread of the test, where `fleet.load` would be a process too many."""

from __future__ import annotations

import asyncio
import threading
import typing as t
from collections import Counter

from fleet.load import Client, Failed, Kind
from fleet.waiting import wait_until


class Clients:
    """Mixed clients that ask while a block runs, and retry nothing.

    :param pause: seconds between an answer and the next request.
    """

    def __init__(self, url: str, kinds: t.Sequence[Kind], pause: float = 0.1) -> None:
        self._url, self._kinds, self._pause = url, kinds, pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()))
        self.sent: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.failures: list[str] = []

    def __enter__(self) -> Clients:
        self._thread.start()
        try:
            wait_until(lambda: len(self.sent) == len(self._kinds) and self.sent.total() > 100, 60, "requests of every kind")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind.name} {self.failed[kind.name]}/{self.sent[kind.name]}" for kind in self._kinds)
        reasons = dict(Counter(self.failures).most_common(4))
        return f"{self.failed.total()}/{self.sent.total()} failed ({kinds}) {reasons or ''}".strip()

    async def _all(self) -> None:
        await asyncio.gather(*(self._work(kind, number) for kind in self._kinds for number in range(kind.workers)))

    async def _work(self, kind: Kind, number: int) -> None:
        client = Client(kind, self._url)
        slow = kind.path.startswith("/slow")
        await asyncio.sleep(number / kind.workers * (1 if slow else self._pause))
        while not self._stop.is_set():
            self.sent[kind.name] += 1
            try:
                await client.ask()
            except Failed as failure:
                self.failed[kind.name] += 1
                self.failures.append(f"{kind.name}: {failure.why} {failure.host or ''}".strip())
            if not slow:  # one begins as another ends: they are always about
                await asyncio.sleep(self._pause)
        client.close()
