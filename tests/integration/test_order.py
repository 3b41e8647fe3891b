# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is true at the very moment a balancer is told something, read off the wire."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from fleet.fleet import POOLS, Fleet

Fixture = t.Callable[..., t.Any]


def test_the_journal_knows_before_a_host_leaves_and_the_host_is_proved_before_it_returns(
    tmp_path: Path, play: Fixture, wire_to: Fixture
) -> None:
    orders: list[tuple[str, str, bool, int, str | None]] = []
    with Fleet(2, tmp_path) as fleet:
        fleet.release("2.0.0", {"listen_delay": 0.3, "unready": 1})
        journal = Journal(f"sqlite:///{tmp_path}/state.db")

        def look(line: str) -> None:
            if line.startswith("set server ") and " state " in line:
                place, _word, state = line.removeprefix("set server ").partition(" state ")
                host = place.partition("/")[2]
                status, body = fleet.health(host)
                orders.append((state, place, host in [absence.host for absence in journal.absences("web")], status, body.get("version")))

        with wire_to(fleet, look) as wire:
            balancers = [{"name": "lb1", "address": wire.address, "pools": list(POOLS)}]
            run = play(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 2, "rollout_balancers": balancers})
        assert run.rc == 0
        assert journal.absences("web") == ()
    places = [f"{pool}/{host}" for pool in POOLS for host in fleet.hosts]
    for state, facts in {"drain": (True, 200, "1.0.0"), "maint": (True, 200, "1.0.0"), "ready": (True, 200, "2.0.0")}.items():
        assert sorted(order for order in orders if order[0] == state) == sorted((state, place, *facts) for place in places)
