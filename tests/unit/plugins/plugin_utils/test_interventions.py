# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.fleets import names, plan, policy
from unit.plugins.plugin_utils.journals import sql

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.gate import decide
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.interventions import Intervention, Outcome
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import Frozen, LeaseLost, Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Answer, HostRecord, RolloutRecord, Step, Verdict, WaveRecord
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice, moment

HERE = Holder.of(os.getpid())
PLAN = plan(4, max_unavailable=2)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/j.db"


@pytest.fixture
def journal(url: str) -> Journal:
    return Journal(url)


@pytest.fixture
def ticket(journal: Journal) -> Ticket:
    return journal.open(PLAN, (), HERE, 100.0)


def person(url: str, now: float, why: str = "", by: str = "ann on ci1", app: str = "web") -> Intervention:
    return Intervention(url, app, Notice(by, why, now), lambda playbook: f"play {playbook}")


def answer(rollout: RolloutRecord, now: float) -> tuple[Answer, str]:
    decision = decide(names(4), rollout, policy(progress_deadline="10m"), (), (), now)
    return decision.answer, decision.reason


def test_paused_rollout_goes_on_where_it_was(url: str, journal: Journal, ticket: Ticket) -> None:
    assert person(url, 150.0, "an alarm").pause() == Outcome(
        True, "app 'web': rollout 1 to 2.0 pauses at its next gate; go on with `play resume`."
    )
    assert answer(journal.rollout(1), 9999.0) == (Answer.WAIT, f"paused by ann on ci1 at {moment(150.0)}: an alarm")
    again = person(url, 151.0, "another").pause()
    assert (again.changed, "is paused already, by ann on ci1 at" in again.text) == (False, True)
    assert person(url, 5000.0).resume() == Outcome(True, f"app 'web': rollout 1 to 2.0, not heard of since {moment(100.0)}, goes on.")
    # 50 s of its 600 were over when it was paused.
    assert answer(journal.rollout(1), 5549.0)[0] is Answer.ADMIT
    assert answer(journal.rollout(1), 5551.0)[0] is Answer.HALT
    assert person(url, 5000.0).resume() == Outcome(False, "app 'web': rollout 1 is not paused.")


def test_host_that_comes_back_while_paused_is_progress(url: str, journal: Journal, ticket: Ticket) -> None:
    person(url, 150.0).pause()
    journal.write(ticket, [HostRecord("web1", Step.BACK, Verdict.CONVERGED)], (), 250.0)
    person(url, 1000.0).resume()
    assert journal.rollout(1).progressed == 1000.0


def test_aborted_rollout_ends_and_stays_so(url: str, journal: Journal, ticket: Ticket) -> None:
    person(url, 150.0).pause()
    assert person(url, 150.0, "wrong build").abort() == Outcome(True, "app 'web': rollout 1 to 2.0 ends at its next gate.")
    assert answer(journal.rollout(1), 201.0) == (Answer.HALT, f"aborted by ann on ci1 at {moment(150.0)}: wrong build")
    assert not person(url, 151.0).abort().changed
    with pytest.raises(RollingError, match=r"rollout 1 is being aborted by ann on ci1 .*; there is nothing to pause"):
        person(url, 152.0).pause()


@pytest.mark.parametrize("order", ["pause", "resume", "abort"])
def test_nobody_to_tell(url: str, journal: Journal, order: str, tmp_path: Path) -> None:
    def said(now: float = 100.0) -> str:
        with pytest.raises(RollingError) as caught:
            getattr(person(url, now), order)()
        return caught.value.message

    assert said() == f"app 'web': no rollout is going on; there is nothing to {order}."
    assert not (tmp_path / "j.db").exists(), "looking makes no journal"
    ticket = journal.open(PLAN, (), dataclasses.replace(HERE, born="1"), 100.0)
    assert "rollout 1 to 2.0 is not going on, its controller has ended; there is nothing to" in said()
    journal.close(ticket, Verdict.CONVERGED, "", 101.0)
    assert said() == f"app 'web': no rollout is going on; there is nothing to {order}."
    assert journal.rollout(1).paused is None and journal.rollout(1).aborted is None


def test_freeze_needs_a_reason(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="rollout_reason: a freeze needs a reason"):
        person(url, 100.0).lock()
    assert not (tmp_path / "j.db").exists()


def test_frozen_app_takes_no_new_rollout_and_the_live_one_goes_on(url: str, journal: Journal, ticket: Ticket) -> None:
    frozen = person(url, 150.0, "audit").lock()
    assert frozen.changed and "lift it with `play unlock -e rollout_id=freeze`" in frozen.text
    assert "It does not touch rollout 1 to 2.0, which is going on; stop that with `play abort`." in frozen.text
    journal.renew(ticket, ["web1"], 151.0)
    with pytest.raises(Frozen, match=r"frozen by ann on ci1 .*: audit"):
        journal.open(PLAN, (), HERE, 202.0)
    journal.open(dataclasses.replace(PLAN, app="api"), (), HERE, 203.0)
    again = person(url, 204.0, "mine", "bob").lock()
    assert (again.changed, "is frozen already, by ann on ci1" in again.text) == (False, True)
    journal.close(ticket, Verdict.CONVERGED, "", 205.0)
    with pytest.raises(Frozen):
        journal.open(PLAN, (), HERE, 206.0)
    assert person(url, 207.0).unlock("freeze").changed
    journal.open(PLAN, (), HERE, 208.0)


def test_app_that_was_never_rolled_can_be_frozen(url: str, journal: Journal) -> None:
    assert person(url, 100.0, "not yet").lock().changed
    with pytest.raises(Frozen):
        journal.open(PLAN, (), HERE, 101.0)
    assert person(url, 102.0).unlock("freeze").changed
    assert journal.open(PLAN, (), HERE, 103.0).fence == 1


@pytest.mark.parametrize("which", ["", "7", "freeze", "1 ", "one"])
def test_lease_is_not_broken_by_who_does_not_know_its_number(url: str, journal: Journal, ticket: Ticket, which: str) -> None:
    with pytest.raises(RollingError) as caught:
        person(url, 101.0).unlock(which)
    assert f"app 'web' is locked by rollout 1 to 2.0, held by {HERE} since {moment(100.0)}" in caught.value.message
    assert "`play unlock -e rollout_id=1` breaks it" in caught.value.message
    assert caught.value.message.endswith("Nothing was changed.")
    assert caught.value.message.startswith("rollout_id: ") is bool(which)
    journal.renew(ticket, (), 102.0)


def test_broken_lease_is_lost_and_the_app_is_free(url: str, journal: Journal, ticket: Ticket) -> None:
    journal.leave(ticket, {"web1": {}}, 101.0)
    assert person(url, 102.0, "it hangs").unlock("1").changed
    for lost in (lambda: journal.renew(ticket, (), 103.0), lambda: journal.prove(ticket, 103.0)):
        with pytest.raises(LeaseLost, match=r"has lost its lease \(unlocked by ann on ci1: it hangs\)"):
            lost()
    assert (journal.rollout(1).verdict, journal.rollout(1).ended) == (Verdict.INTERRUPTED, 102.0)
    assert [absence.host for absence in journal.absences("web")] == ["web1"], "nobody is forgotten"
    assert journal.open(PLAN, (), Holder("bob", "ci2", 7, "1"), 104.0).fence == 2


def test_unlocking_what_nobody_holds_changes_nothing(url: str, journal: Journal, tmp_path: Path) -> None:
    free = Outcome(False, "app 'web' is not locked by anybody.")
    assert person(url, 100.0).unlock("") == free
    assert not (tmp_path / "j.db").exists()
    journal.close(journal.open(PLAN, (), HERE, 100.0), Verdict.CONVERGED, "", 101.0)
    assert person(url, 102.0).unlock("1") == free


WAVES = [1, {"name": "two", "hosts": 1, "approve": True}, {"name": "all", "hosts": "rest", "approve": True}]


def test_wave_is_approved_by_name_or_in_turn_and_who_did_it_is_kept(url: str, journal: Journal) -> None:
    made = plan(4, max_unavailable=2, waves=WAVES)
    journal.open(made, (), HERE, 100.0, waves=tuple(WaveRecord(wave.name) for wave in made.waves))
    assert person(url, 150.0, "fine").approve("") == Outcome(True, "app 'web': rollout 1 to 2.0: wave two is approved.")
    assert journal.rollout(1).wave("two").approved == Notice("ann on ci1", "fine", 150.0)
    again = person(url, 151.0).approve("two")
    assert not again.changed and "wave two is approved already, by ann on ci1 at " in again.text
    assert person(url, 151.0).approve("").changed
    assert not person(url, 152.0).approve("").changed, "there is no other"
    assert journal.rollout(1).wave("all").approved == Notice("ann on ci1", "", 151.0)
    for name, said in (("1", "1; those that do are two, all."), ("x", "x; those that do are two, all.")):
        with pytest.raises(RollingError, match=f"rollout_approve: app 'web': rollout 1 to 2.0 has no wave {said} Nothing was changed."):
            person(url, 153.0).approve(name)
    kinds = sql(url, "select kind, detail from convoy_events where kind = 'approved' order by number")
    assert kinds[0] == ("approved", '{"by": "ann on ci1", "why": "fine", "wave": "two"}') and len(kinds) == 2


def test_rollout_without_waves_needs_no_approval(url: str, ticket: Ticket) -> None:
    with pytest.raises(RollingError, match="has no wave that waits for approval; those that do are none"):
        person(url, 150.0).approve("")
