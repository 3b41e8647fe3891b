# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.fleets import plan
from unit.plugins.plugin_utils.real_action import Run

from ansible_collections.convoy.rolling.plugins.action.control import ActionModule
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal

HOSTS = "web1 rollout_app=web\nweb2 rollout_app=web\nlb1"


@pytest.fixture
def journal(state: Path) -> Journal:
    return Journal(f"sqlite:///{state}/journal.db")


def tell(state: Path, order: str, hosts: str = HOSTS, **arguments: t.Any) -> dict[str, t.Any]:
    run = Run(hosts)
    names = [line.split()[0] for line in hosts.splitlines()]
    url = f"sqlite:///{state}/journal.db"
    return run.action(ActionModule, order=order, hosts=names, state_url=url, **arguments).run(task_vars=run.task_vars)


def test_every_order_reaches_the_rollout_of_the_app_with_who_and_why(state: Path, journal: Journal) -> None:
    journal.open(plan(2, max_unavailable=1), (), Holder.of(1), 100.0)
    me = Holder.of(1)
    assert tell(state, "pause", reason=" an alarm ")["changed"]
    paused = journal.rollout(1).paused
    assert paused and (paused.by, paused.why) == (f"{me.user} on {me.node}", "an alarm")
    assert tell(state, "resume")["changed"] and not tell(state, "resume")["changed"]
    assert tell(state, "abort")["changed"] and journal.rollout(1).aborted
    assert tell(state, "lock", reason="audit")["changed"] and journal.lease("web").frozen
    assert "rollout_id=1` breaks it" in tell(state, "unlock")["msg"]
    assert tell(state, "unlock", rollout_id="1")["changed"] and journal.lease("web").rollout is None
    assert tell(state, "unlock", rollout_id="freeze")["changed"] and not journal.lease("web").frozen


def test_job_of_awx_is_named(state: Path, journal: Journal) -> None:
    journal.open(plan(2, max_unavailable=1), (), Holder.of(1), 100.0)
    tell(state, "pause", "web1 rollout_app=web awx_job_id=7")
    paused = journal.rollout(1).paused
    assert paused and paused.by.endswith(" (AWX job 7)")


@pytest.mark.parametrize(
    ("hosts", "said"), [("web1 rollout_app=web\napi1 rollout_app=api", "the hosts say 'api', 'web'"), ("lb1", "the hosts say none")]
)
def test_one_app_is_meant(state: Path, hosts: str, said: str) -> None:
    assert said in tell(state, "abort", hosts)["msg"]


def test_refusal_is_one_sentence(state: Path) -> None:
    for order in ("pause", "resume", "approve", "abort", "lock"):
        result = tell(state, order)
        assert result["failed"] and "\n" not in result["msg"] and result["msg"].endswith(".")
