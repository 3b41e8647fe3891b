# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of zones and groups in a real roll, a plan that is carried out as it was looked at, and times at which nothing starts."""

from __future__ import annotations

import json
import typing as t
from itertools import combinations
from pathlib import Path

from fleet.fleet import Fleet

Fixture = t.Callable[..., t.Any]

ZONES = {f"web{number}": "a" if number < 4 else "b" for number in range(1, 7)}


def test_zones_and_groups_hold_under_load(tmp_path: Path, play: Fixture, watching: Fixture) -> None:
    with Fleet(6, tmp_path) as fleet:
        fleet.release("2.0.0")
        variables = {
            "rollout_version": "2.0.0",
            "rollout_max_unavailable": 4,
            "rollout_zone": "{{ 'a' if inventory_hostname < 'web4' else 'b' }}",
            "rollout_max_unavailable_per_zone": "34%",
            "rollout_anti_affinity": ["{{ 'r1' if inventory_hostname in ('web1', 'web4') else inventory_hostname }}"],
        }
        with watching(fleet) as seen:
            run = play(fleet, variables)
        assert set(fleet.versions().values()) == {"2.0.0"}
    assert run.rc == 0
    assert run.batches == [["web1", "web5"], ["web4", "web2"], ["web3", "web6"]]
    assert "zone a: 34% of 3 = 1 (rounded down), so 1 at a time" in run.text
    assert seen.lowest("web") == 4
    absences = [absence for absence in seen.sampler.absences if absence.pool == "web"]
    assert {absence.host for absence in absences} == set(ZONES)
    for one, other in combinations(absences, 2):
        if one.balancer == other.balancer and one.began < other.began + other.seconds and other.began < one.began + one.seconds:
            assert ZONES[one.host] != ZONES[other.host], (one, other)
            assert {one.host, other.host} != {"web1", "web4"}
    seen.nothing_was_lost()


def test_plan_is_carried_out_as_it_was_looked_at_and_not_in_a_freeze(tmp_path: Path, play: Fixture, untouched: Fixture) -> None:
    path = tmp_path / "plan.json"
    with Fleet(3, tmp_path) as fleet:
        fleet.release("2.0.0")
        roll: dict[str, t.Any] = {"rollout_version": "2.0.0", "rollout_max_unavailable": 2}
        with untouched(fleet):
            shown = play(fleet, {**roll, "rollout_plan_only": True, "rollout_plan_path": str(path)})
        plan = json.loads(path.read_text())
        assert shown.rc == 0 and f"hash {plan['hash']}" in shown.text
        assert "serves lb1/web: never fewer than 1 of 3 members" in shown.text
        roll |= {"rollout_plan_hash": plan["hash"]}

        fleet.set_state("web3", "maint")
        changed = play(fleet, roll)
        assert changed.rc == 2 and set(fleet.versions().values()) == {"1.0.0"}
        assert (
            "rollout_plan_hash: since that plan was shown, the hosts, their order or their batches and the limits changed" in changed.text
        )
        fleet.set_state("web3", "ready")
        fleet.wait_up()

        # Not in quotes: YAML makes dates of them.
        frozen = tmp_path / "frozen.yml"
        frozen.write_text("rollout_freezes:\n  - {from: 2020-01-01, to: 2120-01-01, reason: audit}\n")
        with untouched(fleet):
            refused = play(fleet, roll, "-e", f"@{frozen}")
        assert refused.rc == 2
        assert "rollout_freezes: frozen until 2120-01-02 00:00 UTC: audit; wait, or say why not with -e rollout_override" in refused.text

        assert play(fleet, {**roll, "rollout_override": "customer is down"}, "-e", f"@{frozen}").rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"}
