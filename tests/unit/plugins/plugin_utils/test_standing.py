# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t
from functools import partial

from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.plugin_utils.fleets import WEB, member, names, observed, plan, rollout
from unit.plugins.plugin_utils.test_gate import Question, questions

from ansible_collections.convoy.rolling.plugins.plugin_utils.gate import decide_on
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.standing import Standing


@given(questions(), st.data())
def test_standing_that_is_told_of_changes_is_the_one_made_afresh(question: Question, data: st.DataObject) -> None:
    blank = dataclasses.replace(question.rollout, hosts=())
    kept = Standing(blank)
    told: list[t.Callable[[], None]] = [partial(kept.note, record) for record in question.rollout.hosts]
    told += [partial(kept.leave, host) for host in sorted(question.absent)]
    told += [partial(kept.see, one) for one in question.members]
    hosts = [record.host for record in question.rollout.hosts]
    verdicts = [None, Verdict.HELD] + ([] if question.policy.ramp else [Verdict.FAILED])  # a ramp remembers who failed
    for host in data.draw(st.lists(st.sampled_from(hosts), max_size=3)):
        data.draw(st.sampled_from([kept.leave, kept.back]))(host)
        kept.note(HostRecord(host, data.draw(st.sampled_from(Step)), data.draw(st.sampled_from(verdicts))))
    for one in data.draw(st.lists(st.sampled_from(question.members), max_size=3)) if question.members else ():
        kept.see(dataclasses.replace(one, in_service=not one.in_service))
    for host in hosts:
        kept.back(host)
    for tell in told:
        tell()
    afresh, answer = question.ask(), decide_on(kept, question.want, question.policy, question.now)
    assert (answer.answer, answer.admitted, answer.later) == (afresh.answer, afresh.admitted, afresh.later)


def test_many_hosts_are_listed_by_the_first() -> None:
    standing = Standing(rollout(plan(9, max_unavailable=8)), (), names(9))
    assert standing.absent_names(but=["web1"]) == "web2, web3, web4, web5, web6 and 3 more"


def test_member_that_comes_and_goes_is_counted_once() -> None:
    of = plan(3, max_unavailable=1)
    standing = Standing(rollout(of), observed(3).members)
    for _again in range(2):
        standing.see(member("web1", out=True))
    assert standing.fitting(["web2"]) == []
    standing.see(member("web1"))
    assert standing.fitting(["web2"]) == ["web2"]
    assert of.floors == {WEB: 2}


def test_who_was_let_go_a_moment_ago_takes_its_places_already() -> None:
    """In a window the next one asks before a balancer was told of the one before."""
    standing = Standing(rollout(plan(4, max_unavailable=1)), observed(4).members)
    assert standing.fitting(["web2"]) == ["web2"]
    standing.leave("web1")
    assert standing.fitting(["web2"]) == []
    standing.see(member("web1", out=True))
    assert standing.fitting(["web2"]) == []
    standing.back("web1")
    standing.see(member("web1"))
    assert standing.fitting(["web2"]) == ["web2"]
