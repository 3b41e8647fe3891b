# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rolling restart: killed and gone on with under load, and one whose tasks restart nothing."""

from __future__ import annotations

import typing as t
from pathlib import Path

from fleet.breakpoints import Breakpoints
from fleet.fleet import Fleet
from fleet.waiting import wait_until

Fixture = t.Callable[..., t.Any]

RESTART = "convoy.rolling.restart"


def pids(fleet: Fleet) -> dict[str, int]:
    """Of every process; a host that has just been restarted is waited for."""
    wait_until(lambda: None not in fleet.versions().values(), 60, "every host to answer")
    return {host: fleet.health(host)[1]["pid"] for host in fleet.hosts}


def test_killed_restart_goes_on_with_who_is_left_and_the_next_begins_anew(
    tmp_path: Path, start: Fixture, play: Fixture, watching: Fixture, words: Fixture
) -> None:
    with Fleet(4, tmp_path) as fleet:
        health = {"url": "http://127.0.0.1:{{ app_port }}/health", "conditions": ["status == 'up'"], "version": "version", "started": "pid"}
        inventory = fleet.inventory(rollout_health=health)
        limits = {"rollout_max_unavailable": 1}
        place = "Verify#2"  # web1 is back, web2 restarted and still out
        stops = Breakpoints(tmp_path / "stops", place)
        first = pids(fleet)
        with watching(fleet) as seen:
            killed = start(fleet, limits, playbook=RESTART, inventory=inventory, settings=stops.settings)
            killed.wait_until(lambda: stops.reached(place), place)
            killed.kill()
            killed.end()
            half = pids(fleet)
            assert [host for host in first if half[host] != first[host]] == ["web1", "web2"]
            assert words(fleet, "web2") == {"MAINT"}
            again = play(fleet, limits, playbook=RESTART, inventory=inventory)
        assert again.rc == 0
        assert again.batches == [["web2"], ["web3"], ["web4"]]
        assert "skip web1: it was restarted already" in again.text
        assert "goes on with rollout 1, which began to restart at " in again.text
        assert "(restart): converged: 4 of 4 hosts were restarted and serve" in again.text
        done = pids(fleet)
        assert [host for host in first if done[host] != half[host]] == ["web3", "web4"], "nobody is restarted twice"
        assert set(fleet.versions().values()) == {"1.0.0"} and {member["status"] for member in fleet.stat()} == {"UP"}
        seen.nothing_was_lost()
        assert seen.sampler.minimum() == 3

        # Tasks of one's own that restart nothing are found out on the first host, by a restart that begins anew.
        (tmp_path / "patch.yml").write_text("- ansible.builtin.shell: echo {{ rollout_version }} >>{{ diary }}\n")
        own = {"rollout_deploy_tasks": str(tmp_path / "patch.yml"), "diary": str(tmp_path / "diary")}
        patched = play(fleet, limits | own, playbook=RESTART, inventory=inventory)
        assert patched.rc == 2 and patched.batches == [["web1"], ["web2"], ["web3"], ["web4"]]
        assert "failed: web1: health check: " in patched.text
        assert (tmp_path / "diary").read_text().split() == ["1.0.0"]
        assert pids(fleet) == done and words(fleet, "web1") == {"MAINT"} and words(fleet, "web2") == {"UP"}
