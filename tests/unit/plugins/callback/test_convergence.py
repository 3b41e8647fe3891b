# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from unit.plugins.plugin_utils.fleets import names, plan, rollout

from ansible_collections.convoy.rolling.plugins.callback.convergence import CallbackModule
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.progress import progress_of

PLAN = plan(6, max_unavailable=2)


def progress(done: int, **different: t.Any) -> dict[str, t.Any]:
    records = [HostRecord(host, Step.BACK, Verdict.CONVERGED) for host in names(done)]
    return {**progress_of(rollout(PLAN, *records)), **different}


class OldResult:
    """A task's result as ansible-core 2.18 has it."""

    def __init__(self, returned: dict[str, t.Any]) -> None:
        self._result = returned


class NewResult:
    """A task's result from ansible-core 2.19 on."""

    def __init__(self, returned: dict[str, t.Any]) -> None:
        self._returned = returned

    @property
    def result(self) -> dict[str, t.Any]:
        return self._returned


@pytest.fixture
def shown() -> list[tuple[str, str | None]]:
    return []


@pytest.fixture
def callback(shown: list[tuple[str, str | None]]) -> CallbackModule:
    return CallbackModule(display=SimpleNamespace(verbosity=0, display=lambda line, color=None, **_more: shown.append((line, color))))


@pytest.mark.parametrize("result", [OldResult, NewResult])
def test_one_line_a_change(
    callback: CallbackModule, shown: list[tuple[str, str | None]], result: t.Callable[[dict[str, t.Any]], t.Any]
) -> None:
    for done in (2, 2, 4):
        callback.v2_runner_on_ok(result({"progress": progress(done)}))
    assert shown == [
        ('Waiting for rollout of "web" to 2.0 to finish: 2 out of 6 hosts have been updated...', "cyan"),
        ('Waiting for rollout of "web" to 2.0 to finish: 4 out of 6 hosts have been updated...', "cyan"),
    ]


def test_halt_is_shown_in_red_even_when_the_task_failed(callback: CallbackModule, shown: list[tuple[str, str | None]]) -> None:
    callback.v2_runner_on_failed(
        NewResult({"failed": True, "progress": progress(2, trouble={"web3": "status 503"}, halted="1 host failed")})
    )
    assert shown == [
        ('rollout of "web" to 2.0: web3: status 503', "cyan"),
        ('error: rollout of "web" to 2.0: halted: 1 host failed', "red"),
    ]


def test_trouble_is_said_once(callback: CallbackModule, shown: list[tuple[str, str | None]]) -> None:
    for done in (2, 4):
        callback.v2_runner_on_ok(NewResult({"progress": progress(done, trouble={"web6": "No route"})}))
    assert [line for line, _color in shown].count('rollout of "web" to 2.0: web6: No route') == 1


@pytest.mark.parametrize("returned", [{}, {"progress": None}, {"progress": "50%"}, {"progress": {"percent": 50}}])
def test_tasks_of_others_are_none_of_ours(
    callback: CallbackModule, shown: list[tuple[str, str | None]], returned: dict[str, t.Any]
) -> None:
    callback.v2_runner_on_ok(NewResult(returned))
    assert shown == []
