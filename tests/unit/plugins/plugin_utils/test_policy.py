# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.plugins.plugin_utils.fleets import DEFAULTS, policy

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy


def test_defaults_of_the_role_are_a_policy() -> None:
    ours = policy()
    assert (str(ours.max_unavailable), ours.success_threshold, ours.healthy_deadline, ours.progress_deadline) == ("25%", 3, 120.0, 600.0)


@settings(deadline=None, max_examples=60)
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


@pytest.mark.parametrize("name", sorted(name for name in vars(policy()) if name != "min_ready_seconds"))
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


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(sorted(name.removeprefix("rollout_") for name in DEFAULTS)), _JUNK, max_size=3))
def test_junk_raises_nothing_but_a_sentence(limits: dict[str, t.Any]) -> None:
    with contextlib.suppress(InputError):
        policy(**limits)
