# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from unit.plugins.plugin_utils.fleets import API, NEW, WEB, member, names, observed, plan, seen, with_members

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Observed


def order(look: Observed, **limits: t.Any) -> tuple[str, ...]:
    return plan(look=look, max_unavailable=1, **limits).order


def zoned(zones: str, **different: t.Any) -> Observed:
    hosts = {host: seen(host, zone=zone, **different.pop(host, {})) for host, zone in zip(names(len(zones)), zones, strict=True)}
    return observed(len(zones), **hosts)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("inventory", ("web1", "web2", "web3")),
        ("reverse_inventory", ("web3", "web2", "web1")),
        ("sorted", ("web1", "web2", "web3")),
        ("reverse_sorted", ("web3", "web2", "web1")),
    ],
)
def test_own_order_in_ansibles_words(word: str, expected: tuple[str, ...]) -> None:
    assert order(observed(3), order=word) == expected


def test_shuffled_plan_is_the_same_twice_and_another_one_for_another_version() -> None:
    look = observed(9)
    assert order(look, order="shuffle") == order(look, order="shuffle") != tuple(names(9))
    assert sorted(order(look, order="shuffle")) == sorted(names(9))


def test_zones_are_striped() -> None:
    assert order(zoned("aaabbc")) == ("web1", "web4", "web6", "web2", "web5", "web3")


def test_zone_by_zone() -> None:
    made = plan(look=zoned("abab"), max_unavailable=3, zone_order="sequential")
    assert made.batches == (("web1", "web3"), ("web2", "web4"))


def test_who_is_out_goes_first_whatever_the_zones() -> None:
    for zone_order in ("striped", "sequential"):
        look = with_members(zoned("abab"), web4=member("web4", in_service=False))
        assert order(look, zone_order=zone_order)[0] == "web4"


def test_priority_goes_before_the_order_but_not_before_who_is_out() -> None:
    look = with_members(observed(4, web3=seen("web3", priority=1), web4=seen("web4", priority=-1)), web2=member("web2", in_service=False))
    assert order(look) == ("web2", "web3", "web1", "web4")


def test_zone_of_the_first_priority_goes_first() -> None:
    assert order(zoned("abab", web4={"priority": 5}), zone_order="sequential") == ("web4", "web2", "web1", "web3")


def test_hosts_of_the_rarer_version_go_first() -> None:
    """Of a rollout that was given up half-way: with them gone, there are two versions again."""
    look = observed(5, web3=seen("web3", "1.9"), web5=seen("web5", "1.9"))
    assert order(look, supersede=True) == ("web3", "web5", "web1", "web2", "web4")


def test_target_is_no_rare_version() -> None:
    look = observed(3, web1=seen("web1", NEW), web3=seen("web3", "1.0", running=NEW))
    assert order(dataclasses.replace(look, members=()))[0] == "web3"


def test_hosts_left_by_halves_go_where_they_find_room_and_make_room_for_the_next() -> None:
    """Of each pool two of four may be out. web3 leaves nothing, and once it is back there is room for web1, and then for web2."""
    out = {"web1": {WEB}, "web2": {API}, "web3": {WEB, API}}
    look = observed(4, absent=out, places=(WEB, API))
    members = tuple(member(str(one.host), one.place, one.place in out.get(str(one.host), ())) for one in look.members)
    assert plan(look=dataclasses.replace(look, members=members), max_unavailable=2).order == ("web3", "web1", "web2", "web4")


def test_hosts_left_by_halves_keep_their_order_where_all_find_room() -> None:
    look = observed(4, absent=["web1", "web3"], places=(WEB, API))
    members = tuple(member(str(one.host), one.place, not one.in_service and one.place == WEB) for one in look.members)
    assert plan(look=dataclasses.replace(look, members=members), max_unavailable=2).order == ("web1", "web3", "web2", "web4")
