# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The releases of many hosts at once: look at them, stage one, or switch to it and restart; one round trip a host."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.module_utils.lease_argument import LEASE_ARGUMENT
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import ControllerStep, proof_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.fanout import Command
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import load_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import HostInput
from ansible_collections.convoy.rolling.plugins.plugin_utils.release_commands import (
    activate_command,
    answer_of,
    look_command,
    look_of,
    stage_command,
)


class ActionModule(ControllerStep):
    """``convoy.rolling.releases``"""

    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {
        "state": {"type": "str", "required": True, "choices": ["observed", "staged", "active"]},
        "fleet": {"type": "path", "required": True},
        "hosts": {"type": "list", "elements": "str"},
        "version": {"type": "str"},
        "sha256": {"type": "str"},
        "keep": {"type": "int", "default": 5},
        "shared": {"type": "list", "elements": "str", "default": []},
        "strip_components": {"type": "int", "default": 0},
        "by": {"type": "str"},
        "cause": {"type": "str"},
        "patience": {"type": "str"},
        "lease": LEASE_ARGUMENT,
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        fleet = load_fleet(arguments["fleet"])
        names = {host.host for host in fleet.hosts} if arguments["hosts"] is None else set(arguments["hosts"])
        commands = {host.host: self._command(host, arguments) for host in fleet.hosts if host.host in names}
        patience = to_seconds(arguments["patience"], "patience") if arguments["patience"] else None
        if self.check_mode and arguments["state"] != "observed":
            return {"changed": bool(commands), "hosts": {}, "skipped_in_check_mode": True}
        proof_of(arguments["lease"])()
        read = look_of if arguments["state"] == "observed" else answer_of
        answers = {host: read(outcome) for host, outcome in self.on_hosts(commands, task_vars, patience).items()}
        changed = arguments["state"] != "observed" and any(answer.get("changed") for answer in answers.values())
        return {"changed": changed, "hosts": answers}

    def _command(self, host: HostInput, arguments: dict[str, t.Any]) -> Command:
        if arguments["state"] == "observed":
            return look_command(host.root, host.mark)
        if host.root is None or host.artifact is None:
            raise InputError(
                f"rollout_root and rollout_artifact of {host.host} are needed to deploy a release; set them, or rollout_deploy_tasks."
            )
        if arguments["state"] == "active":
            return activate_command(host.root, arguments["version"], host.restart)
        request = {"root": host.root, **{name: arguments[name] for name in _STAGE if arguments[name] not in (None, "", [])}}
        file = None
        if "://" not in host.artifact:
            file = os.path.abspath(os.path.expanduser(host.artifact))
            return stage_command(request, file)
        return stage_command({**request, "src": host.artifact})


_STAGE = ("version", "sha256", "keep", "shared", "strip_components", "by", "cause")
