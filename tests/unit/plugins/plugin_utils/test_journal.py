# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import os
import sqlite3
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from unit.plugins.plugin_utils.any_fleet import records
from unit.plugins.plugin_utils.fleets import API, WEB, member, names, observed, plan, seen

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_store
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import LEASE_SECONDS, Journal, LeaseLost, LeaseTaken, Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Absence, HostRecord, Member, Step, Verdict

PLAN = plan(4, max_unavailable=2)
MEMBERS = observed(4).members
HERE = Holder.of(os.getpid())
ELSEWHERE = Holder("ann", "other.example", 7, "1")
ORIGINAL = {WEB: {"admin": "ready", "weight": 10}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "rollouts.db"


@pytest.fixture
def journal(path: Path) -> Journal:
    return Journal(f"sqlite:///{path}")


def opened(journal: Journal, now: float = 100.0, holder: Holder = HERE, **different: t.Any) -> Ticket:
    return journal.open(PLAN, MEMBERS, holder, now, **different)


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


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(*(records(host) for host in names(4))), st.text(max_size=20))
def test_whatever_a_step_did_reads_back(journal: Journal, done: tuple[HostRecord, ...], why: str) -> None:
    ticket = opened(journal)
    done = tuple(dataclasses.replace(record, why=why) for record in done)
    journal.write(ticket, done, (), 200.0)
    assert journal.rollout(ticket.rollout).hosts == done
    assert journal.rollout(ticket.rollout).progressed == (200.0 if any(record.verdict is Verdict.CONVERGED for record in done) else 100.0)


def test_who_leaves_is_written_before_anything_moves(journal: Journal, path: Path) -> None:
    ticket = opened(journal)
    journal.leave(ticket, {"web1": ORIGINAL, "web2": {}}, 101.0)
    # Another process, or this one after kill -9, reads the same file.
    again = Journal(f"sqlite:///{path}")
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


def test_everything_that_happened_can_be_told(journal: Journal, path: Path) -> None:
    ticket = opened(journal)
    journal.leave(ticket, {"web1": ORIGINAL}, 101.0)
    journal.close(ticket, Verdict.HALTED, "no", 102.0)
    with sqlite3.connect(path) as db:
        events = db.execute("select at, host, kind from convoy_events order by number").fetchall()
    assert events == [(100.0, None, "opened"), (101.0, "web1", "leaving"), (102.0, None, "ended")]


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
def test_lost_lease_writes_nothing_at_all(journal: Journal, path: Path, write: str) -> None:
    lost = opened(journal, holder=ELSEWHERE)
    journal.leave(lost, {"web1": ORIGINAL}, 101.0)
    live = opened(journal, 102.0 + LEASE_SECONDS)
    before = _dump(path)
    with pytest.raises(LeaseLost, match=f"rollout {lost.rollout} has lost its lease"):
        WRITES[write](journal, lost)
    assert _dump(path) == before
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


def _dump(path: Path) -> list[str]:
    with sqlite3.connect(path) as db:
        return list(db.iterdump())


def test_live_rollout_is_not_interrupted_and_named(journal: Journal) -> None:
    ticket = opened(journal, holder=ELSEWHERE)
    with pytest.raises(
        LeaseTaken, match=r"app 'web': rollout 1 is going on, held by ann on other.example, process 7; nothing was touched"
    ) as caught:
        opened(journal, 100.0 + LEASE_SECONDS - 1)
    assert "convoy.rolling.status" in caught.value.message
    journal.renew(ticket, [], 200.0)
    assert journal.rollout(1).ended is None


def test_live_process_of_this_machine_keeps_its_lease(journal: Journal) -> None:
    opened(journal, holder=Holder.of(os.getppid()))
    with pytest.raises(LeaseTaken):
        opened(journal, 101.0)


def test_dead_process_loses_its_lease_at_once(journal: Journal) -> None:
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
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal, LeaseTaken
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


def test_of_two_controllers_that_start_together_exactly_one_rolls(path: Path) -> None:
    """The file is not even there yet: both make the tables, and neither fails over that."""
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, f"sqlite:///{path}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _one in range(2)
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


# -- looking, and what may be wrong with a database --------------------------------------------------------------------


def test_looking_makes_no_file(journal: Journal, path: Path) -> None:
    assert journal.absences("web") == ()
    assert journal.latest("web") is None
    assert journal.views(1) == ()
    with pytest.raises(RollingError, match="the journal has no rollout 1"):
        journal.rollout(1)
    assert not path.parent.exists()


def test_looking_makes_no_tables(journal: Journal, path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert journal.latest("web") is None
    assert path.read_bytes() == b""


def test_directory_of_the_journal_is_its_owners_alone(journal: Journal, path: Path) -> None:
    opened(journal)
    assert path.parent.stat().st_mode & 0o077 == 0


def fails_clearly(call: t.Callable[[], object]) -> str:
    with pytest.raises(RollingError) as caught:
        call()
    message = caught.value.message
    assert message.startswith("the journal at rollout_state_url")
    assert "\n" not in message and "Traceback" not in message and "[SQL" not in message
    return message


def test_file_that_is_no_database(journal: Journal, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"This is a shopping list, not a database. " * 50)
    for call in (lambda: opened(journal), lambda: journal.absences("web"), lambda: journal.latest("web")):
        assert "file is not a database" in fails_clearly(call)


def test_database_that_was_cut_short(journal: Journal, path: Path) -> None:
    opened(journal)
    path.write_bytes(path.read_bytes()[:5000])
    fails_clearly(lambda: journal.latest("web"))


@pytest.mark.parametrize("call", ["open", "read"])
def test_text_in_the_journal_that_nobody_here_wrote(journal: Journal, path: Path, call: str) -> None:
    opened(journal, holder=ELSEWHERE)
    with sqlite3.connect(path) as db:
        db.execute("update convoy_leases set holder = 'not json'")
        db.execute("update convoy_rollouts set plan = '{}'")
    fails_clearly((lambda: opened(journal)) if call == "open" else (lambda: journal.latest("web")))


def test_database_that_can_only_be_read(journal: Journal) -> None:
    ticket = opened(journal)
    event.listen(journal._store._engine, "connect", lambda db, _: db.execute("PRAGMA query_only = ON"))
    assert "readonly" in fails_clearly(lambda: journal.leave(ticket, {"web1": ORIGINAL}, 101.0))
    assert journal.latest("web")


def test_database_that_is_locked(journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(journal)
    monkeypatch.setattr(journal_store, "LOCK_SECONDS", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        assert "database is locked" in fails_clearly(lambda: opened(journal))
    finally:
        other.close()


def test_disk_that_is_full(journal: Journal) -> None:
    ticket = opened(journal)
    event.listen(journal._store._engine, "connect", lambda db, _: db.execute("PRAGMA max_page_count = 1"))
    originals = {f"host{number}": {WEB: {"admin": "ready" * 100}} for number in range(200)}
    assert "full" in fails_clearly(lambda: journal.leave(ticket, originals, 101.0))
    assert journal.absences("web") == ()


def test_directory_in_place_of_the_file(journal: Journal, path: Path) -> None:
    path.mkdir(parents=True)
    assert "unable to open database file" in fails_clearly(lambda: opened(journal))


def test_file_in_place_of_the_directory(journal: Journal, path: Path) -> None:
    path.parent.touch()
    fails_clearly(lambda: opened(journal))


def test_journal_of_a_later_collection_is_left_alone(journal: Journal, path: Path) -> None:
    opened(journal)
    with sqlite3.connect(path) as db:
        db.execute("update convoy_about set version = 99")
    before = _dump(path)
    for call in (lambda: opened(journal), lambda: journal.latest("web")):
        assert "has schema 99, this collection knows 1" in fails_clearly(call)
    assert _dump(path) == before


@pytest.mark.parametrize(
    "url",
    [
        "",
        "rollouts.db",
        "sqlite//x",
        "nosuchdb://user:hunter2@host/db",
        "postgresql+nosuchdriver://user:hunter2@host/db",
        "http://x:hunter2@y",
    ],
)
def test_what_is_no_database_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InputError, match=r"^rollout_state_url: ") as caught:
        Journal(url)
    assert "hunter2" not in caught.value.message
    assert "sqlite:////absolute/path.db" in caught.value.message


def test_password_is_never_shown(tmp_path: Path) -> None:
    journal = Journal(f"sqlite:///{tmp_path}")
    journal._store._url = journal._store._url.set(username="ann", password="hunter2")  # as the URL of a PostgreSQL has them
    message = fails_clearly(lambda: opened(journal))
    assert "hunter2" not in message and "ann:***" in message


def test_original_is_kept_as_data(journal: Journal, path: Path) -> None:
    ticket = opened(journal)
    journal.leave(ticket, {"web1": ORIGINAL}, 101.0)
    with sqlite3.connect(path) as db:
        assert json.loads(db.execute("select original from convoy_absences").fetchone()[0]) == ORIGINAL
