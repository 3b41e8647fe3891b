# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest
from unit.plugins.plugin_utils.fleets import WEB, fleet, host_input, names, observed, plan, probe, rollout

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Absence, HostRecord, Step, Verdict, WaveRecord
from ansible_collections.convoy.rolling.plugins.plugin_utils.next_step import next_step

PLAN = plan(4, max_unavailable=2)


def asked(*hosts: str, verdict: Verdict | None = None) -> list[HostRecord]:
    return [HostRecord(host, Step.BACK if verdict else Step.PLANNED, verdict, asked=True) for host in hosts]


def test_arguments_are_for_the_hosts_that_go_on_only() -> None:
    step = next_step(fleet(4), rollout(PLAN), ["web2", "web3"])
    assert step["hosts"] == step["deploy"] == ["web2", "web3"]
    assert [(call["members"], call["floor"]) for call in step["drain"]] == [(["web2", "web3"], 2)]
    assert [(call["members"], call["floor"]) for call in step["enable"]] == [(["web2", "web3"], None)]
    assert [target["name"] for target in step["targets"]] == ["web2", "web3"]
    assert step["targets_on_hosts"] == []
    assert (step["halted"], step["again"], step["asked_all"]) == ("", False, False)


def test_nobody_going_on_means_nothing_to_do() -> None:
    step = next_step(fleet(4), rollout(PLAN), [])
    assert not any(step[name] for name in ("hosts", "drain", "deploy", "targets", "targets_on_hosts", "enable", "again"))


def test_host_that_runs_the_version_is_not_deployed_again() -> None:
    made = dataclasses.replace(PLAN, deployed=("web1",))
    step = next_step(fleet(4), rollout(made), ["web1", "web2"])
    assert (step["deploy"], [target["name"] for target in step["targets"]]) == (["web2"], ["web1", "web2"])


def test_probes_start_where_they_are_meant_to() -> None:
    there = dataclasses.replace(fleet(2), hosts=(host_input("web1", probe=probe(local=False)), host_input("web2")))
    step = next_step(there, rollout(plan(2, max_unavailable=1)), names(2))
    assert ([one["name"] for one in step["targets"]], [one["name"] for one in step["targets_on_hosts"]]) == (["web2"], ["web1"])


def test_batch_goes_round_again_for_who_was_asked_for_and_has_no_verdict() -> None:
    assert next_step(fleet(4), rollout(PLAN, *asked("web1", "web2")), ["web1"])["again"]
    assert not next_step(fleet(4), rollout(PLAN, *asked("web1", "web2", verdict=Verdict.FAILED)), [])["again"]
    assert not next_step(fleet(4), rollout(PLAN, *asked("web1", "web2"), halted="it hurt"), [])["again"]
    held = plan(look=observed(4, out=["web4"]), max_unavailable=2)
    assert not next_step(fleet(4), rollout(held, HostRecord("web4", asked=True)), [])["again"]


def test_in_a_window_each_host_asks_again_for_itself() -> None:
    window = dataclasses.replace(PLAN, window=True)
    moving = [HostRecord("web2", Step.DRAINED, asked=True), HostRecord("web3", asked=True)]
    step = next_step(fleet(4), rollout(window, *asked("web1"), *moving), ["web2"])
    assert (step["again"], step["waiting"]) == (False, ["web1", "web3"])
    assert next_step(fleet(4), rollout(window, *asked("web1"), halted="it hurt"), [])["waiting"] == []
    assert next_step(fleet(4), rollout(PLAN, *asked("web1")), [])["waiting"] == []


def test_in_a_window_nobody_keeps_out_who_is_under_way() -> None:
    records = [HostRecord("web1", Step.DEPLOYED), HostRecord("web2", Step.DEPLOYED), HostRecord("web3", Step.DRAINED, Verdict.FAILED)]
    (call,) = next_step(fleet(4), rollout(dataclasses.replace(PLAN, window=True), *records), ["web1"])["keep_out"]
    assert call["members"] == ["web1", "web3"], "web2 may be let in at this very moment"


def test_last_batch_is_known_by_everybody_having_been_asked_for() -> None:
    assert next_step(fleet(4), rollout(PLAN, *asked(*names(4), verdict=Verdict.CONVERGED)), [])["asked_all"]
    assert not next_step(fleet(4), rollout(PLAN, *asked(*names(3), verdict=Verdict.CONVERGED)), [])["asked_all"]


def test_floor_of_the_plan_goes_with_the_drain() -> None:
    of = rollout(dataclasses.replace(PLAN, floors={WEB: 3}))
    assert [call["floor"] for call in next_step(fleet(4), of, ["web1"])["drain"]] == [3]


def test_what_hosts_had_goes_with_their_return() -> None:
    had = Absence("web1", 1, 0.0, {WEB: {"admin": "ready", "weight": 3}})
    (call,) = next_step(fleet(4), rollout(PLAN), ["web1", "web2"], [had])["enable"]
    assert call["before"] == [{"name": "web1", "admin": "ready", "weight": 3}, {"name": "web2"}]


def test_who_is_out_everywhere_and_not_proven_is_kept_out() -> None:
    records = [
        HostRecord("web1", Step.DRAINED),
        HostRecord("web2", Step.DEPLOYED, Verdict.FAILED),
        HostRecord("web3", Step.VERIFIED),
        HostRecord("web4", Step.LEAVING, Verdict.FAILED),
        HostRecord("web5", Step.DRAINED, Verdict.UNREACHABLE),
        HostRecord("web6", Step.BACK, Verdict.CONVERGED),
    ]
    (call,) = next_step(fleet(6), rollout(plan(6), *records), ["web3"])["keep_out"]
    assert call["members"] == ["web1", "web2", "web5"]


@pytest.mark.parametrize(
    ("step", "verdict", "kept"),
    [
        (Step.PLANNED, None, True),
        (Step.PLANNED, Verdict.UNREACHABLE, True),
        (Step.LEAVING, Verdict.FAILED, True),
        (Step.VERIFIED, None, False),
        (Step.BACK, Verdict.CONVERGED, False),
    ],
)
def test_who_was_left_out_by_an_earlier_rollout_is_kept_out_until_it_is_proven(step: Step, verdict: Verdict | None, kept: bool) -> None:
    of = rollout(dataclasses.replace(plan(4), left_out=("web4",)), HostRecord("web4", step, verdict))
    absences = [Absence("web4", 1, 0.0)]
    assert [call["members"] for call in next_step(fleet(4), of, [], absences)["keep_out"]] == ([["web4"]] if kept else [])
    assert next_step(fleet(4), of, [])["keep_out"] == [], "it came back meanwhile"


def test_who_was_left_out_and_is_no_host_of_this_play_is_kept_out() -> None:
    of = rollout(dataclasses.replace(plan(2, max_unavailable=1), left_out=("web9",)))
    (call,) = next_step(fleet(2), of, [], [Absence("web9", 1, 0.0, {WEB: {"name": "app-9"}})])["keep_out"]
    assert call["members"] == ["app-9"]


def test_batch_goes_round_once_more_for_the_bake_of_the_last_wave() -> None:
    made = plan(1, max_unavailable=1, waves=[{"hosts": "rest", "bake": 60}])
    done = asked("web1", verdict=Verdict.CONVERGED)
    assert next_step(fleet(1), rollout(made, *done), [])["again"]
    assert not next_step(fleet(1), rollout(made, *done, halted="it hurt"), [])["again"]
    assert not next_step(fleet(1), rollout(made, *done, waves=(WaveRecord("rest", passed=9.0),)), [])["again"]
    assert not next_step(fleet(1), rollout(made), [])["again"], "nobody was asked for"
    plain = plan(1, max_unavailable=1, waves=["rest"])
    assert not next_step(fleet(1), rollout(plain, *done), [])["again"]
