# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from unit.plugins.plugin_utils.fleets import WEB, member, names, observed, plan, seen

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Absence, Observed


def zoned(count: int, zones: str, **different: t.Any) -> Observed:
    """Hosts in zones, one letter each."""
    return observed(count, **{host: seen(host, zone=zone) for host, zone in zip(names(count), zones, strict=True)}, **different)


def refused(look: Observed, **limits: t.Any) -> str:
    with pytest.raises(InputError) as caught:
        plan(look=look, **limits)
    assert caught.value.message.endswith("othing was touched.")
    return caught.value.message


@pytest.mark.parametrize(("may", "total", "limit"), [(1, 6, 1), (6, 6, 6), (7, 6, 6), ("17%", 6, 1), ("100%", 6, 6), ("34%", 6, 2)])
def test_limit_at_its_boundaries(may: t.Any, total: int, limit: int) -> None:
    assert plan(total, max_unavailable=may).limit == limit


@pytest.mark.parametrize(("least", "limit"), [(0, 6), (1, 5), (5, 1), ("83%", 1), ("67%", 1), ("66%", 2), ("0%", 6)])
def test_least_that_stays_rounds_up(least: t.Any, limit: int) -> None:
    made = plan(6, min_available=least)
    assert (made.limit, made.floors) == (limit, {WEB: 6 - limit})


@pytest.mark.parametrize("limits", [{"min_available": 6}, {"min_available": "84%"}, {"max_unavailable": 0}, {"max_unavailable": "16%"}])
def test_what_comes_to_nobody_is_refused_with_the_sum_or_one_goes(limits: dict[str, t.Any]) -> None:
    message = refused(observed(6), **limits)
    assert message.startswith(f"rollout_{next(iter(limits))}: nobody may leave rotation: the fleet: ")
    made = plan(6, **limits, at_least_one=True)
    assert (made.limit, made.floors) == (1, {WEB: 5})
    assert all("1 by rollout_at_least_one, so 1 at a time" in text for text in made.sums)


def test_sum_of_a_least_is_said_in_words() -> None:
    assert plan(6, min_available="75%").sums[0] == "the fleet: 75% of 6 = 5 (rounded up) must stay, 1 may leave, so 1 at a time"


def test_at_least_one_makes_no_room_for_whom_others_took() -> None:
    assert "1 by rollout_at_least_one, 1 out already (web6), so 0 at a time" in refused(
        observed(6, out=["web6"]), max_unavailable="10%", at_least_one=True
    )


def test_zone_limits_its_own_hosts() -> None:
    made = plan(look=zoned(6, "aabbbb"), max_unavailable=3, max_unavailable_per_zone="50%")
    assert [(scope.name, scope.hosts, scope.room) for scope in made.scopes] == [
        ("zone a", ("web1", "web2"), 1),
        ("zone b", ("web3", "web4", "web5", "web6"), 2),
    ]
    assert made.batches == (("web1", "web3", "web4"), ("web2", "web5", "web6"))


def test_zone_that_allows_all_of_its_hosts_is_none_to_the_gate() -> None:
    assert plan(look=zoned(6, "aabbbb"), max_unavailable=1, max_unavailable_per_zone=4).scopes == ()


@pytest.mark.parametrize(("limit", "text"), [("49%", "zone a: 49% of 2 = 0 (rounded down), so 0"), (0, "zone a: 0 of 2, so 0")])
def test_zone_that_comes_to_nobody_is_refused_with_the_sum(limit: t.Any, text: str) -> None:
    message = refused(zoned(6, "aabbbb"), max_unavailable=3, max_unavailable_per_zone=limit)
    assert message.startswith("rollout_max_unavailable_per_zone: ") and text in message


def test_host_out_before_counts_in_its_zone() -> None:
    message = refused(zoned(6, "aabbbb", out=["web1"]), max_unavailable=3, max_unavailable_per_zone=1)
    assert "zone a: 1 of 2, 1 out already (web1), so 0 at a time" in message
    made = plan(look=zoned(6, "aabbbb", out=["web3"]), max_unavailable=3, max_unavailable_per_zone=2)
    assert made.scopes[-1].room == 1


def test_host_without_a_zone_is_named() -> None:
    assert "web1 has no rollout_zone" in refused(observed(2), max_unavailable=1, max_unavailable_per_zone=1)


def grouped(*groups: tuple[str, ...], **different: t.Any) -> Observed:
    hosts = {host: seen(host, apart=mine) for host, mine in zip(names(len(groups)), groups, strict=True)}
    return observed(len(groups), **hosts, **different)


def test_hosts_of_one_group_are_never_out_together() -> None:
    made = plan(look=grouped(("r1",), ("r1",), ("r2",), ("r2", "r1")), max_unavailable=4)
    assert made.batches == (("web1", "web3"), ("web2",), ("web4",))
    assert made.sums[-1] == "rollout_anti_affinity: 1 at a time of each of 2 groups, of 2 to 3 hosts"


def test_group_of_one_limits_nobody() -> None:
    assert plan(look=grouped(("r1",), ("r2",), ("r3",)), max_unavailable=3).scopes == ()


def test_group_with_a_host_out_is_refused_with_the_sum() -> None:
    message = refused(grouped(("r1",), ("r1",), out=["web2"]), max_unavailable=2)
    assert message.startswith("rollout_anti_affinity: nobody may leave rotation: group r1: 1 of 2, 1 out already (web2), so 0 at a time")


def weighed(*weights: int | None) -> Observed:
    look = observed(len(weights))
    members = (dataclasses.replace(one, weight=weight) for one, weight in zip(look.members, weights, strict=True))
    return dataclasses.replace(look, members=tuple(members))


def test_by_weight_the_floor_is_a_share_of_the_weights() -> None:
    made = plan(look=weighed(10, 10, 10, 1), max_unavailable="40%", limit_by="weight")
    assert (made.floors, made.weighed) == ({WEB: 19}, True)  # 40% of 31 is 12
    assert made.batches == (("web1", "web4"), ("web2",), ("web3",))


def test_host_that_weighs_more_than_may_leave_is_refused_or_goes_alone() -> None:
    look = weighed(30, 10, 10, 10)
    message = refused(look, max_unavailable="25%", limit_by="weight")
    assert "lb1/web: 25% of 60 = 15, so 15 at a time; floor 45, and web1 alone is 30" in message
    made = plan(look=look, max_unavailable="25%", limit_by="weight", at_least_one=True)
    assert made.batches == (("web1",), ("web2", "web3", "web4"))


def test_weight_of_a_member_that_is_out_is_the_one_it_would_serve_with() -> None:
    look = observed(3)
    out = member("web3", out=True, weight=0, initial_weight=10)
    made = plan(look=dataclasses.replace(look, members=(*look.members[:2], out)), max_unavailable="67%", limit_by="weight")
    assert made.floors == {WEB: 10}  # 67% of 30 is 20


def test_pool_without_weights_can_not_be_weighed() -> None:
    assert "rollout_limit_by: lb1/web does not tell the weight of web2" in refused(weighed(1, None), limit_by="weight")
    assert "rollout_limit_by: there is no pool" in refused(observed(2, places=()), limit_by="weight")


def test_absence_of_another_plays_host_is_nobodys_here() -> None:
    look = dataclasses.replace(observed(4), absences=(Absence("elsewhere", 1, 0.0),))
    assert plan(look=look, max_unavailable=1).batches == (("web1",), ("web2",), ("web3",), ("web4",))
