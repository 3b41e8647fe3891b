# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from unit.plugins.action.recorded_runs import recorded
from unit.plugins.plugin_utils.pictures import BEGAN, big_picture

from ansible_collections.convoy.rolling.plugins.plugin_utils.events import Event
from ansible_collections.convoy.rolling.plugins.plugin_utils.history import (
    Picture,
    Reading,
    clock,
    paused_spans,
    phases_of,
    rates_of,
    readings_of,
    standing,
    versions_over_time,
)


def test_every_host_has_its_steps_and_who_failed_is_left_out() -> None:
    phases = phases_of(recorded("halt").picture(), 2000.0)
    assert [phase.name for phase in phases["web1"]] == ["drain", "deploy", "verify", "out"]
    assert (phases["web1"][2].verdict, phases["web1"][3].going_on) == ("failed", True)
    assert set(phases) == {"web1"}


def test_step_that_is_new_has_its_own_name_until_the_next() -> None:
    picture = big_picture(6)
    events = [Event(1, BEGAN, "web", 1, "2.0", "baking", "web1"), Event(2, BEGAN + 4, "web", 1, "2.0", "back", "web1")]
    (phase,) = phases_of(Picture(picture.rollout, tuple(events)), BEGAN + 9)["web1"]
    assert (phase.name, phase.seconds) == ("baking", 4.0)


def test_versions_add_up_to_who_serves_and_who_is_out() -> None:
    series = versions_over_time(recorded("success").picture())
    assert {sum(counts.values()) for _at, counts in series} == {6}
    assert series[0][1] == {"1.0": 6} and series[-1][1] == {"2.0": 6}
    assert {"2.0": 2, "1.0": 2, "out of rotation": 2} in [counts for _at, counts in series]


def test_places_were_never_below_their_floor() -> None:
    picture = recorded("success").picture()
    readings = readings_of(picture)["lb1/web"]
    assert min(reading.serving for reading in readings) == picture.rollout.plan.floors["lb1/web"] == 4


def test_rates_are_between_two_looks_and_a_balancer_that_began_anew_has_none() -> None:
    looks = [
        Reading(at, 1, 1, *counts) for at, counts in ((0.0, (10, 0)), (2.0, (30, 4)), (4.0, (5, 0)), (5.0, (6, None)), (6.0, (None, None)))
    ]
    assert rates_of(looks) == [(2.0, 10.0, 2.0), (5.0, 1.0, 0.0)]


def test_pauses_are_known_and_one_that_goes_on_lasts_until_now() -> None:
    picture = recorded("success").picture()
    ((since, till),) = paused_spans(picture, 9999.0)
    assert till - since == 60
    going_on = Picture(picture.rollout, tuple(event for event in picture.events if event.kind != "resumed"))
    assert paused_spans(going_on, 9999.0)[0][1] == 9999.0


def test_each_host_stands_somewhere() -> None:
    assert standing(recorded("halt").picture().rollout) == {"old": 3, "out": 0, "new": 0, "failed": 1, "unreachable": 1, "held": 1}


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (3661, "1:01:01")])
def test_span_reads_like_a_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
