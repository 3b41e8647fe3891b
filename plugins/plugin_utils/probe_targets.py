# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The targets of ``convoy.rolling.health_check`` for a fleet: one a host, named after it. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Iterable, Mapping

from ansible_collections.convoy.rolling.plugins.module_utils.probes.options import KINDS
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet, Probe


def observe_targets(fleet: Fleet, local: bool) -> list[dict[str, t.Any]]:
    """Targets that ask every host how it is and what it runs.

    :param local: those asked from the controller, or those asked from the host itself.
    """
    return [_target(host.host, host.probe) for host in fleet.hosts if host.probe and host.probe.local is local]


def verify_targets(fleet: Fleet, hosts: Collection[str], version: str, local: bool) -> list[dict[str, t.Any]]:
    """Targets that pass only on the target version, where the process says its version."""
    targets, wanted = [], set(hosts)
    for host in fleet.hosts:
        if host.host in wanted and host.probe and host.probe.local is local:
            target = _target(host.host, host.probe)
            if host.probe.version:
                target["conditions"] = [*host.probe.conditions, f"to_string({host.probe.version}) == '{version}'"]
            targets.append(target)
    return targets


def without_urls(targets: Iterable[Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """The targets as a task's result may show them: a URL may hold a password, and a result is printed and logged."""
    return [{name: value for name, value in target.items() if name != "url"} for target in targets]


def with_urls(targets: Iterable[Mapping[str, t.Any]], fleet: Fleet) -> list[dict[str, t.Any]]:
    """The targets to probe; one that has lost its URL has that of the fleet's host of its name."""
    probes = {host.host: host.probe for host in fleet.hosts if host.probe}
    found = []
    for target in targets:
        probe = None if any(target.get(kind) for kind in KINDS) else probes.get(target.get("name", ""))
        found.append({**target, probe.kind: probe.target} if probe else dict(target))
    return found


def _target(host: str, probe: Probe) -> dict[str, t.Any]:
    target: dict[str, t.Any] = {"name": host, probe.kind: probe.target}
    if probe.status:
        target["status"] = list(probe.status)
    if probe.conditions:
        target["conditions"] = list(probe.conditions)
    if probe.version:
        target["extract"] = {"version": probe.version}
    return target
