# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import statistics

import pytest
from simulate.__main__ import policy
from simulate.rolling import Chances, Result, Rolling, fleet, planned

LIMITS = {"max_unavailable": "10%", "max_unavailable_per_zone": "10%", "max_failures": "5%", "progress_deadline": "1d"}


def rolled(window: bool, seed: int, hosts: int = 300, fails: float = 0.01, racks: int = 0, **different: object) -> tuple[Rolling, Result]:
    limits = policy(**{**LIMITS, **different})
    look = fleet(hosts, zones=3, racks=racks)
    plan, _seconds = planned(look, limits)
    rolling = Rolling(look, plan, limits, Chances(fails=fails), seed)
    return rolling, rolling.window(forks=plan.limit) if window else rolling.serial()


@pytest.mark.parametrize("window", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_everybody_is_done_or_failed_and_never_too_many_are_out(window: bool, seed: int) -> None:
    rolling, result = rolled(window, seed)
    assert (result.reason, result.done + result.failed) == ("", 300)
    assert 0 < result.most_out <= rolling.plan.limit == 30


def test_window_is_faster_than_serial_on_the_same_hosts() -> None:
    assert rolled(True, 1)[1].seconds < rolled(False, 1)[1].seconds


@pytest.mark.parametrize("window", [False, True])
def test_too_many_failures_halt_it_with_the_reason(window: bool) -> None:
    _rolling, result = rolled(window, 1, fails=0.2)
    assert "rollout_max_failures is 5% of 300 = 15" in result.reason
    assert result.failed >= 16


@pytest.mark.parametrize("window", [False, True])
def test_failed_host_keeps_its_rack_and_its_zone_and_the_end_is_a_reason(window: bool) -> None:
    _rolling, result = rolled(window, 1, racks=100, max_failures="100%", fails=0.05)
    assert "not coming back by itself" in result.reason


@pytest.mark.parametrize("window", [False, True])
@pytest.mark.parametrize("ramp", [False, True])
def test_waves_bake_one_after_another_and_everybody_gets_through(window: bool, ramp: bool) -> None:
    waves = [{"hosts": 1, "bake": 3600}, {"hosts": "z1", "bake": {"time": 600, "requests": 9}, "approve": True}]
    plain, with_waves = rolled(window, 2, fails=0.0), rolled(window, 2, fails=0.0, waves=waves, ramp=ramp)
    assert (with_waves[1].reason, with_waves[1].done) == ("", 300)
    assert with_waves[1].seconds > plain[1].seconds + 4200
    left, passed = with_waves[0]._left, {wave.name: wave.passed for wave in with_waves[0].standing.rollout.waves}
    for number, wave in enumerate(with_waves[0].plan.waves[:-1]):
        behind = {host for later in with_waves[0].plan.waves[number + 1 :] for host in later.hosts}
        assert passed[wave.name] is not None and min(left[host] for host in behind) >= passed[wave.name]


def test_ten_thousand_hosts_are_planned_in_a_second_and_asked_for_in_a_millisecond() -> None:
    limits = policy(**LIMITS, waves=[1, "10%", "z1"], ramp=True)
    look = fleet(10_000, zones=3, pools=1)
    plan, seconds = planned(look, limits)
    assert seconds < 1.0
    rolling = Rolling(look, plan, limits, Chances(fails=0.0), 1)
    for host in (*plan.order[:100], *plan.order[-100:]):  # the last ones wait for their wave
        rolling._ask([host], 0.0)
        rolling._leave(host, 0.0)
    assert statistics.median(rolling.result.decisions) < 0.001
