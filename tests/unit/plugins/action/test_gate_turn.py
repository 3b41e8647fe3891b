# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many ask the gate of one run at the same time, in a window; and some are left of a run that was killed."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import pytest
from unit.plugins.action.simulated import Host, Rollout, World
from unit.plugins.plugin_utils.fleets import names

from ansible_collections.convoy.rolling.plugins.action import gate
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal


def test_one_asks_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    path.touch()
    came: list[str] = []

    def ask() -> None:
        with gate._turn(str(path)):
            came.append("the other")

    other = threading.Thread(target=ask)
    with gate._turn(str(path)):
        other.start()
        other.join(0.2)
        came.append("this one")
    other.join(10)
    assert came == ["this one", "the other"]


def test_who_is_left_of_a_killed_run_asks_no_more(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = World((("lb1", "web"),), [Host(name) for name in names(2)], state)
    rollout = Rollout(fleet, "2.0", max_unavailable=1)
    parents = itertools.chain([4711], itertools.repeat(1))

    def orphan() -> None:
        if rollout.planned:
            monkeypatch.setattr(gate.os, "getppid", lambda: next(parents))

    rollout.watch = orphan
    with pytest.raises(RollingError, match="the controller has ended while this waited in the gate"):
        rollout.go()
    assert Journal(fleet.url).absences("web") == ()
