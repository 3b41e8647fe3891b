# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person does to a rollout from elsewhere: the playbooks pause, resume, abort, lock and unlock."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Verdict
from fleet.breakpoints import Breakpoints
from fleet.fleet import POOLS, Fleet

Fixture = t.Callable[..., t.Any]

ROLL = {"rollout_version": "2.0.0", "rollout_max_unavailable": 1}


def somebody_is_out(fleet: Fleet) -> bool:
    return any(fleet.in_service(pool) < len(fleet.hosts) for pool in POOLS)


@pytest.fixture
def tell(play: Fixture) -> Fixture:
    """Play one of the playbooks by its name; no host can be reached from where it is played."""

    def tell_one(fleet: Fleet, order: str, *arguments: str, **variables: t.Any) -> t.Any:
        inventory = fleet.inventory(fleet.directory / "elsewhere.yml", unreachable=fleet.hosts)
        return play(fleet, variables, *arguments, playbook=f"convoy.rolling.{order}", inventory=inventory)

    return tell_one


def test_paused_rollout_waits_without_its_deadline_running_and_goes_on(
    tmp_path: Path, start: Fixture, play: Fixture, tell: Fixture
) -> None:
    with Fleet(3, tmp_path) as fleet:
        fleet.release("2.0.0")
        stops = Breakpoints(tmp_path / "stops", "Enable#1")
        run = start(fleet, ROLL | {"rollout_healthy_deadline": "5s", "rollout_progress_deadline": "8s"}, settings=stops.settings)
        run.wait_until(lambda: stops.reached("Enable#1"), "the first batch is proved")
        # --limit names no host of the first batch, and localhost neither.
        paused = tell(fleet, "pause", "--limit", "web3", rollout_reason="an alarm")
        assert (paused.rc, paused.changed) == (0, 1)
        assert "app 'web': rollout 1 to 2.0.0 pauses at its next gate; go on with `ansible-playbook -i " in paused.text
        stops.go("Enable#1")
        run.wait_until(lambda: "an alarm" in run.output, "the gate waits")
        began = time.monotonic()
        assert tell(fleet, "pause").changed == 0
        status = play(fleet, {}, playbook="convoy.rolling.status")
        assert "paused by " in status.text and ": an alarm" in status.text
        assert "newest rollout: 1 to 2.0.0: going on" in status.text
        time.sleep(max(0.0, 10 - (time.monotonic() - began)))
        assert run.process.poll() is None
        assert sorted(fleet.versions().values()) == ["1.0.0", "1.0.0", "2.0.0"] and not somebody_is_out(fleet)
        resumed = tell(fleet, "resume")
        assert (resumed.rc, resumed.changed) == (0, 1)
        assert "goes on" in resumed.text
        end = run.end()
        assert end.rc == 0, "the time it was paused does not count"
        assert 'rollout of "web" to 2.0.0: paused by ' in end.output
        assert 'rollout of "web" to 2.0.0: goes on' in end.output
        assert set(fleet.versions().values()) == {"2.0.0"}


def test_aborted_rollout_ends_at_its_next_gate_even_when_it_is_paused(tmp_path: Path, start: Fixture, tell: Fixture) -> None:
    with Fleet(3, tmp_path) as fleet:
        fleet.release("2.0.0")
        stops = Breakpoints(tmp_path / "stops", "Enable#1")
        run = start(fleet, ROLL, settings=stops.settings)
        run.wait_until(lambda: stops.reached("Enable#1"), "the first batch is proved")
        assert tell(fleet, "pause", rollout_reason="an alarm").rc == 0
        stops.go("Enable#1")
        run.wait_until(lambda: "an alarm" in run.output, "the gate waits")
        journal = Journal(f"sqlite:///{tmp_path}/state.db")
        aborting = start(
            fleet,
            {"rollout_reason": "wrong build"},
            playbook="convoy.rolling.abort",
            inventory=fleet.inventory(fleet.directory / "elsewhere.yml", unreachable=fleet.hosts),
        )
        aborting.wait_until(lambda: journal.rollout(1).aborted is not None, "the mark")
        marked = time.monotonic()
        run.wait_until(lambda: bool(journal.rollout(1).halted), "the gate finds it", 5)
        took = time.monotonic() - marked
        print(f"found after {took:.1f} s")
        assert took < 5, "2 s on a machine that has time for it"
        assert "app 'web': rollout 1 to 2.0.0 ends at its next gate." in aborting.end().text
        end = run.end()
        assert end.rc == 2
        assert 'rollout of "web" to 2.0.0: cancelled: aborted by ' in end.text and ": wrong build" in end.text
        assert '" 1 of 3 hosts run 2.0.0 and serve", " next: ansible-playbook -i ' in end.text
        assert not somebody_is_out(fleet)
        assert journal.rollout(1).verdict is Verdict.CANCELLED
        for order in ("pause", "resume", "abort"):
            late = tell(fleet, order)
            assert late.rc == 2
            assert f"app 'web': no rollout is going on; there is nothing to {order}." in late.text


def test_frozen_app_is_not_rolled_until_the_freeze_is_lifted(tmp_path: Path, play: Fixture, tell: Fixture, untouched: Fixture) -> None:
    with Fleet(2, tmp_path) as fleet:
        fleet.release("2.0.0")
        assert "rollout_reason: a freeze needs a reason" in tell(fleet, "lock").text
        frozen = tell(fleet, "lock", rollout_reason="audit until Monday")
        assert (frozen.rc, frozen.changed) == (0, 1)
        began = time.monotonic()
        with untouched(fleet):
            refused = play(fleet, ROLL | {"rollout_lock_wait": "10m"})
        assert refused.rc == 2 and time.monotonic() - began < 60
        assert "app 'web' is frozen by " in refused.text and ": audit until Monday; nothing was touched." in refused.text
        shown = tell(fleet, "unlock")
        assert shown.rc == 2
        assert "app 'web' is locked by a freeze by " in shown.text
        assert "convoy.rolling.unlock -e rollout_id=freeze` breaks it" in shown.text
        assert tell(fleet, "unlock", rollout_id="1").rc == 2
        assert tell(fleet, "unlock", rollout_id="freeze").rc == 0
        assert tell(fleet, "unlock").rc == 0, "nobody holds it"
        assert play(fleet, ROLL).rc == 0


def test_lease_is_broken_by_who_knows_its_number(tmp_path: Path, start: Fixture, play: Fixture, tell: Fixture) -> None:
    with Fleet(2, tmp_path) as fleet:
        fleet.release("2.0.0")
        stops = Breakpoints(tmp_path / "stops", "Verify#1")
        run = start(fleet, ROLL | {"rollout_cause": "it is time"}, settings=stops.settings)
        run.wait_until(lambda: stops.reached("Verify#1") and fleet.version("web1") == "2.0.0", "web1 restarts")
        shown = tell(fleet, "unlock", rollout_id="7")
        assert shown.rc == 2
        assert "rollout_id: '7' holds nothing here. app 'web' is locked by rollout 1 to 2.0.0 (it is time), held by " in shown.text
        assert f"process {run.process.pid} (" in shown.text and "unlock -e rollout_id=1` breaks it" in shown.text
        assert tell(fleet, "unlock", rollout_id="1", rollout_reason="it hangs").rc == 0
        stops.go("Verify#1")
        end = run.end()
        assert end.rc == 2
        assert "rollout 1 has lost its lease (unlocked by " in end.text and ": it hangs); it moves nothing any more" in end.text
        assert "out of rotation, or on its way: web1" in end.text
        assert {"MAINT"} == set(fleet.status("web1").values()), "nobody puts it back before it is proved"
        assert play(fleet, ROLL).rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"} and not somebody_is_out(fleet)


def test_app_can_be_named_without_an_inventory(tmp_path: Path, play: Fixture) -> None:
    with Fleet(1, tmp_path) as fleet:
        nothing = tmp_path / "nothing.ini"
        nothing.touch()
        where = {"rollout_state_url": f"sqlite:///{tmp_path}/state.db"}
        named = play(fleet, where | {"rollout_app": "web"}, playbook="convoy.rolling.pause", inventory=nothing)
        assert (named.rc, "app 'web': no rollout is going on" in named.text) == (2, True)
        nameless = play(fleet, where, playbook="convoy.rolling.pause", inventory=nothing)
        assert (nameless.rc, "rollout_app: one app is meant, the hosts say none" in nameless.text) == (2, True)
