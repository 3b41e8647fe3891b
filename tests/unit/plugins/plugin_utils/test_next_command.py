# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible import context
from ansible.module_utils.common.collections import ImmutableDict
from unit.plugins.plugin_utils.fleets import NEW, names, observed, plan, rollout, seen

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Observed, RolloutRecord, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.next_command import next_command
from ansible_collections.convoy.rolling.plugins.plugin_utils.verdict import conclude

OLD_FLEET = observed(2)


def typed(monkeypatch: pytest.MonkeyPatch, **arguments: t.Any) -> None:
    monkeypatch.setattr(context, "CLIARGS", ImmutableDict(arguments))


def proposed(record: RolloutRecord, look: Observed) -> str:
    return next_command(record, conclude(NEW, look, record))


def test_converged_fleet_has_nothing_left_to_do() -> None:
    assert proposed(rollout(plan(2, max_unavailable=1)), observed(2, **{host: seen(host, NEW) for host in names(2)})) == ""


def test_same_command_again_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, inventory=("hosts.yml", "more hosts"), args=("convoy.rolling.rolling",), extra_vars=("password=hunter2",))
    assert proposed(rollout(plan(2, max_unavailable=1)), OLD_FLEET) == (
        "ansible-playbook -i hosts.yml -i 'more hosts' convoy.rolling.rolling -e rollout_version=2.0"
    )


def test_version_that_failed_is_not_proposed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch)
    failed = rollout(plan(2, max_unavailable=1), HostRecord("web1", Step.DEPLOYED, Verdict.FAILED, "no"))
    assert proposed(failed, OLD_FLEET) == "ansible-playbook convoy.rolling.rolling -e rollout_version=A_GOOD_VERSION"


def test_version_that_fails_where_it_ran_already_is_not_proposed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch)
    before = observed(2, web1=seen("web1", NEW))
    turned_bad = observed(2, web1=seen("web1", NEW, healthy=False))
    assert proposed(rollout(plan(look=before, max_unavailable=1)), turned_bad).endswith("rollout_version=A_GOOD_VERSION")


def test_version_is_not_blamed_for_who_was_out_before_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch)
    half_done = observed(2, absent=["web1"])
    halted = rollout(plan(look=half_done, max_unavailable=1), halted="load balancer lb1: connection refused")
    assert proposed(halted, half_done) == "ansible-playbook convoy.rolling.rolling -e rollout_version=2.0"
