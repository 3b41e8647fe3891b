# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import itertools
import math
import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from unit.plugins.plugin_utils.any_fleet import observations, policies
from unit.plugins.plugin_utils.fleets import API, NEW, OLD, WEB, member, names, observed, plan, policy, seen, with_members

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Absence, Observed, Plan
from ansible_collections.convoy.rolling.plugins.plugin_utils.planner import is_converged, make_plan
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Allowance, Policy


def planned(look: Observed, limits: Policy) -> Plan | None:
    """The plan, or None where there is no room for any."""
    try:
        return make_plan("web", NEW, look, limits)
    except InputError:
        return None


@given(observations(), policies())
def test_every_host_has_exactly_one_place_in_the_plan(look: Observed, limits: Policy) -> None:
    made = planned(look, limits)
    if made:
        places = Counter([*made.order, *made.skipped, *made.held, *made.unreachable])
        assert places == Counter(seen.host for seen in look.hosts)


@given(observations(), policies())
def test_batches_hold_only_hosts_that_may_be_rolled(look: Observed, limits: Policy) -> None:
    made = planned(look, limits)
    if made:
        ours = {absence.host for absence in look.absences}
        persons = {member.host for member in look.members if member.admin != "ready"} - ours
        cut_off = {seen.host for seen in look.hosts if not seen.reachable}
        assert not set(made.order) & (persons | cut_off)
        assert set(made.held) == {host for host in persons if host} - cut_off


@given(observations(), policies())
def test_no_batch_is_larger_than_the_limit(look: Observed, limits: Policy) -> None:
    made = planned(look, limits)
    if made and made.order:
        assert 1 <= max(map(len, made.batches)) <= made.limit <= max(1, len(look.hosts) + 2)
        assert all(batch for batch in made.batches)


@given(observations(), policies())
def test_hosts_of_ours_that_are_out_go_before_all_others(look: Observed, limits: Policy) -> None:
    made = planned(look, limits)
    if made:
        ours = {absence.host for absence in look.absences}
        going = [host in ours for host in made.order]
        assert going == sorted(going, reverse=True)


def may_be_out(allowance: Allowance, total: int, one: int) -> int:
    """The exact sum, in fractions."""
    share = Fraction(allowance.amount.number * total, 100) if allowance.amount.percent else Fraction(min(total, allowance.amount.number))
    may = total - math.ceil(share) if allowance.stays else math.floor(share)
    return max(may, one) if allowance.at_least_one else may


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(observations(), policies())
def test_no_batch_breaks_a_limit_in_any_place_zone_or_group(look: Observed, limits: Policy) -> None:
    """Played through: everybody in a batch is out, then all of it is back. Nobody who serves leaves where there is no room."""
    made = planned(look, limits)
    assume(made is not None and made.order)
    weighed = limits.limit_by == "weight"
    out = {(one.place, one.name) for one in look.members if not one.in_service}
    down = {one.host for one in look.members if not one.in_service}
    lost = down | {one.host for one in look.hosts if not one.healthy and one.host not in made.skipped}
    lost = {host for host in lost if host in [one.host for one in look.hosts]} - set(made.order)
    away = {absence.host for absence in look.absences} | down
    waiting = {host for host in made.order if host in away}
    for batch in made.batches:
        leaving = [host for host in batch if host not in away]
        for place, floor in made.floors.items():
            pool = [one for one in look.members if one.place == place]
            going = [one.units(weighed) for one in pool if one.host in made.order]
            total = sum(one.units(weighed) for one in pool)
            assert total - floor == may_be_out(limits.unavailable, total, max(going, default=1))
            gone = sum(one.units(weighed) for one in pool if (one.place, one.name) in out or one.host in batch)
            assert gone <= total - floor or not any(one.host in leaving for one in pool), f"{place} in {batch}"
        for zone in {one.zone for one in look.hosts} if limits.unavailable_per_zone else ():
            hosts = {one.host for one in look.hosts if one.zone == zone}
            gone_hosts = hosts & (lost | waiting | set(batch))
            assert len(gone_hosts) <= may_be_out(limits.unavailable_per_zone, len(hosts), 1) or not hosts & set(leaving)
        for group in {group for one in look.hosts for group in one.apart}:
            hosts = {one.host for one in look.hosts if group in one.apart}
            assert len(hosts & (lost | waiting | set(batch))) <= 1 or not hosts & set(leaving)
        waiting -= set(batch)
        out -= {(one.place, one.name) for one in look.members if one.host in batch}


@given(observations(), policies())
def test_zone_by_zone_no_batch_has_hosts_of_two_zones_but_those_away(look: Observed, limits: Policy) -> None:
    made = planned(look, dataclasses.replace(limits, zone_order="sequential", waves=()))
    if made:
        away = {absence.host for absence in look.absences} | {one.host for one in look.members if not one.in_service}
        zones = [{one.zone for one in look.hosts if one.host in batch and one.host not in away} for batch in made.batches]
        assert all(len(zone) <= 1 for zone in zones)
        visits = [next(iter(zone)) for zone in zones if zone]
        assert len([zone for zone, _again in itertools.groupby(visits)]) == len(set(visits))


@given(observations(), policies(), st.randoms())
def test_pools_are_the_same_whatever_order_they_are_seen_in(look: Observed, limits: Policy, shuffle: random.Random) -> None:
    members = list(look.members)
    shuffle.shuffle(members)
    again = planned(dataclasses.replace(look, members=tuple(members)), limits)
    made = planned(look, limits)
    assert (made and (made.batches, made.floors, made.limit)) == (again and (again.batches, again.floors, again.limit))


def test_fleet_in_batches_of_the_limit_in_the_order_given() -> None:
    made = plan(7, max_unavailable="30%")
    assert made.batches == (("web1", "web2"), ("web3", "web4"), ("web5", "web6"), ("web7",))
    assert (made.limit, made.floors) == (2, {WEB: 5})


def test_converged_fleet_has_nobody_to_roll() -> None:
    made = plan(3, look=observed(3, **{host: seen(host, NEW) for host in names(3)}), max_unavailable=0)
    assert (made.batches, set(made.skipped)) == ((), set(names(3)))


def test_ten_percent_of_six_is_refused_with_the_sum() -> None:
    with pytest.raises(InputError, match=r"^rollout_max_unavailable: .*the fleet: 10% of 6 = 0 \(rounded down\), so 0 at a time") as caught:
        plan(6, max_unavailable="10%")
    assert caught.value.message.endswith("nothing was touched.")


def test_members_out_before_count() -> None:
    made = plan(6, look=observed(6, out=["web6"]), max_unavailable=2)
    assert (made.limit, made.held.keys()) == (1, {"web6"})
    assert any("2 of 6, 1 out already (web6), so 1 at a time" in text for text in made.sums)


def test_nobody_may_leave_when_as_many_are_out_as_may_be() -> None:
    with pytest.raises(InputError, match=r"1 out already \(web6\), so 0 at a time"):
        plan(6, look=observed(6, out=["web6"]), max_unavailable=1)


def test_members_of_others_count_as_out_as_well() -> None:
    look = observed(5)
    look = dataclasses.replace(look, members=(*look.members, member("stranger", out=True, host=None)))
    assert plan(look=look, max_unavailable=2).limit == 1


def test_with_limit_the_pool_still_knows_how_large_the_fleet_is() -> None:
    look = observed(8)
    few = dataclasses.replace(
        look, hosts=look.hosts[:2], members=tuple(dataclasses.replace(one, host=None) if one.name > "web2" else one for one in look.members)
    )
    made = plan(look=few, max_unavailable="25%")
    assert (made.order, made.limit, made.floors) == (("web1", "web2"), 2, {WEB: 6})


def test_a_small_pool_limits_its_own_hosts_only() -> None:
    look = observed(8)
    look = dataclasses.replace(look, members=(*look.members, *(member(host, API) for host in names(4))))
    made = plan(look=look, max_unavailable="25%")
    assert (made.limit, made.floors) == (2, {WEB: 6, API: 3})
    assert made.batches == (("web1", "web5"), ("web2", "web6"), ("web3", "web7"), ("web4", "web8"))


def test_host_of_ours_that_serves_already_only_has_to_come_back() -> None:
    look = dataclasses.replace(observed(3, web3=seen("web3", NEW)), absences=(Absence("web3", 1, 0.0),))
    made = plan(look=look, max_unavailable=1)
    assert (made.batches[0], made.deployed, made.skipped) == (("web3",), ("web3",), {})


def test_order_is_ours_then_down_then_sick_then_the_rest() -> None:
    """A host of ours goes before one that is merely down: only its return frees its place."""
    look = with_members(
        observed(5, absent=["web4"], web3=seen("web3", healthy=False), web5=seen("web5", None)),
        web2=member("web2", in_service=False),
    )
    assert plan(look=look, max_unavailable=1).order == ("web4", "web2", "web3", "web5", "web1")


def test_of_ours_those_that_are_still_out_go_first() -> None:
    look = with_members(observed(4, absent=["web2", "web3"]), web2=member("web2"))
    assert plan(look=look, max_unavailable=1).order == ("web3", "web2", "web1", "web4")


def test_who_was_left_out_everywhere_is_known_whether_it_is_rolled_or_not() -> None:
    """What a reload of a balancer must not undo. A killed run also leaves absences of hosts that never left."""
    look = observed(5, absent=["web1", "web2", "web3"], places=(WEB, API), web2=seen("web2", reachable=False))
    web9 = {"web9": {WEB: {"name": "app-9"}}, "web8": {WEB: {"name": "app-8"}}, "web7": {"lb3/web": {"name": "app-9"}}}
    others = [member("app-9", out=True, host=None), member("app-8", host=None)]
    half = [member("web3", API) if (one.host, one.place) == ("web3", API) else one for one in look.members]
    absences = (*look.absences, *(Absence(host, 1, 0.0, had) for host, had in web9.items()))
    made = plan(look=dataclasses.replace(look, members=(*half, *others), absences=absences), max_unavailable=4)
    assert made.left_out == ("web1", "web2", "web9")


def test_unreachable_host_is_named_and_not_rolled() -> None:
    made = plan(look=observed(3, web2=seen("web2", reachable=False, why="No route to host")), max_unavailable=1)
    assert (made.order, made.unreachable) == (("web1", "web3"), {"web2": "No route to host"})


@pytest.mark.parametrize(
    ("installed", "running", "converged"),
    [(NEW, NEW, True), (NEW, None, True), (None, NEW, True), (NEW, OLD, False), (OLD, NEW, False), (None, None, False), (OLD, OLD, False)],
)
def test_running_version_is_what_counts(installed: str | None, running: str | None, converged: bool) -> None:
    assert is_converged(seen("web1", installed, running=running), [member("web1")], NEW) is converged


def test_converged_host_is_well_and_served_by_every_balancer() -> None:
    new = seen("web1", NEW)
    assert not is_converged(new, [member("web1"), member("web1", API, out=True)], NEW)
    assert not is_converged(dataclasses.replace(new, healthy=False), [], NEW)
    assert not is_converged(dataclasses.replace(new, reachable=False), [], NEW)


def test_switched_link_with_the_old_process_is_rolled_again() -> None:
    made = plan(look=observed(2, web1=seen("web1", NEW, running=OLD), web2=seen("web2", NEW)), max_unavailable=1)
    assert (made.order, made.deployed) == (("web1",), ())


def test_ten_thousand_hosts_are_planned_in_a_second() -> None:
    look = observed(10_000, places=[WEB, API])
    made = make_plan("web", NEW, look, policy())
    assert (len(made.order), made.limit) == (10_000, 2500)


def test_a_balancer_that_sees_one_member_sets_no_floor() -> None:
    look = observed()
    alone = tuple(dataclasses.replace(one, balancer=f"ready-{one.name}", pool="local", alone=True) for one in look.members)
    plan = make_plan("web", NEW, dataclasses.replace(look, members=look.members + alone), policy(max_unavailable="34%"))
    assert set(plan.floors) == {one.place for one in look.members}
    assert plan.order
