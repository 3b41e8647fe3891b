# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's first step: read what people typed, for every host, and check it before anything is touched."""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace

from ansible.errors import AnsibleFileNotFound, AnsibleParserError

from ansible_collections.convoy.rolling.plugins.module_utils.clock import SystemClock
from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils import private_line
from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import look_calls
from ansible_collections.convoy.rolling.plugins.plugin_utils.conditions import parse_conditions
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import ControllerStep
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import keep_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet, check_target, read_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import wait_for_turn
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import plain
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.probe_targets import observe_targets, without_urls
from ansible_collections.convoy.rolling.plugins.plugin_utils.settings import check_settings

_PER_HOST = (
    "rollout_app",
    "rollout_root",
    "rollout_artifact",
    "rollout_service",
    "rollout_restart_command",
    "rollout_deploy_tasks",
    "rollout_balancers",
    "rollout_health",
    "rollout_zone",
    "rollout_anti_affinity",
    "rollout_priority",
    "group_names",
)


class ActionModule(ControllerStep):
    """``convoy.rolling.fleet``"""

    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {
        "hosts": {"type": "list", "elements": "str", "required": True},
        "version": {"type": "str"},
        "look_only": {"type": "bool", "default": False},
        "policy": {"type": "dict", "default": {}},
        "settings": {"type": "dict", "default": {}},
        "reboot": {"type": "bool", "default": False},
        "lock_wait": {"type": "str", "default": "0s"},
        "state_url": {"type": "str", "no_log": True},
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        version = arguments["version"] or None
        if not arguments["look_only"]:
            version = RESTART if version == RESTART else check_target(version)
            if arguments["reboot"] and version != RESTART:
                raise InputError("rollout_reboot: only a restart reboots hosts: play convoy.rolling.restart. Nothing was touched.")
            Policy.parse(arguments["policy"])
            check_settings(arguments["settings"], self._fault_of_tasks)
        variables = self.variables_of(arguments["hosts"], task_vars)
        mine = {host: {name: plain(seen[name]) for name in _PER_HOST if name in seen} for host, seen in variables.items()}
        fleet = read_fleet(mine, None if arguments["look_only"] else version, arguments["reboot"])
        if not arguments["look_only"]:
            # Of the first host: a condition concerns the rollout, not a host.
            said = next((plain(seen["rollout_conditions"]) for seen in variables.values() if "rollout_conditions" in seen), None)
            fleet = replace(fleet, conditions=parse_conditions(said))
        if not arguments["look_only"] and version != RESTART and not arguments["settings"].get("rollout_deploy_tasks"):
            self._check_artifacts(fleet)
        return {
            "changed": False,
            "seen": self._wait_for_turn(fleet.app, arguments, task_vars),
            "app": fleet.app,
            "version": version,
            "fleet": keep_fleet(fleet),
            "calls": look_calls(fleet.balancers),
            "targets": without_urls(observe_targets(fleet, local=True)),
            "targets_on_hosts": without_urls(observe_targets(fleet, local=False)),
        }

    def _wait_for_turn(self, app: str, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> int | None:
        """Wait until no other rollout of the app is live, before the fleet is looked at: what was seen earlier would be old by then."""
        patience = to_seconds(arguments["lock_wait"], "rollout_lock_wait")
        if arguments["look_only"] or self.check_mode or not arguments["state_url"]:
            return None
        journal = Journal(arguments["state_url"])
        private_line.tell({"app": app, "version": arguments["version"], "state_url": arguments["state_url"]})
        return wait_for_turn(lambda: journal.lease(app), self.holder(task_vars), patience, SystemClock(), self.now, self.say)

    def _check_artifacts(self, fleet: Fleet) -> None:
        for host in fleet.hosts:
            if host.artifact and "://" not in host.artifact and not os.path.exists(os.path.expanduser(host.artifact)):
                raise InputError(f"rollout_artifact: {host.artifact} of {host.host} is not there on the controller. Nothing was touched.")

    def _fault_of_tasks(self, path: str) -> str:
        """What is wrong with a task file of the user's; a relative path is looked for beside the playbook, as include_tasks does."""
        try:
            tasks = self._loader.load_from_file(path)
        except AnsibleFileNotFound:
            return "is not there"
        except AnsibleParserError as error:
            return f"can't be read: {str(error).splitlines()[0]}"
        return "" if isinstance(tasks, list) else "holds no list of tasks"
