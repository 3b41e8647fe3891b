# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from unit.plugins.plugin_utils.fleets import API, WEB, balancer, names

from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import (
    host_of,
    is_near,
    keep_out_calls,
    look_calls,
    members_of,
    move_calls,
)

TWO = (
    balancer(pools=["api", "web"], hosts=names(3)),
    balancer("lb2", hosts=names(2), host="lb.example", become=True, master="/run/m2.sock"),
)


def test_one_look_a_balancer_whatever_the_number_of_hosts() -> None:
    assert look_calls(TWO) == [
        {
            "name": "lb1",
            "provider": "haproxy",
            "address": "/run/lb1.sock",
            "master": None,
            "host": "localhost",
            "become": False,
            "near": True,
            "pools": ["api", "web"],
        },
        {
            "name": "lb2",
            "provider": "haproxy",
            "address": "/run/lb2.sock",
            "master": "/run/m2.sock",
            "host": "lb.example",
            "become": True,
            "near": False,
            "pools": ["web"],
        },
    ]


@pytest.mark.parametrize(
    ("different", "near"),
    [({}, True), ({"host": "lb.example"}, False), ({"become": True}, False), ({"provider": "nginx"}, False), ({"provider": "caddy"}, True)],
)
def test_near_is_what_needs_neither_another_host_nor_user_nor_a_command(different: dict[str, t.Any], near: bool) -> None:
    assert is_near(balancer(**different)) is near
    assert move_calls([balancer(**different)], ["web1"])[0]["near"] is near


def test_one_call_a_pool_whatever_the_number_of_hosts() -> None:
    calls = move_calls(TWO, ["web3", "web1"], {API: 1, WEB: 2})
    assert [(call["name"], call["pool"], call["members"], call["floor"]) for call in calls] == [
        ("lb1", "api", ["web1", "web3"], 1),
        ("lb1", "web", ["web1", "web3"], 2),
        ("lb2", "web", ["web1"], None),
    ]


def test_pools_without_these_hosts_are_left_alone() -> None:
    assert [call["name"] for call in move_calls(TWO, ["web3"])] == ["lb1", "lb1"]
    assert move_calls(TWO, []) == []


def test_who_is_kept_out_may_be_a_host_of_another_play_that_the_journal_knows() -> None:
    had = {
        "web1": {WEB: {"name": "web1"}},
        "web9": {WEB: {"name": "app-9"}, "lb3/web": {"name": "app-9"}},
        "web8": {API: {"admin": "ready"}},
    }
    calls = keep_out_calls(TWO, ["web1", "web8", "web9"], had)
    assert [(call["name"], call["pool"], call["members"]) for call in calls] == [
        ("lb1", "api", ["web1", "web8"]),
        ("lb1", "web", ["web1", "app-9"]),
        ("lb2", "web", ["web1"]),
    ]
    assert calls[2]["master"] == "/run/m2.sock"
    assert keep_out_calls(TWO, [], had) == keep_out_calls(TWO, ["web7"], had) == []


def test_floor_is_for_those_who_leave() -> None:
    assert {call["floor"] for call in move_calls(TWO, names(3))} == {None}


def test_members_are_found_by_their_own_names() -> None:
    named = balancer(members={"web": {"app-1": "web1"}})
    assert host_of([named], "lb1", "web", "app-1") == "web1"
    assert (
        host_of([named], "lb1", "web", "web1") is host_of([named], "lb9", "web", "app-1") is host_of([named], "lb1", "api", "app-1") is None
    )
    assert move_calls([named], ["web1"])[0]["members"] == ["app-1"]


def test_view_of_a_pool_in_our_words() -> None:
    views = [
        {"name": "web1", "admin": "drain", "in_service": False, "weight": None, "status": None},
        {"name": "x", "admin": "ready", "in_service": True},
    ]
    ours, other = members_of(TWO, "lb1", "web", views)
    assert (ours.place, ours.host, ours.admin, ours.in_service, ours.weight, ours.status) == (WEB, "web1", "drain", False, None, "")
    assert (other.host, other.in_service) == (None, True)
    known = {"name": "web1", "admin": "ready", "in_service": True, "weight": 3, "initial_weight": 10, "agent": False, "follows": "api/web1"}
    (whole,) = members_of(TWO, "lb1", "web", [known])
    assert whole.original == {name: value for name, value in known.items() if name != "in_service"}


def test_what_every_member_had_goes_with_the_calls() -> None:
    had = {"web1": {WEB: {"weight": 3}, API: {"weight": 4}}}
    before = {call["pool"]: call["before"] for call in move_calls(TWO[:1], ["web1", "web2"], originals=had)}
    assert before == {"api": [{"name": "web1", "weight": 4}, {"name": "web2"}], "web": [{"name": "web1", "weight": 3}, {"name": "web2"}]}


@pytest.mark.parametrize(("follower", "leader"), [(API, WEB), (WEB, API)])
def test_who_follows_another_leaves_before_it_and_comes_back_after_it(follower: str, leader: str) -> None:
    had = {host: {follower: {"follows": f"{leader}/{host}"}, leader: {"follows": None}} for host in names(3)}

    def order(floors: dict[str, int] | None) -> list[str]:
        return [f"{call['name']}/{call['pool']}" for call in move_calls(TWO[:1], names(3), floors, had)]

    assert order({API: 1, WEB: 1}) == [follower, leader] and order(None) == [leader, follower]
