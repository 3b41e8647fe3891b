# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from hypothesis import given
from unit.plugins.plugin_utils.any_fleet import observations, policies
from unit.plugins.plugin_utils.fleets import NEW, OLD, member, names, observed, policy, rollout, seen

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import (
    Baking,
    HostRecord,
    Observed,
    Plan,
    RolloutRecord,
    Step,
    Verdict,
    WaveRecord,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice
from ansible_collections.convoy.rolling.plugins.plugin_utils.planner import make_plan
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.waves import carried_over, check_approvals, ended_at, resumed

BOX = [{"name": "box", "hosts": 1, "bake": 60}, {"name": "half", "hosts": "50%"}]


def made(waves: list[t.Any], look: Observed | None = None, latest: RolloutRecord | None = None, **limits: t.Any) -> Plan:
    return make_plan("web", NEW, look or observed(6), policy(**{"waves": waves, "max_unavailable": 2, **limits}), latest=latest)


def of_waves(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {wave.name: wave.hosts for wave in plan.waves}


@given(observations(), policies())
def test_every_host_that_goes_is_in_one_wave_and_no_batch_is_of_two(look: Observed, limits: Policy) -> None:
    try:
        plan = make_plan("web", NEW, look, limits)
    except InputError:
        return
    if limits.waves:
        assert [host for wave in plan.waves for host in wave.hosts] == list(
            dict.fromkeys(host for wave in plan.waves for host in wave.hosts)
        )
        assert {host for wave in plan.waves for host in wave.hosts} == set(plan.order)
        number = {host: place for place, wave in enumerate(plan.waves) for host in wave.hosts}
        turns = [{number[host] for host in batch} for batch in plan.batches]
        assert all(len(turn) == 1 for turn in turns)
        assert [turn.pop() for turn in turns] == sorted(number[batch[0]] for batch in plan.batches)
        without = make_plan("web", NEW, look, dataclasses.replace(limits, waves=()))
        assert sorted(plan.order) == sorted(without.order) and plan.floors == without.floors
    else:
        assert plan.waves == ()


def test_counts_and_percentages_of_the_fleet_and_the_rest() -> None:
    plan = made(BOX)
    assert of_waves(plan) == {"box": ("web1",), "half": ("web2", "web3", "web4"), "rest": ("web5", "web6")}
    assert plan.batches == (("web1",), ("web2", "web3"), ("web4",), ("web5", "web6"))
    assert [wave.sum for wave in plan.waves] == ["1 of 6", "50% of 6 = 3", "all that are left"]


@pytest.mark.parametrize(("percent", "count"), [("1%", 1), ("16%", 1), ("17%", 2), ("33%", 2), ("34%", 3), ("100%", 6)])
def test_percentage_is_rounded_up_for_a_wave_of_nobody_is_none(percent: str, count: int) -> None:
    assert len(made([percent]).waves[0].hosts) == count


def test_zones_and_groups_by_their_name() -> None:
    look = observed(
        4, web2=seen("web2", zone="west"), web3=seen("web3", zone="east", groups=("canary", "all")), web1=seen("web1", zone="east")
    )
    assert of_waves(made(["west", "canary"], look)) == {"west": ("web2",), "canary": ("web3",), "rest": ("web1", "web4")}
    with pytest.raises(
        InputError, match=r"wave 'south': 'south' is no zone and no group of these hosts; there are east, west\. Nothing was"
    ):
        made(["south"], look)
    with pytest.raises(InputError, match=r"there are none\. Nothing was touched"):
        made(["south"])


def test_waves_without_anybody_are_left_out() -> None:
    look = observed(2, web1=seen("web1", NEW, zone="a"), web2=seen("web2", zone="b"))
    assert of_waves(made(["a", "b"], look, max_unavailable=1)) == {"b": ("web2",)}
    assert made([1], observed(1, web1=seen("web1", NEW)), max_unavailable=1).waves == ()


def test_own_limit_holds_inside_the_wave() -> None:
    plan = made([{"hosts": "50%", "max_unavailable": "34%"}])
    assert plan.batches == (("web1",), ("web2",), ("web3",), ("web4", "web5"), ("web6",))
    assert [(scope.name, scope.room) for scope in plan.scopes] == [("wave 50%", 1)]
    assert "wave 50%: 34% of 3 = 1 (rounded down), so 1 at a time" in plan.sums
    with pytest.raises(
        InputError, match=r"rollout_waves: nobody may leave rotation: wave 50%: 33% of 3 = 0 \(rounded down\), so 0 at a time"
    ):
        made([{"hosts": "50%", "max_unavailable": "33%"}])
    assert made([{"hosts": "50%", "max_unavailable": "33%"}], at_least_one=True).batches[0] == ("web1",)


def test_who_is_away_goes_in_the_first_wave_whatever_its_zone() -> None:
    look = observed(4, out=["web4"], absent=["web4"], web1=seen("web1", zone="a"), web4=seen("web4", zone="b"))
    assert of_waves(made(["a", "b"], look))["a"] == ("web4", "web1")


def test_requests_are_refused_where_nobody_counts_them() -> None:
    look = dataclasses.replace(observed(2), members=(member("web1", requests=5), member("web2")))
    waves = [{"hosts": 1, "bake": {"requests": 10}}]
    assert made(waves, look, max_unavailable=1).waves[0].bake_requests == 10
    with pytest.raises(InputError, match="wave 'rest' bakes for 3 requests, and no load balancer tells how many web2 is given"):
        made([1, {"hosts": "rest", "bake": {"requests": 3}}], look, max_unavailable=1)


# -- going on with a rollout -------------------------------------------------------------------------------------------


def first_wave_done(**different: t.Any) -> RolloutRecord:
    back = HostRecord("web1", Step.BACK, Verdict.CONVERGED, changed=500.0)
    waves = (WaveRecord("box", baking=Baking(510.0, 7, {"x": 1}, {"web1": 1})), WaveRecord("half", approved=Notice("ann", "", 1.0)))
    return rollout(made(BOX), back, **{"waves": waves, "verdict": Verdict.INTERRUPTED, **different})


AFTER = observed(6, web1=seen("web1", NEW))


def test_hosts_stay_in_their_waves_and_what_a_wave_has_baked_stays() -> None:
    plan = made(BOX, AFTER, first_wave_done())
    assert of_waves(plan) == {"box": ("web1",), "half": ("web2", "web3", "web4"), "rest": ("web5", "web6")}
    assert plan.batches == (("web2", "web3"), ("web4",), ("web5", "web6"))
    box, half, rest = carried_over(plan, first_wave_done(), 900.0)
    assert box == WaveRecord("box", 500.0, Baking(510.0, 7, {"x": 1}))
    assert half == WaveRecord("half", approved=Notice("ann", "", 1.0)) and rest == WaveRecord("rest")
    # And once more, by one that was cut off as well.
    second = rollout(plan, waves=(box, half, rest))
    assert carried_over(made(BOX, AFTER, second), second, 950.0)[0] == box


def test_hosts_stay_in_their_waves_when_the_order_is_another_one() -> None:
    before = rollout(made(BOX), verdict=Verdict.HALTED)
    plan = made(BOX, latest=before, order="reverse_inventory")
    assert of_waves(plan) == {"box": ("web1",), "half": ("web4", "web3", "web2"), "rest": ("web6", "web5")}


def test_wave_whose_host_goes_again_bakes_anew() -> None:
    broken = observed(6, web1=seen("web1", NEW, healthy=False))
    plan = made(BOX, broken, first_wave_done())
    assert plan.batches[0] == ("web1",) and of_waves(plan)["box"] == ("web1",)
    assert carried_over(plan, first_wave_done(), 900.0)[0] == WaveRecord("box")


def test_wave_that_is_through_without_the_journal_knowing_ends_now() -> None:
    unknown = rollout(made(BOX), waves=(WaveRecord("box"),))
    assert carried_over(made(BOX, AFTER, unknown), unknown, 900.0)[0].ended == 900.0


def test_rollout_to_another_version_with_other_waves_or_over_a_converged_one_begins_anew() -> None:
    before, limits = first_wave_done(), policy(waves=BOX)
    assert resumed(before, NEW, limits) is before
    assert resumed(before, OLD, limits) is None and resumed(None, NEW, limits) is None
    assert resumed(before, NEW, policy(waves=[1])) is None and resumed(before, NEW, policy()) is None
    assert resumed(dataclasses.replace(before, verdict=Verdict.CONVERGED), NEW, limits) is None
    assert of_waves(made([{"hosts": 1, "name": "one"}], AFTER, before))["one"] == ("web2",)


def test_end_of_a_wave_is_that_of_its_last_host() -> None:
    plan = made(BOX)
    half = plan.waves[1]
    done = [HostRecord(host, Step.BACK, Verdict.CONVERGED, changed=float(host[3:])) for host in names(6)]
    assert ended_at(half, rollout(plan, *done)) == 4.0
    assert ended_at(half, rollout(plan, *done[:3])) is None


def test_only_waves_that_wait_can_be_approved() -> None:
    limits = policy(waves=[1, {"hosts": "rest", "approve": True}])
    check_approvals(["rest"], (), limits)
    for name in ("1", "x"):
        with pytest.raises(InputError, match=f"rollout_approve: '{name}' is no wave that waits for approval; there are rest. Nothing"):
            check_approvals([name], (), limits)
