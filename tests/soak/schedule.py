# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens in which roll, by the seed alone. Pure: the same seed gives the same rolls on every machine."""

from __future__ import annotations

import random
import typing as t
from dataclasses import asdict, dataclass

HOSTS = ("web1", "web2", "web3", "web4")
BALANCERS = ("lb1", "lb2")

# A release, and how its process behaves. `lies` answers another version than it was deployed as, and pleases HAProxy.
BAD: dict[str, dict[str, t.Any]] = {"dies": {"exit": True}, "sick": {"healthy": False}, "hangs": {"hang": True}, "lies": {}}
SLOW = {"unready": 0.5}

# Before a task of the run, by its name and how often it has begun; or when so many members were taken out or let in again.
PLACES = (
    "Look at the load balancers#1",
    "Plan the rollout#1",
    "Stage the release#1",
    *(f"{task}#{count}" for task in ("Ask the gate", "Drain", "Switch to the release and restart", "Verify", "Enable") for count in (1, 2)),
    "Conclude the rollout#1",
    "Settle the rollout#1",
    *(f"{what}#{count}" for what in ("taken out", "let in") for count in (1, 3, 5)),
)

# Of the first kind a roll has one at most: they end the controller, or hold it up for long.
CONTROLLER = (
    "controller killed",
    "controller interrupted",
    "controller terminated",
    "controller stopped and taken over",
    "aborted",
    "paused",
)
OTHERS = (
    "app killed",
    "app frozen",
    "host cut off",
    "host frozen",
    "host rebooted",
    "balancer reloaded",
    "balancer restarted",
    "balancer silent",
    "held by a person",
    "let in by a person",
    "weighted by a person",
    "second controller",
    "journal locked",
    "disk full",
)

# How a roll goes on, and what follows its failure; the variables of a way are the run's.
WAYS: dict[str, dict[str, t.Any]] = {
    "serial": {},
    "window": {"rollout_mode": "window"},
    "waves": {"rollout_waves": [{"name": "first", "hosts": 1, "bake": "1s"}]},
    "serial, back": {"rollout_on_failure": "rollback"},
    "window, back": {"rollout_mode": "window", "rollout_on_failure": "rollback"},
    "revert": {"rollout_on_host_failure": "revert", "rollout_rehearse": True},
    "window revert": {"rollout_mode": "window", "rollout_on_host_failure": "revert"},
}


@dataclass(frozen=True)
class Fault:
    """One fault and its moment.

    :ivar place: one of `PLACES`, and `delay` so many seconds after it.
    :ivar seconds: how long it lasts, where it lasts.
    :ivar how: which of its ways, where it has some.
    """

    kind: str
    place: str
    delay: float
    host: str
    balancer: str
    seconds: float
    how: str = ""


@dataclass(frozen=True)
class Roll:
    """One roll: where to, in which of `WAYS`, what goes wrong, and whether a healing roll follows."""

    number: int
    version: str
    behaviour: str
    max_unavailable: int
    max_failures: int
    faults: tuple[Fault, ...]
    heals: bool
    way: str

    @property
    def variables(self) -> dict[str, t.Any]:
        """Of its own run, and of those that others start meanwhile."""
        return {"rollout_max_unavailable": self.max_unavailable, "rollout_max_failures": self.max_failures, **WAYS[self.way]}

    def other_version(self, part: int) -> str:
        """A good version of this roll alone: for the second controller, who takes over, and the healing roll."""
        return f"{self.number}.{part}.0"

    def to_json(self) -> dict[str, t.Any]:
        return asdict(self)


_HOW: dict[str, tuple[str, ...]] = {
    "controller killed": ("alone", "with all it started"),
    "held by a person": ("drain", "maint"),
    "second controller": ("refused", "waits"),
}


def make_roll(seed: int, number: int, last: bool = False) -> Roll:
    """The roll of a number, which knows nothing of those before it.

    :param last: the last one always heals.
    """
    chance = random.Random(f"{seed}/{number}")
    behaviour = chance.choice(("good", "good", "good", "slow", *BAD))
    kinds = [chance.choice(CONTROLLER)] if chance.random() < 0.6 else []
    kinds += chance.sample(OTHERS, chance.choice((0, 1, 1, 2)) if kinds else chance.choice((1, 1, 2, 3)))
    # Each on a host of its own: what is frozen can't be rebooted as well.
    # A release that fails halts the rollout in its first batch.
    places = [place for place in PLACES if behaviour not in BAD or place.endswith("#1")]
    faults = [_fault(chance, places, kind, host) for kind, host in zip(kinds, chance.sample(HOSTS, len(kinds)), strict=True)]
    limits = {"max_unavailable": chance.choice((1, 2, 2, 2, 3)), "max_failures": chance.choice((0, 0, 1))}
    heals = chance.random() < 0.7
    way = chance.choice(("serial", *WAYS))
    return Roll(number, f"{number}.0.0", behaviour, **limits, faults=tuple(faults), heals=heals or last, way=way)


def _fault(chance: random.Random, places: t.Sequence[str], kind: str, host: str) -> Fault:
    place, delay, seconds = chance.choice(places), round(chance.uniform(0, 0.5), 2), round(chance.uniform(0.5, 3), 1)
    return Fault(kind, place, delay, host, chance.choice(BALANCERS), seconds, chance.choice(_HOW.get(kind, ("",))))
