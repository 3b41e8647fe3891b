# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

from unit.plugins.plugin_utils.fleets import API, WEB, member, names, observed, plan, with_members

from ansible_collections.convoy.rolling.plugins.plugin_utils.forecast import Capacity, Pace, forecast, forecast_lines, pace_of


def test_least_that_serves_is_the_worst_batchs() -> None:
    look = observed(5)
    look = dataclasses.replace(look, members=(*look.members, *(member(host, API) for host in names(2))))
    made = plan(look=look, max_unavailable=2, min_available="")
    assert forecast(made, look, None, 5).capacity == (Capacity(API, 0, 2, 1), Capacity(WEB, 3, 5, 1))


def test_host_that_was_out_serves_again_after_its_batch() -> None:
    look = with_members(observed(4, absent=["web4"]), web1=member("web1"))
    made = plan(look=look, max_unavailable=1)
    assert made.batches == (("web4",), ("web1",), ("web2",), ("web3",))
    assert forecast(made, look, None, 5).capacity == (Capacity(WEB, 3, 4, 1),)


def test_hosts_left_by_halves_leave_the_floor_standing_though_they_are_in_one_batch() -> None:
    look = observed(4, absent=["web1", "web2", "web3"], places=(WEB, API))
    out = {("web1", API), ("web2", WEB), ("web3", WEB), ("web3", API)}
    look = dataclasses.replace(look, members=tuple(member(str(one.host), one.place, (one.host, one.place) in out) for one in look.members))
    made = plan(look=look, max_unavailable=2)
    assert made.batches[0] == ("web3", "web1")
    assert {one.place: one.lowest for one in forecast(made, look, None, 5).capacity} == {WEB: 2, API: 2}
    below = dataclasses.replace(look, members=tuple(dataclasses.replace(one, in_service=one.host == "web4") for one in look.members))
    assert {one.lowest for one in forecast(plan(look=below, max_unavailable=2), below, None, 5).capacity} == {1}, "as few as serve now"


def test_capacity_by_weight() -> None:
    look = observed(2)
    look = dataclasses.replace(look, members=(member("web1", weight=30), member("web2", weight=10)))
    made = plan(look=look, max_unavailable="75%", limit_by="weight")
    worst = forecast(made, look, None, 5)
    assert worst.capacity == (Capacity(WEB, 10, 40, 1),)
    assert forecast_lines(worst, True)[0] == "serves  lb1/web: never fewer than 10 of 40 of the weight (batch 1)"


def test_time_goes_by_past_rollouts() -> None:
    steps = [(1, "web1", "leaving", 10.0), (1, "web2", "leaving", 10.0), (1, "web1", "back", 40.0), (2, "web2", "leaving", 90.0)]
    assert pace_of(steps) == Pace(30.0, 30.0, 1), "web2 did not come back in the first, nor yet in the second"
    pace = pace_of([*steps, (2, "web2", "back", 1010.0)])
    assert pace == Pace(30.0, 920.0, 2)
    look = observed(4)
    lines = forecast_lines(forecast(plan(4, max_unavailable=1), look, pace, 5), False)
    assert lines[-1] == "takes  2m 00s to 1h 01m, if hosts are out as long as 2 were before"
    assert pace_of([(1, "web1", "back", 1.0)]) is None


def test_forks_that_hold_a_batch_back_are_named() -> None:
    made = plan(6, max_unavailable=3)
    assert not any(line.startswith("forks") for line in forecast_lines(forecast(made, observed(6), None, 3), False))
    lines = forecast_lines(forecast(made, observed(6), None, 2), False)
    assert lines[-1] == "forks  2 of the 3 hosts of a batch are worked on at a time; give --forks 3"


def test_forks_are_the_window_when_they_are_fewer() -> None:
    made = plan(6, max_unavailable=3, mode="window")
    assert not any(line.startswith("forks") for line in forecast_lines(forecast(made, observed(6), None, 3), False))
    lines = forecast_lines(forecast(made, observed(6), None, 2), False)
    assert lines[-1] == "forks  the window is 2 and not 3, as many hosts as are worked on; give --forks 3"
    few = plan(look=observed(2), max_unavailable=1, mode="window")
    assert forecast(few, observed(2), None, 1).widest == 1


def test_nobody_to_roll_has_no_forecast() -> None:
    look = observed(2, out=["web1", "web2"])
    assert forecast_lines(forecast(plan(look=look), look, None, 5), False) == []
