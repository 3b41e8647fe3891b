# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.plugin_utils.fleets import balancer, fleet, member, observed, plan, rollout

from ansible_collections.convoy.rolling.plugins.plugin_utils.baking import Look, after_look, look_of, next_look, watched
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import (
    Baking,
    HostRecord,
    Member,
    RolloutRecord,
    Step,
    Verdict,
    WaveRecord,
)

PLAN = plan(3, look=dataclasses.replace(observed(3), members=(member("web1", requests=0),)), waves=[1], max_unavailable=1)
BOX = PLAN.waves[0]


def baking(known: Baking, *records: HostRecord) -> RolloutRecord:
    return rollout(PLAN, HostRecord("web1", Step.BACK, Verdict.CONVERGED), *records, waves=(WaveRecord("1", baking=known),))


def looked(known: Baking, *members: Member, threshold: int = 3, silent: bool = False, **unhealthy: str) -> tuple[Baking, list[str]]:
    record, failed = after_look(baking(known), BOX, Look(members, unhealthy, silent), threshold, 700.0)
    assert record.name == "1"
    return record.baking, [host.why for host in failed]


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=8))
def test_requests_are_counted_from_the_first_look_and_across_restarts_of_the_load_balancer(steps: list[tuple[int, bool]]) -> None:
    counter, truth, known = 1000, 0, Baking()
    known, _failed = looked(known, member("web1", requests=counter))
    for more, restarts in steps:
        counter = more if restarts else counter + more
        truth += more
        known, _failed = looked(known, member("web1", requests=counter))
        # One that was restarted and already has more than before can't be told from one that was not.
        assert known.requests <= truth
        if all(not again for _more, again in steps):
            assert known.requests == truth


def test_counters_are_of_the_waves_own_hosts_in_every_pool() -> None:
    first = [member("web1", requests=5), member("web1", "lb2/web", requests=50), member("web2", requests=9), member("web3", requests=None)]
    known, _failed = looked(Baking(), *first)
    assert (known.requests, known.counters) == (0, {"lb1/web web1": 5, "lb2/web web1": 50})
    assert looked(known, member("web1", requests=3), member("web1", "lb2/web", requests=60))[0].requests == 13


def test_host_is_bad_when_it_was_found_so_as_often_as_it_took_to_be_found_well() -> None:
    down = member("web1", in_service=False, status="DOWN")
    known, failed = looked(Baking(), down)
    assert (known.suspects, failed) == ({"web1": 1}, [])
    known, failed = looked(known, web1="status 503")
    assert (known.suspects, failed) == ({"web1": 2}, [])
    assert looked(known, member("web1"))[0].suspects == {}, "they must be in a row"
    known, failed = looked(known, down)
    assert (known.suspects, failed) == ({}, ["it turned bad while wave 1 baked: lb1/web says DOWN"])


def test_member_that_a_person_took_and_a_host_that_is_not_rolled_yet_are_no_failures() -> None:
    taken, strange = member("web1", out=True), member("web2", in_service=False)
    assert looked(Baking(), taken, strange, threshold=1, web3="status 503") == (Baking(700.0), [])


def test_look_at_a_silent_load_balancer_is_none() -> None:
    assert looked(Baking(looked=600.0), silent=True)[0].looked == 600.0


def test_who_is_watched_came_back_in_this_rollout_or_in_this_wave_before() -> None:
    whole = dataclasses.replace(BOX, hosts=("web1", "web9"))
    records = (HostRecord("web2", Step.PLANNED), HostRecord("web9", verdict=Verdict.SKIPPED), HostRecord("web8", verdict=Verdict.SKIPPED))
    assert watched(baking(Baking(), *records), whole) == ["web1", "web9"]


def test_looks_that_take_tasks_become_rarer() -> None:
    assert next_look(Baking(), 100.0, 1.0, False) == 100.0
    assert next_look(Baking(102.0), 100.0, 1.0, False) == 103.0
    assert next_look(Baking(102.0), 100.0, 1.0, True) == 107.0
    assert next_look(Baking(100.0 + 80.0), 100.0, 1.0, True) == 190.0
    looks, at = 0, 100.1
    while at < 100 + 24 * 3600:
        looks, at = looks + 1, next_look(Baking(at), 100.0, 1.0, True)
    assert looks < 100


def test_look_is_put_together_from_what_modules_returned() -> None:
    two = fleet(2, balancer("lb1", hosts=["web1", "web2"]), balancer("lb2", hosts=["web1"]))
    view = {"name": "web1", "admin": "ready", "in_service": True, "requests": 4}
    pools = [{"item": {"name": "lb1"}, "pools": [{"pool": "web", "members": [view]}]}]
    health = [{"targets": [{"name": "web1", "ok": False, "failed": "status 503"}, {"name": "web2", "ok": True, "failed": None}]}]
    look = look_of(two, pools, health, ["web1", "web2"])
    assert [(one.host, one.requests) for one in look.members] == [("web1", 4)]
    assert (look.unhealthy, look.silent) == ({"web1": "status 503"}, False)
    assert look_of(two, [*pools, {"item": {"name": "lb2"}, "msg": "refused"}], health, ["web2"]) == Look(look.members, {}, True)
