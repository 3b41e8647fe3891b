# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's first step: read what people typed, for every host, and check it before anything is touched."""

from __future__ import annotations

import typing as t

from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import look_calls
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import ControllerStep
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import keep_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import check_target, read_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import plain
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.probe_targets import observe_targets

_PER_HOST = (
    "rollout_app",
    "rollout_root",
    "rollout_artifact",
    "rollout_service",
    "rollout_restart_command",
    "rollout_deploy_tasks",
    "rollout_balancers",
    "rollout_health",
)


class ActionModule(ControllerStep):
    """``convoy.rolling.fleet``"""

    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {
        "hosts": {"type": "list", "elements": "str", "required": True},
        "version": {"type": "str"},
        "look_only": {"type": "bool", "default": False},
        "policy": {"type": "dict", "default": {}},
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        version = arguments["version"] or None
        if not arguments["look_only"]:
            version = check_target(version)
            Policy.parse(arguments["policy"])
        variables = self.variables_of(arguments["hosts"], task_vars)
        mine = {host: {name: plain(seen[name]) for name in _PER_HOST if name in seen} for host, seen in variables.items()}
        fleet = read_fleet(mine, None if arguments["look_only"] else version)
        return {
            "changed": False,
            "app": fleet.app,
            "version": version,
            "fleet": keep_fleet(fleet),
            "calls": look_calls(fleet.balancers),
            "targets": observe_targets(fleet, local=True),
            "targets_on_hosts": observe_targets(fleet, local=False),
        }
