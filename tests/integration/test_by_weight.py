# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A roll that is limited by the weights of HAProxy, in which a host turns bad after it had come back."""

from __future__ import annotations

import typing as t
from itertools import pairwise
from pathlib import Path

from fleet.breakpoints import Breakpoints
from fleet.fleet import POOLS, Fleet
from fleet.waiting import wait_until

Fixture = t.Callable[..., t.Any]


def test_weights_bound_a_batch_and_a_host_that_turns_bad_counts(tmp_path: Path, start: Fixture, watching: Fixture, words: Fixture) -> None:
    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0", {"out_file": "sick"})
        weights = {"web1": 10, "web2": 10, "web3": 10, "web4": 1}
        for host, weight in weights.items():
            for pool in POOLS:
                fleet.balancers[0].ask(f"set weight {pool}/{host} {weight}")
        place = "Ask the gate#3"
        stops = Breakpoints(tmp_path / "stops", place)
        roll = {"rollout_version": "2.0.0", "rollout_max_unavailable": "40%", "rollout_limit_by": "weight"}
        with watching(fleet) as seen:
            run = start(fleet, roll, settings=stops.settings)
            run.wait_until(lambda: stops.reached(place), "the third batch")
        assert {member["svname"]: int(member["weight"]) for member in fleet.stat()} == weights
        seen.nothing_was_lost()

        (fleet.hosts["web1"].directory / "sick").touch()
        wait_until(lambda: words(fleet, "web1") == {"DOWN"}, 60, "HAProxy finds web1 down")
        stops.go(place)
        end = run.end()
        assert end.rc == 2
        assert end.batches == [["web1", "web4"], ["web2"], ["web3"]]
        assert "lb1/web: 40% of 31 = 12 (rounded down), so 12 at a time; floor 19" in end.text
        assert "halted: 1 host failed (web1), rollout_max_failures is 0" in end.text
        assert "failed: web1: it was fine, and then lb1/" in end.text
        assert fleet.versions() == {**dict.fromkeys(("web1", "web2", "web4"), "2.0.0"), "web3": "1.0.0"}
        assert words(fleet, "web3") == {"UP"}
    heavy = sorted((one.began, one.began + one.seconds) for one in seen.sampler.absences if one.pool == "web" and one.host != "web4")
    assert len(heavy) == 2 and all(before[1] <= after[0] for before, after in pairwise(heavy))
