# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A window: a host leaves as soon as a place is free, so that a slow one holds nobody but itself; under load, and killed."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Step
from fleet.fleet import Fleet
from fleet.sampler import Sampler
from fleet.waiting import wait_until

Fixture = t.Callable[..., t.Any]

SLOW = 12  # seconds that the first host of each half takes to become healthy


def slow_inventory(fleet: Fleet) -> Path:
    """web1 and web3 restart slowly: in batches of two, each holds another one up."""
    inventory = fleet.inventory(
        fleet.directory / "slow.yml",
        rollout_restart_command="{{ 'sleep SLOW; ' if inventory_hostname in ['web1', 'web3'] else '' }}{{ restart }}".replace(
            "SLOW", str(SLOW)
        ),
    )
    text = inventory.read_text()
    usual = fleet.inventory(fleet.directory / "usual.yml").read_text()
    start = usual.index('"rollout_restart_command": "') + len('"rollout_restart_command": "')
    command = usual[start : usual.index('"', start)]
    inventory.write_text(text.replace("{{ restart }}", command))
    return inventory


@pytest.mark.exhaustive
def test_window_is_faster_than_batches_on_a_fleet_with_slow_hosts(tmp_path: Path, play: Fixture, watching: Fixture) -> None:
    """M9 of Ansible's limits turned round."""
    with Fleet(4, tmp_path) as fleet:
        inventory = slow_inventory(fleet)
        seconds, out = {}, {}
        for version, mode in (("2.0.0", "serial"), ("3.0.0", "window")):
            fleet.release(version)
            roll = {"rollout_version": version, "rollout_mode": mode, "rollout_max_unavailable": 2, "rollout_drain_soft": "100ms"}
            with watching(fleet) as seen:
                run = play(fleet, roll, "--forks", "4", inventory=inventory)
            assert run.rc == 0 and set(fleet.versions().values()) == {version}
            assert {member["status"] for member in fleet.stat()} == {"UP"}
            seen.nothing_was_lost()
            assert seen.sampler.minimum() == 2
            out[mode] = {absence.host: absence for absence in seen.sampler.absences if absence.pool == "web"}
            ended = max(one.began + one.seconds for one in out[mode].values())
            seconds[mode] = ended - min(one.began for one in out[mode].values())
        assert "4 of 4 hosts through a window of 2" in run.text
    print(f"from the first host out to the last one back: serial {seconds['serial']:.1f} s, window {seconds['window']:.1f} s")
    # Both slow hosts are out at the same time, which no batches in this order do.
    assert out["serial"]["web3"].began >= out["serial"]["web1"].began + out["serial"]["web1"].seconds
    assert out["window"]["web3"].began < out["window"]["web1"].began + out["window"]["web1"].seconds
    assert seconds["window"] < seconds["serial"]


def test_slow_host_holds_nobody_in_a_window(tmp_path: Path, start: Fixture, words: Fixture) -> None:
    """web3 is through before web1 is, for which it would wait in batches of two."""
    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0")
        usual = json.loads(fleet.inventory().read_text())["web"]["vars"]["rollout_restart_command"]
        held = f"until [ -e {tmp_path}/go ]; do sleep 0.1; done; "
        inventory = fleet.inventory(rollout_restart_command=f"{{{{ '{held}' if inventory_hostname == 'web1' else '' }}}}{usual}")
        roll = {"rollout_version": "2.0.0", "rollout_mode": "window", "rollout_max_unavailable": 2}
        with Sampler(fleet.balancers) as sampler:
            run = start(fleet, roll, "--forks", "4", inventory=inventory)
            # What stays so: that web3 is out, while web1 is, is over in a moment.
            run.wait_until(lambda: fleet.version("web3") == "2.0.0" and words(fleet, "web3") == {"UP"}, "web3 is through", 120)
            assert words(fleet, "web1") == {"MAINT"}
            (tmp_path / "go").touch()
            end = run.end()
        assert end.rc == 0 and "4 of 4 hosts through a window of 2" in end.text
        assert set(fleet.versions().values()) == {"2.0.0"} and {member["status"] for member in fleet.stat()} == {"UP"}
    assert sampler.minimum() == 2


def test_killed_window_is_gone_on_with(tmp_path: Path, start: Fixture, play: Fixture, watching: Fixture) -> None:
    with Fleet(5, tmp_path) as fleet:
        fleet.release("2.0.0")
        roll = {"rollout_version": "2.0.0", "rollout_max_unavailable": 2, "rollout_mode": "window"}
        journal = Journal(f"sqlite:///{tmp_path}/state.db")

        def one_is_back_and_others_are_out() -> bool:
            latest = journal.latest("web")
            steps = [record.step for record in latest.hosts] if latest else []
            return Step.BACK in steps and any(step in steps for step in (Step.DRAINED, Step.DEPLOYED, Step.VERIFIED))

        with watching(fleet) as seen:
            killed = start(fleet, roll)
            killed.wait_until(one_is_back_and_others_are_out, "one host is back and another out")
            killed.kill()
            killed.end()
            out = {absence.host for absence in journal.absences("web")}
            again = play(fleet, roll)
        assert out and again.rc == 0
        order = [absence.host for absence in seen.sampler.absences if absence.pool == "web"]
        assert set(fleet.versions().values()) == {"2.0.0"} and {member["status"] for member in fleet.stat()} == {"UP"}
        assert set(order) == set(fleet.hosts)
        # Whoever waited in the gate when the controller was killed has not gone on by itself.
        wait_until(lambda: journal.lease("web").rollout is None, 60, "nobody to hold the lease")
        assert journal.absences("web") == ()
    seen.nothing_was_lost()
    assert seen.sampler.minimum() >= 3
