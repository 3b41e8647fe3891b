# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is seen of a wave while it bakes, and what follows from that. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import members_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import (
    Baking,
    HostRecord,
    Member,
    RolloutRecord,
    Step,
    Verdict,
    Wave,
    WaveRecord,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.observation import health_by_host

_SOONEST, _SELDOM = 5.0, 8  # seconds; of the time that it bakes already


@dataclass(frozen=True)
class Look:
    """One look at the pools and at the health of hosts."""

    members: tuple[Member, ...]  # of the load balancers that answered
    unhealthy: dict[str, str]  # host -> why its probe failed
    silent: bool = False  # a load balancer did not answer


def look_of(fleet: Fleet, pools: Iterable[Mapping[str, t.Any]], health: Iterable[Mapping[str, t.Any]], probed: t.Collection[str]) -> Look:
    """A look from what the modules returned.

    :param pools: the results of ``lb_member_info``, one a balancer, each with its call under ``item``.
    :param health: the results of ``health_check``.
    :param probed: the hosts that were asked.
    """
    members: list[Member] = []
    silent = False
    for result in pools:
        silent = silent or "pools" not in result
        for pool in result.get("pools", ()):
            members += members_of(fleet.balancers, result["item"]["name"], pool["pool"], pool["members"])
    answers = health_by_host(fleet, health)
    unhealthy = {host: str(answers[host]["failed"]) for host in probed if host in answers and not answers[host]["ok"]}
    return Look(tuple(members), unhealthy, silent)


def watched(rollout: RolloutRecord, wave: Wave) -> list[str]:
    """The hosts that must stay well while a wave bakes: all that this rollout brought back, or the one it goes on with in this wave."""
    mine = set(wave.hosts)
    return [
        record.host
        for record in rollout.hosts
        if record.verdict is Verdict.CONVERGED or (record.verdict is Verdict.SKIPPED and record.host in mine)
    ]


def after_look(rollout: RolloutRecord, wave: Wave, look: Look, threshold: int, now: float) -> tuple[WaveRecord, tuple[HostRecord, ...]]:
    """What is known of a wave after a look, and the hosts that are seen to have turned bad.

    :param threshold: looks in a row that must find a host bad: as many as it took to find it well.
    """
    record = rollout.wave(wave.name)
    before, bad = record.baking, _bad(watched(rollout, wave), look)
    seen = {host: before.suspects.get(host, 0) + 1 for host in bad}
    failed = tuple(
        HostRecord(host, Step.BACK, Verdict.FAILED, f"it turned bad while wave {wave.name} baked: {bad[host]}")
        for host, looks in seen.items()
        if looks >= threshold
    )
    counters, requests = dict(before.counters), before.requests
    mine = set(wave.hosts)
    for member in look.members:
        if member.host in mine and member.requests is not None:
            key = f"{member.place} {member.name}"
            last = counters.get(key)
            # A load balancer that was restarted begins again at nothing.
            requests += 0 if last is None else member.requests - last if member.requests >= last else member.requests
            counters[key] = member.requests
    suspects = {host: looks for host, looks in seen.items() if looks < threshold}
    return replace(record, baking=Baking(before.looked if look.silent else now, requests, counters, suspects)), failed


def next_look(baking: Baking, ended: float, interval: float, elsewhere: bool) -> float:
    """When to look again.

    :param interval: seconds between two looks that the gate can take by itself.
    :param elsewhere: a look takes tasks on other hosts; such looks become rarer, so that a day of baking takes some dozens of them.
    """
    if baking.looked <= ended:
        return ended  # not at all since its end
    return baking.looked + (max(interval, _SOONEST, (baking.looked - ended) / _SELDOM) if elsewhere else interval)


def _bad(hosts: Iterable[str], look: Look) -> dict[str, str]:
    """Which of these hosts are bad, and why. A member that a person took out is no failure of its host."""
    down: dict[str, str] = {}
    for member in look.members:
        if member.host is not None and not member.in_service and member.admin == "ready":
            down.setdefault(member.host, f"{member.place} says {member.status or 'that it is down'}")
    return {host: look.unhealthy.get(host) or down[host] for host in hosts if host in look.unhealthy or host in down}
