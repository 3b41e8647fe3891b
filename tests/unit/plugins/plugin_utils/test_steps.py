# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.fleets import balancer, fleet, host_input, probe

from ansible_collections.convoy.rolling.plugins.plugin_utils.steps import MOMENTS, steps_of

FILES = Path(__file__).parents[4] / "roles/rollout/tasks/steps"


def words(steps: list[dict[str, str]]) -> list[str]:
    return [step["moment"] or step["tasks"] for step in steps]


def test_batch_leaves_changes_proves_and_returns() -> None:
    assert words(steps_of(fleet(), [], False)) == ["drain", "deploy", "verify", "enable"]


def test_hooks_run_around_their_steps_in_order() -> None:
    steps = words(steps_of(fleet(), MOMENTS, True))
    assert [step for step in steps if step in MOMENTS] == list(MOMENTS)
    for name in ("drain", "verify", "enable"):
        assert steps.index(f"before_{name}") < steps.index(name) < steps.index(f"after_{name}")
    assert "deploy_own" in steps and "deploy" not in steps


@pytest.mark.parametrize("hook", ["after_drain", "before_deploy"])
def test_who_is_drained_is_looked_at_again_after_a_hook_and_before_the_restart(hook: str) -> None:
    steps = words(steps_of(fleet(), [hook, "before_verify"], False))
    assert steps == ["drain", hook, "keep_out", "deploy", "before_verify", "verify", "enable"]


def test_reboot_stands_in_the_place_of_the_deployment_after_what_the_user_does_before() -> None:
    there = dataclasses.replace(fleet(), reboot=True)
    assert words(steps_of(there, ["before_deploy"], False)) == ["drain", "before_deploy", "keep_out", "reboot", "verify", "enable"]
    assert words(steps_of(there, [], True)) == ["drain", "patch", "reboot", "verify", "enable"]


def test_probes_on_hosts_come_before_what_judges_them() -> None:
    there = dataclasses.replace(fleet(2), hosts=(host_input("web1"), host_input("web2", probe=probe(local=False))))
    assert words(steps_of(there, [], False)) == ["drain", "deploy", "probe_on_hosts", "verify", "enable"]
    command = dataclasses.replace(fleet(2), hosts=(host_input("web1"), host_input("web2", probe=probe(kind="command"))))
    assert words(steps_of(command, [], False)) == ["drain", "deploy", "probe_by_command", "verify", "enable"]


def test_what_needs_a_task_of_its_own_elsewhere_has_one_before_what_records_it() -> None:
    there = fleet(2, balancer(), balancer("lb2", host="lb.example"))
    steps = ["drain_elsewhere", "drain", "restore_elsewhere", "deploy", "keep_out", "verify", "enable_elsewhere", "enable"]
    assert words(steps_of(there, [], False)) == steps


@pytest.mark.parametrize(("own_deploy", "reboot"), [(True, False), (False, False), (True, True)])
def test_every_step_has_its_tasks(own_deploy: bool, reboot: bool) -> None:
    probes = [probe(local=False), probe(kind="command")]
    hosts = tuple(host_input(f"web{number}", probe=one) for number, one in enumerate(probes))
    there = dataclasses.replace(fleet(1, balancer(become=True)), hosts=hosts, reboot=reboot)
    assert all((FILES / f"{step['tasks']}.yml").is_file() for step in steps_of(there, MOMENTS, own_deploy))
