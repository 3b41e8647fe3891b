# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of a host's way, in values; whole rollouts are in action/test_put_back.py."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from unit.plugins.plugin_utils.fleets import NEW, OLD, fleet, member, names, observed, plan, policy, rollout, seen

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.gate import decide
from ansible_collections.convoy.rolling.plugins.plugin_utils.legs import due, in_legs, with_legs
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Answer, HostRecord, Leg, Plan, RolloutRecord, Stage, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.next_step import next_step
from ansible_collections.convoy.rolling.plugins.plugin_utils.planner import make_plan
from ansible_collections.convoy.rolling.plugins.plugin_utils.progress import progress_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.progression import Progression

WINDOW = {"mode": "window", "max_unavailable": 1, "max_failures": 2}


def planned(of: Plan | None = None, rehearsed: bool = False, obstacle: str = "", **limits: t.Any) -> Plan:
    limits = {"max_unavailable": 1, **limits}
    return with_legs(of or plan(3, **limits), policy(**limits), lambda _version: obstacle, rehearsed)


def failed(host: str = "web1", step: Step = Step.DEPLOYED, leg: Leg = Leg.NEW) -> HostRecord:
    return HostRecord(host, step, Verdict.FAILED, "status 503", asked=True, leg=leg)


REVERTS = planned(on_host_failure="revert", **WINDOW)
REHEARSES = planned(rehearse=True, **WINDOW)


@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("leg", list(Leg))
def test_who_failed_while_it_was_out_is_put_back_once(step: Step, leg: Leg) -> None:
    back = due(rollout(REVERTS), [failed(step=step, leg=leg)])
    tried = step in (Step.DRAINED, Step.DEPLOYED, Step.VERIFIED) and leg not in (Leg.REVERT, Leg.STUCK)
    assert [(one.leg, one.toward, one.verdict) for one in back] == ([(Leg.REVERT, OLD, Verdict.FAILED)] if tried else [])
    assert not due(rollout(planned(**WINDOW)), [failed(step=step, leg=leg)]), "it was not asked for"


def test_it_goes_back_to_what_it_served_with_last() -> None:
    """Whatever an earlier run has left on it: one that is out has not served with what it has now."""
    first, limits = rollout(planned(on_host_failure="revert")), policy(max_unavailable=1, supersede=True)
    half_done = observed(3, absent=["web1"], web1=seen("web1", NEW), web3=seen("web3", "1.1"))
    assert make_plan("web", NEW, half_done, limits, latest=first).returns == {"web1": OLD, "web2": OLD, "web3": "1.1"}
    assert make_plan("web", NEW, half_done, limits).returns == {"web2": OLD, "web3": "1.1"}, "nobody knows of web1"
    back = make_plan("web", OLD, half_done, limits, latest=first)
    assert back.returns == {"web1": OLD, "web3": "1.1"}
    assert planned(back, on_host_failure="revert").stuck == {"web1": "it served with 1.0 last"}
    # An unreachable host, or one that is not in the play, keeps it for the next run.
    gone = make_plan("web", NEW, observed(3, absent=["web1"], web1=seen("web1", reachable=False)), policy(max_unavailable=2), latest=first)
    assert ("web1" in gone.order, gone.returns["web1"]) == (False, OLD)


def test_who_was_put_back_goes_first_next_time() -> None:
    was = HostRecord("web3", Step.BACK, Verdict.FAILED, leg=Leg.REVERT, toward=OLD)
    assert make_plan("web", NEW, observed(3), policy(max_unavailable=1), latest=rollout(REVERTS, was)).order == ("web3", "web1", "web2")
    other = dataclasses.replace(rollout(REVERTS, was), version="1.5")
    assert make_plan("web", NEW, observed(3), policy(max_unavailable=1), latest=other).order == ("web1", "web2", "web3")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (HostRecord("web1", Step.DEPLOYED), (Step.DEPLOYED, Verdict.FAILED, Leg.REVERT, "status 503")),
        (HostRecord("web1", Step.BACK, Verdict.CONVERGED), (Step.BACK, Verdict.FAILED, Leg.REVERT, "status 503; it was put back on 1.0")),
        (
            HostRecord("web1", Step.DEPLOYED, Verdict.UNREACHABLE, "No route"),
            (Step.DEPLOYED, Verdict.FAILED, Leg.STUCK, "status 503; it could not be put back on 1.0: No route"),
        ),
        (
            HostRecord("web1", Step.LEAVING, None, "the floor"),
            (Step.VERIFIED, Verdict.FAILED, Leg.STUCK, "status 503; it could not be put back on 1.0: the floor"),
        ),
    ],
)
def test_it_failed_whatever_becomes_of_it(now: HostRecord, expected: tuple[t.Any, ...]) -> None:
    was = dataclasses.replace(failed(step=Step.VERIFIED, leg=Leg.REVERT), toward=OLD)
    (record,) = in_legs(Progression((now,)), rollout(REVERTS, was)).records
    assert (record.step, record.verdict, record.leg, record.why, record.toward) == (*expected, OLD)


def test_its_place_comes_free_so_that_who_waits_for_it_does_not_give_up() -> None:
    """In a window another host may ask between its failure and its first step back."""
    view = [member(name, out=name == "web1") for name in names(3)]
    for record in (failed(), dataclasses.replace(failed(), leg=Leg.REVERT, toward=OLD)):
        answer = decide(["web2"], rollout(REVERTS, record), policy(**WINDOW), view, ["web1"], 1.0)
        assert answer.answer is Answer.WAIT
    stuck = dataclasses.replace(failed(), leg=Leg.STUCK, toward=OLD)
    assert decide(["web2"], rollout(REVERTS, stuck), policy(**WINDOW), view, ["web1"], 1.0).answer is Answer.HALT


def test_it_goes_round_again_though_the_rollout_has_halted_and_nobody_else_keeps_it_out() -> None:
    record = rollout(REVERTS, failed(), HostRecord("web2", Step.DRAINED, asked=True), halted="1 host failed")
    step = next_step(fleet(3), record, ["web2"])
    assert (step["waiting"], step["again"]) == (["web1"], False)
    assert [call["members"] for call in step["keep_out"]] == [["web2"]]
    back = rollout(REVERTS, dataclasses.replace(failed(), leg=Leg.REVERT, toward=OLD))
    step = next_step(fleet(3), back, ["web1"])
    assert (step["waiting"], step["toward"], step["legs"], step["deploy"]) == ([], {"web1": OLD}, {"web1": "revert"}, ["web1"])
    assert step["targets"][0]["conditions"] == [f'to_string(version) == `"{OLD}"`']
    assert progress_of(back)["updated"] == 0


# -- the rehearsal -----------------------------------------------------------------------------------------------------


def test_the_first_host_is_a_batch_of_its_own() -> None:
    made = planned(plan(4, max_unavailable=2), rehearse=True)
    assert (made.rehearsal, made.batches) == ("web1", (("web1",), ("web2",), ("web3", "web4")))
    assert planned(rehearse=True, rehearsed=True).rehearsal == "", "once for a version"


def test_where_there_is_no_way_back_it_is_refused() -> None:
    with pytest.raises(InputError, match=r"web1, which goes first, has no way back to rehearse: 1\.0 is bad"):
        planned(rehearse=True, obstacle="1.0 is bad")
    assert planned(on_host_failure="revert", obstacle="1.0 is bad").stuck == dict.fromkeys(names(3), "1.0 is bad")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (HostRecord("web1"), (Answer.HALT, Stage.TURN)),
        (HostRecord("web1", asked=True), (Answer.WAIT, Stage.TURN)),
        (HostRecord("web1", Step.VERIFIED, asked=True), (Answer.WAIT, Stage.TURN)),
        (failed(), (Answer.HALT, None)),
        (HostRecord("web1", Step.LEAVING, Verdict.HELD), (Answer.HALT, None)),
    ],
)
def test_nobody_leaves_before_it_is_through(record: HostRecord, expected: tuple[Answer, Stage | None]) -> None:
    def ask(of: RolloutRecord) -> t.Any:
        return decide(["web2"], of, policy(**WINDOW), [member(name) for name in names(3)], [], 1.0)

    answer = ask(rollout(REHEARSES, record))
    assert (answer.answer, answer.stage) == expected
    through = HostRecord("web1", Step.BACK, Verdict.CONVERGED, leg=Leg.AGAIN)
    assert ask(rollout(REHEARSES, through, rehearsed_at=0.5)).admitted == ("web2",)


def test_who_asks_beside_it_waits() -> None:
    both = {**WINDOW, "max_unavailable": 2}
    made = planned(plan(3, **both), rehearse=True, **both)
    answer = decide(names(3), rollout(made), policy(**both), [member(name) for name in names(3)], [], 1.0)
    assert (answer.admitted, answer.later) == (("web1",), ("web2", "web3"))


def test_its_way_has_three_parts() -> None:
    record, legs = HostRecord("web1", Step.VERIFIED, asked=True), []
    while turned := due(rollout(REHEARSES), [record]):
        legs.append((turned[0].leg, turned[0].toward, turned[0].step))
        record = dataclasses.replace(turned[0], step=Step.VERIFIED)
    assert legs == [(Leg.OLD, OLD, Step.DRAINED), (Leg.AGAIN, "", Step.DRAINED)]
