# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

from unit.plugins.plugin_utils.fleets import member, observed, plan, seen, with_members

from ansible_collections.convoy.rolling.plugins.plugin_utils.forecast import Pace, forecast
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Absence
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
