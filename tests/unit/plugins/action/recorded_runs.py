# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that are told of: each over the real steps and a real journal, at the same moments every time."""

from __future__ import annotations

import contextlib
import os
import tempfile
import typing as t
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from ansible import constants
from unit.plugins.action.simulated import Host, Killed, Rollback, Rollout, World
from unit.plugins.plugin_utils.fleets import names

from ansible_collections.convoy.rolling.plugins.action import gate, settle, step
from ansible_collections.convoy.rolling.plugins.plugin_utils.history import Picture
from ansible_collections.convoy.rolling.plugins.plugin_utils.interventions import Intervention
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice

GOLDEN = Path(__file__).parents[1] / "golden"


@dataclass
class Recorded:
    """A run: what its tasks returned, and when; and the journal behind it."""

    url: str
    results: list[tuple[float, dict[str, t.Any]]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)

    def picture(self, number: int = 0) -> Picture:
        """The newest rollout, or another one."""
        return self.pictures[number - 1]

    def remember(self) -> None:
        """Take the pictures while the journal is there."""
        journal = Journal(self.url)
        newest = journal.latest("web")
        assert newest
        self.pictures = [Picture(journal.rollout(number), journal.events("web")) for number in range(1, newest.number + 1)]


class _Taped(Rollout):
    def __init__(self, recorded: Recorded, world: World, *more: t.Any, **limits: t.Any) -> None:
        super().__init__(world, *more, **limits)
        self._recorded = recorded

    def _do(self, module: t.Any, **arguments: t.Any) -> dict[str, t.Any]:
        result = super()._do(module, **arguments)
        self._recorded.results.append((self.world.now, result))
        return result


class _TapedBack(_Taped, Rollback):
    """A rollback."""


class _TapedWindow(_Taped):
    """Each host goes as soon as a place is free."""

    def go(self) -> dict[str, t.Any]:
        self.planned = self._plan()
        order = self.planned["order"]
        self._record("staged", order, releases=self.world.release(dict.fromkeys(order, self.version), switch=False))
        out: list[dict[str, t.Any]] = []
        for host in order:
            if len(out) == self.planned["plan"]["limit"]:
                self._steps(out.pop(0), "verified", "back")
            out.append(self._steps(self._do(gate, hosts=[host]), "drained", "deployed"))
        for now in out:
            self._steps(now, "verified", "back")
        return self._do(settle, observed=self.world.look())

    def _steps(self, now: dict[str, t.Any], *names: str) -> dict[str, t.Any]:
        for name in names:
            now = self._do(step, hosts=now["hosts"], step=name)
        return now


def success(state: Path) -> Recorded:
    """Six hosts, two at a time; a person pauses it for a while."""
    world = _world(state)
    recorded, told = Recorded(world.url), []

    def meddle() -> None:
        if world.changes == 14 and not told:
            told.append(_person(world, "an alarm").pause())
            world.now += 60
            told.append(_person(world).resume())

    _Taped(recorded, world, "2.0", meddle, max_unavailable=2).go()
    return recorded


def halt(state: Path) -> Recorded:
    """A version that never comes up, to a fleet of which a person holds a host and another can't be reached."""
    world = _world(state, web5=Host("web5", reachable=False), web6=Host("web6", held=True))
    world.bad = {"2.0"}
    recorded = Recorded(world.url)
    _Taped(recorded, world, "2.0", max_unavailable=2, max_unreachable=1).go()
    return recorded


def resume(state: Path) -> Recorded:
    """The same command after a controller was killed with hosts out."""
    world = _world(state)
    world.dies = 12
    with contextlib.suppress(Killed):
        Rollout(world, "2.0", max_unavailable=2).go()
    world.dies = None
    recorded = Recorded(world.url)
    _Taped(recorded, world, "2.0", max_unavailable=2).go()
    return recorded


def rollback(state: Path) -> Recorded:
    """A version that never comes up, and the way back that follows by itself."""
    world = _world(state)
    world.bad = {"2.0"}
    failed = Rollout(world, "2.0", max_unavailable=2, on_failure="rollback").go()
    recorded = Recorded(world.url)
    _TapedBack(recorded, world, undo=failed["undo"]["rollout"], why=failed["undo"]["why"]).go()
    return recorded


def window(state: Path) -> Recorded:
    """Six hosts through a window of two."""
    world = _world(state)
    recorded = Recorded(world.url)
    _TapedWindow(recorded, world, "2.0", max_unavailable=2, mode="window").go()
    return recorded


RUNS: dict[str, t.Callable[[Path], Recorded]] = {
    "success": success,
    "halt": halt,
    "resume": resume,
    "rollback": rollback,
    "window": window,
}


@cache
def recorded(name: str) -> Recorded:
    """One of the runs, rolled once."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as path, pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "DEFAULT_LOCAL_TMP", path)
        run = RUNS[name](Path(path))
        run.remember()
        return run


def check_golden(name: str, text: str) -> None:
    """The text must be what the file has; with UPDATE_GOLDEN=1 in the environment it is written there."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def _world(state: Path, **different: Host) -> World:
    found = World((("lb1", "web"),), [different.get(name, Host(name)) for name in names(6)], state)
    found.traffic = 7
    return found


def _person(world: World, why: str = "") -> Intervention:
    return Intervention(world.url, "web", Notice("ann on ci1", why, world.now), str)
