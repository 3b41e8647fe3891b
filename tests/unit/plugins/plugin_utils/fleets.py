# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fleets, policies and rollouts for tests: everything usual, but for what is different."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import yaml

from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Balancer, Fleet, HostInput, Probe
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import (
    Absence,
    HostRecord,
    HostSeen,
    Member,
    Observed,
    Plan,
    RolloutRecord,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.planner import make_plan
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy

OLD, NEW = "1.0", "2.0"
WEB, API = "lb1/web", "lb1/api"

DEFAULTS: dict[str, t.Any] = yaml.safe_load((Path(__file__).parents[4] / "roles/rollout/defaults/main.yml").read_text())
"""What the role says when nobody says otherwise."""


def names(count: int) -> list[str]:
    return [f"web{number}" for number in range(1, count + 1)]


def policy(**different: t.Any) -> Policy:
    """The role's defaults, but for what is different; without the ``rollout_`` in front."""
    return Policy.parse({**DEFAULTS, **{f"rollout_{name}": value for name, value in different.items()}})


def seen(host: str, version: str | None = OLD, **different: t.Any) -> HostSeen:
    return HostSeen(host, **{"installed": version, "running": version, **different})


def member(name: str, /, place: str = WEB, out: bool = False, **different: t.Any) -> Member:
    """A host's member: takes traffic, or is in maintenance."""
    balancer, pool = place.split("/")
    usual = {"admin": "maintenance" if out else "ready", "in_service": not out, "weight": 10}
    return Member(balancer, pool, name, **{"host": name, **usual, **different})


def observed(
    count: int = 6, *, out: t.Iterable[str] = (), absent: t.Iterable[str] = (), places: t.Sequence[str] = (WEB,), **hosts: HostSeen
) -> Observed:
    """A look at ``count`` hosts: those ``out`` are in maintenance, those ``absent`` as well and by our doing."""
    away = {*out, *absent}
    return Observed(
        hosts=tuple(hosts.get(name, seen(name)) for name in names(count)),
        members=tuple(member(name, place, name in away) for place in places for name in names(count)),
        absences=tuple(Absence(name, 1, 0.0) for name in absent),
    )


def with_members(fleet: Observed, **different: Member) -> Observed:
    """The same look, with other members of some hosts."""
    return dataclasses.replace(fleet, members=tuple(different.get(str(one.host), one) for one in fleet.members))


def plan(count: int = 6, *, look: Observed | None = None, **limits: t.Any) -> Plan:
    return make_plan("web", NEW, look or observed(count), policy(**limits))


def rollout(of: Plan | None = None, *records: HostRecord, number: int = 1, **different: t.Any) -> RolloutRecord:
    """The journal's record of a rollout: every host of the plan planned, but for the records given."""
    of = of or plan()
    known = {record.host: record for record in records}
    hosts = tuple(known.pop(host, HostRecord(host)) for host in of.order) + tuple(known.values())
    return RolloutRecord(number, of.app, of.version, of, **{"hosts": hosts, "started": 0.0, "progressed": 0.0, **different})


def balancer(
    name: str = "lb1", pools: t.Sequence[str] = ("web",), hosts: t.Iterable[str] = tuple(names(6)), **different: t.Any
) -> Balancer:
    members = {pool: {host: host for host in hosts} for pool in pools}
    usual: dict[str, t.Any] = {"provider": "haproxy", "address": f"/run/{name}.sock", "host": None, "become": False, "members": members}
    return Balancer(name, pools=tuple(pools), **{**usual, **different})


def probe(**different: t.Any) -> Probe:
    usual: dict[str, t.Any] = {
        "kind": "url",
        "target": "http://web/health",
        "status": (),
        "conditions": (),
        "version": "version",
        "local": True,
    }
    return Probe(**{**usual, **different})


def host_input(host: str, **different: t.Any) -> HostInput:
    usual = {"root": "/srv/web", "artifact": "/tmp/web.tar.gz", "restart": "systemctl restart web", "probe": probe()}
    return HostInput(host, **{**usual, **different})


def fleet(count: int = 6, *balancers: Balancer, **different: t.Any) -> Fleet:
    return Fleet("web", tuple(host_input(name, **different) for name in names(count)), balancers or (balancer(hosts=names(count)),))


def moved(
    call: t.Mapping[str, t.Any], failed: t.Mapping[str, str] | None = None, out_before: t.Collection[str] = (), **different: t.Any
) -> dict[str, t.Any]:
    """What ``lb_member`` returns for a drain, inside a loop.

    :param failed: member -> why it would not move.
    :param out_before: members that were out already.
    """
    failed = failed or {}
    members = [
        {
            "member": name,
            "ok": name not in failed,
            "changed": name not in {*failed, *out_before},
            "error": failed.get(name),
            "before": {"admin": "maintenance" if name in out_before else "ready"},
        }
        for name in call["members"]
    ]
    return {"item": dict(call), "members": members, **different}
