# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from unit.plugins.plugin_utils.fleets import balancer, fleet, member, names, plan, rollout

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Member, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.turned_bad import look_near, turned_bad

DOWN = {"out": True, "admin": "ready", "status": "DOWN"}
BACK = HostRecord("web1", Step.BACK, Verdict.CONVERGED)


@pytest.mark.parametrize(
    ("record", "view", "bad"),
    [
        (BACK, member("web1", **DOWN), True),
        (HostRecord("web1", Step.PLANNED, Verdict.SKIPPED), member("web1", **DOWN), True),
        (BACK, member("web1"), False),
        (BACK, member("web1", out=True), False),  # a person took it
        (HostRecord("web1"), member("web1", **DOWN), False),  # still on the old version
        (HostRecord("web1", Step.VERIFIED), member("web1", **DOWN), False),  # on its way back
        (HostRecord("web1", Step.BACK, Verdict.FAILED, "it hurt"), member("web1", **DOWN), False),  # counted already
    ],
)
def test_host_that_was_fine_and_is_found_down_has_failed(record: HostRecord, view: Member, bad: bool) -> None:
    found = turned_bad(rollout(plan(3, max_unavailable=1), record), [view, member("web2")])
    why = "it was fine, and then lb1/web found it down (DOWN)"
    assert found == ([HostRecord("web1", record.step, Verdict.FAILED, why)] if bad else [])


def test_load_balancer_that_does_not_answer_says_nothing_of_anybody() -> None:
    assert look_near(fleet(2, balancer("lb1", hosts=names(2)), balancer("lb2", hosts=names(2), host="lb.example"))) == []
