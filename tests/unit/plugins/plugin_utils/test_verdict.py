# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.plugin_utils.any_fleet import observations
from unit.plugins.plugin_utils.fleets import API, NEW, OLD, WEB, member, names, observed, plan, rollout, seen, with_members

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Observed, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.verdict import Conclusion, conclude

CONVERGED = observed(3, **{host: seen(host, NEW) for host in names(3)})


def of(conclusion: Conclusion, host: str) -> tuple[Verdict, str]:
    return next((state.verdict, state.why) for state in conclusion.hosts if state.host == host)


@given(observations(), st.booleans())
def test_converged_means_every_host_is_seen_to_run_and_serve_or_is_held(look: Observed, rolled: bool) -> None:
    end = conclude(NEW, look, rollout(plan(look=CONVERGED)) if rolled else None)
    assert [state.host for state in end.hosts] == [one.host for one in look.hosts]
    good = True
    ours = {absence.host for absence in look.absences}
    for one in look.hosts:
        mine = [member for member in look.members if member.host == one.host]
        held = one.reachable and one.host not in ours and any(member.admin != "ready" for member in mine)
        runs = one.reachable and one.healthy and {one.running, one.installed} - {None} == {NEW}
        good = good and (held or (runs and all(member.in_service for member in mine)))
    assert (end.verdict is Verdict.CONVERGED) is good
    assert end.verdict in (Verdict.CONVERGED, Verdict.HALTED)
    assert {state.host for state in end.out} == {member.host for member in look.members if not member.in_service and member.host}


def test_fleet_that_runs_and_serves_has_converged() -> None:
    end = conclude(NEW, CONVERGED, rollout(plan(3, max_unavailable=1)))
    assert (end.verdict, end.reason, len(end.converged)) == (Verdict.CONVERGED, "3 of 3 hosts run 2.0 and serve", 3)


def test_last_host_failing_is_a_failure() -> None:
    of_three = rollout(plan(3, max_unavailable=1), HostRecord("web3", Step.DEPLOYED, Verdict.FAILED, "health check: 503"))
    look = dataclasses.replace(observed(3, absent=["web3"], **{host: seen(host, NEW) for host in names(2)}))
    end = conclude(NEW, look, of_three)
    assert (end.verdict, end.reason) == (Verdict.HALTED, "web3: health check: 503")
    assert [state.host for state in end.out] == ["web3"]


def test_host_that_failed_stays_failed_however_well_it_looks() -> None:
    end = conclude(
        NEW, CONVERGED, rollout(plan(3, max_unavailable=1), HostRecord("web2", Step.BACK, Verdict.FAILED, "its own tasks failed"))
    )
    assert (end.verdict, of(end, "web2")) == (Verdict.HALTED, (Verdict.FAILED, "its own tasks failed"))


@pytest.mark.parametrize("rolled", [True, False])
def test_switched_link_with_the_old_process_has_not_converged(rolled: bool) -> None:
    look = dataclasses.replace(CONVERGED, hosts=(*CONVERGED.hosts[:2], seen("web3", NEW, running=OLD)))
    end = conclude(NEW, look, rollout(plan(3, max_unavailable=1)) if rolled else None)
    assert (end.verdict, of(end, "web3")) == (Verdict.HALTED, (Verdict.SKIPPED, f"it still runs {OLD}"))


def test_held_hosts_do_not_fail_the_rollout() -> None:
    before = observed(3, out=["web3"])
    after = observed(3, out=["web3"], web1=seen("web1", NEW), web2=seen("web2", NEW))
    end = conclude(NEW, after, rollout(plan(look=before, max_unavailable=2)))
    assert (end.verdict, of(end, "web3")[0]) == (Verdict.CONVERGED, Verdict.HELD)
    assert end.reason == "2 of 3 hosts run 2.0 and serve"


def test_host_that_a_person_took_out_meanwhile_is_held() -> None:
    look = with_members(CONVERGED, web3=member("web3", out=True))
    assert of(conclude(NEW, look, rollout(plan(3, max_unavailable=1))), "web3") == (Verdict.HELD, "somebody took it out of rotation")


def test_host_that_we_left_out_is_not_held() -> None:
    look = dataclasses.replace(observed(3, absent=["web3"], **{host: seen(host, NEW) for host in names(3)}))
    assert of(conclude(NEW, look, None), "web3") == (Verdict.FAILED, f"no traffic from {WEB}")


def test_every_pool_counts() -> None:
    look = dataclasses.replace(CONVERGED, members=(*CONVERGED.members, member("web2", API, in_service=False)))
    assert of(conclude(NEW, look, None), "web2") == (Verdict.FAILED, f"no traffic from {API}")


def test_unreachable_and_sick_hosts_are_named() -> None:
    look = observed(
        3,
        web1=seen("web1", NEW),
        web2=seen("web2", reachable=False, why="No route"),
        web3=seen("web3", NEW, healthy=False, why="status 503"),
    )
    end = conclude(NEW, look, None)
    assert of(end, "web2") == (Verdict.UNREACHABLE, "No route")
    assert of(end, "web3") == (Verdict.FAILED, "status 503")
    assert end.reason == "web2: No route; web3: status 503"


def test_host_that_failed_and_then_vanished_failed() -> None:
    look = observed(3, web1=seen("web1", reachable=False, why="No route"), web2=seen("web2", reachable=False, why="No route"))
    mine = rollout(
        plan(3, max_unavailable=1),
        HostRecord("web1", Step.DEPLOYED, Verdict.FAILED, "status 503"),
        HostRecord("web2", Step.BACK, Verdict.CONVERGED),
    )
    end = conclude(NEW, look, mine)
    assert of(end, "web1") == (Verdict.FAILED, "status 503; and now it can't be reached: No route")
    assert of(end, "web2") == (Verdict.UNREACHABLE, "No route")


def test_host_that_somebody_deployed_after_us_is_not_converged_and_noted() -> None:
    mine = rollout(plan(3, max_unavailable=1), *(HostRecord(host, Step.BACK, Verdict.CONVERGED) for host in ("web1", "web2", "web3")))
    look = observed(3, web1=seen("web1", NEW), web2=seen("web2", "9.0"), web3=seen("web3", "9.0", running=NEW))
    end = conclude(NEW, look, mine)
    assert (end.verdict, of(end, "web1")[0], of(end, "web2")[0]) == (Verdict.HALTED, Verdict.CONVERGED, Verdict.SKIPPED)
    notes = {state.host: state.note for state in end.hosts}
    assert notes["web1"] == ""
    assert notes["web2"] == "this rollout had brought it to 2.0; somebody has installed 9.0 since"
    assert notes["web3"] == "this rollout had brought it to 2.0; somebody has installed 9.0 since, and it runs 2.0"


def test_halted_rollout_gives_its_own_reason() -> None:
    assert conclude(NEW, observed(3), rollout(plan(3, max_unavailable=1), halted="1 host failed")).reason == "1 host failed"
