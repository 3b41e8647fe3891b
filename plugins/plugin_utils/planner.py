# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: from what is observed to who is rolled, in which batches, and what stays in service meanwhile. Pure."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostSeen, Member, Observed, Plan
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy


def make_plan(app: str, version: str, observed: Observed, policy: Policy) -> Plan:
    """Plan a rollout of ``version`` over the fleet as it is.

    Hosts at the target are skipped, hosts that a person took out are held, hosts that we took out go first, then those out of
    rotation by themselves, those unhealthy or of unknown version (CodeDeploy's order), and the rest; each in the order given.

    :raises InputError: when a limit comes to 0, or when so many members are out already that nobody may leave; with the sum.
    """
    members = _by_host(observed.members)
    absent = {absence.host for absence in observed.absences}
    skipped: dict[str, str] = {}
    held: dict[str, str] = {}
    unreachable: dict[str, str] = {}
    ranked: list[tuple[int, HostSeen]] = []
    for seen in observed.hosts:
        mine = members[seen.host]
        taken = [member for member in mine if member.admin != "ready"]
        if not seen.reachable:
            unreachable[seen.host] = seen.why or "it could not be reached"
        elif taken and seen.host not in absent:
            held[seen.host] = f"somebody put it into {taken[0].admin} on {taken[0].place}"
        elif seen.host not in absent and is_converged(seen, mine, version):
            skipped[seen.host] = f"it runs {version} already"
        else:
            ranked.append((_rank(seen, mine, absent), seen))
    order = [seen.host for rank, seen in sorted(ranked, key=lambda pair: pair[0])]
    limit, floors, sums = _limits(order, set(skipped), observed, policy)
    size = max(1, limit)
    return Plan(
        app=app,
        version=version,
        batches=tuple(tuple(order[start : start + size]) for start in range(0, len(order), size)),
        skipped=skipped,
        held=held,
        unreachable=unreachable,
        limit=limit,
        floors=floors,
        sums=sums,
        deployed=tuple(seen.host for _rank, seen in ranked if is_converged(seen, (), version)),
        left_out=tuple(_left_out(observed)),
    )


def is_converged(seen: HostSeen, members: t.Sequence[Member], version: str) -> bool:
    """Whether a host needs nothing: its process answers the version, and every balancer sends it traffic.

    Where the process does not say its version (no ``rollout_health.version``) the installed release stands in for it.
    """
    running = seen.installed if seen.running is None else seen.running
    installed = seen.running if seen.installed is None else seen.installed
    return seen.reachable and seen.healthy and running == installed == version and all(member.in_service for member in members)


def _left_out(observed: Observed) -> t.Iterator[str]:
    """Hosts that an earlier rollout left out, and that no pool sends anything now; other plays' hosts are known by their members' names."""
    if not observed.absences:
        return
    ours, others = _by_host(observed.members), {(one.place, one.name): one for one in observed.members if one.host is None}
    for absence in observed.absences:
        names = [(place, had.get("name", absence.host)) for place, had in absence.original.items()]
        mine = ours.get(absence.host) or [others[name] for name in names if name in others]
        if mine and not any(member.in_service for member in mine):
            yield absence.host


def _rank(seen: HostSeen, members: t.Sequence[Member], absent: set[str]) -> int:
    out = not all(member.in_service for member in members)
    if seen.host in absent:
        # Before all others: the place that it takes comes free by nothing but its return.
        return 0 if out else 1
    if out:
        return 2
    if not seen.healthy or (seen.running is None and seen.installed is None):
        return 3
    return 4


def _limits(order: t.Sequence[str], skipped: set[str], observed: Observed, policy: Policy) -> tuple[int, dict[str, int], tuple[str, ...]]:
    """How many hosts may be out at once, the floor of every pool, and the sums behind both."""
    going = set(order)
    known = going | skipped
    pools: dict[str, list[Member]] = defaultdict(list)
    for member in observed.members:
        if not member.alone:
            pools[member.place].append(member)
    members = _by_host(observed.members)
    # With --limit the play sees a few hosts; the pools still know how large the fleet is.
    total = max([len(observed.hosts), *(len(pool) for pool in pools.values())])
    lost = [
        seen.host
        for seen in observed.hosts
        if seen.host not in known and not (seen.healthy and all(member.in_service for member in members[seen.host]))
    ]
    rooms, floors, sums = [], {}, []
    room, text = _room("the fleet", total, lost, policy)
    rooms.append(room)
    sums.append(text)
    for place, pool in sorted(pools.items()):
        gone = [member.host or member.name for member in pool if not member.in_service and member.host not in going]
        room, text = _room(place, len(pool), gone, policy)
        floors[place] = len(pool) - policy.max_unavailable.of(len(pool))
        rooms.append(room)
        sums.append(f"{text}; floor {floors[place]}")
    if order and min(rooms) < 1:
        raise InputError(
            f"rollout_max_unavailable: nobody may leave rotation: {sums[rooms.index(min(rooms))]}. "
            "Raise rollout_max_unavailable or bring members back first; nothing was touched."
        )
    return min(rooms), floors, tuple(sums)


def _room(place: str, total: int, gone: t.Sequence[str], policy: Policy) -> tuple[int, str]:
    """How many may still leave one place, and the sum in words."""
    amount = policy.max_unavailable
    out = f", {len(gone)} out already ({', '.join(gone[:5])})" if gone else ""
    room = max(0, amount.of(total) - len(gone))
    return room, f"{place}: {amount.explain(total)}{out}, so {room} at a time"


def _by_host(members: t.Iterable[Member]) -> dict[str, list[Member]]:
    found: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        if member.host is not None:
            found[member.host].append(member)
    return found
