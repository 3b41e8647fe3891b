# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which calls of ``convoy.rolling.lb_member`` move which hosts: one call a pool, whatever the number of hosts. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Iterable, Mapping

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.providers import RUN_COMMANDS
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Balancer
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Member

Originals = Mapping[str, Mapping[str, Mapping[str, t.Any]]]
"""Host -> place -> what its member there had before we came."""

_SEE_ONE_MEMBER = frozenset({"readiness"})
"""Providers that see one host's own answer and not the pool."""


def is_near(balancer: Balancer) -> bool:
    """Whether a step can call it in its own process: it is reached from the controller, as who runs Ansible, and without commands."""
    return balancer.host is None and not balancer.become and balancer.provider not in RUN_COMMANDS


def look_calls(balancers: Iterable[Balancer]) -> list[dict[str, t.Any]]:
    """One look at every balancer: the arguments of ``lb_member_info`` and where to run it."""
    return [{**_where(balancer), "pools": list(balancer.pools)} for balancer in balancers]


def move_calls(
    balancers: Iterable[Balancer],
    hosts: Collection[str],
    floors: Mapping[str, int] | None = None,
    originals: Originals | None = None,
    floor_by: str = "members",
) -> list[dict[str, t.Any]]:
    """The calls that take these hosts out of, or bring them back into, every pool of every balancer.

    A member that is out with one of another pool leaves before that one, to be found as it was, and comes back after it.

    :param floors: place -> what must stay in service; None when hosts come back.
    :param floor_by: what the floors count, members or weight.
    """
    calls, wanted = [], set(hosts)
    for balancer in balancers:
        for pool in balancer.pools:
            members = {member: host for member, host in balancer.members[pool].items() if host in wanted}
            if members:
                place = f"{balancer.name}/{pool}"
                before = [{"name": member, **(originals or {}).get(host, {}).get(place, {})} for member, host in members.items()]
                floor = (floors or {}).get(place)
                calls.append(
                    {**_where(balancer), "pool": pool, "members": list(members), "floor": floor, "floor_by": floor_by, "before": before}
                )
    return sorted(calls, key=lambda call: any(one.get("follows") for one in call["before"]) is (floors is None))


def keep_out_calls(balancers: Iterable[Balancer], hosts: Collection[str], originals: Originals) -> list[dict[str, t.Any]]:
    """The calls that see to it that these hosts are out of every pool; some may be hosts of other plays, known from the journal only."""
    calls = []
    for balancer in balancers:
        for pool in balancer.pools:
            known, place = balancer.members[pool], f"{balancer.name}/{pool}"
            mine = [member for member, host in known.items() if host in hosts]
            strangers = [originals[host][place].get("name", host) for host in hosts if place in originals.get(host, {})]
            members = mine + [name for name in strangers if name not in known]
            if members:
                calls.append({**_where(balancer), "pool": pool, "members": members})
    return calls


def host_of(balancers: Iterable[Balancer], name: str, pool: str, member: str) -> str | None:
    """The host behind a member; None when it is none of this fleet."""
    for balancer in balancers:
        if balancer.name == name:
            return balancer.members.get(pool, {}).get(member)
    return None


def members_of(balancers: Iterable[Balancer], name: str, pool: str, views: Iterable[Mapping[str, t.Any]]) -> list[Member]:
    """A pool's members from the neutral views that ``lb_member`` and ``lb_member_info`` return."""
    return [
        Member(
            balancer=name,
            pool=pool,
            name=view["name"],
            host=host_of(balancers, name, pool, view["name"]),
            admin=view["admin"],
            in_service=view["in_service"],
            weight=view.get("weight"),
            status=view.get("status") or "",
            initial_weight=view.get("initial_weight"),
            agent=view.get("agent"),
            follows=view.get("follows"),
            requests=view.get("requests"),
            errors=view.get("errors"),
            alone=any(balancer.name == name and balancer.provider in _SEE_ONE_MEMBER for balancer in balancers),
        )
        for view in views
    ]


def _where(balancer: Balancer) -> dict[str, t.Any]:
    return {
        "name": balancer.name,
        "provider": balancer.provider,
        "address": balancer.address,
        "master": balancer.master,
        "host": balancer.host or "localhost",
        "become": balancer.become,
        "near": is_near(balancer),
    }
