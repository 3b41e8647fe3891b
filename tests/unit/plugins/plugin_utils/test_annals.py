# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import os
import typing as t
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.fleets import observed, plan
from unit.plugins.plugin_utils.journals import restore, sql

from ansible_collections.convoy.rolling.plugins.plugin_utils.annals import Annals
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Rollback, Step, Verdict, WaveRecord

HERE = Holder.of(os.getpid())


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the journal is; tests/integration runs all of this on PostgreSQL too."""
    return f"sqlite:///{tmp_path}/state/rollouts.db"


def rolled(url: str, version: str, verdict: Verdict | None = Verdict.CONVERGED, now: float = 100.0, out: bool = False, **how: t.Any) -> int:
    journal = Journal(url)
    ticket = journal.open(dataclasses.replace(plan(3, max_unavailable=1), version=version), observed(3).members, HERE, now, **how)
    if out:
        journal.leave(ticket, {"web1": {}}, now)
    if verdict:
        journal.close(ticket, verdict, "so it ended", now + 5)
    return ticket.rollout


def test_history_reads_back_oldest_first_with_who_where_and_why(url: str) -> None:
    origin = {"user": "ada", "controller": "ops1", "git_commit": "a" * 40, "awx_job": "42"}
    rolled(url, "1.0", cause="CVE", digest="d" * 64, origin=origin)
    rolled(url, "2.0", verdict=None)
    first, second = Annals(url).revisions("web")
    assert (first.version, first.cause, first.digest, first.origin, first.verdict) == ("1.0", "CVE", "d" * 64, origin, Verdict.CONVERGED)
    assert (first.started, first.ended, first.reason, first.by) == (100.0, 105.0, "so it ended", str(HERE))
    assert (second.ended, second.verdict, second.origin, second.back, second.bad) == (None, None, {}, None, "")
    assert Annals(url).revisions("other") == ()
    assert Annals(url).versions_before(1) == {"web1": "1.0", "web2": "1.0", "web3": "1.0"}


def test_without_a_journal_there_is_no_history(url: str) -> None:
    annals = Annals(url)
    assert (annals.revisions("web"), annals.versions_before(1), annals.hosts_of([1])) == ((), {}, (frozenset(), frozenset()))
    assert annals.prune("web", 1) == ()


def test_older_journal_has_a_history_too(url: str) -> None:
    Path(url.removeprefix("sqlite:///")).parent.mkdir()
    restore(url, 1)
    (first, *_rest) = Annals(url).revisions("web")
    assert (first.verdict, first.origin, first.back, first.bad) == (Verdict.CONVERGED, {}, None, "")
    assert Annals(url).versions_before(first.number) == {}


def test_rollback_marks_what_it_undoes_when_it_begins_and_when_it_converged(url: str) -> None:
    bad, other = rolled(url, "2.0", Verdict.HALTED), rolled(url, "2.0", now=200.0)
    back = Rollback(None, (bad, other), "it crashed", by_itself=True)
    halted = rolled(url, "1.0", Verdict.HALTED, 300.0, back=back)
    first, second, third = Annals(url).revisions("web")
    assert {first.bad, second.bad} == {f"rolled back by rollout {halted}: it crashed"} and not third.bad
    assert (first.verdict, second.verdict, third.back) == (Verdict.HALTED, Verdict.CONVERGED, back)
    assert Journal(url).rollout(halted).back == back
    rolled(url, "1.0", now=400.0, back=back)
    assert [one.verdict for one in Annals(url).revisions("web")][:2] == [Verdict.ROLLED_BACK] * 2


def test_touched_is_who_left_rotation(url: str) -> None:
    journal = Journal(url)
    ticket = journal.open(plan(3, max_unavailable=1), observed(3).members, HERE, 100.0)
    failed = HostRecord("web3", Step.PLANNED, Verdict.FAILED, "it could not be staged")
    journal.write(ticket, [HostRecord("web1", Step.BACK, Verdict.CONVERGED), HostRecord("web2", Step.LEAVING), failed], (), 101.0)
    assert Annals(url).hosts_of([ticket.rollout]) == ({"web1", "web2"}, {"web1", "web2", "web3"})


def test_pruning_keeps_what_is_open_what_is_out_and_what_one_would_go_back_to(url: str) -> None:
    for version in ("1.0", "1.1", "1.2"):
        rolled(url, version)
    rolled(url, "1.3", Verdict.HALTED, out=True)
    kept = rolled(url, "1.4")
    for _again in range(3):
        rolled(url, "2.0", Verdict.HALTED)
    rolled(url, "1.5")
    annals = Annals(url)
    assert annals.prune("web", 20) == ()
    assert annals.prune("web", 1) == (1, 2, 3)
    assert [one.number for one in annals.revisions("web")] == [4, kept, 6, 7, 8, 9]
    for table in ("hosts", "events", "views"):
        assert {number for (number,) in sql(url, f"select distinct rollout from convoy_{table}")} == {4, 5, 6, 7, 8, 9}
    assert annals.prune("web", 1) == ()


def test_waves_of_what_is_forgotten_go_with_it(url: str) -> None:
    for version in ("1.0", "2.0", "3.0"):
        rolled(url, version, waves=(WaveRecord("box"),))
    assert Annals(url).prune("web", 2) == (1,)
    assert [row[0] for row in sql(url, "SELECT rollout FROM convoy_waves ORDER BY rollout")] == [2, 3]
