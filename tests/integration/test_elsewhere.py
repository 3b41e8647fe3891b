# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a step cannot do in its own process is done by tasks before it: load balancers on a host, probes that are commands."""

from __future__ import annotations

import typing as t
from pathlib import Path

from fleet.fleet import POOLS, Fleet

Fixture = t.Callable[..., t.Any]


def test_a_fleet_rolls_by_a_balancer_on_a_host_and_a_command(tmp_path: Path, play: Fixture, watching: Fixture, words: Fixture) -> None:
    with Fleet(3, tmp_path) as fleet:
        (balancer,) = fleet.balancers
        running = f"cat {fleet.directory}/hosts/{{{{ inventory_hostname }}}}/srv/current/release.json"
        variables = {
            "rollout_max_unavailable": 1,
            "rollout_min_ready_seconds": 1,
            "rollout_healthy_deadline": "20s",
            "rollout_balancers": [{"name": "lb1", "address": str(balancer.socket), "pools": list(POOLS), "host": "localhost"}],
        }
        inventory = fleet.inventory(rollout_health={"command": running, "version": "version"})
        fleet.release("2.0.0")
        with watching(fleet) as seen:
            run = play(fleet, {"rollout_version": "2.0.0", **variables, "rollout_max_unavailable": 2}, inventory=inventory)
        assert run.rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"}
        assert len({absence.host for absence in seen.sampler.absences}) == 3
        # A version whose command fails stays out, by the same tasks.
        fleet.release("3.0.0")
        bad = fleet.inventory(
            rollout_health={"command": f"grep 2.0.0 {fleet.directory}/hosts/{{{{ inventory_hostname }}}}/srv/current/release.json"}
        )
        run = play(fleet, {"rollout_version": "3.0.0", **variables, "rollout_healthy_deadline": "3s"}, inventory=bad)
        assert run.rc == 2
        assert [words(fleet, host) for host in fleet.hosts] == [{"MAINT"}, {"UP"}, {"UP"}]
    seen.nothing_was_lost()
