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

from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Verdict
from fleet.fleet import POOLS, Fleet
from fleet.play import ROLLING
from fleet.waiting import wait_until

Fixture = t.Callable[..., t.Any]


def somebody_is_out(fleet: Fleet) -> bool:
    return any(fleet.in_service(pool) < len(fleet.hosts) for pool in POOLS)


@pytest.mark.parametrize(
    ("number", "whole_session"),
    [
        # Only the process: what it forked for the task in hand is orphaned, and meets the next run.
        pytest.param(signal.SIGKILL, False, id="kill -9", marks=pytest.mark.exhaustive),
        # As AWX and systemd do it.
        pytest.param(signal.SIGTERM, False, id="kill"),
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
            end = killed.end()
            assert end.rc in (-number, 99)
            assert somebody_is_out(fleet)
            if number is not signal.SIGKILL:
                assert 'rollout 1 of "web" to 2.0.0: not finished: ' in end.text
                assert "out of rotation, or on its way: web1 (taken out by a rollout)" in end.text
                assert f"next: ansible-playbook -i {fleet.directory}/inventory.yml {ROLLING} -e rollout_version=2.0.0" in end.text
                assert end.text.count("not finished") == 1
            again = play(fleet, roll)
        assert again.rc == 0
        assert again.batches[0] == ["web1", "web2"]
        assert "out web1: taken out by rollout 1, not back yet" in again.text
        assert set(fleet.versions().values()) == {"2.0.0"}
        assert {member["status"] for member in fleet.stat()} == {"UP"}
    seen.nothing_was_lost()
    assert min(seen.lowest(pool) for pool in POOLS) == 2


def test_hosts_left_by_halves_are_brought_back_in_an_order_in_which_each_finds_room(
    tmp_path: Path, start: Fixture, play: Fixture, watching: Fixture
) -> None:
    """Of three that a killed run had out, a reload or a person lets two in again, each into another pool. Then two may be out, and no more."""
    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0", {"unready": 3})
        roll = {"rollout_version": "2.0.0"}
        killed = start(fleet, {**roll, "rollout_max_unavailable": 3})
        killed.wait_until(lambda: list(fleet.versions().values()).count("2.0.0") == 3, "three hosts restart")
        killed.kill()
        killed.end()
        wait_until(lambda: all(fleet.health(host)[0] == 200 for host in fleet.versions()), 30, "their new processes are ready")
        fleet.set_state("web1", "ready", POOLS[:1])
        fleet.set_state("web2", "ready", POOLS[1:])
        wait_until(lambda: all(fleet.in_service(pool) == 2 for pool in POOLS), 30, "the pools have two members each")
        with watching(fleet) as seen:
            again = play(fleet, {**roll, "rollout_max_unavailable": 2})
        assert again.rc == 0
        assert again.batches[0] == ["web3", "web1"]
        assert set(fleet.versions().values()) == {"2.0.0"} and not somebody_is_out(fleet)
    seen.nothing_was_lost()
    assert min(seen.lowest(pool) for pool in POOLS) == 2


@pytest.mark.exhaustive
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


def test_journal_that_is_gone_in_the_middle_ends_the_run_which_names_who_is_out(tmp_path: Path, start: Fixture, play: Fixture) -> None:
    with Fleet(3, tmp_path) as fleet:
        fleet.release("2.0.0", {"unready": 4})
        run = start(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 1})
        run.wait_until(lambda: fleet.version("web1") == "2.0.0", "web1 restarts")
        (tmp_path / "state.db").rename(tmp_path / "kept.db")
        (tmp_path / "state.db").mkdir()
        end = run.end()
        assert end.rc == 2
        assert (
            'rollout 1 of "web" to 2.0.0: not finished: the run ended before the rollout did as it was seen last: the journal at'
            in end.text
        )
        assert "out of rotation, or on its way: web1" in end.text
        assert fleet.in_service("web") == 2, "nobody else left, and nobody returned unproved"
        (tmp_path / "state.db").rmdir()
        (tmp_path / "kept.db").rename(tmp_path / "state.db")
        assert play(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 1}).rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"} and not somebody_is_out(fleet)


@pytest.mark.exhaustive
def test_other_version_supersedes_what_a_killed_controller_left(tmp_path: Path, start: Fixture, play: Fixture) -> None:
    with Fleet(3, tmp_path) as fleet:
        fleet.release("2.0.0", {"unready": 4})
        fleet.release("3.0.0")
        killed = start(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 1})
        killed.wait_until(lambda: fleet.version("web1") == "2.0.0", "web1 restarts")
        killed.kill()
        killed.end()
        other = play(fleet, {"rollout_version": "3.0.0", "rollout_max_unavailable": 1})
        assert (other.rc, other.batches[0]) == (0, ["web1"])
        old = Journal(f"sqlite:///{tmp_path}/state.db").rollout(1)
        assert (old.verdict, old.reason) == (Verdict.CANCELLED, "superseded by rollout 2")
        assert set(fleet.versions().values()) == {"3.0.0"} and not somebody_is_out(fleet)
