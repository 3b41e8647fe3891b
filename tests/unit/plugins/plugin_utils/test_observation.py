# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from unit.plugins.plugin_utils.fleets import balancer, fleet, host_input, member, names

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Balancer, Fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Absence, HostSeen, Observed
from ansible_collections.convoy.rolling.plugins.plugin_utils.observation import health_by_host, observe


def pool(name: str = "web", hosts: t.Iterable[str] = ("web1", "web2"), **different: t.Any) -> dict[str, t.Any]:
    views = [{"name": host, "admin": "ready", "in_service": True, "weight": 10, "status": "UP", "port": 80, **different} for host in hosts]
    return {"pool": name, "members": views}


def look(of: Fleet | None = None, pools: t.Sequence[t.Mapping[str, t.Any]] | None = None, **different: t.Any) -> Observed:
    of = of or fleet(2)
    usual: dict[str, t.Any] = {"releases": {host: {"active": "1.0"} for host in names(2)}, "health": {}, "absences": []}
    return observe(of, [{"item": {"name": "lb1"}, "pools": [pool()]}] if pools is None else pools, **{**usual, **different})


def target(host: str, ok: bool = True, **different: t.Any) -> dict[str, t.Any]:
    return {"name": host, "ok": ok, "failed": None if ok else "status 503", "extracted": {"version": "1.0"}, "body": None, **different}


def test_fleet_as_balancers_hosts_and_processes_tell_it() -> None:
    seen = look(health={"web1": target("web1"), "web2": target("web2", ok=False, extracted={"version": 2})})
    assert seen.hosts == (
        HostSeen("web1", installed="1.0", running="1.0"),
        HostSeen("web2", installed="1.0", running="2", healthy=False, why="status 503"),
    )
    assert [(member.place, member.host, member.in_service, member.weight) for member in seen.members] == [
        ("lb1/web", host, True, 10) for host in names(2)
    ]


def test_unreachable_host_is_a_value() -> None:
    assert look(releases={"web1": {"unreachable": "No route to host"}}).hosts[0] == HostSeen(
        "web1", reachable=False, why="No route to host"
    )


def test_host_that_is_not_probed_is_well_and_says_no_version() -> None:
    assert look().hosts[0] == HostSeen("web1", installed="1.0", running=None)


def test_member_of_nobody_is_kept_because_the_floor_counts_it() -> None:
    seen = look(pools=[{"item": {"name": "lb1"}, "pools": [pool(hosts=["web1", "web2", "stranger"])]}])
    assert [(member.name, member.host) for member in seen.members][-1] == ("stranger", None)


def test_absences_of_hosts_outside_this_run_are_known_too() -> None:
    absences = (Absence("web2", 1, 0.0), Absence("web9", 1, 0.0))
    assert look(absences=absences).absences == absences


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"msg": "Connection refused"}, "load balancer lb1: Connection refused. Nobody leaves"),
        ({"msg": "It hung up.", "unreachable": True}, "load balancer lb1: It hung up. Nobody leaves"),
        ({}, "load balancer lb1: it did not answer. Nobody leaves"),
    ],
)
def test_balancer_that_does_not_answer_stops_everything(answer: dict[str, t.Any], said: str) -> None:
    with pytest.raises(RollingError) as caught:
        look(pools=[{"item": {"name": "lb1"}, **answer}])
    assert caught.value.message.startswith(said)


def test_balancer_that_does_not_answer_at_the_end_is_stood_in_for_by_what_it_said_last() -> None:
    two = Fleet("web", fleet(2).hosts, (balancer(hosts=names(2)), balancer("lb2", ["web"], names(2))))
    answers = [{"item": {"name": "lb1"}, "pools": [pool()]}, {"item": {"name": "lb2"}, "msg": "refused."}]
    seen = look(two, pools=answers, views=[member("web1", out=True), member("web2", "lb2/web", out=True)])
    assert seen.silent == {"lb2": "load balancer lb2: refused"}
    assert [(one.place, one.name, one.in_service) for one in seen.members] == [
        ("lb1/web", "web1", True),
        ("lb1/web", "web2", True),
        ("lb2/web", "web2", False),
    ]


def test_member_that_the_pool_does_not_have_is_named_with_those_it_has() -> None:
    with pytest.raises(InputError, match=r"pool 'web' on lb1 has no member 'web2' for host web2; it has web1, app2. .*nothing was touched"):
        look(pools=[{"item": {"name": "lb1"}, "pools": [pool(hosts=["web1", "app2"])]}])


def test_port_that_is_another_is_named() -> None:
    of = Fleet("web", (host_input("web1"), host_input("web2")), (balancer(hosts=names(2), ports={"web2": 8080}),))
    with pytest.raises(InputError, match=r"member 'web2' of pool 'web' on lb1 has port 80, host web2 says 8080"):
        look(of)
    assert look(of, pools=[{"item": {"name": "lb1"}, "pools": [pool(port=8080)]}]).members
    assert look(of, pools=[{"item": {"name": "lb1"}, "pools": [pool(port=None)]}]).members


def test_every_pool_of_every_balancer_is_checked() -> None:
    two: tuple[Balancer, ...] = (balancer(hosts=names(2)), balancer("lb2", ["web", "api"], names(2)))
    answers = [{"item": {"name": "lb1"}, "pools": [pool()]}, {"item": {"name": "lb2"}, "pools": [pool(), pool("api", ["web1"])]}]
    with pytest.raises(InputError, match="pool 'api' on lb2 has no member 'web2'"):
        look(Fleet("web", fleet(2).hosts, two), pools=answers)


# -- health ------------------------------------------------------------------------------------------------------------


def test_targets_are_found_by_their_hosts_whatever_call_returned_them() -> None:
    found = health_by_host(
        fleet(3), [{"targets": [target("web1"), target("web2", ok=False)]}, {"item": {"name": "web3"}, "targets": [target("web3")]}]
    )
    assert {host: one["ok"] for host, one in found.items()} == {"web1": True, "web2": False, "web3": True}


@pytest.mark.parametrize(
    ("results", "why"),
    [
        ([], "the probe could not run: no answer"),
        ([{"skipped": True}], "the probe could not run: no answer"),
        ([{"msg": "conditions: no such function"}], "the probe could not run: conditions: no such function"),
        ([{"item": {"name": "web1"}, "unreachable": True, "msg": "No route"}], "the probe could not run: No route"),
    ],
)
def test_probe_that_never_ran_has_failed(results: list[dict[str, t.Any]], why: str) -> None:
    assert health_by_host(fleet(1), results) == {"web1": {"ok": False, "failed": why, "extracted": {}, "body": None}}


def test_each_host_has_its_own_reason() -> None:
    results = [{"item": {"name": "web1"}, "msg": "No route to web1"}, {"item": {"name": "web2"}, "msg": "web2 hung up"}]
    found = health_by_host(fleet(2), results)
    assert [one["failed"] for one in found.values()] == [
        "the probe could not run: No route to web1",
        "the probe could not run: web2 hung up",
    ]


def test_host_without_a_probe_is_not_asked_for() -> None:
    of = Fleet("web", (host_input("web1", probe=None), host_input("web2")), ())
    assert set(health_by_host(of, [{"targets": [target("web2")]}])) == {"web2"}
