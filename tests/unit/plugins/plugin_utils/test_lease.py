# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lease, beside what test_journal.py shows of it over a whole journal."""

from __future__ import annotations

import dataclasses
import os
import typing as t
from pathlib import Path

import pytest
from unit.plugins.fake_clock import FakeClock
from unit.plugins.plugin_utils.fleets import plan

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import (
    LEASE_SECONDS,
    Frozen,
    Lease,
    LeaseLost,
    LeaseTaken,
    Ticket,
    wait_for_turn,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice

HERE = Holder.of(os.getpid())
ANN = Holder("ann", "ci1", 7, "1", job="AWX job 9")
LIVE = Lease("web", 3, 5, ANN, 160.0, version="2.0", cause="it is time", since=100.0)
FROZEN = dataclasses.replace(LIVE, frozen=Notice("bob on ci2", "audit", 50.0))
PLAN = plan(2, max_unavailable=1)


def wait(lease: t.Callable[[float], Lease], patience: float = 0) -> tuple[int, float, list[str]]:
    """The fence, when the wait was over, and what was said."""
    clock, said = FakeClock(), list[str]()
    fence = wait_for_turn(lambda: lease(clock.now()), HERE, patience, clock, lambda: 100 + clock.now(), said.append)
    return fence, clock.now(), said


def test_free_lease_is_not_waited_for() -> None:
    assert wait(lambda _now: Lease("web", 4)) == (4, 0, [])


def test_live_one_is_refused_at_once_naming_all_that_is_known() -> None:
    with pytest.raises(LeaseTaken) as caught:
        wait(lambda _now: LIVE)
    for said in (
        "rollout 5 to 2.0 (it is time)",
        "is going on since 1970-01-01",
        "held by ann on ci1, process 7 (AWX job 9)",
        "rollout_lock_wait",
    ):
        assert said in caught.value.message


def test_turn_comes_when_the_other_ends_or_is_not_heard_of_any_more() -> None:
    fence, now, said = wait(lambda now: LIVE if now < 20 else Lease("web", 3), 30)
    assert (fence, now) == (3, 20)
    assert said == ["app 'web': waiting up to 30 s for rollout 5 to 2.0 (it is time) to end, held by ann on ci1, process 7 (AWX job 9)"]
    assert wait(lambda now: LIVE, 90)[1] == 60, "the lease is over then"


def test_patience_ends() -> None:
    renewed = dataclasses.replace(LIVE, expires=1e9)
    with pytest.raises(LeaseTaken):
        wait(lambda now: renewed if now <= 30 else pytest.fail("too late"), 30)


def test_freeze_is_never_waited_on() -> None:
    for lease in (FROZEN, Lease("web", frozen=FROZEN.frozen)):
        with pytest.raises(Frozen, match=r"app 'web' is frozen by bob on ci2 at 1970-.*: audit; nothing was touched.*rollout_id=freeze"):
            wait(lambda now, lease=lease: lease if not now else pytest.fail("it waited"), 1000)  # type: ignore[misc]


def test_own_rollout_is_not_waited_for() -> None:
    mine = dataclasses.replace(LIVE, holder=dataclasses.replace(HERE, job="another"))
    assert wait(lambda _now: mine)[0] == 3


# -- in a journal ------------------------------------------------------------------------------------------------------


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(f"sqlite:///{tmp_path}/j.db")


def expires(journal: Journal) -> float:
    return journal.lease("web").expires


def test_lease_tells_all_of_its_rollout(journal: Journal) -> None:
    assert journal.lease("web") == Lease("web")
    ticket = journal.open(PLAN, (), ANN, 100.0, cause="it is time")
    assert journal.lease("web") == Lease("web", 1, ticket.rollout, ANN, 100 + LEASE_SECONDS, None, "2.0", "it is time", 100.0)
    journal.close(ticket, Verdict.CONVERGED, "", 110.0)
    assert journal.lease("web") == Lease("web", 1, None, ANN)


def test_proof_only_looks_as_long_as_the_lease_lasts_a_while(journal: Journal) -> None:
    ticket = journal.open(PLAN, (), ANN, 100.0)
    journal.prove(ticket, 100 + LEASE_SECONDS / 2 - 1)
    assert expires(journal) == 100 + LEASE_SECONDS
    # Whoever acts on it must not be overtaken in the next moments: what ends soon, or is over, is renewed first.
    for now in (100 + LEASE_SECONDS / 2, 1000.0):
        journal.prove(ticket, now)
        assert expires(journal) == now + LEASE_SECONDS


@pytest.mark.parametrize("different", [{"fence": 2}, {"fence": 0}, {"rollout": 2}, {"app": "other"}])
def test_forged_ticket_proves_nothing(journal: Journal, different: dict[str, t.Any]) -> None:
    with pytest.raises(LeaseLost):
        journal.prove(dataclasses.replace(journal.open(PLAN, (), ANN, 100.0), **different), 101.0)


def test_lost_lease_says_to_what(journal: Journal) -> None:
    lost = journal.open(PLAN, (), ANN, 100.0)
    journal.open(dataclasses.replace(PLAN, version="3.0"), (), HERE, 101.0 + LEASE_SECONDS)
    with pytest.raises(LeaseLost, match=r"rollout 1 has lost its lease \(superseded by rollout 2\); it moves nothing any more"):
        journal.prove(lost, 200.0)


def test_nothing_is_proved_without_the_journal(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(RollingError):
        journal.prove(Ticket("web", 1, 1), 100.0)
    (tmp_path / "j.db").mkdir()
    with pytest.raises(RollingError, match="the journal at rollout_state_url"):
        journal.prove(Ticket("web", 1, 1), 100.0)


def test_plan_made_before_another_rollout_came_in_is_refused(journal: Journal) -> None:
    seen = journal.lease("web").fence
    journal.close(journal.open(PLAN, (), ANN, 100.0), Verdict.CONVERGED, "", 101.0)
    with pytest.raises(LeaseTaken, match="another rollout came in while this one looked at the fleet; nothing was touched"):
        journal.open(PLAN, (), HERE, 102.0, seen=seen)
    assert journal.latest("web") == journal.rollout(1)
    journal.open(PLAN, (), HERE, 103.0, seen=journal.lease("web").fence)


@pytest.mark.parametrize(
    ("version", "verdict", "reason"),
    [("2.0", Verdict.INTERRUPTED, "its controller ended"), ("3.0", Verdict.CANCELLED, "superseded by rollout 3")],
)
def test_unfinished_rollout_ends_as_what_comes_after_it_says(journal: Journal, version: str, verdict: Verdict, reason: str) -> None:
    journal.open(PLAN, (), HERE, 100.0)
    journal.open(dataclasses.replace(PLAN, app="api"), (), HERE, 100.0)
    journal.open(dataclasses.replace(PLAN, version=version), (), HERE, 200.0)
    old = journal.rollout(1)
    assert (old.verdict, old.reason, old.ended) == (verdict, reason, 200.0)
    assert journal.rollout(2).ended is None and journal.rollout(3).ended is None
