# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many members are in service, asked of the balancers many times a second."""

from __future__ import annotations

import itertools
import os
import threading
import time
import typing as t
from contextlib import suppress
from dataclasses import dataclass

from fleet.haproxy import Balancer, in_service


@dataclass(frozen=True)
class Sample:
    """One look at one pool. Times are seconds on the monotonic clock."""

    time: float
    balancer: str
    pool: str
    members: int


@dataclass(frozen=True)
class Absence:
    """One member's time out of rotation, in seconds, from when it was first seen out; as exact as the sampling."""

    balancer: str
    pool: str
    host: str
    began: float
    seconds: float


class Sampler:
    """Polls `show stat` of every balancer in a thread.

    :param rate: looks a second.
    """

    def __init__(self, balancers: t.Sequence[Balancer], rate: float = 20) -> None:
        self._balancers = balancers
        self._interval = 1 / rate
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._out_since: dict[tuple[str, str, str], float] = {}
        self.samples: list[Sample] = []
        self.absences: list[Absence] = []
        self.errors: list[str] = []

    def start(self) -> Sampler:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> Sampler:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def minimum(self, pool: str | None = None) -> int:
        """The fewest members in service that were seen in the pool (any pool) on any balancer."""
        return min(sample.members for sample in self.samples if pool in (None, sample.pool))

    def gaps(self, longer_than: float = 0.1) -> list[float]:
        """The pauses between two looks that were longer than so many seconds: what may have been missed."""
        pauses = []
        for balancer in self._balancers:
            times = sorted({sample.time for sample in self.samples if sample.balancer == balancer.name})
            pauses += [after - before for before, after in itertools.pairwise(times) if after - before > longer_than]
        return pauses

    def _run(self) -> None:
        with suppress(PermissionError):
            os.setpriority(
                os.PRIO_PROCESS, threading.get_native_id(), -10
            )  # on Linux of this thread alone: it looks on time on a busy machine
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            for balancer in self._balancers:
                try:
                    self._look(time.monotonic(), balancer)
                except OSError as error:
                    self.errors.append(f"{balancer.name}: {error}")
            due = max(due + self._interval, time.monotonic())

    def _look(self, now: float, balancer: Balancer) -> None:
        counts: dict[str, int] = {}
        for member in balancer.members():
            pool, place, serves = member["pxname"], (balancer.name, member["pxname"], member["svname"]), in_service(member)
            counts[pool] = counts.get(pool, 0) + serves
            if not serves:
                self._out_since.setdefault(place, now)
            elif place in self._out_since:
                began = self._out_since.pop(place)
                self.absences.append(Absence(*place, began, now - began))
        self.samples += [Sample(now, balancer.name, pool, count) for pool, count in counts.items()]
