# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import typing as t
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from unit.plugins.action.simulated import Host, Killed, Rollout, World, _Stub
from unit.plugins.plugin_utils.fleets import names

from ansible_collections.convoy.rolling.plugins.action import watch
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.interventions import Intervention
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice

SCHEMA = Draft202012Validator(json.loads((Path(__file__).parents[4] / "docs/convoy-1.schema.json").read_text()))


class Clock:
    """Whose sleeps let something happen."""

    def __init__(self, world: World, *happens: t.Callable[[], object]) -> None:
        self._world, self._happens = world, list(happens)

    def now(self) -> float:
        return self._world.now

    def sleep(self, seconds: float) -> None:
        self._world.now += seconds
        if self._happens:
            self._happens.pop(0)()


@pytest.fixture
def world(state: Path) -> World:
    return World((("lb1", "web"),), [Host(name) for name in names(4)], state)


def watched(world: World, clock: Clock, patience: float = 30) -> tuple[bool, list[str]]:
    rollout = Rollout(world, "2.0")
    action = _Stub.of(watch.ActionModule, rollout)
    return action.wait(Journal(world.url), "web", patience, clock), rollout.said  # type: ignore[attr-defined]


def status(world: World, **different: t.Any) -> dict[str, t.Any]:
    result = Rollout(world, "2.0").status(**{"converged": False, "watched": True, **different})
    SCHEMA.validate({name: value for name, value in result.items() if name not in ("changed", "failed", "msg", "members", "text")})
    return result


def begin(world: World) -> None:
    """A rollout that this very process is at work on, and that goes no further."""
    world.dies = 8
    with contextlib.suppress(Killed):
        Rollout(world, "2.0", max_unavailable=1).go()
    world.dies = None


def test_it_ends_when_the_rollout_does_and_says_what_changes(world: World) -> None:
    def finish() -> None:
        Rollout(world, "2.0", max_unavailable=1).go()

    begin(world)
    person = Intervention(world.url, "web", Notice("ann on ci1", "look", world.now), str)
    late, said = watched(world, Clock(world, person.pause, finish))
    assert not late
    assert said[0].startswith("Waiting for rollout") and "paused by ann on ci1" in said[1] and len(said) == 2
    done = status(world, path=str(world.url.removeprefix("sqlite:///") + ".json"))
    assert (done["state"], "failed" in done) == ("converged", False)
    written = json.loads(Path(world.url.removeprefix("sqlite:///") + ".json").read_text())
    SCHEMA.validate(written)
    assert written["rollout"]["verdict"] == "converged"


def test_time_that_is_over_is_no_failure_of_the_rollout_and_says_so(world: World) -> None:
    begin(world)
    late, _said = watched(world, Clock(world), patience=3)
    assert late
    result = status(world, timed_out=True)
    assert (result["state"], result["failed"], result["rollout"]["live"]) == ("timed_out", True, True)
    assert result["msg"].startswith("timed_out: ") and "the rollout goes on, and has not failed" in result["msg"]
    going_on = status(world, watched=False)
    assert (going_on["state"], "failed" in going_on) == ("progressing", False)


def test_nothing_that_goes_on_is_nothing_to_wait_for(world: World) -> None:
    assert watched(world, Clock(world)) == (False, [])
    world.bad = {"2.0"}
    Rollout(world, "2.0", max_unavailable=1).go()
    assert watched(world, Clock(world)) == (False, [])
    result = status(world)
    assert (result["state"], result["failed"], result["rollout"]["live"]) == ("halted", True, False)


def test_rollout_whose_controller_is_gone_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(world)
    monkeypatch.setattr(Holder, "is_gone", lambda _self: True)
    assert watched(world, Clock(world))[0] is False
    assert status(world)["state"] == "halted"
