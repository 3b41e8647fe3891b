# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One look at the fleet, put together from what the modules returned. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import members_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Balancer, Fleet, HostInput
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Absence, HostSeen, Member, Observed
from ansible_collections.convoy.rolling.plugins.plugin_utils.probe_targets import SAID


def observe(
    fleet: Fleet,
    pools: Sequence[Mapping[str, t.Any]],
    releases: Mapping[str, Mapping[str, t.Any]],
    health: Mapping[str, Mapping[str, t.Any]],
    absences: Sequence[Absence],
    views: Sequence[Member] | None = None,
) -> Observed:
    """The fleet as it is.

    :param pools: the results of ``lb_member_info``, one a balancer, each with its call under ``item``.
    :param releases: host -> what ``convoy.rolling.releases`` saw of it: ``active``, or ``unreachable`` and why.
    :param health: host -> its target's result of ``health_check``: ``ok``, ``failed``, ``extracted``.
    :param views: every pool as it was seen last, to stand in for that of a balancer that does not answer.
    :raises RollingError: when a balancer did not answer, and no views are given.
    :raises InputError: when a balancer does not have a member that a host says it is.
    """
    silent = {result["item"]["name"]: _silence(result) for result in pools if "pools" not in result}
    if silent and views is None:
        raise RollingError(f"{'; '.join(silent.values())}. Nobody leaves rotation until it answers; nothing was touched.")
    pools = [result for result in pools if result["item"]["name"] not in silent]
    members = [member for result in pools for member in _pool_members(fleet.balancers, result)]
    _check_members([balancer for balancer in fleet.balancers if balancer.name not in silent], members, pools)
    members += [member for member in views or () if member.balancer in silent]
    return Observed(
        hosts=tuple(_host(host, releases.get(host.host, {}), health.get(host.host)) for host in fleet.hosts),
        members=tuple(members),
        absences=tuple(absences),
        silent=silent,
    )


def health_by_host(fleet: Fleet, results: Iterable[Mapping[str, t.Any]]) -> dict[str, Mapping[str, t.Any]]:
    """Every probed host's target as ``health_check`` returned it; our targets are named after their hosts.

    A probe that could not even start, because its host was unreachable or its expression is bad, is a probe that failed.
    """
    targets: dict[str, Mapping[str, t.Any]] = {}
    messages: dict[str | None, str] = {}  # host, or None for the call that stands for many, -> why there are no targets
    for result in results:
        targets.update((target["name"], target) for target in result.get("targets") or ())
        if not result.get("targets") and result.get("msg"):
            messages.setdefault((result.get("item") or {}).get("name"), str(result["msg"]))

    def missing(host: str) -> dict[str, t.Any]:
        why = messages.get(host) or messages.get(None) or "no answer"
        return {"ok": False, "failed": f"the probe could not run: {why}", "extracted": {}, "body": None}

    return {host.host: targets.get(host.host) or missing(host.host) for host in fleet.hosts if host.probe}


def _host(host: HostInput, release: Mapping[str, t.Any], health: Mapping[str, t.Any] | None) -> HostSeen:
    unreachable = release.get("unreachable") or ""
    said = (health or {}).get("extracted") or {}
    running, started = said.get("version"), said.get("started")
    return HostSeen(
        host=host.host,
        reachable=not unreachable,
        installed=release.get("active"),
        running=None if running is None else str(running),
        healthy=health is None or bool(health["ok"]),
        why=unreachable or (health or {}).get("failed") or "",
        zone=host.zone,
        apart=host.apart,
        priority=host.priority,
        mark=release.get("mark") or (None if started is None else f"{SAID}{started}"),
        groups=host.groups,
    )


def _silence(result: Mapping[str, t.Any]) -> str:
    why = str(result.get("msg") or "it did not answer").rstrip(". \n")
    return f"load balancer {result['item']['name']}: {why}"


def _pool_members(balancers: Sequence[Balancer], result: Mapping[str, t.Any]) -> list[Member]:
    name = result["item"]["name"]
    return [member for pool in result["pools"] for member in members_of(balancers, name, pool["pool"], pool["members"])]


def _check_members(balancers: Sequence[Balancer], members: Sequence[Member], results: Sequence[Mapping[str, t.Any]]) -> None:
    ports = {
        (result["item"]["name"], pool["pool"], view["name"]): view.get("port")
        for result in results
        for pool in result["pools"]
        for view in pool["members"]
    }
    for balancer in balancers:
        for pool, named in balancer.members.items():
            there = [member.name for member in members if member.place == f"{balancer.name}/{pool}"]
            for member, host in named.items():
                if member not in there:
                    raise InputError(
                        f"rollout_balancers: pool {pool!r} on {balancer.name} has no member {member!r} for host {host}; "
                        f"it has {', '.join(there[:20]) or 'none'}. Set `member` for the host; nothing was touched."
                    )
                port, given = ports[balancer.name, pool, member], balancer.ports.get(host)
                if given is not None and port is not None and given != port:
                    raise InputError(
                        f"rollout_balancers: member {member!r} of pool {pool!r} on {balancer.name} has port {port}, "
                        f"host {host} says {given}. Nothing was touched."
                    )
