# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.fleets import DEFAULTS, plan
from unit.plugins.plugin_utils.real_action import Run, template

from ansible_collections.convoy.rolling.plugins.action.fleet import ActionModule
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import load_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal

PLAY: dict[str, t.Any] = {
    "vars": {
        "rollout_app": "web",
        "rollout_root": template("/srv/{{ inventory_hostname }}"),
        "rollout_artifact": "https://builds.example/web.tar.gz",
        "rollout_service": "web",
        "rollout_balancers": [{"name": "lb1", "address": "/run/lb1.sock", "pools": ["web"]}],
        "rollout_health": {"url": template("http://{{ inventory_hostname }}/health"), "version": "version"},
    }
}


def read(hosts: str = "web1\nweb2", play: dict[str, t.Any] | None = None, **arguments: t.Any) -> dict[str, t.Any]:
    run = Run(hosts, play or PLAY)
    usual = {"hosts": hosts.split(), "version": "2.0", "policy": DEFAULTS}
    return run.action(ActionModule, **{**usual, **arguments}).run(task_vars=run.task_vars)


def test_fleet_is_read_from_every_hosts_own_variables() -> None:
    result = read()
    assert (result["app"], result["version"], result["changed"]) == ("web", "2.0", False)
    fleet = load_fleet(result["fleet"])
    assert [(host.host, host.root) for host in fleet.hosts] == [("web1", "/srv/web1"), ("web2", "/srv/web2")]
    assert [call["pools"] for call in result["calls"]] == [["web"]]
    # Addresses, which may hold passwords, are in no result.
    assert [(target["name"], target.get("url")) for target in result["targets"]] == [("web1", None), ("web2", None)]
    assert [host.probe.target for host in fleet.hosts if host.probe] == ["http://web1/health", "http://web2/health"]
    assert result["targets_on_hosts"] == []


@pytest.mark.parametrize(
    ("different", "said"),
    [
        ({"version": ""}, "rollout_version is not set"),
        ({"reboot": True}, "rollout_reboot: only a restart reboots hosts"),
        ({"version": "latest"}, "rollout_version: 'latest' is a name that moves"),
        ({"policy": {**DEFAULTS, "rollout_max_unavailable": "some"}}, "rollout_max_unavailable: 'some'"),
        (
            {"play": {"vars": {**PLAY["vars"], "rollout_balancers": [{"name": "lb1"}]}}},
            "rollout_balancers: the entry 'lb1' of web1 lacks address and pools",
        ),
        (
            {"play": {"vars": {**PLAY["vars"], "rollout_artifact": "/nowhere/web.tar.gz"}}},
            "rollout_artifact: /nowhere/web.tar.gz of web1 is not there on the controller. Nothing was touched.",
        ),
        ({"settings": {"rollout_keep": 0}}, "rollout_keep: '0' is not a whole number of 1 or more"),
        ({"settings": {"rollout_deploy_tasks": "/nowhere.yml"}}, "rollout_deploy_tasks: /nowhere.yml is not there"),
        ({"play": {"vars": {}}}, "rollout_app: one rollout is for one app"),
    ],
)
def test_bad_input_is_one_sentence(different: dict[str, t.Any], said: str) -> None:
    result = read(**different)
    assert result["failed"] and result["msg"].startswith(said)


def test_look_needs_neither_version_nor_policy() -> None:
    assert read(version="", look_only=True, policy={})["version"] is None


def test_turn_is_waited_for_before_anything_is_looked_at(state: Path) -> None:
    url = f"sqlite:///{state}/journal.db"
    assert read(state_url=url)["seen"] == 0
    Journal(url).open(plan(2, max_unavailable=1), (), Holder.of(1), time.time())
    refused = read(state_url=url)
    assert refused["failed"] and "app 'web': rollout 1 to 2.0 is going on since " in refused["msg"]
    assert read(version="", look_only=True, policy={}, state_url=url)["seen"] is None, "who only looks waits for nobody"
    assert "rollout_lock_wait: 'long' is no duration" in read(state_url=url, lock_wait="long")["msg"]
