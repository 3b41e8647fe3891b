# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two controllers: one that is stopped and comes back too late, one that waits, one that takes long."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import typing as t
import urllib.request
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Verdict
from fleet.fleet import POOLS, Fleet
from fleet.play import ROLLING, command, environment
from fleet.waiting import wait_until

Fixture = t.Callable[..., t.Any]

SHORT = {"CONVOY_LEASE_SECONDS": "3s"}


def somebody_is_out(fleet: Fleet) -> bool:
    return any(fleet.in_service(pool) < len(fleet.hosts) for pool in POOLS)


def hearts_of(fleet: Fleet) -> list[int]:
    """The processes that keep a lease for a run on this fleet."""
    mark, found = f"ANSIBLE_CONFIG={fleet.directory}/ansible.cfg\0".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            alive = (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
            if alive and (process / "comm").read_text() == "convoy-lease\n" and mark in (process / "environ").read_bytes() + b"\0":
                found.append(int(process.name))
        except OSError:
            continue  # it ended meanwhile, or is not ours
    return found


def workers_of(controller: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{controller}/task/{controller}/children").read_text().split()]


@pytest.mark.parametrize(
    "whole", [pytest.param(True, id="all of it"), pytest.param(False, id="but for the worker that drains", marks=pytest.mark.exhaustive)]
)
def test_controller_that_was_stopped_and_comes_back_too_late_moves_nothing(
    whole: bool, tmp_path: Path, start: Fixture, wire_to: Fixture
) -> None:
    """It is stopped in the middle of a drain, between the orders for drain and for maintenance, with a request on the host."""
    with Fleet(3, tmp_path) as fleet, wire_to(fleet) as wire:
        fleet.release("2.0.0")
        fleet.release("3.0.0")
        roll = {"rollout_version": "2.0.0", "rollout_max_unavailable": 1, "rollout_drain_soft": "20s", "rollout_drain_timeout": "60s"}
        through = {"rollout_balancers": [{"name": "lb1", "address": wire.address, "pools": list(POOLS)}]}
        slow = [threading.Thread(target=_ask_slowly, args=(fleet, 25), daemon=True) for _host in range(6)]
        for thread in slow:
            thread.start()
        first = start(fleet, roll | through, settings=SHORT)
        first.wait_until(lambda: any("state drain" in line for line in wire.writes), "a member drains")
        stopped = [first.process.pid, *(workers_of(first.process.pid) if whole else ())]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        assert len(hearts_of(fleet)) == 1, "what keeps the lease is no part of what was stopped"

        later = {"rollout_version": "3.0.0", "rollout_max_unavailable": 1, "rollout_lock_wait": "30s", "rollout_drain_timeout": "60s"}
        second = start(fleet, later, settings=SHORT)
        journal = Journal(f"sqlite:///{tmp_path}/state.db")
        second.wait_until(lambda: journal.lease("web").rollout == 2, "the second one has the lease")
        said = len(wire.writes)
        second = second.end()
        assert second.rc == 0
        assert second.batches[0] == ["web1"], "the half-done host is first"
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        end = first.end()

        assert wire.writes[said:] == []
        assert len(wire.writes) == 1 or not whole, "not even before the lease was another's"
        assert end.rc not in (0, None)
        assert "rollout 1 has lost its lease (superseded by rollout 2); it moves nothing any more" in end.text
        assert 'rollout 1 of "web" to 2.0.0: cancelled: superseded by rollout 2; this run moved nothing more' in end.text
        assert set(fleet.versions().values()) == {"3.0.0"}
        assert {member["status"] for member in fleet.stat()} == {"UP"}
        old = journal.rollout(1)
        assert (old.verdict, old.reason) == (Verdict.CANCELLED, "superseded by rollout 2")
        wait_until(lambda: not hearts_of(fleet), 30, "who kept the lease to end")


def _ask_slowly(fleet: Fleet, seconds: float) -> None:
    with urllib.request.urlopen(f"{fleet.balancers[0].url}/slow?seconds={seconds}", timeout=60) as answer:
        answer.read()


def test_step_that_takes_longer_than_the_lease_keeps_it_and_who_waits_comes_next(tmp_path: Path, start: Fixture, play: Fixture) -> None:
    with Fleet(2, tmp_path) as fleet:
        fleet.release("2.0.0", {"unready": 8})
        fleet.release("3.0.0")
        first = start(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 1, "rollout_healthy_deadline": "20s"}, settings=SHORT)
        first.wait_until(lambda: fleet.version("web1") == "2.0.0", "web1 restarts")
        time.sleep(4)
        # Where it comes from nobody can tell whether the first one is alive.
        second = play(fleet, {"rollout_version": "3.0.0", "rollout_max_unavailable": 1}, settings=SHORT)
        assert second.rc == 2
        assert "app 'web': rollout 1 to 2.0.0 is going on since " in second.text
        patient = start(fleet, {"rollout_version": "3.0.0", "rollout_max_unavailable": 1, "rollout_lock_wait": "2m"}, settings=SHORT)
        assert first.end().rc == 0
        third = patient.end()
        assert third.rc == 0
        assert "app 'web': waiting up to 120 s for rollout 1 to 2.0.0 to end, held by " in third.text
        assert "web1 (2.0.0)" in third.text, "it looked at the fleet when the wait was over"
        assert set(fleet.versions().values()) == {"3.0.0"}


def test_lease_is_kept_while_the_run_lasts_and_nobody_waits_for_who_keeps_it(tmp_path: Path) -> None:
    with Fleet(2, tmp_path) as fleet:
        fleet.release("2.0.0", {"unready": 2})
        words = command(fleet, ROLLING, {"rollout_version": "2.0.0", "rollout_max_unavailable": 1})
        with subprocess.Popen(words, env=environment(fleet), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            wait_until(lambda: len(hearts_of(fleet)) == 1, 60, "the lease to be kept")
            assert process.stdout
            output = process.stdout.read()  # a pipe is at its end when nobody has it open any more
            began = time.monotonic()
            assert process.wait() == 0, output
        assert time.monotonic() - began < 5
        wait_until(lambda: not hearts_of(fleet), 30, "who kept the lease to end")


@pytest.mark.exhaustive
def test_who_keeps_the_lease_ends_within_a_second_of_a_killed_controller(tmp_path: Path, start: Fixture) -> None:
    with Fleet(2, tmp_path) as fleet:
        fleet.release("2.0.0", {"unready": 8})
        run = start(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 1})
        run.wait_until(lambda: somebody_is_out(fleet), "a member is out")
        assert len(hearts_of(fleet)) == 1
        run.kill()
        run.end()
        wait_until(lambda: not hearts_of(fleet), 30, "who kept the lease to end")
