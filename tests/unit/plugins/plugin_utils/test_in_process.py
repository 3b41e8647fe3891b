# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from unit.plugins.plugin_utils.real_action import Run

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.in_process import InProcess, call_module
from ansible_collections.convoy.rolling.plugins.plugin_utils.in_process import Run as Function


class Action(InProcess):
    """An action beside a module that says where it ran."""

    ARGUMENT_SPEC: t.ClassVar[dict[str, t.Any]] = {"name": {"type": "str", "required": True}, "count": {"type": "int", "default": 3}}

    def here(self, params: dict[str, t.Any]) -> Function | None:
        return None if params["name"] == "needs the module" else self._work

    def _work(self, params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        if params["name"] == "fails":
            raise RollingError("It hurt.", {"members": []})
        return {"changed": not check_mode, "where": "here", **params}

    def _execute_module(self, *_args: t.Any, **_more: t.Any) -> dict[str, t.Any]:
        return {"where": "module"}


def ran(task: dict[str, t.Any] | None = None, **arguments: t.Any) -> dict[str, t.Any]:
    return Run(**(task or {})).action(Action, **arguments).run(task_vars={})


def test_module_for_the_controller_runs_in_this_process() -> None:
    assert ran(name="x") == {"changed": True, "where": "here", "name": "x", "count": 3}
    assert ran({"check_mode": True}, name="x")["changed"] is False


def test_module_is_transferred_where_it_must_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ran(name="needs the module") == {"where": "module"}
    assert ran({"become": True}, name="x") == {"where": "module"}
    action = Run().action(Action, name="x")
    monkeypatch.setattr(type(action._connection), "transport", "ssh")
    assert action.run(task_vars={}) == {"where": "module"}


def test_failure_is_what_the_module_would_say() -> None:
    assert ran(name="fails") == {"failed": True, "msg": "It hurt.", "members": []}


@pytest.mark.parametrize(
    ("given", "returned"),
    [
        ({"name": "x", "count": "5"}, {"changed": True, "count": 5}),
        ({"name": "x", "count": None}, {"changed": True, "count": 3}),
        ({"name": "fails"}, {"failed": True, "msg": "It hurt.", "members": []}),
        ({"name": "breaks"}, {"failed": True, "msg": "KeyError: 'nobody thought of it'"}),
        ({"count": 1}, {"failed": True, "msg": "missing required arguments: name."}),
    ],
)
def test_module_called_from_another_step_returns_what_it_would_say(given: dict[str, t.Any], returned: dict[str, t.Any]) -> None:
    def work(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        if params["name"] == "fails":
            raise RollingError("It hurt.", {"members": []})
        if params["name"] == "breaks":
            raise KeyError("nobody thought of it")
        return {"changed": not check_mode, "count": params["count"]}

    assert call_module(Action.ARGUMENT_SPEC, work, given) == returned


@pytest.mark.parametrize(
    ("arguments", "said"), [({}, "name"), ({"name": "x", "count": "many"}, "count"), ({"name": "x", "colour": "red"}, "colour")]
)
def test_bad_argument_fails_the_task_by_its_name(arguments: dict[str, t.Any], said: str) -> None:
    result = ran(**arguments)
    assert result["failed"] and said in result["msg"]
