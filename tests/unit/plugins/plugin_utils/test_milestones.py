# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest
from unit.plugins.plugin_utils.fleets import NEW, WEB, member, names, observed, plan, rollout, seen

from ansible_collections.convoy.rolling.plugins.plugin_utils.milestones import (
    Milestones,
    is_contract_left,
    reached_before,
    why_not_contract,
    with_contract,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, Observed, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.verdict import conclude

THERE = observed(3, **{host: seen(host, NEW) for host in names(3)})
DONE = plan(look=THERE)


def test_rollout_inherits_from_one_to_the_same_version_only() -> None:
    assert reached_before(None, NEW) == Milestones()
    earlier = rollout(expanded_at=5.0, contracted_at=7.0)
    assert reached_before(earlier, NEW) == Milestones(5.0, 7.0)
    assert reached_before(earlier, "3.0") == Milestones()


def test_contract_is_left_when_all_are_there_and_it_did_not_run() -> None:
    assert is_contract_left(rollout(DONE), DONE)
    assert not is_contract_left(None, DONE)
    assert not is_contract_left(rollout(DONE, contracted_at=7.0), DONE)
    assert not is_contract_left(rollout(DONE), dataclasses.replace(DONE, version="3.0"))
    assert not is_contract_left(rollout(DONE), plan()), "there are hosts to roll"
    assert not is_contract_left(rollout(DONE), dataclasses.replace(DONE, held={"web1": "a person"}))


@pytest.mark.parametrize(
    ("look", "limited", "why"),
    [
        (THERE, False, ""),
        (THERE, True, "only a part of the fleet was looked at, by --limit"),
        (observed(3), False, "the fleet did not converge"),
        (
            dataclasses.replace(THERE, members=(*THERE.members[:2], member("web3", out=True))),
            False,
            "web3 may run another version still",
        ),
        (
            dataclasses.replace(THERE, members=(*THERE.members, member("old7", WEB, host=None))),
            False,
            "nobody knows what old7 of lb1/web runs: it is no host of the play",
        ),
    ],
)
def test_contract_waits_until_nobody_may_need_what_it_takes_away(look: Observed, limited: bool, why: str) -> None:
    mine = rollout(DONE)
    assert why_not_contract(mine, conclude(NEW, look, mine), look, limited) == why


def test_restart_contracts_nothing() -> None:
    assert why_not_contract(dataclasses.replace(rollout(DONE), version=RESTART), conclude(NEW, THERE, None), THERE, False)


def test_contract_that_failed_is_the_end_of_a_fleet_that_converged() -> None:
    failed = rollout(DONE, halted="rollout_hooks.contract: task 'Drop' failed: locked")
    end = with_contract(conclude(NEW, THERE, failed), failed)
    assert (end.verdict, end.reason) == (Verdict.HALTED, failed.halted)
    other = rollout(DONE, halted="1 host failed")
    assert with_contract(conclude(NEW, THERE, other), other).verdict is Verdict.CONVERGED
