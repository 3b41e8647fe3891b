# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only a person's own tasks need; the rest of the step is in test_whole_rollout.py."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.fleets import fleet, observed, plan
from unit.plugins.plugin_utils.real_action import Run

from ansible_collections.convoy.rolling.plugins.action.record import ActionModule
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import keep_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Step, Verdict


@pytest.fixture
def journal(state: Path) -> Journal:
    journal = Journal(f"sqlite:///{state}/journal.db")
    ticket = journal.open(plan(3, max_unavailable=2), observed(3).members, Holder.of(1), 100.0)
    journal.leave(ticket, {"web1": {}, "web2": {}}, 101.0)
    return journal


def mark(rollout: int | str) -> dict[str, t.Any]:
    """What tasks/own_tasks.yml leaves on a host."""
    return {"rollout": rollout, "task": "Warm up", "msg": "status 1"}


def record(state: Path, step: str, marked: dict[str, dict[str, t.Any]], **arguments: t.Any) -> dict[str, t.Any]:
    run = Run("web1\nweb2\nweb3")
    for host, fact in marked.items():
        run.variables.set_nonpersistent_facts(host, {"rollout_failed_task": fact})
    usual = {"run": {"app": "web", "rollout": 1, "fence": 1}, "fleet": keep_fleet(fleet(3)), "hosts": ["web1", "web2"]}
    return run.action(ActionModule, **{**usual, "step": step, "state_url": f"sqlite:///{state}/journal.db", **arguments}).run(
        task_vars=run.task_vars
    )


@pytest.mark.parametrize("rollout", [1, pytest.param("1", id="as ansible-core 2.18 has numbers from templates")])
@pytest.mark.parametrize("step", ["tasks", "deployed"])
def test_host_on_which_a_persons_tasks_fail_goes_no_further(state: Path, journal: Journal, step: str, rollout: int | str) -> None:
    result = record(state, step, {"web2": mark(rollout)})
    assert result["hosts"] == ["web1"]
    failed = journal.rollout(1).host("web2")
    assert (failed.verdict, failed.why, failed.out) == (Verdict.FAILED, "task 'Warm up' failed: status 1", True)
    assert journal.rollout(1).host("web1").verdict is None
    assert [absence.host for absence in journal.absences("web")] == ["web1", "web2"]


@pytest.mark.parametrize("step", ["tasks", "deployed"])
def test_host_that_is_lost_in_a_persons_tasks_goes_no_further(state: Path, journal: Journal, step: str) -> None:
    """Ansible's rescue does not run for it, and leaves no mark."""
    reached = {"web1": {"active": None, "error": "no such link"}, "web2": {"unreachable": "No route"}}
    assert record(state, step, {}, reached=reached)["hosts"] == ["web1"]
    lost = journal.rollout(1).host("web2")
    assert (lost.verdict, lost.why, lost.out) == (Verdict.UNREACHABLE, "No route", True)


def test_failure_of_an_earlier_rollout_is_none_of_this_one(state: Path, journal: Journal) -> None:
    assert record(state, "tasks", {"web2": mark(7)})["hosts"] == ["web1", "web2"]


def test_release_of_ours_speaks_for_itself(state: Path, journal: Journal) -> None:
    assert record(state, "deployed", {}, releases={"web1": {"error": "full"}, "web2": {"ok": True}})["hosts"] == ["web2"]
    assert journal.rollout(1).host("web2").step is Step.DEPLOYED


def test_controller_that_lost_its_lease_is_told_so(state: Path, journal: Journal) -> None:
    result = record(state, "tasks", {}, run={"app": "web", "rollout": 1, "fence": 0})
    assert result["failed"] and "has lost its lease" in result["msg"]
