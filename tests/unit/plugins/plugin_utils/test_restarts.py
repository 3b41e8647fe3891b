# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from unit.plugins.plugin_utils.fleets import observed, plan, policy, rollout, seen

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, Before, HostRecord, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.planner import make_plan
from ansible_collections.convoy.rolling.plugins.plugin_utils.restarts import begin, is_new, unfinished


@pytest.mark.parametrize(
    ("before", "mark", "new"),
    [
        (Before(mark="unit a"), "unit b", True),
        (Before(mark="unit a"), "unit a", False),
        # What an interrupted restart recorded counts only where nothing else tells.
        (Before(mark="unit a", done=True), "unit a", False),
        (Before(mark="unit a", done=True), None, True),
        (Before(mark=None, done=True), "unit a", True),
        (Before(mark="unit a"), None, False),
        # Marks of two kinds have nothing to say to each other.
        (Before(mark="boot a"), "unit b", False),
        (None, "unit a", False),
    ],
)
def test_process_is_new_when_it_has_another_mark(before: Before | None, mark: str | None, new: bool) -> None:
    assert is_new(seen("web1", mark=mark), before) is new


def test_restart_goes_on_with_what_the_interrupted_one_began_with() -> None:
    first = observed(3, web1=seen("web1", mark="unit a"), web2=seen("web2", running="0.9", mark="unit b"))
    before = begin(first, None)
    assert before == {"web1": Before("1.0", "unit a"), "web2": Before("1.0", "unit b"), "web3": Before("1.0", None)}
    former = rollout(
        make_plan("web", RESTART, first, policy(max_unavailable=1), before),
        HostRecord("web3", Step.BACK, Verdict.CONVERGED),
        verdict=Verdict.INTERRUPTED,
    )
    now = observed(4, web1=seen("web1", mark="unit c"), web2=seen("web2", mark="unit b"))
    after = begin(now, former)
    assert after == {**before, "web3": Before("1.0", None, True), "web4": Before("1.0", None)}
    assert make_plan("web", RESTART, now, policy(max_unavailable=1), after).order == ("web2", "web4")
    assert begin(now, rollout(make_plan("web", RESTART, now, policy(max_unavailable=1), after)))["web3"].done


@pytest.mark.parametrize(
    ("verdict", "goes_on"), [(None, True), (Verdict.HALTED, True), (Verdict.CANCELLED, True), (Verdict.CONVERGED, False)]
)
def test_only_a_restart_that_did_not_converge_is_gone_on_with(verdict: Verdict | None, goes_on: bool) -> None:
    restart = make_plan("web", RESTART, observed(2), policy(max_unavailable=1), begin(observed(2), None))
    assert bool(unfinished(rollout(restart, verdict=verdict))) is goes_on
    assert unfinished(rollout(plan(2, max_unavailable=1), verdict=verdict)) is None
    assert unfinished(None) is None
