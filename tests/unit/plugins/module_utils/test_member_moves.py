# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.module_utils.fake_balancer import ABLE, World, member, pool_of

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import Change, Member
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError


def by_name(result: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    return {one["member"]: one for one in result["members"]}


def admins(world: World) -> dict[str, str]:
    return {name: one.admin for name, one in world.members.items()}


# The order out


def test_drained_is_drain_then_maintenance_then_quiet() -> None:
    world = World(pool_of(3))
    world.busy_until = {"web1": 4.0}
    result = world.run(members=["web1"], state="drained")
    assert world.orders == [[Change("web1", admin="drain")], [Change("web1", admin="maintenance")]]
    one = result["members"][0]
    assert (one["ok"], one["changed"], one["sessions"], one["cut"]) == (True, True, 3, 0)
    assert (one["before"]["admin"], one["after"]["admin"]) == ("ready", "maintenance")
    assert 4.3 <= one["seconds"] <= 4.6, "the sessions end after 4s, and 0.3s must pass without any"
    assert result["changed"] and result["view"]["in_service"] == 2
    assert result["diff"]["before"] == {"web1": {"admin": "ready", "weight": 10}}
    assert result["diff"]["after"] == {"web1": {"admin": "maintenance", "weight": 10}}
    assert (world.opened, world.closed) == (1, 1)


def test_the_soft_phase_is_bounded_and_ends_early_for_a_quiet_member() -> None:
    world = World(pool_of(2))
    world.busy_until = {"web2": 100.0}
    when: dict[str, float] = {}
    world.refuses = lambda change: when.setdefault(f"{change.member} {change.admin}", world.clock.now()) and None
    world.run(state="drained", soft="10s", wait_timeout="200s")
    assert when["web1 drain"] == when["web2 drain"] == 0
    assert 0.3 <= when["web1 maintenance"] < 0.5
    assert 10 <= when["web2 maintenance"] < 10.2


def test_the_quiet_window_begins_anew_in_maintenance() -> None:
    assert World(pool_of(1)).run(state="drained", quiet="1s", soft="5s")["members"][0]["seconds"] >= 2


def test_an_agent_is_silenced_before_it_can_let_the_member_in_again() -> None:
    world = World([member("web1", agent=True)])
    world.run(state="drained")
    assert world.orders == [[Change("web1", admin="drain", agent=False)], [Change("web1", admin="maintenance")]]
    world.run(state="ready")
    assert world.orders[2:] == [[Change("web1", admin="ready", agent=True)]]


def test_without_a_soft_phase_it_is_maintenance_at_once() -> None:
    for options in ({"state": "maintenance"}, {"state": "drained", "soft": "0"}):
        world = World(pool_of(1))
        world.run(**options)
        assert world.orders == [[Change("web1", admin="maintenance")]]
    hard_only = World(pool_of(1), dataclasses.replace(ABLE, soft_drain=False))
    hard_only.run(state="drained")
    assert hard_only.orders == [[Change("web1", admin="maintenance")]]


@pytest.mark.parametrize("busy", ["requests", "sessions", "queued"])
def test_a_moment_without_sessions_is_not_enough(busy: str) -> None:
    world = World(pool_of(1))

    def before_read(number: int) -> None:
        if number <= 40:  # one look in two finds the member idle
            world.set("web1", **{busy: number if busy == "requests" else number % 2})

    world.before_read = before_read
    result = world.run(state="drained")
    assert result["members"][0]["seconds"] >= 3.9


def test_the_cost_does_not_grow_with_the_members() -> None:
    few, many = World(pool_of(1)), World(pool_of(1000))
    few.run(state="drained")
    many.run(state="drained")
    assert (many.reads, len(many.orders), many.opened) == (few.reads, len(few.orders), 1)
    assert all(one.admin == "maintenance" for one in many.members.values())


def test_a_member_that_is_there_gets_no_order() -> None:
    for state, admin in (("drained", "maintenance"), ("maintenance", "maintenance"), ("ready", "ready")):
        world = World([member("web1", admin=admin)])
        result = world.run(state=state)
        assert world.orders == [] and not result["changed"] and result["members"][0]["ok"]


def test_a_member_in_drain_goes_on_from_there() -> None:
    world = World([member("web1", admin="drain")])
    assert world.run(state="drained")["changed"]
    assert world.orders == [[Change("web1", admin="maintenance")]]


# The floor


def test_the_floor_refuses_with_the_sum_and_touches_nothing() -> None:
    world = World([*pool_of(4), member("web5", admin="maintenance"), member("web6", health="down", in_service=False)])
    error = world.fail(members=["web1", "web2"], state="drained", floor=3)
    assert error.message == "pool web on here: 4 of 6 members in service, draining web1, web2 would leave 2, the floor is 3."
    assert world.orders == [] and error.result["changed"] is False
    assert [one["ok"] for one in error.result["members"]] == [False, False]
    assert world.run(members=["web1"], state="drained", floor=3)["changed"]


def test_members_that_are_out_already_do_not_leave() -> None:
    world = World([*pool_of(2), member("web3", admin="drain")])
    assert world.run(members=["web3"], state="drained", floor=3)["view"]["in_service"] == 2


def test_weight_0_is_leaving_too() -> None:
    world = World(pool_of(2))
    assert "the floor is 2" in world.fail(members=["web1"], weight="0", floor=2).message
    assert world.orders == []


def test_a_floor_by_weight_counts_what_serves() -> None:
    world = World([member("web1", weight=20), member("web2", weight=10), member("web3", weight=5), member("web4", in_service=False)])
    error = world.fail(members=["web1"], state="drained", floor=16, floor_by="weight")
    assert error.message == "pool web on here: 3 of 4 members of weight 35 in service, draining web1 would leave 15, the floor is 16."
    assert world.orders == []
    assert world.run(members=["web1"], state="drained", floor=15, floor_by="weight")["changed"]
    assert world.run(members=["web2"], state="drained", floor=5, floor_by="weight")["changed"]


def test_a_floor_by_weight_is_held_against_others_who_leave_at_the_same_moment() -> None:
    world = World(pool_of(3))
    world.before_read = lambda number: world.set("web3", admin="drain", in_service=False) if number == 1 else None
    error = world.fail(members=["web1"], state="drained", floor=20, floor_by="weight")
    assert "only 1 of 3 members of weight 10 were in service, the floor is 20" in error.message


def test_it_waits_for_members_to_come_back() -> None:
    world = World([*pool_of(2), member("web3", admin="maintenance")])
    world.before_read = lambda number: world.set("web3", admin="ready", in_service=True) if world.clock.now() >= 7 else None
    assert "would leave 1" in world.fail(members=["web1"], state="drained", floor=2, floor_wait="5s").message
    assert 5 <= world.clock.now() < 5.2 and world.orders == []
    result = world.run(members=["web1"], state="drained", floor=2, floor_wait="5s")
    assert result["view"]["in_service"] == 2 and result["members"][0]["seconds"] < 1


def test_of_two_that_collide_ours_steps_back() -> None:
    world = World([member("web1", agent=True), *pool_of(3)[1:]])
    world.before_read = lambda number: world.set("web3", admin="drain", in_service=False) if number == 1 else None
    error = world.fail(members=["web1"], state="drained", floor=2)
    assert "only 1 of 3 members were in service, the floor is 2" in error.message
    assert admins(world) == {"web1": "ready", "web2": "ready", "web3": "drain"}
    assert world.members["web1"].agent is True and error.result["changed"] is False


def test_after_stepping_back_it_waits_like_anybody() -> None:
    world = World(pool_of(3))

    def before_read(number: int) -> None:
        if number == 1:
            world.set("web3", in_service=False)
        elif world.clock.now() > 2:
            world.set("web3", in_service=True)

    world.before_read = before_read
    result = world.run(members=["web1"], state="drained", floor=2, floor_wait="10s")
    assert result["members"][0]["ok"] and world.clock.now() > 2
    assert [[change.admin for change in order] for order in world.orders] == [["drain"], ["ready"], ["drain"], ["maintenance"]]


# Too late


def test_a_member_that_does_not_drain_is_put_back_and_hides_no_other() -> None:
    world = World([member("web1", agent=True), member("web2")])
    world.busy_until = {"web1": 1e9}
    error = world.fail(state="drained", wait_timeout="5s")
    results = by_name(error.result)
    assert "1 of 2 members failed. web1: It still had 3 sessions and 0 requests queued after 5.1s." in error.message
    assert results["web1"]["error"].endswith("It was put back to what it was: ready.")
    assert (results["web1"]["changed"], results["web1"]["after"]["agent"]) == (False, True)
    assert results["web2"]["ok"] and results["web2"]["changed"]
    assert admins(world) == {"web1": "ready", "web2": "maintenance"}


def test_a_member_that_cannot_be_put_back_is_reported_out() -> None:
    world = World(pool_of(1))
    world.busy_until = {"web1": 1e9}
    world.refuses = lambda change: "not now" if change.admin == "ready" else None
    error = world.fail(state="drained", wait_timeout="5s")
    assert error.result["members"][0]["error"].endswith("It could not be put back (not now) and is left in maintenance.")
    assert error.result["changed"]


def test_force_ends_sessions_and_counts_them() -> None:
    world = World(pool_of(2))
    world.busy_until = {"web1": 1e9}
    results = by_name(world.run(state="drained", wait_timeout="5s", on_timeout="force"))
    assert world.cuts == [["web1"]]
    assert (results["web1"]["ok"], results["web1"]["cut"], results["web2"]["cut"]) == (True, 3, 0)


def test_force_that_does_not_help_fails() -> None:
    world = World([member("web1", queued=1)])
    error = world.fail(state="drained", wait_timeout="5s", on_timeout="force")
    assert world.cuts == [] and "0 sessions and 1 requests queued" in error.message
    assert admins(world) == {"web1": "ready"}


def test_continue_takes_it_as_it_is_and_says_so() -> None:
    world = World(pool_of(1))
    world.busy_until = {"web1": 1e9}
    one = world.run(state="drained", wait_timeout="5s", on_timeout="continue")["members"][0]
    assert one["ok"] and "3 sessions" in one["note"] and world.members["web1"].admin == "maintenance"


@pytest.mark.parametrize("on_timeout", ["fail", "continue", "force"])
def test_an_order_without_effect_is_never_a_success(on_timeout: str) -> None:
    world = World(pool_of(1))
    world.ignores = {"web1"}
    error = world.fail(state="maintenance", wait_timeout="5s", on_timeout=on_timeout)
    assert "took the order, but after 5.1s still shows ready, weight 10 (UP)" in error.message
    world.fail(weight="5", wait_timeout="5s", on_timeout=on_timeout)


# The way back


def test_ready_waits_until_the_checks_are_entirely_good() -> None:
    world = World([member("web1", admin="maintenance", agent=False), member("web2")])
    world.up_after = 3.0
    result = world.run(state="ready")
    assert world.orders == [[Change("web1", admin="ready", agent=True)]]
    assert by_name(result)["web1"]["after"]["health"] == "up" and 3 <= by_name(result)["web1"]["seconds"] < 3.3
    assert not by_name(result)["web2"]["changed"]


def test_a_ready_member_keeps_its_agent_as_it_is() -> None:
    world = World([member("web1", agent=False)])
    assert not world.run(state="ready")["changed"]
    assert world.orders == []


def test_ready_that_does_not_come_up_goes_back_to_maintenance() -> None:
    world = World([member("web1", admin="maintenance")])
    world.up_after = 1e9
    error = world.fail(state="ready", wait_timeout="5s")
    assert "not fully up" in error.message and "put back to what it was: maintenance" in error.message
    assert admins(world) == {"web1": "maintenance"}


def test_no_check_is_accepted_and_said() -> None:
    world = World([member("web1", health="unchecked")])
    one = world.run(state="ready")["members"][0]
    assert one["ok"] and "does not check this member" in one["note"]


def test_a_slow_start_is_waited_for_when_asked() -> None:
    world = World([member("web1", admin="maintenance", warming=True)])
    world.before_read = lambda number: world.set("web1", warming=False) if world.clock.now() >= 4 else None
    assert world.run(state="ready")["members"][0]["seconds"] < 1
    world.set("web1", admin="maintenance", in_service=False, warming=True)
    assert 4 <= world.run(state="ready", wait_full_weight=True)["members"][0]["seconds"] < 4.3


def test_a_slow_start_that_does_not_end_in_time() -> None:
    world = World([member("web1", admin="maintenance", warming=True)])
    error = world.fail(state="ready", wait_full_weight=True, wait_timeout="5s")
    assert "It is let in, but after 5.1s still in its slow start (UP). It was put back" in error.message


# What it had before


def before(name: str = "web1", **different: t.Any) -> list[dict[str, t.Any]]:
    return [member(name, **different).view()]


@pytest.mark.parametrize("agent", [True, False])
def test_restored_gives_back_what_the_drain_had_found(agent: bool) -> None:
    world = World([member("web1", weight=3, agent=agent), member("web2")])
    had = [one["before"] for one in world.run(state="drained")["members"]]
    result = world.run(state="restored", before=had)
    assert result["changed"] and by_name(result)["web1"]["after"]["health"] == "up"
    assert (admins(world)["web1"], world.members["web1"].weight, world.members["web1"].agent) == ("ready", 3, agent)
    assert world.orders[2] == [Change("web1", admin="ready", agent=True if agent else None), Change("web2", admin="ready")]
    assert not world.run(state="restored", before=had)["changed"] and len(world.orders) == 3


def test_what_a_reload_forgot_is_set_again() -> None:
    """It is ready, of its configured weight, and its agent is listened to: all three are what is configured."""
    world = World([member("web1", weight=10, agent=True)])
    assert world.run(state="restored", before=before(weight=3, agent=False))["changed"]
    assert world.orders == [[Change("web1", weight=3, agent=False)]]


@pytest.mark.parametrize(
    ("had", "now"),
    [
        ({"weight": 3}, {"weight": 5}),  # somebody gave it another meanwhile
        ({"weight": 10}, {"weight": 5}),
        ({"weight": 10}, {"weight": 20, "initial_weight": 20}),  # another is configured now
        ({"weight": None, "initial_weight": None}, {}),
    ],
)
def test_a_weight_that_no_reload_forgot_is_left_alone(had: dict[str, t.Any], now: dict[str, t.Any]) -> None:
    world = World([member("web1", **now)])
    assert not world.run(state="restored", before=before(**had))["changed"]


@pytest.mark.parametrize("was", ["drain", "maintenance"])
def test_a_member_that_was_out_goes_back_out(was: str) -> None:
    world = World([member("web1", agent=True)])
    world.busy_until = {"web1": 1e9}
    result = world.run(state="restored", before=before(admin=was, agent=True))
    assert (admins(world), result["members"][0]["seconds"]) == ({"web1": was}, 0), "it is where it was, whatever it works on"
    assert world.members["web1"].agent is True


def test_an_agent_that_is_listened_to_again_may_say_another_weight() -> None:
    world = World([member("web1", agent=False)])
    world.before_read = lambda number: world.set("web1", weight=7) if world.orders else None
    assert world.run(state="restored", before=before(weight=3, agent=True))["members"][0]["ok"]
    assert world.orders == [[Change("web1", weight=3, agent=True)]]


def test_restored_goes_back_when_the_member_does_not_come_up() -> None:
    world = World([member("web1", admin="maintenance", agent=False)])
    world.up_after = 1e9
    error = world.fail(state="restored", before=before(weight=3, agent=True), wait_timeout="5s")
    assert "put back to what it was: maintenance" in error.message
    assert (admins(world), world.members["web1"].weight, world.members["web1"].agent) == ({"web1": "maintenance"}, 10, False)


# A reload on the way


def reload_at(world: World, when: float, name: str = "web1") -> None:
    done = []

    def before_read(number: int) -> None:
        if world.clock.now() >= when and not done:
            done.append(number)
            world.set(name, admin="ready", in_service=True, weight=10, status="UP")

    world.before_read = before_read


@pytest.mark.parametrize("state", ["drained", "maintenance"])
@pytest.mark.parametrize("when", [0.3, 2.0])
def test_a_member_that_a_reload_let_in_again_is_taken_out_once_more(state: str, when: float) -> None:
    world = World(pool_of(2))
    world.busy_until = {"web1": 4.0}
    reload_at(world, when)
    one = by_name(world.run(members=["web1"], state=state))["web1"]
    assert one["ok"] and world.members["web1"].admin == "maintenance" and one["seconds"] >= 4.3
    assert one["note"] == "The load balancer let it in again on the way, as after a reload; it was taken out once more."
    assert len(world.orders) == (3 if state == "drained" else 2)


def test_a_reload_after_a_member_arrived_but_before_the_others_did() -> None:
    world = World(pool_of(2))
    world.busy_until = {"web2": 8.0}
    reload_at(world, 6.0)
    results = by_name(world.run(state="drained"))
    assert admins(world) == {"web1": "maintenance", "web2": "maintenance"}
    assert 6 <= results["web1"]["seconds"] < 6.6 and "as after a reload" in results["web1"]["note"] and results["web2"]["note"] is None


def test_a_member_that_is_let_in_again_and_again_fails() -> None:
    world = World(pool_of(1))
    world.busy_until = {"web1": 1e9}
    world.before_read = lambda number: world.set("web1", admin="ready", in_service=True) if number % 2 else None
    assert not world.fail(state="maintenance", wait_timeout="5s").result["members"][0]["ok"]
    assert 5 <= world.clock.now() < 6 and admins(world) == {"web1": "ready"}


# Weights


@pytest.mark.parametrize(
    ("text", "initial", "weight"), [("10", 1, 10), ("50%", 10, 5), ("50%", 3, 1), ("200%", 100, 200), ("0", 5, 0), ("0%", 5, 0)]
)
def test_weights(text: str, initial: int, weight: int) -> None:
    world = World([member("web1", weight=7, initial_weight=initial)])
    result = world.run(weight=text)
    assert result["members"][0]["after"]["weight"] == weight
    assert world.orders == [[Change("web1", weight=weight)]]
    assert not world.run(weight=text)["changed"]


def test_state_and_weight_are_one_order() -> None:
    world = World([member("web1", admin="maintenance")])
    world.run(state="ready", weight="50%")
    assert world.orders == [[Change("web1", admin="ready", weight=5)]]


@pytest.mark.parametrize(
    ("text", "initial", "reason"),
    [
        ("50%", 1, "50% of the initial weight 1 is 0, which is no traffic"),
        ("300%", 100, "is 300, the most is 256"),
        ("300", 1, "the most"),
        ("5%", None, "not known"),
    ],
)
def test_weights_that_cannot_be(text: str, initial: int | None, reason: str) -> None:
    world = World([member("web1", initial_weight=initial), member("web2", initial_weight=20)])
    error = world.fail(members=["web1"], weight=text)
    assert reason in error.message and world.orders == []


# What goes wrong


def test_a_stranger_is_named_with_those_that_exist_and_hides_no_other() -> None:
    world = World(pool_of(30))
    error = world.fail(members=["nope", "web1"], state="drained")
    results = by_name(error.result)
    assert "There is no member 'nope' in pool web; there are: web1, web2" in error.message and "and 10 more" in error.message
    assert results["web1"]["ok"] and results["nope"]["before"] is None


def test_one_refused_order_hides_no_other() -> None:
    world = World(pool_of(2))
    world.refuses = lambda change: "not this one" if change.member == "web1" else None
    error = world.fail(state="drained")
    assert [one["error"] for one in error.result["members"]] == ["not this one.", None]
    assert admins(world) == {"web1": "ready", "web2": "maintenance"}


def test_a_member_that_vanishes_fails() -> None:
    world = World(pool_of(2))
    world.before_read = lambda number: world.members.pop("web2", None) and None if number == 3 else None
    error = world.fail(members=["web1", "web2"], state="drained")
    assert "vanished" in error.message and by_name(error.result)["web1"]["ok"]


def lost(world: World, at: int) -> None:
    def before_read(number: int) -> None:
        if number == at:
            raise RollingError("The connection broke.")

    world.before_read = before_read


@pytest.mark.parametrize("at", [1, 2, 4, 5])
def test_a_lost_connection_puts_everything_back_over_a_new_one(at: int) -> None:
    world = World(pool_of(2))
    lost(world, at)
    error = world.fail(state="drained")
    assert error.message == "The connection broke." and (world.opened, world.closed) == (2, 2)
    assert all("put back to what it was: ready" in one["error"] for one in error.result["members"])
    assert admins(world) == {"web1": "ready", "web2": "ready"} and error.result["changed"] is False


def test_a_lost_connection_that_stays_lost_says_that_nothing_is_known() -> None:
    world = World(pool_of(2))
    lost(world, 2)

    def before_open(number: int) -> None:
        if number:
            raise RollingError("Nothing answers.")

    world.before_open = before_open
    error = world.fail(members=["web1"], state="drained")
    assert error.result["members"][0]["error"] == (
        "The connection broke. Its state is not known (Nothing answers.): look at it, it may be out of rotation."
    )


def test_a_pool_that_is_not_there() -> None:
    world = World(pool_of(1))
    error = world.fail(pool="nope", state="drained")
    assert error.message == "pool: there is no nope; there are: web." and error.result == {}


# Whatever happens

_members = st.builds(
    lambda name, admin, health, busy: (
        member(name, admin=admin, health=health if admin == "ready" else "unknown", in_service=admin == "ready" and health == "up"),
        busy,
    ),
    st.integers(1, 9).map(lambda number: f"web{number}"),
    st.sampled_from(["ready", "drain", "maintenance"]),
    st.sampled_from(["up", "down"]),
    st.sampled_from([0.0, 2.0, 1e9]),
)


@given(
    st.lists(_members, min_size=1, max_size=6, unique_by=lambda pair: pair[0].name),
    st.data(),
    st.sampled_from(["drained", "maintenance"]),
    st.integers(0, 4),
)
def test_never_under_the_floor_and_never_silently_out(
    pairs: list[tuple[Member, float]], data: st.DataObject, state: str, floor: int
) -> None:
    world = World([one for one, _busy in pairs])
    world.busy_until = {one.name: busy for one, busy in pairs}
    names = data.draw(st.lists(st.sampled_from(sorted(world.members)), min_size=1, unique=True))
    refused = data.draw(st.sets(st.sampled_from([(name, admin) for name in names for admin in ("drain", "maintenance")])))
    world.refuses = lambda change: "no" if (change.member, change.admin) in refused else None
    before, lowest = dict(world.members), [99]
    at_start = world.pool().in_service
    world.before_read = lambda number: lowest.append(world.pool().in_service)
    try:
        result = world.run(members=names, state=state, floor=floor, wait_timeout="5s")
    except RollingError as error:
        result = error.result
    assert min(lowest) >= min(floor, at_start)
    for one in result["members"]:
        now, was = world.members[one["member"]].admin, before[one["member"]].admin
        assert now == "maintenance" if one["ok"] else now == was or f"left in {now}" in one["error"]
        assert one["changed"] == (now != was)


# The right to order


class Right:
    """The right to order, lost at a time; it is asked for before each order."""

    def __init__(self, world: World, lost: float) -> None:
        self.world, self.lost, self.asked = world, lost, 0

    def __call__(self) -> None:
        self.asked += 1
        if self.world.clock.now() >= self.lost:
            raise RollingError("The lease is lost.")


@pytest.mark.parametrize(
    ("lost", "orders", "options"),
    [
        (0.0, [], {"state": "drained"}),
        (0.4, ["drain"], {"state": "drained"}),  # before the order for maintenance
        (2.0, ["drain", "maintenance"], {"state": "drained", "wait_timeout": "5s"}),  # it is not put back after the timeout
        (2.0, ["drain", "maintenance"], {"state": "drained", "wait_timeout": "5s", "on_timeout": "force"}),  # nor cut
        (0.0, [], {"state": "ready", "members": ["web2"]}),
    ],
)
def test_who_lost_the_right_to_order_moves_nothing_more(lost: float, orders: list[str], options: dict[str, t.Any]) -> None:
    world = World([member("web1"), member("web2", admin="maintenance")])
    world.busy_until = {"web1": 100.0}
    world.allowed = right = Right(world, lost)
    error = world.fail(**{"members": ["web1"], **options})
    assert [change.admin for order in world.orders for change in order] == orders
    assert not world.cuts
    assert "The lease is lost." in error.message
    assert all(not one["ok"] and "The lease is lost." in one["error"] for one in error.result["members"])
    assert right.asked <= len(orders) + 2


def test_check_mode_asks_for_no_right_to_order() -> None:
    world = World(pool_of(1))
    world.allowed = Right(world, 0.0)
    assert world.run(True, state="drained")["changed"]
