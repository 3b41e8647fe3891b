# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the lease reaches a call of ``lb_member``; what the call does with it is in test_member_moves.py."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from unit.plugins.module_utils.fake_balancer import World, pool_of
from unit.plugins.plugin_utils.fleets import plan
from unit.plugins.plugin_utils.real_action import Run

from ansible_collections.convoy.rolling.plugins.action import lb_member
from ansible_collections.convoy.rolling.plugins.module_utils import members
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import as_data

OPTIONS = {"provider": "haproxy", "address": "/none.sock", "pool": "web", "members": ["web1"], "state": "drained"}


class Sent(lb_member.ActionModule):
    """Says what would be sent to another host."""

    def _execute_module(self, **sent: t.Any) -> dict[str, t.Any]:
        return {"sent": sent["module_args"]}


@pytest.fixture
def lease(state: Path) -> dict[str, t.Any]:
    url = f"sqlite:///{state}/journal.db"
    ticket = Journal(url).open(plan(2, max_unavailable=1), (), Holder.of(1), 100.0)
    return {"run": as_data(ticket), "state_url": url}


def lose(lease: dict[str, t.Any]) -> dict[str, t.Any]:
    return {**lease, "run": {**lease["run"], "fence": 0}}


def elsewhere(monkeypatch: pytest.MonkeyPatch, task: dict[str, t.Any] | None = None, **arguments: t.Any) -> dict[str, t.Any]:
    action = Run(**(task or {})).action(Sent, **OPTIONS, **arguments)
    monkeypatch.setattr(type(action._connection), "transport", "ssh")
    return t.cast("dict[str, t.Any]", action.run(task_vars={}))


def test_module_on_another_host_is_sent_when_the_lease_is_proved_and_never_sees_it(
    monkeypatch: pytest.MonkeyPatch, lease: dict[str, t.Any]
) -> None:
    assert elsewhere(monkeypatch, lease=lease) == {"sent": OPTIONS}
    assert elsewhere(monkeypatch) == {"sent": OPTIONS}
    refused = elsewhere(monkeypatch, lease=lose(lease))
    assert refused["failed"] and "rollout 1 has lost its lease" in refused["msg"]
    assert elsewhere(monkeypatch, {"check_mode": True}, lease=lose(lease)) == {"sent": OPTIONS}


def test_call_here_asks_again_before_each_order(monkeypatch: pytest.MonkeyPatch, lease: dict[str, t.Any]) -> None:
    world = World(pool_of(2))

    def run(params: dict[str, t.Any], check_mode: bool, **more: t.Any) -> dict[str, t.Any]:
        return members.run({**params, "provider": "fake"}, check_mode, world.clock, {"fake": world.provider()}, **more)

    def stopped_and_back(number: int) -> None:
        if number == 2:
            Journal(lease["state_url"]).close(Ticket(**lease["run"]), Verdict.HALTED, "", 101.0)

    monkeypatch.setattr(lb_member, "run", run)
    world.before_read = stopped_and_back
    result = Run().action(lb_member.ActionModule, **OPTIONS, lease=lease).run(task_vars={})
    assert [change.admin for order in world.orders for change in order] == ["drain"]
    assert result["failed"] and "has lost its lease" in result["msg"]
    assert "has lost its lease" in result["members"][0]["error"]
