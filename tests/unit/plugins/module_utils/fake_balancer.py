# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A load balancer in memory, with its own time: what the engine is tested against."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from unit.plugins.fake_clock import FakeClock

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import (
    DRAIN,
    MAINTENANCE,
    READY,
    Balancer,
    Capabilities,
    Change,
    Member,
    Pool,
)
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.members import run

ABLE = Capabilities(drains=True, soft_drain=True, cuts_sessions=True, whole_pool=True, max_weight=256, warms_up=True)


def member(name: str, **different: t.Any) -> Member:
    """A member that takes traffic, but for what is different."""
    usual: dict[str, t.Any] = {"admin": READY, "health": "up", "in_service": True, "status": "UP", "weight": 10, "initial_weight": 10}
    if different.get("admin", READY) != READY:
        usual |= {"in_service": False, "health": "unknown"}
    return Member(name, **(usual | {"sessions": 0, "queued": 0, "requests": 0} | different))


def pool_of(count: int) -> list[Member]:
    return [member(f"web{number}") for number in range(1, count + 1)]


class World:
    """One pool called web, what happens to it, and what was asked of it.

    :param busy_until: member -> when its sessions end once it is out; until then it has 3.
    :param up_after: seconds from being let in until the balancer's checks are good.
    :param before_read: called with the number of the read (from 0), before it is answered.
    """

    def __init__(self, members: t.Iterable[Member], can: Capabilities = ABLE) -> None:
        self.clock = FakeClock()
        self.members = {one.name: one for one in members}
        self.can = can
        self.busy_until: dict[str, float] = {}
        self.up_after = 0.0
        self.allowed: t.Callable[[], None] = lambda: None
        self.refuses: t.Callable[[Change], str | None] = lambda change: None
        self.ignores: set[str] = set()
        self.before_read: t.Callable[[int], None] = lambda number: None
        self.before_open: t.Callable[[int], None] = lambda number: None
        self.reads = self.opened = self.closed = 0
        self.orders: list[list[Change]] = []
        self.cuts: list[list[str]] = []
        self._let_in: dict[str, float] = {}

    def run(self, check_mode: bool = False, **options: t.Any) -> dict[str, t.Any]:
        usual = {"provider": "fake", "address": "here", "pool": "web", "members": sorted(self.members)}
        return run(usual | options, check_mode, self.clock, {"fake": self.provider()}, self.allowed)

    def fail(self, check_mode: bool = False, **options: t.Any) -> RollingError:
        """As `run`, for the error it must raise."""
        try:
            result = self.run(check_mode, **options)
        except RollingError as error:
            return error
        raise AssertionError(f"it went well: {result}")

    def set(self, name: str, **different: t.Any) -> None:
        self.members[name] = dataclasses.replace(self.members[name], **different)

    def order(self, change: Change) -> str | None:
        if change.member not in self.members:
            return "no such member"
        if refusal := self.refuses(change):
            return refusal
        if change.member in self.ignores:
            return None
        if change.weight is not None:
            self.set(change.member, weight=change.weight)
        if change.agent is not None:
            self.set(change.member, agent=change.agent)
        if change.admin == READY:
            self._let_in[change.member] = self.clock.now()
        if change.admin is not None:
            status = {READY: "UP", DRAIN: "DRAIN", MAINTENANCE: "MAINT"}[change.admin]
            self.set(change.member, admin=change.admin, status=status, in_service=change.admin == READY, health="unknown")
        return None

    def pool(self) -> Pool:
        now = self.clock.now()
        for name, since in self._let_in.items():
            if name in self.members and self.members[name].admin == READY and self.members[name].health != "unchecked":
                self.set(name, health="up" if now >= since + self.up_after else "falling")
        for name, until in self.busy_until.items():
            self.set(name, sessions=3 if now < until else 0)
        return Pool("web", tuple(self.members.values()))

    def provider(self) -> type[Balancer]:
        world = self

        class Fake(Balancer):
            provider = "fake"
            capabilities = world.can
            name_pattern = re.compile("[a-z0-9]+")
            name_rule = "use small letters and digits"

            @classmethod
            def open(cls, address: str, timeout: float) -> Balancer:
                world.opened += 1
                world.before_open(world.opened - 1)
                return cls()

            def close(self) -> None:
                world.closed += 1

            def pools(self) -> list[str]:
                return ["web"]

            def read(self, pool: str, members: t.Collection[str] = ()) -> Pool:
                if pool != "web":
                    raise RollingError(f"pool: there is no {pool}; there are: web.")
                world.reads += 1
                world.before_read(world.reads - 1)
                return world.pool()

            def apply(self, pool: str, changes: t.Sequence[Change]) -> dict[str, str]:
                world.orders.append(list(changes))
                answers = {change.member: world.order(change) for change in changes}
                return {name: answer for name, answer in answers.items() if answer}

            def cut(self, pool: str, members: t.Sequence[str]) -> dict[str, str]:
                world.cuts.append(list(members))
                for name in members:
                    world.busy_until[name] = 0.0
                return {}

        return Fake
