# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pools that a host is not drained in, because nobody named them. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import host_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Balancer


def check_other_pools(balancers: Sequence[Balancer], results: Sequence[Mapping[str, t.Any]]) -> None:
    """A member at the address and port of a host, of a pool that the host does not name, is named or ignored on purpose.

    A member that tracks one of the host's is no exception: it is out with it, but its sessions would not be waited for.

    :param results: those of ``lb_member_info``, one a balancer, each with its call under ``item``.
    :raises InputError: names the first such pool and its host.
    """
    for result in results:
        name = result["item"]["name"]
        ignored = {pool for balancer in balancers if balancer.name == name for pool in balancer.ignore_pools}
        seen = [(pool["pool"], member["name"], member) for pool in result["pools"] for member in pool["members"]]
        ours = {(pool, member): host_of(balancers, name, pool, member) for pool, member, _view in seen}
        hosts = {_location(view): ours[pool, member] for pool, member, view in seen if ours[pool, member] and view.get("port")}
        others = [(one["pool"], one["name"], one) for one in result.get("elsewhere") or ()]
        for pool, member, view in [*seen, *others]:
            host = hosts.get(_location(view))
            if host and not ours.get((pool, member)) and pool not in ignored:
                raise InputError(
                    f"rollout_balancers: pool {pool!r} on {name} has {host} too, as member {member!r}, and no rollout would drain it there; "
                    f"name the pool for {host} in `pools`, or in `ignore_pools` if it may keep it. Nothing was touched."
                )


def _location(view: Mapping[str, t.Any]) -> tuple[t.Any, t.Any]:
    return view.get("address"), view.get("port")
