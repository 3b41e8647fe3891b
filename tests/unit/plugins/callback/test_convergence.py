# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from unit.plugins.action.recorded_runs import RUNS, check_golden, recorded
from unit.plugins.plugin_utils.fleets import names, plan, rollout

from ansible_collections.convoy.rolling.plugins.callback.convergence import CallbackModule
from ansible_collections.convoy.rolling.plugins.plugin_utils.live_screen import LiveScreen
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


@pytest.mark.parametrize("name", RUNS)
def test_lines_of_a_run_are_as_ever(name: str, callback: CallbackModule, shown: list[tuple[str, str | None]]) -> None:
    for _at, result in recorded(name).results:
        callback.v2_runner_on_ok(NewResult(result))
    check_golden(f"{name}.lines.txt", "".join(f"{line}\n" for line, _color in shown))


class _Broken:
    """A display whose terminal is gone."""

    verbosity = 0

    def __init__(self, fault: Exception) -> None:
        self.fault = fault
        self.warned: list[str] = []

    def display(self, *_said: t.Any, **_more: t.Any) -> None:
        raise self.fault

    def warning(self, text: str) -> None:
        self.warned.append(text)


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), ValueError("I/O operation on closed file"), KeyError("ours")])
def test_what_goes_wrong_in_it_is_said_once_and_ends_nothing(fault: Exception) -> None:
    display = _Broken(fault)
    callback = CallbackModule(display=display)
    for done in (2, 4):
        callback.v2_runner_on_ok(NewResult({"progress": progress(done)}))
    assert len(display.warned) == 1 and type(fault).__name__ in display.warned[0]


def test_progress_of_another_release_is_no_reason_to_end() -> None:
    display = _Broken(OSError())
    callback = CallbackModule(display=display)
    callback.v2_runner_on_ok(NewResult({"progress": {"app": "web"}}))
    assert display.warned == ["convoy.rolling.convergence shows nothing more: KeyError: 'verdict'"]


def test_on_a_terminal_the_board_stands_for_the_lines_but_not_for_trouble(
    callback: CallbackModule, shown: list[tuple[str, str | None]], tmp_path: Path
) -> None:
    drawn: list[str] = []
    callback._screen = LiveScreen(drawn.append, lambda _width: ["a", "b", "c", "d"], lambda: (80, 24), 60)
    callback._screen.draw()
    for one in (progress(2), progress(4, trouble={"web6": "No route"}), progress(6, verdict="converged")):
        callback._screen._thread = threading.current_thread()  # no drawing but ours
        callback.v2_runner_on_ok(NewResult({"progress": one}))
    assert [line for line, _color in shown] == [
        'rollout of "web" to 2.0: web6: No route',
        'rollout of "web" to 2.0: successfully rolled out',
    ]
    assert drawn[-1].startswith("\x1b7\x1b[r"), "the terminal is as it was"
