# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which calls of the modules need no transfer."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible import constants
from unit.plugins.plugin_utils.fleets import host_input, probe
from unit.plugins.plugin_utils.real_action import Run

from ansible_collections.convoy.rolling.plugins.action import health_check, lb_member, lb_member_info
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import keep_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet


@pytest.mark.parametrize(
    ("module", "params", "here"),
    [
        (health_check, {"url": "http://web1"}, True),
        (health_check, {"targets": [{"name": "web1", "url": "http://web1"}, {"name": "web2", "tcp": "web2:80"}]}, True),
        (health_check, {"command": "true"}, False),
        (health_check, {"targets": [{"name": "web1", "url": "http://web1"}, {"name": "web2", "command": "true"}]}, False),
        (lb_member, {"provider": "haproxy"}, True),
        (lb_member_info, {"provider": "haproxy"}, True),
    ],
)
def test_commands_need_the_module_and_nothing_else_does(module: t.Any, params: dict[str, t.Any], here: bool) -> None:
    assert (Run().action(module.ActionModule).here(params) is not None) is here


@pytest.mark.parametrize("module", [lb_member, lb_member_info])
def test_balancer_that_is_not_there_is_one_sentence(module: t.Any, tmp_path: t.Any) -> None:
    arguments = {"provider": "haproxy", "address": str(tmp_path / "none.sock")}
    if module is lb_member:
        arguments |= {"pool": "web", "members": ["web1"], "state": "ready"}
    result = Run().action(module.ActionModule, **arguments).run(task_vars={})
    assert result["failed"] and "none.sock" in result["msg"] and "\n" not in result["msg"]


def test_health_check_has_its_urls_from_the_fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may hold passwords, and are in the result of no step."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    secret = probe(target="http://me:hunter2@127.0.0.1:1/health?token=planted")
    path = keep_fleet(Fleet("web", (host_input("web1", probe=secret),), ()))
    targets = [{"name": "web1"}, {"name": "web2", "tcp": "127.0.0.1:1"}]
    result = Run().action(health_check.ActionModule, fleet=path, targets=targets, observe=True).run(task_vars={})
    assert [(target["name"], target["ok"]) for target in result["targets"]] == [("web1", False), ("web2", False)]
    assert "refused" in result["targets"][0]["failed"]
    assert not [secret for secret in ("hunter2", "planted") if secret in str(result)]
    lost = Run().action(health_check.ActionModule, fleet=f"{path}.gone", targets=targets).run(task_vars={})
    assert lost["failed"] and lost["msg"].startswith("fleet: ")
