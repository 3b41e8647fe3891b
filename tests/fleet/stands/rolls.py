# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every member of a stand is killed and comes back, one after another, under load."""

from __future__ import annotations

import asyncio
import threading
import typing as t
from collections import Counter

from fleet.load import Client, Failed, Kind
from fleet.stands import Stand
from fleet.waiting import wait_until

# The slow ones are always about: one begins as another ends.
KINDS = (
    Kind("keep-alive", "/", workers=4, share=None),
    Kind("close", "/", workers=4, share=None, keep=False),
    Kind("slow", "/slow?seconds=1", workers=4, share=None, keep=False),
)
_PAUSE = 0.03


class Clients:
    """Clients of a stand in a thread, while a block runs; they retry nothing."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()))
        self.sent: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.failures: list[str] = []

    def __enter__(self) -> Clients:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def shown(self) -> str:
        return ", ".join(f"{kind.name} {self.failed[kind.name]} of {self.sent[kind.name]} failed" for kind in KINDS)

    async def _all(self) -> None:
        await asyncio.gather(*(self._work(kind, number) for kind in KINDS for number in range(kind.workers)))

    async def _work(self, kind: Kind, number: int) -> None:
        client = Client(kind, self._url)
        await asyncio.sleep(number / kind.workers * (1 if kind.name == "slow" else _PAUSE))
        while not self._stop.is_set():
            self.sent[kind.name] += 1
            try:
                await client.ask()
            except Failed as failure:
                self.failed[kind.name] += 1
                self.failures.append(f"{kind.name}: {failure.why}")
            if kind.name != "slow":
                await asyncio.sleep(_PAUSE)
        client.close()


def roll(stand: Stand, members: int = 3, **options: t.Any) -> Clients:
    """The roll of the first members, with a request in flight at each drain; returns what the clients saw."""
    with Clients(stand.url) as clients:
        for name, app in list(stand.apps.items())[:members]:
            wait_until(lambda app=app: app.in_flight > 0, 20, f"a slow request on {name}")  # type: ignore[misc]
            out = stand.run(name, state="drained", **options)["members"][0]
            assert (out["ok"], out["after"]["in_service"]) == (True, False), out
            assert app.in_flight == 0, out
            app.restart()
            back = stand.run(name, state="ready", **options)["members"][0]
            assert (back["ok"], back["after"]["in_service"]) == (True, True), back
            wait_until(lambda app=app: app.in_flight > 0, 20, f"requests on {name} again")  # type: ignore[misc]
    print(f"{stand.provider}: {clients.shown()}")
    return clients
