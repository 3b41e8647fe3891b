# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import typing as t
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.plugin_utils.fleets import DEFAULTS, policy

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.amounts import Amount
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Allowance, Policy


def test_defaults_of_the_role_are_a_policy() -> None:
    ours = policy()
    assert (str(ours.unavailable.amount), ours.success_threshold, ours.healthy_deadline, ours.progress_deadline) == ("25%", 3, 120.0, 600.0)


@given(
    threshold=st.integers(1, 20),
    interval=st.sampled_from(["10ms", "50ms", "300ms", "1s", 2, "7.5s"]),
    ready=st.sampled_from([0, "100ms", "1s", 10, "1m"]),
    healthy=st.sampled_from(["1s", 10, "90s", "5m"]),
    progress=st.sampled_from(["1s", "10s", "2m", "10m"]),
)
def test_a_policy_that_is_taken_can_be_met(threshold: int, interval: t.Any, ready: t.Any, healthy: t.Any, progress: t.Any) -> None:
    limits = {"success_threshold": threshold, "health_interval": interval, "min_ready_seconds": ready}
    try:
        ours = policy(**limits, healthy_deadline=healthy, progress_deadline=progress)
    except InputError as error:
        assert "rollout_healthy_deadline" in error.message and "rollout_progress_deadline" in error.message
        return
    assert ours.settling_time < ours.healthy_deadline < ours.progress_deadline
    # Probes start one interval apart: that many in a row take at least min_ready_seconds.
    assert ours.passes >= threshold
    assert (ours.passes - 1) * ours.health_interval >= ours.min_ready_seconds - 1e-9


@pytest.mark.parametrize(
    "limits",
    [
        {"healthy_deadline": "2s"},  # 3 probes, 1 s apart, take 2 s
        {"healthy_deadline": "10m"},
        {"healthy_deadline": "11m"},
        {"min_ready_seconds": "2m"},
    ],
)
def test_deadlines_that_contradict_each_other_are_refused(limits: dict[str, t.Any]) -> None:
    with pytest.raises(InputError, match=r"rollout_healthy_deadline: .* must be more than .* and less than rollout_progress_deadline"):
        policy(**limits)


MAY_BE_LEFT_OUT = {
    "rollout_waves",
    "rollout_ramp",
    "rollout_rehearse",
    "rollout_supersede",
    "rollout_windows",
    "rollout_freezes",
    "rollout_override",
}
NEEDED = [name.removeprefix("rollout_") for name in DEFAULTS if hasattr(policy(), name.removeprefix("rollout_"))]


@pytest.mark.parametrize(
    "name", sorted(name for name in NEEDED if f"rollout_{name}" not in MAY_BE_LEFT_OUT | {"rollout_min_ready_seconds"})
)
def test_what_is_not_set_is_named(name: str) -> None:
    for nothing in (None, ""):
        with pytest.raises(InputError, match=f"rollout_{name} is not set"):
            policy(**{name: nothing})
    with pytest.raises(InputError, match=f"rollout_{name} is not set"):
        Policy.parse({key: value for key, value in DEFAULTS.items() if key != f"rollout_{name}"})


@pytest.mark.parametrize(
    ("limits", "start"),
    [
        ({"success_threshold": 0}, "rollout_success_threshold: '0'"),
        ({"success_threshold": "1.5"}, "rollout_success_threshold"),
        ({"success_threshold": "²"}, "rollout_success_threshold"),
        ({"success_threshold": "9" * 5000}, "rollout_success_threshold"),
        ({"health_interval": 0}, "rollout_health_interval: .* more than 0"),
        ({"health_timeout": "0s"}, "rollout_health_timeout: .* more than 0"),
        ({"min_ready_seconds": "9" * 400}, "rollout_min_ready_seconds"),
        ({"drain_timeout": "soon"}, "rollout_drain_timeout: 'soon' is no duration"),
        ({"max_unavailable": "101%"}, "rollout_max_unavailable"),
        ({"max_failures": "some"}, "rollout_max_failures"),
        ({"max_unreachable": -1}, "rollout_max_unreachable"),
        ({"on_failure": "shrug"}, "rollout_on_failure: 'shrug' is not among halt"),
        ({"min_available": "some"}, "rollout_min_available: 'some' is neither a count nor a percentage"),
        ({"max_unavailable": 1, "min_available": 5}, "rollout_max_unavailable, rollout_min_available: each says the other"),
        ({"max_unavailable_per_zone": "1.5"}, "rollout_max_unavailable_per_zone"),
        ({"at_least_one": "perhaps"}, "rollout_at_least_one: 'perhaps' is neither yes nor no"),
        ({"limit_by": "cpu"}, "rollout_limit_by: 'cpu' is not among members, weight"),
        ({"order": "random"}, "rollout_order: 'random' is not among inventory"),
        ({"zone_order": "any"}, "rollout_zone_order: 'any' is not among striped, sequential"),
        ({"max_versions": 1}, "rollout_max_versions: '1' is not a whole number of 2 or more"),
        ({"supersede": "2.0"}, "rollout_supersede: '2.0' is neither yes nor no"),
        ({"windows": "always"}, "rollout_windows"),
        ({"freezes": [1]}, "rollout_freezes"),
        ({"window_closes": "wait"}, "rollout_window_closes: 'wait' is not among halt, finish"),
    ],
)
def test_bad_limit_is_one_sentence_that_names_it(limits: dict[str, t.Any], start: str) -> None:
    with pytest.raises(InputError, match=f"^{start}") as caught:
        policy(**limits)
    assert "\n" not in caught.value.message


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from(sorted(name.removeprefix("rollout_") for name in DEFAULTS)), _JUNK, max_size=3))
def test_junk_raises_nothing_but_a_sentence(limits: dict[str, t.Any]) -> None:
    with contextlib.suppress(InputError):
        policy(**limits)


SHUT = {"windows": [{"from": "09:00", "to": "10:00"}]}
"""Closed at 00:00 UTC, when the epoch began."""


@pytest.mark.parametrize(
    ("different", "to_start", "to_go_on"),
    [({}, True, True), ({"window_closes": "finish"}, True, False), ({"override": "it burns"}, False, False)],
)
def test_closed_window_stops_whom_it_shall(different: dict[str, t.Any], to_start: bool, to_go_on: bool) -> None:
    ours = policy(**SHUT, **different)
    assert (bool(ours.shut(0.0, started=False)), bool(ours.shut(0.0, started=True))) == (to_start, to_go_on)
    assert ours.shut(9.5 * 3600, started=False) == ""


@pytest.mark.parametrize("stays", [False, True])
def test_every_allowance_is_the_exact_share(stays: bool) -> None:
    """Percentages 1 to 100 of fleets 1 to 200, against fractions."""
    for percent in range(1, 101):
        allowance = Allowance(Amount(percent, True), "v", stays)
        for total in range(1, 201):
            share = Fraction(percent * total, 100)
            exact = total - share.__ceil__() if stays else share.__floor__()
            assert allowance.of(total) == exact
            assert dataclasses.replace(allowance, at_least_one=True).of(total) == max(exact, 1)
