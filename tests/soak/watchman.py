# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at every balancer many times a second, and judges each move: was it ours, and did it break the floor or a person's word?"""

from __future__ import annotations

import threading
import time
import typing as t
from collections import defaultdict
from dataclasses import dataclass

from fleet.haproxy import Balancer

_GRACE = 1.0
"""Seconds for which the loss of a member may be unknown to who drains another: it is decided before, and HAProxy notices by its checks."""

Place = tuple[str, str]


def serves(status: str) -> bool:
    return status.startswith("UP") or status == "no check"


def is_ordered(status: str) -> bool:
    """Out by somebody's order, not by a check that failed."""
    return status.startswith(("MAINT", "DRAIN"))


@dataclass(frozen=True)
class Move:
    """A member that was taken out or let in, by an order that was not the soak's own person's."""

    time: float
    place: Place
    host: str
    out: bool


class Ledger:
    """What was seen so far. Pure but for its memory: times come from outside."""

    def __init__(self) -> None:
        self.floor = 0
        self.held: set[str] = set()
        self.forgetful: set[tuple[str, str]] = set()
        self.moves: list[Move] = []
        self.broken: list[str] = []
        self._last: dict[Place, dict[str, str]] = {}
        self._lost: dict[Place, list[float]] = defaultdict(list)

    def begin(self, floor: int) -> None:
        """A roll begins."""
        self.floor = floor
        self.moves.clear()
        self.forgetful.clear()

    def hold(self, host: str) -> None:
        """A person is about to take the host out."""
        self.held.add(host)

    def forget(self, balancer: str) -> None:
        """A balancer starts anew: it lets everybody in, and who was out may be taken out again."""
        for (name, _pool), members in self._last.items():
            if name == balancer:
                self.forgetful |= {(balancer, host) for host, status in members.items() if not serves(status)}

    def let_in(self, hosts: t.Iterable[str]) -> None:
        """A person is about to let hosts in that a rollout has out."""
        self.forgetful |= {(balancer, host) for balancer, _pool in self._last for host in hosts}

    def blind(self, balancer: str) -> None:
        """It does not answer; what happened meanwhile was nobody's move."""
        for place in [place for place in self._last if place[0] == balancer]:
            del self._last[place]

    def see(self, now: float, place: Place, members: dict[str, str]) -> None:
        """Take in one look at one pool: host -> HAProxy's word."""
        before = self._last.get(place, members)
        self._last[place] = members
        taken = []
        for host, status in members.items():
            was, known = before.get(host, status), (place[0], host) in self.forgetful
            if serves(was) and not serves(status):
                if is_ordered(status) and host not in self.held:
                    self.moves.append(Move(now, place, host, out=True))
                    taken += [] if known else [host]
                else:
                    self._lost[place].append(now)
            elif is_ordered(was) and not is_ordered(status):
                if host not in self.held:
                    self.moves.append(Move(now, place, host, out=False))
                elif not known:
                    self.broken.append(f"hold: {host} was held by a person, and was enabled on {'/'.join(place)}")
        left = sum(map(serves, members.values()))
        unknown = sum(now - when < _GRACE for when in self._lost[place])
        if taken and left + unknown < self.floor:
            self.broken.append(f"floor: {left} in service in {'/'.join(place)} after {', '.join(taken)} left, the floor is {self.floor}")

    def count(self, out: bool) -> int:
        """How many moves of one direction there were in this roll, over all places."""
        return sum(move.out is out for move in self.moves)


class Watchman:
    """A ledger that is kept by a thread, twenty looks a second at each balancer."""

    def __init__(self, balancers: t.Sequence[Balancer]) -> None:
        self.ledger = Ledger()
        self._balancers = balancers
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Ledger:
        self._thread.start()
        return self.ledger

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            for balancer in self._balancers:
                try:
                    seen = balancer.members()
                except (OSError, KeyError):
                    self.ledger.blind(balancer.name)
                    continue
                for pool in {member["pxname"] for member in seen}:
                    members = {member["svname"]: member["status"] for member in seen if member["pxname"] == pool}
                    self.ledger.see(time.monotonic(), (balancer.name, pool), members)
