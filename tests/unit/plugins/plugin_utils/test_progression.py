# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.plugin_utils.fleets import API, WEB, balancer, member, moved, names

from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import move_calls
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Balancer
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.progression import (
    LET_IN,
    Progression,
    after_drain,
    after_enable,
    after_release,
    after_restore,
    after_tasks,
    after_verify,
    no_way_back,
)

TWO_POOLS = (balancer(pools=["web", "api"]),)
ONE_POOL = (balancer(),)


def calls(balancers: t.Sequence[Balancer], hosts: t.Sequence[str]) -> dict[str, dict[str, t.Any]]:
    """Pool -> the call that moves these hosts."""
    return {call["pool"]: call for call in move_calls(balancers, hosts, {WEB: 1, API: 1})}


def view(out: t.Collection[str] = (), hosts: t.Iterable[str] = tuple(names(6))) -> dict[str, t.Any]:
    """A pool as ``lb_member`` saw it last."""
    return {
        "members": [
            {"name": host, "admin": "maintenance" if host in out else "ready", "in_service": host not in out, "weight": 10}
            for host in hosts
        ]
    }


def record(done: Progression, host: str) -> HostRecord:
    return next(record for record in done.records if record.host == host)


# -- drain -------------------------------------------------------------------------------------------------------------


def test_hosts_that_left_every_pool_go_on() -> None:
    hosts = ["web1", "web2"]
    done = after_drain(TWO_POOLS, hosts, [moved(call, view=view(hosts)) for call in calls(TWO_POOLS, hosts).values()])
    assert done.records == (HostRecord("web1", Step.DRAINED), HostRecord("web2", Step.DRAINED))
    assert (done.going_on, done.back, done.restore, done.halt) == (("web1", "web2"), (), (), "")
    assert {(one.place, one.host): one.in_service for one in done.members}[API, "web2"] is False


def test_without_a_balancer_there_is_nothing_to_leave() -> None:
    assert after_drain((), ["web1"], []).going_on == ("web1",)


def test_half_a_drain_is_undone_in_exactly_the_pools_that_moved() -> None:
    hosts = ["web1", "web2"]
    call = calls(TWO_POOLS, hosts)
    done = after_drain(
        TWO_POOLS, hosts, [moved(call["web"], view=view(hosts)), moved(call["api"], {"web2": "3 sessions"}, view=view(["web1"]))]
    )
    assert done.going_on == ("web1",)
    assert done.restore == ({**call["web"], "members": ["web2"], "floor": None, "before": [{"name": "web2", "admin": "ready"}]},)
    assert record(done, "web2") == HostRecord("web2", Step.LEAVING, Verdict.FAILED, "lb1/api: 3 sessions")
    assert (done.back, done.halt) == ((), "")


@given(st.data())
def test_nobody_is_put_back_but_who_moved_and_stays(data: st.DataObject) -> None:
    """Whatever fails and is refused, with any number of pools on two balancers."""
    balancers = (balancer(pools=["web", "api"]), balancer("lb2", ["web"], names(3)))
    hosts = names(4)
    before = data.draw(st.sets(st.sampled_from(hosts)), "out before")
    results = []
    for call in move_calls(balancers, hosts, {}):
        fate = data.draw(st.sampled_from(["fine", "fine", "some fail", "refused", "silent"]))
        some = data.draw(st.sets(st.sampled_from(call["members"])))
        still = data.draw(st.sets(st.sampled_from(call["members"])))
        if fate == "silent":
            results.append({"item": call, "unreachable": True, "msg": "No route"})
        else:
            failed = {} if fate == "fine" else dict.fromkeys(some, "no")
            out = set(call["members"]) - set(failed)
            results.append(
                moved(
                    call, failed, still - set(failed), view=view(out, call["members"]), refused="the floor" if fate == "refused" else None
                )
            )
    done = after_drain(balancers, hosts, results, before)

    fine = dict.fromkeys(hosts, True)
    undo = set()
    for result in results:
        broken = "members" not in result or bool(result["refused"])
        for name in result["item"]["members"]:
            mine = next((one for one in result.get("members", ()) if one["member"] == name), None)
            fine[name] &= not broken and bool(mine and mine["ok"])
            if mine and mine["ok"] and mine["changed"]:
                undo.add((result["item"]["name"], result["item"]["pool"], name))
    taken = {one["member"] for result in results for one in result.get("members", ()) if one["before"]["admin"] != "ready"}
    stayed = {host for host in hosts if not fine[host] or host in taken - before}
    assert set(done.going_on) == set(hosts) - stayed
    put_back = {(call["name"], call["pool"], name) for call in done.restore for name in call["members"]}
    assert put_back == {(name, pool, host) for name, pool, host in undo if host in stayed - before}
    assert not set(done.back) & (before | set(done.going_on) | {host for _name, _pool, host in put_back})
    assert bool(done.halt) is any("members" not in result or bool(result["refused"]) for result in results)
    assert [one.host for one in done.records] == hosts


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"msg": "Connection refused"}, "load balancer lb1: Connection refused"),
        ({"msg": "Failed to connect", "unreachable": True}, "load balancer lb1: Failed to connect"),
        ({}, "load balancer lb1: it did not answer"),
    ],
)
def test_call_that_never_came_through_blames_no_host_and_halts(answer: dict[str, t.Any], said: str) -> None:
    done = after_drain(ONE_POOL, ["web1"], [{"item": calls(ONE_POOL, ["web1"])["web"], **answer}])
    assert (done.halt, done.going_on, done.back, done.restore) == (said, (), (), ())
    assert done.records == (HostRecord("web1", Step.LEAVING, None, said),)


def test_call_that_was_refused_as_a_whole_blames_no_host_and_halts() -> None:
    hosts = ["web1", "web2"]
    why = "pool web: 4 of 6 members in service, draining web1, web2 would leave 2, the floor is 4."
    result = moved(calls(ONE_POOL, hosts)["web"], dict.fromkeys(hosts, why), view=view(["web5", "web6"]), refused=why, msg=why)
    done = after_drain(ONE_POOL, hosts, [result])
    assert done.halt == f"load balancer lb1: {why}"
    assert [one.verdict for one in done.records] == [None, None]
    assert (done.going_on, done.restore) == ((), ())
    assert [one.host for one in done.members if not one.in_service] == ["web5", "web6"]


def test_absence_outlives_a_call_that_hung_up() -> None:
    """web1 had arrived when the connection was lost, and of web2 nobody knows: neither is forgotten, and web1 is put back."""
    call = calls(ONE_POOL, ["web1", "web2"])["web"]
    done = after_drain(ONE_POOL, ["web1", "web2"], [moved(call, {"web2": "hung up"}, view=view(["web1"]), refused="hung up")])
    assert (done.back, done.going_on) == ((), ())
    assert [one["members"] for one in done.restore] == [["web1"]]


def test_host_that_would_not_leave_and_is_seen_to_serve_was_never_away() -> None:
    done = after_drain(ONE_POOL, ["web1"], [moved(calls(ONE_POOL, ["web1"])["web"], {"web1": "3 sessions. It was put back."}, view=view())])
    assert done.back == ("web1",)
    assert record(done, "web1") == HostRecord("web1", Step.PLANNED, Verdict.FAILED, "lb1/web: 3 sessions. It was put back.")


def test_host_that_would_not_leave_and_could_not_be_put_back_is_away() -> None:
    done = after_drain(ONE_POOL, ["web1"], [moved(calls(ONE_POOL, ["web1"])["web"], {"web1": "left in maintenance"}, view=view(["web1"]))])
    assert (done.back, record(done, "web1").step) == ((), Step.LEAVING)


def test_host_that_a_person_took_out_since_the_plan_is_held() -> None:
    call = calls(TWO_POOLS, ["web1", "web2"])
    results = [moved(call["web"], out_before=["web1"], view=view(["web1", "web2"])), moved(call["api"], view=view(["web1", "web2"]))]
    done = after_drain(TWO_POOLS, ["web1", "web2"], results)
    assert done.going_on == ("web2",)
    assert record(done, "web1") == HostRecord("web1", Step.LEAVING, Verdict.HELD, "somebody put it into maintenance on lb1/web")
    assert done.restore == ({**call["api"], "members": ["web1"], "floor": None, "before": [{"name": "web1", "admin": "ready"}]},), (
        "what we moved goes back, what the person moved stays"
    )
    restored = after_restore(TWO_POOLS, done.records, [moved(done.restore[0], view=view())], [member("web1", out=True)])
    assert restored.back == ("web1",), "it is out, but not by our doing"
    assert restored.records[0].verdict is Verdict.HELD


def test_host_that_a_person_drained_since_the_plan_goes_back_into_drain() -> None:
    """Our drain went on to maintenance from there: that is ours to undo, and no more than that."""
    call = calls(ONE_POOL, ["web1"])["web"]
    result = moved(call, view=view(["web1"]))
    result["members"][0]["before"] = {"name": "web1", "admin": "drain", "weight": 3, "agent": False}
    (restore,) = after_drain(ONE_POOL, ["web1"], [result]).restore
    assert restore["before"] == [{"name": "web1", "admin": "drain", "weight": 3, "agent": False}]


def test_pools_are_put_back_in_the_opposite_order() -> None:
    call = calls(TWO_POOLS, ["web1"])
    results = [moved(call["api"], view=view(["web1"])), moved(call["web"], view=view(["web1"]), refused="hung up")]
    assert [one["pool"] for one in after_drain(TWO_POOLS, ["web1"], results).restore] == ["web", "api"]


def test_host_that_a_person_took_out_everywhere_was_never_ours() -> None:
    call = calls(TWO_POOLS, ["web1"])
    done = after_drain(TWO_POOLS, ["web1"], [moved(one, out_before=["web1"], view=view(["web1"])) for one in call.values()])
    assert (done.restore, done.back, done.going_on) == ((), ("web1",), ())
    assert record(done, "web1") == HostRecord("web1", Step.PLANNED, Verdict.HELD, "somebody put it into maintenance on lb1/web")


def test_what_members_had_is_what_the_drain_saw() -> None:
    call = calls(TWO_POOLS, ["web1", "web2"])
    results = [moved(one, view=view(["web1", "web2"])) for one in call.values()]
    results[0]["members"][0]["before"] = {"admin": "ready", "weight": 7, "initial_weight": 10, "sessions": 3}
    done = after_drain(TWO_POOLS, ["web1", "web2"], results, out_before=["web2"])
    had = {"name": "web1", "admin": "ready", "weight": 7, "initial_weight": 10, "agent": None, "follows": None}
    assert done.originals.keys() == {"web1"}, "an earlier rollout knows what web2 had"
    assert done.originals["web1"][WEB if results[0]["item"]["pool"] == "web" else API] == had
    assert done.originals["web1"].keys() == {WEB, API}


def test_host_that_we_took_out_before_goes_on() -> None:
    call = calls(TWO_POOLS, ["web1"])
    results = [moved(one, out_before=["web1"], view=view(["web1"])) for one in call.values()]
    assert after_drain(TWO_POOLS, ["web1"], results, out_before=["web1"]).going_on == ("web1",)


def test_absences_of_earlier_rollouts_outlive_a_drain_that_fails() -> None:
    """Half drained by a run that was killed: no probe speaks for the host, so it stays out and in the journal."""
    call = calls(TWO_POOLS, ["web1"])
    results = [moved(call["web"], view=view(["web1"])), moved(call["api"], {"web1": "busy"}, view=view())]
    done = after_drain(TWO_POOLS, ["web1"], results, out_before=["web1"])
    assert (done.restore, done.back) == ((), ())
    served = [moved(one, {"web1": "busy"}, view=view()) for one in call.values()]
    assert after_drain(TWO_POOLS, ["web1"], served, out_before=["web1"]).back == ()
    assert after_drain(TWO_POOLS, ["web1"], served).back == ("web1",)


# -- restore -----------------------------------------------------------------------------------------------------------

FAILED = HostRecord("web1", Step.LEAVING, Verdict.FAILED, "lb1/api: busy")
RESTORE = {**calls(TWO_POOLS, ["web1"])["web"], "floor": None}


def test_host_that_is_back_everywhere_is_where_it_was() -> None:
    done = after_restore(
        TWO_POOLS, [FAILED, HostRecord("web2", Step.DRAINED)], [moved(RESTORE, view=view(["web2"]))], [member("web1", API)]
    )
    assert (done.back, done.records) == (("web1",), (HostRecord("web1", Step.PLANNED, Verdict.FAILED, "lb1/api: busy"),))


@pytest.mark.parametrize("result", [moved(RESTORE, {"web1": "not fully up"}), {"item": RESTORE, "msg": "Connection refused"}])
def test_host_that_could_not_be_put_back_is_out_and_named(result: dict[str, t.Any]) -> None:
    done = after_restore(TWO_POOLS, [FAILED], [result], [])
    assert (done.back, record(done, "web1").step, record(done, "web1").verdict) == ((), Step.LEAVING, Verdict.FAILED)
    assert "lb1/api: busy; it could not be put back: " in record(done, "web1").why


def test_host_that_another_pool_still_has_out_is_not_back() -> None:
    done = after_restore(TWO_POOLS, [FAILED], [moved(RESTORE, view=view())], [member("web1", WEB, out=True), member("web1", API, out=True)])
    assert done.back == ()
    done = after_restore(TWO_POOLS, [FAILED], [moved(RESTORE, view=view())], [member("web1", WEB, out=True), member("web1", API)])
    assert done.back == ("web1",)


def test_host_of_a_call_that_hung_up_stays_in_the_journal() -> None:
    hung_up = HostRecord("web1", Step.LEAVING, None, "load balancer lb1: hung up")
    assert after_restore(TWO_POOLS, [hung_up], [moved(RESTORE, view=view())], [member("web1", API)]).back == ()


# -- release -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("staged", "before", "after"), [(True, Step.PLANNED, Step.PLANNED), (False, Step.DRAINED, Step.DEPLOYED)])
def test_release_that_failed_or_met_nobody_leaves_its_host_where_it_was(staged: bool, before: Step, after: Step) -> None:
    answers = {"web1": {"ok": True}, "web2": {"error": "no space is left"}, "web3": {"unreachable": "No route"}}
    done = after_release(names(4), answers, staged)
    assert done.records == (
        HostRecord("web1", after),
        HostRecord("web2", before, Verdict.FAILED, "no space is left"),
        HostRecord("web3", before, Verdict.UNREACHABLE, "No route"),
        HostRecord("web4", after),  # it runs the version already
    )
    assert done.going_on == ("web1", "web4")
    assert not any(one.out for one in done.records if staged)


# -- verify ------------------------------------------------------------------------------------------------------------


def test_only_who_passed_goes_on() -> None:
    health = {"web1": {"ok": True}, "web2": {"ok": False, "failed": "status 503", "body": "down"}, "web3": {"ok": False, "failed": None}}
    done = after_verify((), names(4), health)
    assert done.records == (
        HostRecord("web1", Step.VERIFIED),
        HostRecord("web2", Step.DEPLOYED, Verdict.FAILED, "health check: status 503; it answered 'down'"),
        HostRecord("web3", Step.DEPLOYED, Verdict.FAILED, "health check: failed"),
        HostRecord("web4", Step.VERIFIED),  # it has no probe
    )
    assert done.going_on == ("web1", "web4")


# -- enable ------------------------------------------------------------------------------------------------------------


def test_host_is_back_when_every_pool_has_it_again() -> None:
    hosts = ["web1", "web2"]
    call = calls(TWO_POOLS, hosts)
    done = after_enable(
        TWO_POOLS,
        hosts,
        [
            moved(call["web"], out_before=hosts, view=view()),
            moved(call["api"], {"web2": "not fully up"}, out_before=hosts, view=view(["web2"])),
        ],
    )
    assert done.back == done.going_on == ("web1",)
    assert done.records == (
        HostRecord("web1", Step.BACK, Verdict.CONVERGED),
        HostRecord("web2", Step.VERIFIED, Verdict.FAILED, "lb1/api: not fully up"),
    )
    assert done.halt == ""


def test_of_two_calls_for_one_pool_the_later_one_knows_better() -> None:
    """Who is kept out and who comes back are two calls; the gate must not count a member twice."""
    call = calls(ONE_POOL, ["web1"])["web"]
    done = after_enable(
        ONE_POOL, ["web1"], [moved(calls(ONE_POOL, ["web2"])["web"], view=view(["web1", "web2"])), moved(call, view=view(["web2"]))]
    )
    assert [(one.name, one.in_service) for one in done.members] == [(name, name != "web2") for name in names(6)]


def test_host_that_was_let_in_while_it_was_out_is_noted() -> None:
    call = calls(ONE_POOL, ["web1", "web2"])["web"]
    early = moved(call, out_before=["web2"], view=view())
    done = after_verify(ONE_POOL, ["web1", "web2"], {}, [early])
    assert (record(done, "web1").why, record(done, "web2").why) == (LET_IN, "")
    assert done.going_on == ("web1", "web2")
    done = after_enable(ONE_POOL, ["web1", "web2"], [early])
    assert (record(done, "web1").why, record(done, "web2").why) == (LET_IN, "")
    assert done.back == ("web1", "web2")
    kept = moved(call, out_before=["web1", "web2"], view=view())
    assert record(after_enable(ONE_POOL, ["web1", "web2"], [kept], ["web2"]), "web2").why == LET_IN


def test_balancer_that_hangs_up_brings_nobody_back_and_halts() -> None:
    call = calls(TWO_POOLS, ["web1"])
    done = after_enable(TWO_POOLS, ["web1"], [moved(call["web"], view=view()), {"item": call["api"], "msg": "Connection refused"}])
    assert (done.back, done.halt) == ((), "load balancer lb1: Connection refused")
    assert record(done, "web1") == HostRecord("web1", Step.VERIFIED, Verdict.FAILED, "load balancer lb1: Connection refused")


def test_without_a_balancer_who_is_verified_is_back() -> None:
    assert after_enable((), ["web1"], []).back == ("web1",)


# -- a person's own tasks ----------------------------------------------------------------------------------------------


def test_who_fails_or_is_lost_in_a_persons_own_tasks_stays_where_it_stands() -> None:
    records = [HostRecord(host, Step.DRAINED) for host in ("web1", "web2", "web3")]
    done = after_tasks(records, {"web2": "task 'Warm up' failed: 1"}, {"web2": "No route", "web3": "No route"})
    assert done.going_on == ("web1",)
    assert record(done, "web2") == HostRecord("web2", Step.DRAINED, Verdict.FAILED, "task 'Warm up' failed: 1")
    assert record(done, "web3") == HostRecord("web3", Step.DRAINED, Verdict.UNREACHABLE, "No route")


def test_who_could_not_go_back_is_named_by_why() -> None:
    fault = {"way_back": {"version": "1.0", "fault": "release 1.0 is not there"}}
    other = {"way_back": {"version": None, "fault": "it has no release to go back to"}}
    fine = {"way_back": {"version": "1.0", "fault": ""}}
    assert no_way_back({"web1": fault, "web2": fine, "web3": other, "web4": fault, "web5": {"unreachable": "No route"}}) == (
        "no way back for web1, web4: release 1.0 is not there; web3: it has no release to go back to"
    )
    assert no_way_back({"web1": fine, "web2": {}}) == ""
