# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's first step: read what people typed, for every host, and check it before anything is touched."""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import replace

from ansible.errors import AnsibleFileNotFound, AnsibleParserError

from ansible_collections.convoy.rolling.plugins.module_utils.clock import SystemClock
from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.module_utils.lease_argument import STATE_URL_ARGUMENT
from ansible_collections.convoy.rolling.plugins.plugin_utils import private_line
from ansible_collections.convoy.rolling.plugins.plugin_utils.annals import Annals
from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import look_calls
from ansible_collections.convoy.rolling.plugins.plugin_utils.conditions import parse_conditions
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import ControllerStep
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import keep_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.host_variables import typed_variables
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet, HostInput, check_target, read_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import wait_for_turn
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import as_data, plain
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.probe_targets import observe_targets, without_urls
from ansible_collections.convoy.rolling.plugins.plugin_utils.revisions import SCOPES, Target, Wanted, target_of
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
    "rollout_conditions",
)


_BACK: dict[str, t.Any] = {
    "to_revision": {"type": "str", "default": ""},
    "scope": {"type": "str", "default": "touched", "choices": list(SCOPES)},
    "allow_bad": {"type": "bool", "default": False},
    "allow_contracted": {"type": "bool", "default": False},
    "undo": {"type": "int", "default": 0},
    "why": {"type": "str", "default": ""},
    "state_url": STATE_URL_ARGUMENT,
}


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
        "back": {"type": "dict", "options": _BACK},
        "state_url": {"type": "str", "no_log": True},
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        version = arguments["version"] or None
        if not arguments["look_only"]:
            version = version if arguments["back"] or version == RESTART else check_target(version)
            if arguments["reboot"] and version != RESTART:
                raise InputError("rollout_reboot: only a restart reboots hosts: play convoy.rolling.restart. Nothing was touched.")
            Policy.parse(arguments["policy"])
            check_settings(arguments["settings"], self._fault_of_tasks)
            self._check_versions_of_tasks(arguments, task_vars)
        seen = back = None
        if arguments["back"]:
            # What is to be undone may be going on still.
            seen = self._wait_for_turn(self.app_of(arguments["hosts"], task_vars), arguments, task_vars)
            # What an inventory says of the version is of the one to roll to; and a rollout that failed was typed with its own.
            given = "" if arguments["back"]["undo"] else str(typed_variables(task_vars).get("rollout_version") or "")
            back = self._way_back(arguments, given, task_vars)
            version = back.version
            fleet = self._fleet_of_old(arguments["hosts"], back, typed=bool(given), task_vars=task_vars)
        else:
            mine = self._variables(arguments["hosts"], task_vars)
            fleet = read_fleet(mine, None if arguments["look_only"] else version, arguments["reboot"])
            if not arguments["look_only"]:
                # Of the first host: a condition concerns the rollout, not a host. A rollback asks none.
                said = next((seen["rollout_conditions"] for seen in mine.values() if "rollout_conditions" in seen), None)
                fleet = replace(fleet, conditions=parse_conditions(said))
        own_tasks = bool(arguments["settings"].get("rollout_deploy_tasks"))
        if not (arguments["look_only"] or back or version == RESTART or own_tasks):
            self._check_artifacts(fleet)
        return {
            "changed": False,
            "seen": seen if back else self._wait_for_turn(fleet.app, arguments, task_vars),
            "app": fleet.app,
            "version": version,
            "back": as_data(back) if back else {},
            "fleet": keep_fleet(fleet),
            "calls": look_calls(fleet.balancers),
            "targets": without_urls(observe_targets(fleet, local=True)),
            "targets_on_hosts": without_urls(observe_targets(fleet, local=False)),
        }

    def _variables(self, hosts: list[str], task_vars: dict[str, t.Any], version: str | None = None) -> dict[str, dict[str, t.Any]]:
        """What the fleet is read from, as it would be with another version."""
        seen = self.variables_of(hosts, task_vars, {"rollout_version": version} if version else None)
        return {host: {name: plain(mine[name]) for name in _PER_HOST if name in mine} for host, mine in seen.items()}

    def _way_back(self, arguments: dict[str, t.Any], version: str, task_vars: dict[str, t.Any]) -> Target:
        asked, app = arguments["back"], self.app_of(arguments["hosts"], task_vars)
        revision, undo = asked["to_revision"].strip(), asked["undo"]
        if revision and not (revision.isascii() and revision.isdigit()):
            raise InputError(
                f"rollout_to_revision: {revision!r} is no number of a revision; see convoy.rolling.history. Nothing was touched."
            )
        wanted = Wanted(
            int(revision) if revision and not undo else None, version, asked["allow_bad"], undo or None, asked["allow_contracted"]
        )
        annals = Annals(asked["state_url"])
        return target_of(annals.revisions(app), annals.versions_before, wanted, asked["why"], by_itself=bool(undo))

    def _fleet_of_old(self, hosts: list[str], back: Target, typed: bool, task_vars: dict[str, t.Any]) -> Fleet:
        """The fleet as it is with the version to go back to: what can't be fetched any more may still be on the hosts.

        :param typed: the version was given, and with it the artifact that is meant.
        """
        mine = self._variables(hosts, task_vars, back.version)
        other = self._variables(hosts, task_vars, f"{back.version}-other")
        fleet = read_fleet(mine, back.version, back=True)

        def artifact(host: HostInput) -> str | None:
            # One that is the same for every version is that of the newer one.
            same = other[host.host].get("rollout_artifact") == mine[host.host].get("rollout_artifact")
            return None if (same and not typed) or not _is_there(host.artifact) else host.artifact

        return replace(fleet, hosts=tuple(replace(host, artifact=artifact(host)) for host in fleet.hosts))

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
            if host.artifact and not _is_there(host.artifact):
                raise InputError(f"rollout_artifact: {host.artifact} of {host.host} is not there on the controller. Nothing was touched.")

    def _check_versions_of_tasks(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> None:
        """What goes back by itself has the version that failed on its command line still, and tasks that use it would deploy it."""
        policy = Policy.parse(arguments["policy"])
        whys = {
            "rollout_on_failure": policy.on_failure == "rollback",
            "rollout_on_host_failure": policy.reverts,
            "rollout_rehearse": policy.rehearse,
        }
        why = next((name for name, may_go_back in whys.items() if may_go_back), "")
        if not why or arguments["back"] or arguments["version"] == RESTART or "rollout_version" not in typed_variables(task_vars):
            return
        settings = arguments["settings"]
        hooks = {f"rollout_hooks.{name}": path for name, path in (settings.get("rollout_hooks") or {}).items()}
        for name, path in {"rollout_deploy_tasks": settings.get("rollout_deploy_tasks"), **hooks}.items():
            if path and "rollout_version" in json.dumps(self._loader.load_from_file(path), default=str):
                raise InputError(
                    f"{name}: {path} uses rollout_version, which stays the new version when {why} goes back; "
                    "write rollout_target there. Nothing was touched."
                )

    def _fault_of_tasks(self, path: str) -> str:
        """What is wrong with a task file of the user's; a relative path is looked for beside the playbook, as include_tasks does."""
        try:
            tasks = self._loader.load_from_file(path)
        except AnsibleFileNotFound:
            return "is not there"
        except AnsibleParserError as error:
            return f"can't be read: {str(error).splitlines()[0]}"
        return "" if isinstance(tasks, list) else "holds no list of tasks"


def _is_there(artifact: str | None) -> bool:
    """Whether the controller has it; what is fetched by the hosts is for them to see."""
    return bool(artifact) and ("://" in str(artifact) or os.path.exists(os.path.expanduser(str(artifact))))
