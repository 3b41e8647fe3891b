# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of a rollout: out of rotation first, then failed or unknown, then old; a person's own order within. Pure."""

from __future__ import annotations

import random
import typing as t
from collections import Counter, deque

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostSeen, Member
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy

OURS_AND_OUT, OURS, OUT, DOUBTFUL, RARE, OLD = range(6)
"""Why a host goes when it goes; the first three are away already."""


class Candidate(t.NamedTuple):
    """A host that is to be rolled."""

    seen: HostSeen
    members: t.Sequence[Member]
    ours: bool  # we took it out, and it is not back
    serves: str | None  # the version that it serves
    failed: bool = False  # on this version, and was put back on what it had

    @property
    def away(self) -> bool:
        """Whether it is out of rotation already, or was by our doing."""
        return self.ours or not all(member.in_service for member in self.members)


def in_order(candidates: t.Sequence[Candidate], usual: str | None, policy: Policy, seed: str) -> list[Candidate]:
    """The hosts in the order they go.

    :param candidates: in the order of the inventory.
    :param usual: the version that most of the fleet serves. A host that serves another one goes earlier, so that a rollout that
        starts over a half-finished one has as few versions in service as can be.
    :param seed: what ``shuffle`` shuffles by: the same plan twice is the same.
    """
    given = sorted(_own_order(candidates, policy.order, seed), key=lambda one: -one.seen.priority)
    zones: dict[str, int] = {}
    for one in given:
        zones.setdefault(one.seen.zone, len(zones))
    # How many of its zone, rank and priority go before it: one of each zone in turn.
    turns: Counter[tuple[int, int, str]] = Counter()
    keys = {}
    for one in given:
        rank, zone = _rank(one, usual), zones[one.seen.zone]
        turn = (rank, one.seen.priority, one.seen.zone)
        turns[turn] += 1
        if policy.zone_order == "sequential":
            keys[one.seen.host] = (rank if one.away else OLD, 0 if one.away else zone, rank, -one.seen.priority)
        else:
            keys[one.seen.host] = (rank, -one.seen.priority, turns[turn], zone)
    return sorted(given, key=lambda one: keys[one.seen.host])


def each_with_room(order: t.Sequence[Candidate], rooms: t.Mapping[str, int], weighed: bool) -> list[Candidate]:
    """The same order, but hosts that we took out, and that serve in some pools still, go where those find room.

    What comes back comes back everywhere, and makes room for the next one. In another order, two of which each is out where the other
    one serves may keep each other from going for ever.

    :param rooms: pool -> what serves there above the floor, in members or weight.
    """
    left = dict(rooms)
    waiting = deque(one for one in order if one.ours)
    going = []
    while waiting:
        # Whoever finds none fails where the load balancer says so.
        one = next((one for one in waiting if _has_room(one, left, weighed)), waiting[0])
        waiting.remove(one)
        going.append(one)
        for member in one.members:
            if member.place in left and not member.in_service:
                left[member.place] += member.units(weighed)
    return going + [one for one in order if not one.ours]


def _has_room(one: Candidate, left: t.Mapping[str, int], weighed: bool) -> bool:
    return all(left[member.place] >= member.units(weighed) for member in one.members if member.in_service and member.place in left)


def _own_order(candidates: t.Sequence[Candidate], order: str, seed: str) -> t.Sequence[Candidate]:
    """Ansible's words for the order of a play's hosts."""
    if order in ("sorted", "reverse_sorted"):
        return sorted(candidates, key=lambda one: one.seen.host, reverse=order == "reverse_sorted")
    if order == "shuffle":
        return random.Random(seed).sample(candidates, len(candidates))
    return list(reversed(candidates)) if order == "reverse_inventory" else candidates


def _rank(one: Candidate, usual: str | None) -> int:
    out = not all(member.in_service for member in one.members)
    if one.ours:
        # Before all others: the place that it takes comes free by nothing but its return.
        return OURS_AND_OUT if out else OURS
    if out:
        return OUT
    if one.failed or not one.seen.healthy or one.seen.version is None:
        return DOUBTFUL
    return RARE if one.serves not in (None, usual) else OLD
