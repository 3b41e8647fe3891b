# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of a plan: what may be out at the same time, of the fleet, of every pool, zone and anti-affinity group. Pure."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass, field

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostSeen, Member, Observed
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Allowance, Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.wording import listed


@dataclass(frozen=True)
class Bound:
    """How much of one thing the hosts that go may have out at the same time."""

    kind: str  # fleet, place, zone, group, wave
    name: str
    variable: str  # what a person changes to change it
    room: int
    sum: str  # the arithmetic
    takes: dict[str, int]  # host that goes -> what of it is gone while the host is out
    floor: int | None = None  # of a place: what stays


@dataclass
class _Share:
    """One thing, and who is how much of it."""

    total: int = 0
    gone: dict[str, int] = field(default_factory=dict)  # out already, and not to come back by this rollout
    takes: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, units: int, goes: bool, out: bool) -> None:
        self.total += units
        if goes:
            self.takes[name] = self.takes.get(name, 0) + units
        elif out:
            self.gone[name] = self.gone.get(name, 0) + units

    def out(self) -> str:
        """Who is out already, for the sum."""
        return f", {sum(self.gone.values())} out already ({listed(self.gone, len(self.gone))})" if self.gone else ""

    def bound(self, kind: str, name: str, allowance: Allowance, floor: bool = False) -> Bound:
        """The bound that an allowance makes of it."""
        one = max(self.takes.values(), default=1)
        may, gone = allowance.of(self.total, one), sum(self.gone.values())
        room = max(0, may - gone)
        stays = self.total - may if floor else None
        text = f"{name}: {allowance.explain(self.total, one)}{self.out()}, so {room} at a time{f'; floor {stays}' if floor else ''}"
        return Bound(kind, name, allowance.variable, room, text, self.takes, stays)


def bounds_of(going: t.Collection[str], skipped: t.Collection[str], observed: Observed, policy: Policy) -> tuple[Bound, ...]:
    """Every bound on the hosts that go, the fleet's first.

    Whoever is out already counts, but for those that go: they come back.

    :raises InputError: naming the first bound that has no room for one of its hosts, with the sum; or weights that nobody tells.
    """
    goes = set(going)
    lost = _lost(goes, set(skipped), observed)
    bounds = [_fleet(goes, lost, observed, policy), *_places(goes, observed, policy), *_zones(goes, lost, observed, policy)]
    bounds += _groups(goes, lost, observed)
    check_room(bounds)
    return tuple(bounds)


def _fleet(goes: set[str], lost: set[str], observed: Observed, policy: Policy) -> Bound:
    share = _Share()
    for seen in observed.hosts:
        share.add(seen.host, 1, seen.host in goes, seen.host in lost)
    if policy.limit_by == "weight":
        room = share.total - len(share.gone)
        return Bound(
            "fleet", "the fleet", "rollout_limit_by", room, f"the fleet: {room} of {share.total}; its pools' weights limit it", share.takes
        )
    # With --limit the play sees a few hosts; the pools still know how large the fleet is.
    pools: dict[str, int] = defaultdict(int)
    for member in observed.members:
        pools[member.place] += not member.alone
    share.total = max(share.total, *pools.values(), 0)
    return share.bound("fleet", "the fleet", policy.unavailable)


def _places(goes: set[str], observed: Observed, policy: Policy) -> list[Bound]:
    weighed = policy.limit_by == "weight"
    pools: dict[str, _Share] = defaultdict(_Share)
    for member in observed.members:
        if member.alone:
            continue
        units = member.units(weighed)
        if weighed and member.weight is None:
            raise InputError(
                f"rollout_limit_by: {member.place} does not tell the weight of {member.name}; "
                "limit by members, which needs no weights. Nothing was touched."
            )
        pools[member.place].add(member.host or member.name, units, member.host in goes, not member.in_service)
    if weighed and not pools:
        raise InputError("rollout_limit_by: there is no pool whose weights could be limited; limit by members. Nothing was touched.")
    return [pool.bound("place", place, policy.unavailable, floor=True) for place, pool in sorted(pools.items())]


def _zones(goes: set[str], lost: set[str], observed: Observed, policy: Policy) -> list[Bound]:
    if policy.unavailable_per_zone is None:
        return []
    without = next((seen.host for seen in observed.hosts if not seen.zone), None)
    if without:
        raise InputError(f"rollout_max_unavailable_per_zone: {without} has no rollout_zone; give every host one. Nothing was touched.")
    zones = _shares(((seen.zone, seen) for seen in observed.hosts), goes, lost)
    return [share.bound("zone", f"zone {zone}", policy.unavailable_per_zone) for zone, share in sorted(zones.items())]


def _groups(goes: set[str], lost: set[str], observed: Observed) -> list[Bound]:
    groups = _shares(((group, seen) for seen in observed.hosts for group in seen.apart), goes, lost)
    bounds = []
    for group, share in sorted(groups.items()):
        if share.total > 1:
            room = 0 if share.gone else 1
            text = f"group {group}: 1 of {share.total}{share.out()}, so {room} at a time"
            bounds.append(Bound("group", f"group {group}", "rollout_anti_affinity", room, text, share.takes))
    return bounds


def _shares(pairs: t.Iterable[tuple[str, HostSeen]], goes: set[str], lost: set[str]) -> dict[str, _Share]:
    shares: dict[str, _Share] = defaultdict(_Share)
    for name, seen in pairs:
        shares[name].add(seen.host, 1, seen.host in goes, seen.host in lost)
    return shares


def _lost(goes: set[str], skipped: set[str], observed: Observed) -> set[str]:
    """Hosts that neither serve nor will by this rollout."""
    out = {member.host for member in observed.members if not member.in_service}
    others = (seen for seen in observed.hosts if seen.host not in goes and seen.host not in skipped)
    return {seen.host for seen in others if seen.host in out or not seen.healthy}


def check_room(bounds: t.Iterable[Bound]) -> None:
    """:raises InputError: naming the first bound that has no room for one of its hosts, with the sum."""
    for bound in sorted(bounds, key=lambda bound: bound.room):
        host, most = max(bound.takes.items(), key=lambda pair: pair[1], default=("", 0))
        if most > bound.room:
            whose = f", and {host} alone is {most}" if most > 1 else ""
            raise InputError(
                f"{bound.variable}: nobody may leave rotation: {bound.sum}{whose}. "
                f"Raise the limit, bring members back first, or roll one at a time with rollout_at_least_one; nothing was touched."
            )


def members_by_host(members: t.Iterable[Member]) -> dict[str, list[Member]]:
    """The members of every host that has some."""
    found: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        if member.host is not None:
            found[member.host].append(member)
    return found
