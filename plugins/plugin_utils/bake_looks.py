# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at a fleet that the controller can take in its own process."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping

from ansible_collections.convoy.rolling.plugins.module_utils.members import INFO_ARGUMENT_SPEC, observe
from ansible_collections.convoy.rolling.plugins.module_utils.probes import ARGUMENT_SPEC, over_http, run
from ansible_collections.convoy.rolling.plugins.plugin_utils.baking import Look, look_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import is_near, look_calls
from ansible_collections.convoy.rolling.plugins.plugin_utils.in_process import call_module
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.probe_targets import observe_targets

_PRELOADED = over_http  # it imports requests, which each task's worker would do anew


def can_look(fleet: Fleet) -> bool:
    """Whether all of the fleet can be seen from this process."""
    probes = [host.probe for host in fleet.hosts if host.probe]
    return all(map(is_near, fleet.balancers)) and all(probe.local and probe.kind != "command" for probe in probes)


def take_look(fleet: Fleet, hosts: Collection[str], options: Mapping[str, t.Any]) -> Look:
    """One look at every pool, and one probe of each of these hosts.

    :param options: of ``health_check``: headers, and how certificates are checked.
    """
    pools = [
        {**call_module(INFO_ARGUMENT_SPEC, lambda params, _check_mode: observe(params), _where(call)), "item": call}
        for call in look_calls(fleet.balancers)
    ]
    targets = [target for target in observe_targets(fleet, local=True) if target["name"] in hosts]
    health = [call_module(ARGUMENT_SPEC, run, {**options, "targets": targets, "observe": True})] if targets else []
    return look_of(fleet, pools, health, [target["name"] for target in targets])


def _where(call: Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {name: call[name] for name in ("provider", "address", "pools")}
