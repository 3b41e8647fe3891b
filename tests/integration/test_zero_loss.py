# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet rolls under mixed load, with retries off in HAProxy: no request is lost, and the floor holds all the while."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from fleet.fleet import POOLS, Fleet

Fixture = t.Callable[..., t.Any]

USUAL = {"rollout_drain_soft": "500ms", "rollout_drain_quiet": "300ms"}  # the defaults of the role


@pytest.mark.parametrize(
    ("balancers", "behaviour"),
    [
        pytest.param(1, {}, id="one balancer", marks=pytest.mark.exhaustive),
        pytest.param(2, {"listen_delay": 0.5, "unready": 1.5}, id="two balancers and a slow app"),
    ],
)
def test_a_roll_loses_no_request_and_holds_the_floor(
    balancers: int, behaviour: dict[str, float], tmp_path: Path, play: Fixture, watching: Fixture
) -> None:
    with Fleet(6, tmp_path, balancers=balancers) as fleet:
        fleet.release("2.0.0", behaviour)
        with watching(fleet, rate=150) as seen:
            run = play(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 2, **USUAL})
        assert run.rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"}
        assert {member["status"] for member in fleet.stat()} == {"UP"}
    seen.nothing_was_lost()
    assert set(seen.summary["versions"]) == {"1.0.0", "2.0.0"}
    assert {pool: seen.lowest(pool) for pool in POOLS} == dict.fromkeys(POOLS, 4)
    assert run.batches == [["web1", "web2"], ["web3", "web4"], ["web5", "web6"]]
    for line in (
        'Waiting for rollout of "web" to 2.0.0 to finish: 2 out of 6 hosts have been updated...',
        'Waiting for rollout of "web" to 2.0.0 to finish: 4 out of 6 hosts have been updated...',
        'rollout of "web" to 2.0.0: successfully rolled out',
    ):
        assert run.output.splitlines().count(line) == 1, line
