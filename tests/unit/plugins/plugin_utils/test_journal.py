# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Float, Integer, MetaData, Table, Text, insert, select
from unit.plugins.plugin_utils.any_fleet import records
from unit.plugins.plugin_utils.fleets import API, WEB, member, names, observed, plan, seen
from unit.plugins.plugin_utils.journals import everything, fails_clearly, restore, sql

from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_schema
from ansible_collections.convoy.rolling.plugins.plugin_utils.forecast import Pace
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal_schema import VERSION
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import LEASE_SECONDS, LeaseLost, LeaseTaken, Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Absence, HostRecord, Member, Step, Verdict

PLAN = plan(4, max_unavailable=2)
MEMBERS = observed(4).members
HERE = Holder.of(os.getpid())
ELSEWHERE = Holder("ann", "other.example", 7, "1")
ORIGINAL = {WEB: {"admin": "ready", "weight": 10}}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the journal is; tests/integration runs all of this on PostgreSQL too."""
    return f"sqlite:///{tmp_path}/state/rollouts.db"


@pytest.fixture
def journal(url: str) -> Journal:
    return Journal(url)


@pytest.fixture
def elsewhere(tmp_path: Path) -> str:
    """A second, empty place for a journal."""
    return f"sqlite:///{tmp_path}/elsewhere/rollouts.db"


def opened(journal: Journal, now: float = 100.0, holder: Holder = HERE, app: str = "web", **different: t.Any) -> Ticket:
    return journal.open(dataclasses.replace(PLAN, app=app), MEMBERS, holder, now, **different)


# -- round trips -------------------------------------------------------------------------------------------------------


def test_rollout_reads_back_as_it_was_opened(journal: Journal) -> None:
    look = observed(5, out=["web5"], web4=seen("web4", reachable=False, why="No route"), web3=seen("web3", "2.0"))
    made = plan(look=look, max_unavailable=3)
    ticket = journal.open(made, look.members, HERE, 100.0, "sha256:abc", "it is time")
    rollout = journal.rollout(ticket.rollout)
    assert (rollout.plan, rollout.app, rollout.version) == (made, "web", "2.0")
    assert (rollout.started, rollout.progressed, rollout.ended, rollout.verdict) == (100.0, 100.0, None, None)
    assert (rollout.cause, rollout.by, rollout.halted) == ("it is time", str(HERE), "")
    assert [(record.host, record.step, record.verdict) for record in rollout.hosts] == [
        ("web1", Step.PLANNED, None),
        ("web2", Step.PLANNED, None),
        ("web3", Step.PLANNED, Verdict.SKIPPED),
        ("web5", Step.PLANNED, Verdict.HELD),
        ("web4", Step.PLANNED, Verdict.UNREACHABLE),
    ]
    assert rollout.host("web4").why == "No route"
    assert journal.views(ticket.rollout) == look.members
    assert journal.latest("web") == rollout


@settings(max_examples=settings.default.max_examples // 4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(*(records(host) for host in names(4))), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
def test_whatever_a_step_did_reads_back(journal: Journal, done: tuple[HostRecord, ...], why: str) -> None:
    ticket = opened(journal)
    done = tuple(dataclasses.replace(record, why=why, asked=False) for record in done)
    journal.write(ticket, done, (), 200.0)
    assert journal.rollout(ticket.rollout).hosts == done
    assert journal.rollout(ticket.rollout).progressed == (200.0 if any(record.verdict is Verdict.CONVERGED for record in done) else 100.0)


def test_who_leaves_is_written_before_anything_moves(journal: Journal, url: str) -> None:
    ticket = opened(journal)
    journal.leave(ticket, {"web1": ORIGINAL, "web2": {}}, 101.0)
    # Another process, or this one after kill -9, reads the same file.
    again = Journal(url)
    assert again.absences("web") == (Absence("web1", ticket.rollout, 101.0, ORIGINAL), Absence("web2", ticket.rollout, 101.0, {}))
    assert again.rollout(ticket.rollout).host("web1") == HostRecord("web1", Step.LEAVING)
    assert again.absences("other") == ()


def test_absence_keeps_the_first_original(journal: Journal) -> None:
    first = opened(journal)
    journal.leave(first, {"web1": ORIGINAL}, 101.0)
    second = opened(journal, 200.0)
    journal.leave(second, {"web1": {WEB: {"admin": "maintenance", "weight": 0}}, "web2": ORIGINAL}, 201.0)
    assert journal.absences("web") == (Absence("web1", first.rollout, 101.0, ORIGINAL), Absence("web2", second.rollout, 201.0, ORIGINAL))
    assert journal.rollout(second.rollout).host("web1").step is Step.LEAVING


def test_what_the_drain_saw_corrects_what_was_written_ahead_and_only_of_its_own_rollout(journal: Journal) -> None:
    first = opened(journal)
    journal.leave(first, {"web1": ORIGINAL}, 101.0)
    second = opened(journal, 200.0)
    journal.leave(second, {"web1": ORIGINAL, "web2": {**ORIGINAL, API: {"weight": 1}}, "web3": ORIGINAL}, 201.0)
    better = {WEB: {"admin": "ready", "weight": 7}}
    journal.write(second, [], (), 202.0, originals=dict.fromkeys(names(4), better))
    assert {absence.host: absence.original for absence in journal.absences("web")} == {
        "web1": ORIGINAL,
        "web2": {**better, API: {"weight": 1}},
        "web3": better,
    }


def test_absence_ends_with_the_host_back_and_only_then(journal: Journal) -> None:
    ticket = opened(journal)
    journal.leave(ticket, dict.fromkeys(names(3), ORIGINAL), 101.0)
    journal.write(
        ticket,
        [HostRecord("web1", Step.BACK, Verdict.CONVERGED), HostRecord("web2", Step.DEPLOYED, Verdict.FAILED)],
        (),
        102.0,
        back=["web1"],
    )
    assert [absence.host for absence in journal.absences("web")] == ["web2", "web3"]
    journal.close(ticket, Verdict.HALTED, "web2: no", 103.0, back=["web3"])
    assert [absence.host for absence in journal.absences("web")] == ["web2"]


def test_newest_view_of_each_pool_is_kept(journal: Journal) -> None:
    ticket = journal.open(PLAN, (*MEMBERS, *(member(host, API) for host in names(2))), HERE, 100.0)
    newer = tuple(member(host, out=host == "web1") for host in names(4))
    journal.write(ticket, (), newer, 101.0)
    views = journal.views(ticket.rollout)
    assert set(map(_key, views)) == {*map(_key, newer), (API, "web1", True), (API, "web2", True)}
    journal.write(ticket, (), (), 102.0)
    assert journal.views(ticket.rollout) == views


def _key(one: Member) -> tuple[str, str, bool]:
    return one.place, one.name, one.in_service


def test_asking_is_remembered(journal: Journal) -> None:
    ticket = opened(journal)
    journal.renew(ticket, ["web2", "stranger"], 101.0)
    assert [record.host for record in journal.rollout(ticket.rollout).hosts if record.asked] == ["web2"]
    journal.renew(ticket, [], 102.0)


def test_halt_is_remembered(journal: Journal) -> None:
    ticket = opened(journal)
    journal.write(ticket, (), (), 101.0, halt="it hurt")
    journal.write(ticket, [HostRecord("web1", Step.DRAINED)], (), 102.0)
    assert journal.rollout(ticket.rollout).halted == "it hurt"


def test_end_is_remembered(journal: Journal) -> None:
    ticket = opened(journal)
    journal.close(ticket, Verdict.CONVERGED, "all of them", 105.0)
    rollout = journal.rollout(ticket.rollout)
    assert (rollout.ended, rollout.verdict) == (105.0, Verdict.CONVERGED)


def test_everything_that_happened_can_be_told(journal: Journal, url: str) -> None:
    ticket = opened(journal)
    journal.leave(ticket, {"web1": ORIGINAL}, 101.0)
    journal.close(ticket, Verdict.HALTED, "no", 102.0)
    events = journal.events("web")
    assert [(event.at, event.host, event.kind) for event in events] == [
        (100.0, None, "opened"),
        (100.0, None, "seen"),
        (101.0, "web1", "leaving"),
        (102.0, None, "ended"),
    ]
    assert journal.events("web", after=events[1].number) == events[2:]
    assert (journal.events("api"), journal.last_event()) == ((), events[-1].number)


# -- the lease ---------------------------------------------------------------------------------------------------------

WRITES: dict[str, t.Callable[[Journal, Ticket], None]] = {
    "renew": lambda journal, ticket: journal.renew(ticket, ["web1"], 300.0),
    "leave": lambda journal, ticket: journal.leave(ticket, {"web2": ORIGINAL}, 300.0),
    "write": lambda journal, ticket: journal.write(
        ticket, [HostRecord("web1", Step.BACK, Verdict.CONVERGED)], MEMBERS[:1], 300.0, back=["web1"], halt="x"
    ),
    "close": lambda journal, ticket: journal.close(ticket, Verdict.CONVERGED, "", 300.0, back=["web1"]),
}


@pytest.mark.parametrize("write", WRITES)
def test_lost_lease_writes_nothing_at_all(journal: Journal, url: str, write: str) -> None:
    lost = opened(journal, holder=ELSEWHERE)
    journal.leave(lost, {"web1": ORIGINAL}, 101.0)
    live = opened(journal, 102.0 + LEASE_SECONDS)
    before = everything(url)
    with pytest.raises(LeaseLost, match=f"rollout {lost.rollout} has lost its lease"):
        WRITES[write](journal, lost)
    assert everything(url) == before
    WRITES[write](journal, live)


@pytest.mark.parametrize("write", WRITES)
def test_rollout_that_ended_writes_nothing_more(journal: Journal, write: str) -> None:
    ticket = opened(journal)
    journal.close(ticket, Verdict.CONVERGED, "", 101.0)
    with pytest.raises(LeaseLost):
        WRITES[write](journal, ticket)


@pytest.mark.parametrize("different", [{"fence": 2}, {"fence": 0}, {"rollout": 2}, {"app": "other"}])
def test_forged_ticket_is_no_ticket(journal: Journal, different: dict[str, t.Any]) -> None:
    with pytest.raises(LeaseLost):
        journal.renew(dataclasses.replace(opened(journal), **different), [], 101.0)


def test_live_rollout_is_not_interrupted_and_named(journal: Journal) -> None:
    ticket = opened(journal, holder=ELSEWHERE, cause="it is time")
    with pytest.raises(
        LeaseTaken,
        match=r"app 'web': rollout 1 to 2.0 \(it is time\) is going on since 19.*, held by ann on other.example, process 7; nothing was touched",
    ) as caught:
        opened(journal, 100.0 + LEASE_SECONDS - 1)
    assert "convoy.rolling.status" in caught.value.message
    journal.renew(ticket, [], 200.0)
    assert journal.rollout(1).ended is None


def test_process_keeps_its_lease_while_it_lives_and_no_longer(journal: Journal) -> None:
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        dead = opened(journal, holder=Holder.of(process.pid))
        with pytest.raises(LeaseTaken):
            opened(journal, 100.5)
        process.kill()
    live = opened(journal, 101.0)
    assert live.fence > dead.fence
    with pytest.raises(LeaseLost):
        journal.renew(dead, [], 101.5)


def test_lease_of_another_machine_lasts_as_long_as_it_is_renewed(journal: Journal) -> None:
    ticket = opened(journal, 0.0, ELSEWHERE)
    journal.renew(ticket, [], 500.0)
    with pytest.raises(LeaseTaken):
        opened(journal, LEASE_SECONDS + 499.0)
    assert opened(journal, LEASE_SECONDS + 500.0).rollout == 2


def test_rollout_whose_controller_is_gone_is_marked_interrupted(journal: Journal) -> None:
    old = opened(journal)
    journal.leave(old, {"web1": ORIGINAL}, 101.0)
    opened(journal, 200.0)
    before = journal.rollout(old.rollout)
    assert (before.ended, before.verdict) == (200.0, Verdict.INTERRUPTED)
    assert [absence.host for absence in journal.absences("web")] == ["web1"]


def test_run_with_nothing_left_to_do_ends_what_a_dead_controller_left_open(journal: Journal) -> None:
    old = opened(journal, holder=ELSEWHERE)
    journal.end_abandoned("web", "2.0", 101.0)
    assert journal.rollout(old.rollout).ended is None, "it is live"
    later = 100.0 + LEASE_SECONDS
    journal.end_abandoned("web", "2.0", later)
    before = journal.rollout(old.rollout)
    assert (before.ended, before.verdict, before.reason) == (
        later,
        Verdict.INTERRUPTED,
        "its controller ended; a later run found the whole fleet on 2.0",
    )
    assert journal.lease("web").rollout is None
    with pytest.raises(LeaseLost):
        journal.renew(old, [], later)


def test_run_with_nothing_left_to_do_makes_no_journal(journal: Journal, url: str) -> None:
    journal.end_abandoned("web", "2.0", 101.0)
    assert journal.latest("web") is None


def test_rollout_that_ended_stays_as_it_ended(journal: Journal) -> None:
    old = opened(journal)
    journal.close(old, Verdict.CONVERGED, "", 101.0)
    opened(journal, 200.0, ELSEWHERE)
    assert journal.rollout(old.rollout).verdict is Verdict.CONVERGED


def test_apps_do_not_keep_each_other(journal: Journal) -> None:
    web = opened(journal, holder=ELSEWHERE)
    api = journal.open(dataclasses.replace(PLAN, app="api"), (), HERE, 101.0)
    journal.leave(api, {"web1": {}}, 102.0)
    journal.renew(web, [], 103.0)
    assert journal.absences("web") == ()
    assert journal.rollout(web.rollout).ended is None


RACER = """
import os, sys
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import LeaseTaken
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Plan
plan = Plan("web", "2.0", (("web1",),), {}, {}, {}, 1, {}, ())
print("ready", flush=True)
input()
try:
    print(Journal(sys.argv[1]).open(plan, (), Holder.of(os.getpid()), 100.0).rollout, flush=True)
except LeaseTaken:
    print("taken", flush=True)
input()
"""


def test_of_two_controllers_that_start_together_exactly_one_rolls(url: str) -> None:
    """The file is not even there yet: both make the tables, and neither fails over that."""
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _one in range(2)
    ]
    try:
        for racer in racers:
            assert racer.stdout and racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin
            racer.stdin.write("\n")
            racer.stdin.flush()
        said = [racer.stdout.readline().strip() for racer in racers if racer.stdout]
    finally:
        for racer in racers:
            racer.communicate("\n")
    assert sorted(said) == ["1", "taken"]


def test_pace_is_how_long_hosts_were_out(journal: Journal) -> None:
    assert journal.pace("web") is None
    ticket = opened(journal)
    journal.leave(ticket, {"web1": {}, "web2": {}}, 110.0)
    journal.write(ticket, (HostRecord("web1", Step.BACK, Verdict.CONVERGED),), (), 140.0, back=["web1"])
    journal.write(ticket, (HostRecord("web2", Step.BACK, Verdict.CONVERGED),), (), 160.0, back=["web2"])
    assert journal.pace("web") == Pace(30.0, 50.0, 2)
    assert journal.pace("other") is None


@pytest.mark.parametrize("call", ["open", "read"])
def test_text_in_the_journal_that_nobody_here_wrote(journal: Journal, url: str, call: str) -> None:
    opened(journal, holder=ELSEWHERE)
    sql(url, "update convoy_leases set holder = 'not json'")
    sql(url, "update convoy_rollouts set plan = '{}'")
    fails_clearly((lambda: opened(journal)) if call == "open" else (lambda: journal.latest("web")))


def test_original_is_kept_as_data(journal: Journal, url: str) -> None:
    ticket = opened(journal)
    journal.leave(ticket, {"web1": ORIGINAL}, 101.0)
    assert json.loads(sql(url, "select original from convoy_absences")[0][0]) == ORIGINAL


def test_of_many_controllers_at_the_same_instant_exactly_one_rolls(url: str) -> None:
    together = threading.Barrier(8)

    def race(number: int) -> str:
        mine = Journal(url)
        together.wait()
        try:
            return str(opened(mine, holder=dataclasses.replace(ELSEWHERE, pid=number)).fence)
        except LeaseTaken:
            return "taken"

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(race, range(8))) == ["1", *["taken"] * 7]


def test_text_that_no_database_keeps_is_kept_as_well_as_can_be(journal: Journal) -> None:
    ticket = opened(journal, cause="half a \ud83d, and a \0")
    journal.write(ticket, [HostRecord("web1", Step.DEPLOYED, Verdict.FAILED, "it said \0\udcff")], (), 101.0)
    assert journal.rollout(1).cause == "half a ?, and a \ufffd"
    assert journal.rollout(1).host("web1").why == "it said \ufffd?"


@pytest.mark.parametrize("name", ["x" * 300, "a b", 'o\'clock "now"', "a;b", "a\nb", "../x", "ключ-🚢", "100%", "%(a)s :b"])
def test_any_name_is_carried_and_never_read_as_sql(journal: Journal, name: str) -> None:
    made = dataclasses.replace(PLAN, app=name, version=name, batches=((name,),), held={f"{name}2": name})
    place = dataclasses.replace(MEMBERS[0], balancer=name, pool=name, name=name, host=name)
    ticket = journal.open(made, [place], dataclasses.replace(HERE, user=name), 100.0, cause=name)
    journal.renew(ticket, [name], 101.0)
    journal.leave(ticket, {name: {place.place: {"admin": name}}}, 102.0)
    journal.write(ticket, [HostRecord(name, Step.DRAINED, Verdict.FAILED, name)], [place], 103.0, halt=name)
    assert journal.absences(name) == (Absence(name, 1, 102.0, {place.place: {"admin": name}}),)
    rollout = journal.latest(name)
    assert rollout is not None
    assert (rollout.plan, rollout.cause, rollout.halted) == (made, name, name)
    assert rollout.host(name) == HostRecord(name, Step.DRAINED, Verdict.FAILED, name, asked=True)
    assert journal.views(1) == (place,)
    journal.close(ticket, Verdict.HALTED, name, 104.0, back=[name])
    assert journal.absences(name) == ()


# -- versions ----------------------------------------------------------------------------------------------------------


def test_journal_of_a_later_collection_is_left_alone(url: str) -> None:
    opened(Journal(url))
    sql(url, "update convoy_about set version = 99")
    before = everything(url)
    for call in (lambda: opened(Journal(url)), lambda: Journal(url).latest("web")):
        assert f"has schema 99, this collection knows {VERSION}; use the collection that wrote it" in fails_clearly(call)
    assert everything(url) == before


def test_older_journal_is_read_without_a_change(url: str) -> None:
    _restored(url, 1)
    before = everything(url)
    journal = Journal(url)
    first, second = journal.rollout(1), journal.latest("web")
    assert (first.version, first.verdict, first.ended) == ("1.9", Verdict.CONVERGED, 1040.0)
    assert {(record.host, record.step, record.verdict) for record in first.hosts} == {
        (host, Step.BACK, Verdict.CONVERGED) for host in names(3)
    }
    assert second is not None
    assert (second.number, second.version, second.ended, second.cause) == (2, "2.0", None, "it's time; really")
    assert [record.host for record in second.hosts if record.out] == ["web1"]
    original = {"admin": "drain", "weight": 10, "initial_weight": 10, "agent": False, "follows": None}
    assert journal.absences("web") == (Absence("web1", 2, 2002.0, {WEB: original}),)
    assert [view.name for view in journal.views(2) if not view.in_service] == ["web1"]
    assert everything(url) == before


def test_older_journal_is_brought_forward_and_goes_on(url: str, elsewhere: str) -> None:
    _restored(url, 1)
    before, absences = everything(url), Journal(url).absences("web")
    third = opened(Journal(url), 10_000.0)
    assert (third.rollout, third.fence) == (3, 3)
    after = everything(url)
    assert sql(url, "select version from convoy_about") == [(VERSION,)]
    for table, (columns, rows) in before.items():
        assert set(columns) <= set(after[table][0])
        if table in ("convoy_absences", "convoy_views", "convoy_hosts", "convoy_events"):
            assert {row[: len(columns)] for row in after[table][1]} >= set(rows)
    journal = Journal(url)
    assert journal.absences("web") == absences
    assert journal.rollout(1).verdict is Verdict.CONVERGED
    assert journal.rollout(2).ended == 10_000.0
    journal.write(third, [HostRecord("web1", Step.BACK, Verdict.CONVERGED)], MEMBERS, 10_001.0, back=["web1"])
    journal.close(third, Verdict.CONVERGED, "", 10_002.0)
    assert journal.absences("web") == ()
    # It is now as one that was new today.
    opened(Journal(elsewhere))
    shape = {table: {column.split()[0] for column in columns} for table, (columns, _rows) in everything(elsewhere).items()}
    assert {table: {column.split()[0] for column in columns} for table, (columns, _rows) in after.items()} == shape


def test_older_journal_is_brought_forward_once_by_controllers_that_come_together(url: str) -> None:
    _restored(url, 1)
    together = threading.Barrier(4)

    def migrate(number: int) -> int:
        mine = Journal(url)
        together.wait()
        return opened(mine, 10_000.0, holder=dataclasses.replace(ELSEWHERE, pid=number), app=f"app{number}").rollout

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(migrate, range(4))) == [3, 4, 5, 6]


def test_tables_and_columns_of_a_later_version(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers see them before they are there, writers make them."""
    opened(Journal(url))
    later = MetaData()
    for table in journal_schema.METADATA.sorted_tables:
        table.to_metadata(later)
    since = journal_schema.since(VERSION + 1)
    rollouts = later.tables["convoy_rollouts"]
    for column in (Column("mood", Text, nullable=False, server_default="it's fine", info=since), Column("score", Float, info=since)):
        rollouts.append_column(column)
    notes = Table("convoy_notes", later, Column("number", Integer, primary_key=True), Column("text", Text, index=True), info=since)
    monkeypatch.setattr(journal_schema, "METADATA", later)
    monkeypatch.setattr(journal_schema, "VERSION", VERSION + 1)

    def look(db: Connection | None) -> tuple[t.Any, ...]:
        assert db is not None
        return db.execute(select(rollouts.c.app, rollouts.c.mood, rollouts.c.score)).all(), db.execute(select(notes)).all()

    before = everything(url)
    with Journal(url)._store.reading() as db:
        assert look(db) == ([("web", "it's fine", None)], [])
    assert everything(url) == before
    with Journal(url)._store.writing() as db:
        db.execute(insert(notes).values(text="a note"))
    with Journal(url)._store.reading() as db:
        assert look(db) == ([("web", "it's fine", None)], [(1, "a note")])
    assert sql(url, "select version from convoy_about") == [(VERSION + 1,)]


def test_journal_that_is_half_brought_forward_does_not_exist(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _restored(url, 1)
    before = everything(url)
    forward = journal_schema.bring_forward

    def cut_off(db: Connection, version: int) -> None:
        forward(db, version)
        raise OSError("No space left on device")

    monkeypatch.setattr(journal_schema, "bring_forward", cut_off)
    assert "No space left on device" in fails_clearly(lambda: opened(Journal(url), 10_000.0))
    assert everything(url) == before
    monkeypatch.undo()
    assert opened(Journal(url), 10_000.0).rollout == 3


def _restored(url: str, version: int) -> None:
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir()
    restore(url, version)


# -- a journal that is lost --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", WRITES)
def test_journal_that_is_lost_is_not_made_anew_under_a_rollout(url: str, elsewhere: str, write: str) -> None:
    """A new one would know nothing of the hosts that are out."""
    ticket = opened(Journal(url))
    assert "is gone, and with it what this rollout took out" in fails_clearly(lambda: WRITES[write](Journal(elsewhere), ticket))
    assert Journal(elsewhere).latest("web") is None
