# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from unit.plugins.module_utils.fake_balancer import ABLE, World, member, pool_of

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import Location
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.providers import PROVIDERS
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.members import ARGUMENT_SPEC, INFO_ARGUMENT_SPEC, observe, run


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ({}, "state: neither a state nor a weight"),
        ({"state": "drained", "members": []}, "members: the list is empty"),
        ({"state": "drained", "members": ["web1", "web2", "web1"]}, "members: web1 is in the list twice"),
        ({"state": "drained", "members": ["web1; shutdown"]}, "members: 'web1; shutdown' cannot be a fake name; use small letters"),
        ({"state": "drained", "pool": "web/web1"}, "pool: 'web/web1' cannot be a fake name"),
        ({"state": "drained", "weight": "5"}, "weight: a weight cannot be given with state=drained"),
        ({"state": "ready", "floor": 1}, "floor: it is for members that leave"),
        ({"weight": "5", "floor": 1}, "floor: it is for members that leave"),
        ({"state": "drained", "floor": -1}, "floor: -1 is negative"),
        ({"weight": "heavy"}, "weight: 'heavy' is no weight"),
        ({"weight": "-1"}, "weight: '-1' is no weight"),
        ({"weight": "12.5%"}, "weight: '12.5%' is no weight"),
        ({"state": "restored"}, "before: what members had before is for state=restored, which needs it"),
        ({"state": "ready", "before": [{"name": "web1"}]}, "before: what members had before is for state=restored"),
        ({"state": "restored", "before": [{"name": "web1"}]}, "before: it says nothing of web2; give"),
        ({"state": "restored", "before": [{"weight": 3}]}, "before: {'weight': 3} is not what a member had"),
        ({"state": "restored", "weight": "3", "before": [{"name": "web1"}]}, "weight: a weight cannot be given with state=restored"),
        ({"state": "drained", "wait_full_weight": True}, "wait_full_weight: it is for members that come back"),
        ({"state": "drained", "soft": "soon"}, "soft: 'soon' is no duration"),
        ({"state": "drained", "soft": "1m", "wait_timeout": "1m"}, "wait_timeout: 60s leaves no time"),
        ({"state": "drained", "poll": "0"}, "poll: '0' is no time at all"),
        ({"state": "drained", "poll": "10s"}, "poll: 10s is too long"),
        ({"state": "drained", "timeout": "0s"}, "timeout: '0s' is no time"),
        ({"state": "drained", "provider": "lvs"}, "provider: 'lvs' is not known; there are: fake"),
        ({"state": "drained", "address": None}, "address: this option is needed"),
    ],
)
def test_bad_options_are_one_sentence_before_anything_is_opened(options: dict[str, t.Any], start: str) -> None:
    world = World(pool_of(2))
    error = world.fail(**options)
    assert isinstance(error, InputError) and error.message.startswith(start) and error.message.endswith(".")
    assert world.opened == 0


@pytest.mark.parametrize(
    ("lacking", "options", "start"),
    [
        ({"drains": False}, {"state": "drained"}, "state=drained: fake cannot tell"),
        ({"max_weight": None}, {"weight": "5"}, "weight: fake has no weights"),
        ({"whole_pool": False}, {"state": "drained", "floor": 1}, "floor: fake does not see"),
        ({"max_weight": None}, {"state": "drained", "floor": 1, "floor_by": "weight"}, "floor_by=weight: fake has no weights"),
        ({"warms_up": False}, {"state": "ready", "weight": "5", "wait_full_weight": True}, "wait_full_weight: fake has no slow start"),
        ({"cuts_sessions": False}, {"state": "drained", "on_timeout": "force"}, "on_timeout=force: fake cannot end"),
    ],
)
def test_what_a_provider_cannot_do_is_an_error(lacking: dict[str, t.Any], options: dict[str, t.Any], start: str) -> None:
    world = World(pool_of(1), dataclasses.replace(ABLE, **lacking))
    assert world.fail(**options).message.startswith(start)
    assert world.opened == 0
    assert World(pool_of(2)).run(members=["web1"], **options)["changed"]


@pytest.mark.parametrize(
    ("options", "admin", "weight"),
    [({"state": "drained", "floor": 1}, "maintenance", 10), ({"state": "maintenance"}, "maintenance", 10), ({"weight": "50%"}, "ready", 5)],
)
def test_check_mode_only_reads_and_tells_the_end(options: dict[str, t.Any], admin: str, weight: int) -> None:
    world = World(pool_of(2))
    world.busy_until = {"web1": 1e9}
    result = world.run(check_mode=True, members=["web1"], **options)
    assert (world.orders, world.reads, world.clock.now()) == ([], 1, 0)
    one = result["members"][0]
    assert (result["changed"], one["ok"], one["after"]["admin"], one["after"]["weight"]) == (True, True, admin, weight)
    assert result["diff"]["after"] == {"web1": {"admin": admin, "weight": weight}}
    assert result["view"]["in_service"] == 2, "the view is what is, not what would be"


def test_check_mode_changes_nothing_where_nothing_is_to_do() -> None:
    assert not World([member("web1", admin="maintenance")]).run(check_mode=True, state="drained")["changed"]
    assert not World(pool_of(1)).run(check_mode=True, state="ready", weight="100%")["changed"]


def test_check_mode_refuses_what_would_be_refused() -> None:
    world = World(pool_of(2))
    error = world.fail(check_mode=True, state="drained", floor=1, floor_wait="1h")
    assert error.message == "pool web on here: 2 of 2 members in service, draining web1, web2 would leave 0, the floor is 1."
    assert world.clock.now() == 0 and world.orders == []
    assert error.result["changed"] is False and len(error.result["members"]) == 2
    assert "no member 'nope'" in World(pool_of(1)).fail(check_mode=True, members=["nope"], state="drained").message
    assert "which is no traffic" in World(pool_of(1)).fail(check_mode=True, weight="5%").message


def test_many_failures_are_cut() -> None:
    world = World(pool_of(60))
    world.refuses = lambda change: "no"
    error = world.fail(state="drained")
    assert "60 of 60 members failed. web1: no. web10: no. web11: no. More that failed: web12, " in error.message
    assert len(error.message) < 400 and len(error.result["members"]) == 60


def test_observe_shows_the_pools_asked_for_or_all() -> None:
    world = World([member("web1", sessions=2), member("web2", admin="drain")])
    providers = {"fake": world.provider()}
    result = observe({"provider": "fake", "address": "here"}, providers)
    assert result["changed"] is False and [pool["pool"] for pool in result["pools"]] == ["web"]
    pool = result["pools"][0]
    assert pool["in_service"] == 1 and pool["members"] == [one.view() for one in world.members.values()]
    assert observe({"provider": "fake", "address": "here", "pools": ["web"]}, providers) == result
    with pytest.raises(RollingError, match="there are: web"):
        observe({"provider": "fake", "address": "here", "pools": ["nope"]}, providers)
    with pytest.raises(InputError, match="pools: 'a b' cannot be"):
        observe({"provider": "fake", "address": "here", "pools": ["a b"]}, providers)
    assert world.orders == [] and world.opened == world.closed


def test_members_of_other_pools_are_said_where_they_are_those_of_ours() -> None:
    world = World([member("web1", address="192.0.2.1", port=80), member("web2", address=None, port=None)])
    places = [("web", "web1", "192.0.2.1", 80), ("api", "a", "192.0.2.1", 80), ("api", "b", "192.0.2.1", 81), ("old", "c", "192.0.2.2", 80)]
    provider = world.provider()
    provider.locations = lambda _self: [Location(*place) for place in places]  # type: ignore[assignment,method-assign]
    options = {"provider": "fake", "address": "here", "pools": ["web"]}
    assert observe(options, {"fake": provider})["elsewhere"] == []
    found = observe({**options, "elsewhere": True}, {"fake": provider})["elsewhere"]
    assert found == [{"pool": "api", "name": "a", "address": "192.0.2.1", "port": 80}]


def test_the_choices_are_the_providers() -> None:
    for spec in (ARGUMENT_SPEC, INFO_ARGUMENT_SPEC):
        assert spec["provider"]["choices"] == sorted(PROVIDERS)


def test_an_address_of_the_wrong_form_is_bad_input() -> None:
    with pytest.raises(InputError, match="is no HAProxy address"):
        run({"provider": "haproxy", "address": "lb1", "pool": "web", "members": ["web1"], "state": "drained"}, False)
