# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The targets of ``convoy.rolling.health_check`` for a fleet: one a host, named after it. Pure."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Collection, Iterable, Mapping

from ansible_collections.convoy.rolling.plugins.module_utils.probes.options import KINDS
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet, Probe
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Before, Plan

SAID = "said "
"""How the mark of a process begins that tells it by itself."""


def observe_targets(fleet: Fleet, local: bool) -> list[dict[str, t.Any]]:
    """Targets that ask every host how it is and what it runs.

    :param local: those asked from the controller, or those asked from the host itself.
    """
    return [_target(host.host, host.probe) for host in fleet.hosts if host.probe and host.probe.local is local]


def verify_targets(
    fleet: Fleet, hosts: Collection[str], plan: Plan, local: bool, toward: Mapping[str, str] | None = None
) -> list[dict[str, t.Any]]:
    """Targets that pass only on the version that the plan wants, where the process says its version, and only in a process that a
    restart has started anew, where it says when it was started.

    :param toward: host -> the version that it must be on instead.
    """
    targets, wanted = [], set(hosts)
    for host in fleet.hosts:
        if host.host in wanted and host.probe and host.probe.local is local:
            target = _target(host.host, host.probe)
            conditions = [*host.probe.conditions, *_wanted(host.probe, plan, host.host, toward or {})]
            targets.append({**target, **({"conditions": conditions} if conditions else {})})
    return targets


def _wanted(probe: Probe, plan: Plan, host: str, toward: Mapping[str, str]) -> t.Iterator[str]:
    version, mark = toward.get(host, plan.version_of(host)), plan.restarts.get(host, Before()).mark or ""
    if probe.version and version is not None:
        yield f"to_string({probe.version}) == {_literal(version)}"
    if probe.started and mark.startswith(SAID):
        yield f"to_string({probe.started}) != {_literal(mark.removeprefix(SAID))}"


def _literal(text: str) -> str:
    """A text as JMESPath has it, whatever is in it."""
    return "`" + json.dumps(text).replace("`", "\\`") + "`"


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
    extract = {name: expression for name, expression in (("version", probe.version), ("started", probe.started)) if expression}
    if extract:
        target["extract"] = extract
    return target
