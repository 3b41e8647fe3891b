# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose move it was, and what it broke."""

from __future__ import annotations

import pytest

from soak.watchman import Ledger

WEB = ("lb1", "web")


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    ledger.begin(floor=2)
    ledger.see(0, WEB, pool("UP UP UP UP"))
    return ledger


def pool(words: str) -> dict[str, str]:
    return {f"web{number}": word for number, word in enumerate(words.split(), 1)}


def test_a_drain_below_the_floor_is_ours(ledger: Ledger) -> None:
    ledger.see(1, WEB, pool("DRAIN MAINT UP UP"))
    assert ledger.broken == [] and ledger.count(out=True) == 2
    ledger.see(2, WEB, pool("MAINT MAINT DRAIN UP"))
    assert ledger.broken == ["floor: 1 in service in lb1/web after web3 left, the floor is 2"]


def test_members_that_died_before_count_as_out_and_one_that_dies_meanwhile_does_not(ledger: Ledger) -> None:
    ledger.see(1, WEB, pool("DOWN DOWN UP UP"))
    assert ledger.broken == [], "nobody's order"
    ledger.see(1.5, WEB, pool("DOWN DOWN MAINT UP"))
    assert ledger.broken == [], "who ordered it can't have known"
    ledger.see(2.6, WEB, pool("DOWN DOWN MAINT MAINT"))
    assert len(ledger.broken) == 1


def test_a_person_may_go_below_the_floor_and_nobody_enables_whom_they_hold(ledger: Ledger) -> None:
    for host in ("web1", "web2", "web3"):
        ledger.hold(host)
    ledger.see(1, WEB, pool("DRAIN DRAIN DRAIN UP"))
    assert ledger.broken == [] and ledger.moves == []
    ledger.see(2, WEB, pool("UP DRAIN DRAIN UP"))
    assert ledger.broken == ["hold: web1 was held by a person, and was enabled on lb1/web"]


def test_who_was_out_before_a_balancer_started_anew_may_be_taken_out_again(ledger: Ledger) -> None:
    ledger.see(1, WEB, pool("MAINT MAINT UP UP"))
    ledger.forget("lb1")
    ledger.blind("lb1")
    ledger.see(2, WEB, pool("UP UP DOWN DOWN"))
    ledger.see(4, WEB, pool("MAINT MAINT DOWN DOWN"))
    assert ledger.broken == []
    ledger.begin(floor=2)
    ledger.see(5, WEB, pool("UP UP DOWN DOWN"))
    ledger.see(7, WEB, pool("MAINT UP DOWN DOWN"))
    assert len(ledger.broken) == 1, "in the next roll it is a drain as any other"
