# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked for the members of one call; decided from values only."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import DRAIN, MAINTENANCE, READY, Member
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError


@dataclasses.dataclass(frozen=True)
class Weight:
    """A weight as asked for: absolute, or percent of the member's initial weight."""

    amount: int
    percent: bool

    def of(self, member: Member, most: int) -> int:
        """The absolute weight for this member, rounded down.

        :raises RollingError: it comes to 0 without 0 having been asked for, or to more than ``most``.
        """
        if not self.percent:
            weight, how = self.amount, str(self.amount)
        elif member.initial_weight is None:
            raise RollingError(f"The initial weight is not known, so {self.amount}% of it is not either; give an absolute weight.")
        else:
            weight = member.initial_weight * self.amount // 100
            how = f"{self.amount}% of the initial weight {member.initial_weight} is {weight}"
        if weight > most:
            raise RollingError(f"weight: {how}, the most is {most}.")
        if weight == 0 and self.amount > 0:
            raise RollingError(f"weight: {how}, which is no traffic at all; ask for 0 if that is meant.")
        return weight


@dataclasses.dataclass(frozen=True)
class Original:
    """What a member had before somebody took it out; None is "not known", and left as it is."""

    admin: str = READY
    weight: int | None = None
    initial_weight: int | None = None
    agent: bool | None = None

    def weight_forgotten(self, member: Member) -> int | None:
        """The weight to set again: one that somebody had set by hand, where a reload has made it the configured one.

        Any other weight was set since, and is nobody's to undo.
        """
        by_hand = self.weight is not None and self.weight != self.initial_weight
        return self.weight if by_hand and member.weight == member.initial_weight else None


@dataclasses.dataclass(frozen=True)
class Goal:
    """What is asked for every member of one call; times in seconds."""

    pool: str
    members: tuple[str, ...]
    state: str | None  # drained, maintenance, ready, restored
    weight: Weight | None
    floor: int | None
    floor_wait: float
    soft: float
    quiet: float
    wait_timeout: float
    on_timeout: str  # fail, force, continue
    poll: float
    timeout: float
    before: t.Mapping[str, Original] = dataclasses.field(default_factory=dict)  # member -> what restored gives back
    floor_by: str = "members"  # what the floor counts: members, or weight
    full_weight: bool = False  # ready is not enough while a slow start goes on

    @property
    def takes_out(self) -> bool:
        return self.state in ("drained", "maintenance") or (self.weight is not None and self.weight.amount == 0)


def originals(views: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, Original]:
    """What members had, by their names, from views such as `Member.view` gives; what else a view holds does not matter.

    :raises InputError: a view is not one of a member.
    """
    return {str(view.get("name")): _original(view) for view in views}


def _original(view: t.Mapping[str, t.Any]) -> Original:
    given = {field.name: view[field.name] for field in dataclasses.fields(Original) if view.get(field.name) is not None}
    kinds: dict[str, t.Any] = {"admin": str, "weight": int, "initial_weight": int, "agent": bool}
    fits = all(isinstance(value, kinds[name]) and isinstance(value, bool) is (name == "agent") for name, value in given.items())
    if not view.get("name") or not fits or given.get("admin", READY) not in (READY, DRAIN, MAINTENANCE):
        raise InputError(f"before: {dict(view)!r} is not what a member had; give it as members[].before returned it.")
    return Original(**given)
