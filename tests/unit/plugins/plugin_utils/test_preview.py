# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

from unit.plugins.plugin_utils.fleets import member, observed, plan, policy, seen, with_members

from ansible_collections.convoy.rolling.plugins.plugin_utils.forecast import Pace, forecast
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Absence
from ansible_collections.convoy.rolling.plugins.plugin_utils.planner import make_plan
from ansible_collections.convoy.rolling.plugins.plugin_utils.preview import preview_lines


def test_plan_as_a_person_reads_it() -> None:
    look = observed(
        6,
        out=["web6"],
        web2=seen("web2", None),
        web3=seen("web3", "2.0"),
        web4=seen("web4", reachable=False, why="No route to host"),
        web5=seen("web5", "2.0", running="1.0"),
    )
    look = dataclasses.replace(
        with_members(look, web1=member("web1", out=True)), absences=(Absence("web1", 7, 0.0), Absence("web4", 6, 0.0))
    )
    made = plan(look=look, max_unavailable=3)
    assert preview_lines(made, look, forecast(made, look, Pace(10.0, 45.0, 3), forks=1), "1-2-3", "the shop is shut") == [
        'rollout of "web" to 2.0: 3 of 6 hosts in 2 batches',
        "limit  the fleet: 3 of 6, 1 out already (web6), so 2 at a time",
        "limit  lb1/web: 3 of 6, 1 out already (web6), so 2 at a time; floor 3",
        "batch 1  web1 (1.0), web2 (unknown)",
        "batch 2  web5 (1.0)",
        "out  web1: taken out by rollout 7, not back yet; it goes first",
        "out  web4: taken out by rollout 6, not back yet; it stays out",
        "skip  web3: it runs 2.0 already",
        "held  web6: somebody put it into maintenance on lb1/web",
        "unreachable  web4: No route to host",
        "serves  lb1/web: never fewer than 3 of 6 members (batch 1)",
        "takes  20s to 1m 30s, if hosts are out as long as 3 were before",
        "forks  1 of the 2 hosts of a batch are worked on at a time; give --forks 2",
        "not now  the shop is shut",
        "hash  1-2-3",
    ]


def test_window_has_an_order_and_no_batches() -> None:
    look = observed(4)
    made = plan(look=look, max_unavailable=2, mode="window")
    lines = preview_lines(made, look, forecast(made, look, None, 5), "1-2-3")
    assert lines[0] == 'rollout of "web" to 2.0: 4 of 4 hosts through a window of 2'
    assert "order  web1 (1.0), web2 (1.0), web3 (1.0), web4 (1.0)" in lines
    assert not any(line.startswith("batch") for line in lines)


def test_waves_stand_before_their_first_batch() -> None:
    look = observed(5, web1=seen("web1", "2.0"))
    look = dataclasses.replace(look, members=tuple(dataclasses.replace(one, requests=1) for one in look.members))
    waves = [{"name": "box", "hosts": 1, "bake": {"time": "5m", "requests": 100}}, {"hosts": "40%", "approve": True, "bake": 30}]
    made = make_plan("web", "2.0", look, policy(max_unavailable=1, waves=waves), checked=True)
    lines = preview_lines(made, look, forecast(made, look, None, forks=5), "1-2-3", findings=["condition errors: pass: none"])
    assert [line for line in lines if line.startswith(("wave", "batch", "condition"))] == [
        "wave box  1 of 5: web2; then bakes for 300 s and 100 requests; then its conditions are asked",
        "batch 1  web2 (1.0)",
        "wave 40%  40% of 5 = 2: web3, web4; waits for approval; then bakes for 30 s; then its conditions are asked",
        "batch 2  web3 (1.0)",
        "batch 3  web4 (1.0)",
        "wave rest  all that are left: web5; then its conditions are asked",
        "batch 4  web5 (1.0)",
        "condition errors: pass: none",
    ]
