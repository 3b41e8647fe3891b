# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A controller that is killed, one that is interrupted, and one that comes while another is at work."""

from __future__ import annotations

import os
import re
import signal
import typing as t
from pathlib import Path

import pytest

from fleet.fleet import POOLS, Fleet

Fixture = t.Callable[..., t.Any]


def somebody_is_out(fleet: Fleet) -> bool:
    return any(fleet.in_service(pool) < len(fleet.hosts) for pool in POOLS)


@pytest.mark.parametrize(
    ("number", "whole_session"),
    [
        # Only the process: what it forked for the task in hand is orphaned, and meets the next run.
        pytest.param(signal.SIGKILL, False, id="kill -9"),
        # As Ctrl-C on a terminal does it.
        pytest.param(signal.SIGINT, True, id="Ctrl-C"),
    ],
)
def test_the_same_command_again_finishes_what_a_killed_one_began(
    number: signal.Signals, whole_session: bool, tmp_path: Path, start: Fixture, play: Fixture, watching: Fixture
) -> None:
    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0")
        roll = {"rollout_version": "2.0.0", "rollout_max_unavailable": 2}
        with watching(fleet) as seen:
            killed = start(fleet, roll)
            killed.wait_until(lambda: somebody_is_out(fleet), "a member is out")
            if whole_session:
                os.killpg(killed.process.pid, number)
            else:
                killed.kill(number)
            assert killed.end().rc in (-signal.SIGKILL, 99)
            assert somebody_is_out(fleet)
            again = play(fleet, roll)
        assert again.rc == 0
        assert again.batches[0] == ["web1", "web2"]
        assert "out web1: taken out by rollout 1, not back yet" in again.text
        assert set(fleet.versions().values()) == {"2.0.0"}
        assert {member["status"] for member in fleet.stat()} == {"UP"}
    seen.nothing_was_lost()
    assert min(seen.lowest(pool) for pool in POOLS) == 2


def test_a_second_controller_is_refused_and_the_first_goes_on(tmp_path: Path, start: Fixture, play: Fixture) -> None:
    with Fleet(3, tmp_path) as fleet:
        fleet.release("2.0.0", {"unready": 4})
        fleet.release("3.0.0")
        first = start(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 1})
        first.wait_until(lambda: somebody_is_out(fleet), "a member is out")
        second = play(fleet, {"rollout_version": "3.0.0", "rollout_max_unavailable": 1})
        assert first.process.poll() is None
        assert second.rc == 2
        assert re.search(rf"rollout 1 to 2.0.0 is going on since [^,]*, held by \S+ on \S+, process {first.process.pid} \(", second.text)
        assert first.end().rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"}
