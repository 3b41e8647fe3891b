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
        "prove": {"type": "bool", "default": False},
        "way_back": {"type": "str", "default": ""},
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        fleet = load_fleet(arguments["fleet"])
        names = {host.host for host in fleet.hosts} if arguments["hosts"] is None else set(arguments["hosts"])
        urls = self._old_artifacts(names, arguments, task_vars) if arguments["prove"] else {}
        commands = {host.host: self._command(host, arguments, urls.get(host.host, "")) for host in fleet.hosts if host.host in names}
        patience = to_seconds(arguments["patience"], "patience") if arguments["patience"] else None
        if self.check_mode and arguments["state"] != "observed":
            return {"changed": bool(commands), "hosts": {}, "skipped_in_check_mode": True}
        proof_of(arguments["lease"])()
        read = look_of if arguments["state"] == "observed" else answer_of
        answers = {host: read(outcome) for host, outcome in self.on_hosts(commands, task_vars, patience).items()}
        for host, old in urls.items():
            proof = answers[host].get("way_back") or {}
            # A file of the controller's can be sent once more.
            if proof.get("fault") and old and "://" not in old and os.path.exists(os.path.expanduser(old)):
                proof["fault"] = ""
        changed = arguments["state"] != "observed" and any(answer.get("changed") for answer in answers.values())
        return {"changed": changed, "hosts": answers}

    def _old_artifacts(self, hosts: t.Iterable[str], arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, str]:
        """Host -> where the version to go back to could be had once more; empty when that is nowhere.

        An artifact that is the same whatever the version is that of the newer one.
        """
        if not arguments["way_back"]:
            return dict.fromkeys(hosts, "")
        found = []
        for version in (arguments["way_back"], arguments["version"]):
            variables = self.variables_of(hosts, task_vars, {"rollout_version": version})
            found.append({host: str(mine.get("rollout_artifact") or "") for host, mine in variables.items()})
        old, new = found
        return {host: artifact if artifact != new[host] else "" for host, artifact in old.items()}

    def _command(self, host: HostInput, arguments: dict[str, t.Any], old: str = "") -> Command:
        if arguments["state"] == "observed":
            return look_command(host.root, host.mark)
        if host.root is None:
            raise InputError(f"rollout_root of {host.host} is needed to deploy a release; set it, or rollout_deploy_tasks.")
        if arguments["state"] == "active":
            return activate_command(host.root, arguments["version"], host.restart)
        request = {"root": host.root, **{name: arguments[name] for name in _STAGE if arguments[name] not in (None, "", [])}}
        if arguments["prove"]:
            request["way_back"] = {"to": arguments["way_back"] or None, "url": old if "://" in old else None}
        if host.artifact is None:
            return stage_command(request)  # on the way back: who has the release still needs none
        if "://" in host.artifact:
            return stage_command({**request, "src": host.artifact})
        return stage_command(request, os.path.abspath(os.path.expanduser(host.artifact)))


_STAGE = ("version", "sha256", "keep", "shared", "strip_components", "by", "cause")
