# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from prometheus_client import parser as older
from prometheus_client.openmetrics import parser
from unit.plugins.action.recorded_runs import RUNS, check_golden, recorded
from unit.plugins.plugin_utils.pictures import big_picture

from ansible_collections.convoy.rolling.plugins.plugin_utils.history import Picture
from ansible_collections.convoy.rolling.plugins.plugin_utils.metrics import metrics_text
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice


def samples(picture: Picture, now: float = 5000.0) -> dict[tuple[str, ...], float]:
    """(name, values of labels but the app) -> value, as OpenMetrics and Prometheus' older text both have it."""
    text = metrics_text(picture, now)
    found = [_values(parse(text)) for parse in (parser.text_string_to_metric_families, older.text_string_to_metric_families)]
    assert found[0] == found[1]
    return found[0]


def _values(families: t.Iterable[t.Any]) -> dict[tuple[str, ...], float]:
    return {
        (one.name, *(value for label, value in one.labels.items() if label != "app")): one.value
        for family in families
        for one in family.samples
    }


@pytest.mark.parametrize("name", RUNS)
def test_metrics_of_a_run_are_as_ever(name: str) -> None:
    check_golden(f"{name}.prom", metrics_text(recorded(name).picture(), 5000.0))


def test_parsers_read_what_it_came_to() -> None:
    seen = samples(recorded("halt").picture())
    assert (seen["convoy_rollout_state", "halted"], seen["convoy_rollout_state", "progressing"]) == (1, 0)
    assert (seen["convoy_rollout_failures_total", "failed"], seen["convoy_rollout_hosts", "held"]) == (1, 1)
    assert (seen["convoy_pool_floor", "lb1/web"], seen["convoy_pool_serving", "lb1/web"]) == (4, 4)
    assert seen["convoy_rollout_convergence_ratio",] == 0


def test_time_in_pause_is_no_time_of_progress() -> None:
    picture = recorded("success").picture()
    seen = samples(picture)
    whole = t.cast(float, picture.rollout.ended) - picture.rollout.started
    assert (seen["convoy_rollout_paused_seconds",], seen["convoy_rollout_active_seconds",]) == (60, whole - 60)


def test_who_is_in_a_step_is_not_timed_yet_and_a_pause_goes_on() -> None:
    done = big_picture(10)
    halfway = [event for event in done.events if event.at < done.events[0].at + 8]
    record = dataclasses.replace(done.rollout, ended=None, verdict=None, paused=Notice("ann", "", 0.0))
    seen = samples(Picture(record, tuple(halfway)), done.rollout.started + 30)
    assert seen["convoy_rollout_state", "paused"] == 1
    assert seen["convoy_rollout_step_duration_seconds_count", "drain"] == 1
    assert ("convoy_rollout_step_duration_seconds_count", "verify") not in seen


def test_buckets_add_up() -> None:
    seen = samples(big_picture(100))
    assert seen["convoy_rollout_step_duration_seconds_bucket", "deploy", "2.5"] == 0
    assert seen["convoy_rollout_step_duration_seconds_bucket", "deploy", "5.0"] == 70
    assert seen["convoy_rollout_step_duration_seconds_bucket", "deploy", "+Inf"] == 100


def test_words_of_people_break_no_line() -> None:
    picture = big_picture(3)
    hostile = 'a"b\\c\nd} 1\n# EOF'
    seen = samples(Picture(dataclasses.replace(picture.rollout, cause=hostile, app=hostile), picture.events))
    assert [key for key in seen if key[0] == "convoy_rollout_info"] == [("convoy_rollout_info", "1", "2.0", hostile)]
