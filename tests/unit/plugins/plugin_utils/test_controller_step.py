# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail
from unit.plugins.fake_clock import FakeClock
from unit.plugins.plugin_utils.fleets import fleet, seen
from unit.plugins.plugin_utils.real_action import Run

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import (
    ControllerStep,
    journal_and_ticket,
    observed_of,
    proof_of,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import LEASE_SECONDS, Ticket


class Step(ControllerStep):
    """A step that returns what it was given, or fails with it."""

    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {"count": {"type": "int", "required": True}, "fail": {"type": "str"}}

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        if arguments["fail"]:
            raise RollingError(arguments["fail"], {"seen": 7})
        return {"changed": False, **arguments, "check": self.check_mode}


def test_arguments_are_checked_and_plain() -> None:
    assert Run().action(Step, count="3").run(task_vars={}) == {"changed": False, "count": 3, "fail": None, "check": False}


def test_check_mode_is_known() -> None:
    assert Run(check_mode=True).action(Step, count=3).run(task_vars={})["check"] is True


def test_failure_is_one_sentence_with_what_was_learnt() -> None:
    assert Run().action(Step, count=1, fail="It hurt.").run(task_vars={}) == {"failed": True, "msg": "It hurt.", "seen": 7}


@pytest.mark.parametrize(("arguments", "said"), [({}, "count"), ({"count": "many"}, "count"), ({"count": 1, "colour": "red"}, "colour")])
def test_bad_argument_fails_the_task_by_its_name(arguments: dict[str, t.Any], said: str) -> None:
    with pytest.raises(AnsibleActionFail, match=said):
        Run().action(Step, **arguments).run(task_vars={})


def test_holder_is_the_process_that_outlives_the_step() -> None:
    assert Run().action(Step).holder({}).pid == os.getppid()


def test_variables_of_hosts_in_the_order_given() -> None:
    run = Run("web1 number=1\nweb2 number=2")
    assert [(host, mine["number"]) for host, mine in run.action(Step).variables_of(["web2", "web1"], run.task_vars).items()] == [
        ("web2", "2"),
        ("web1", "1"),
    ]


def test_journal_and_ticket_of_a_live_rollout(tmp_path: Path) -> None:
    _journal, ticket = journal_and_ticket({"state_url": f"sqlite:///{tmp_path}/j.db", "run": {"app": "web", "rollout": 3, "fence": 4}})
    assert ticket == Ticket("web", 3, 4)


def test_look_at_the_fleet_from_what_the_tasks_returned(tmp_path: Path) -> None:
    view = [{"name": "web1", "admin": "ready", "in_service": True}]
    looked = {
        "pools": [{"item": {"name": "lb1"}, "pools": [{"pool": "web", "members": view}]}],
        "releases": {"web1": {"active": "1.0"}},
        "health": [{"targets": [{"name": "web1", "ok": True, "failed": None, "extracted": {"version": "1.0"}}]}],
    }
    found = observed_of(fleet(1), looked, Journal(f"sqlite:///{tmp_path}/j.db"))
    assert (found.hosts, [member.place for member in found.members], found.absences) == ((seen("web1"),), ["lb1/web"], ())


@pytest.mark.parametrize(("stopped", "asked"), [(0.0, 1), (LEASE_SECONDS / 3, 2)])
def test_who_was_stopped_while_it_proved_its_lease_proves_it_again(
    stopped: float, asked: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, proofs = FakeClock(), 0

    def prove(_journal: Journal, _ticket: Ticket, _now: float) -> None:
        nonlocal proofs
        clock.sleep(0.0 if proofs else stopped)
        proofs += 1

    monkeypatch.setattr(Journal, "prove", prove)
    run = {"app": "web", "rollout": 1, "fence": 1}
    proof_of({"run": run, "state_url": f"sqlite:///{tmp_path}/j.db"}, clock)()
    assert proofs == asked
    proof_of(None, clock)()
