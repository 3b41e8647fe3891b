# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate, asked for a batch or for one host: admit, wait or halt; and the write-ahead of whoever is admitted."""

from __future__ import annotations

import fcntl
import os
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.convoy.rolling.plugins.module_utils.clock import SystemClock
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.lease_argument import RUN_ARGUMENT, STATE_URL_ARGUMENT
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import ControllerStep, journal_and_ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import load_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.gate import decide
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Answer, Decision, Member, RolloutRecord, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.next_step import next_step
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.progress import progress_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.restarts import goal
from ansible_collections.convoy.rolling.plugins.plugin_utils.steps import MOMENTS, steps_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.turned_bad import look_near, turned_bad

_POLL = 0.1
_PAUSED_POLL = 0.5


class ActionModule(ControllerStep):
    """``convoy.rolling.gate``"""

    _supports_check_mode = False
    _controller: int  # the process that runs the playbook
    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {
        "run": RUN_ARGUMENT,
        "fleet": {"type": "path", "required": True},
        "hosts": {"type": "list", "elements": "str", "required": True},
        "hooks": {"type": "list", "elements": "str", "choices": list(MOMENTS), "default": []},
        "own_deploy": {"type": "bool", "default": False},
        "policy": {"type": "dict", "required": True},
        "state_url": STATE_URL_ARGUMENT,
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        journal, ticket = journal_and_ticket(arguments)
        self._controller = os.getppid()
        policy = Policy.parse(arguments["policy"])
        fleet = load_fleet(arguments["fleet"])
        # In a window every host asks by itself. One at a time, or two would be let into one place; the others cost nothing meanwhile.
        with _turn(arguments["fleet"]):
            self._see_who_turned_bad(journal, ticket, fleet)
            rollout, members, absent, decision = self._ask(journal, ticket, arguments["hosts"], policy)
            if decision.answer is Answer.HALT and not rollout.halted:
                journal.write(ticket, (), (), self.now(), halt=decision.reason)
                rollout = journal.rollout(ticket.rollout)
            if decision.admitted:
                journal.leave(ticket, {host: _original(host, members) for host in decision.admitted}, self.now())
        return {
            "changed": False,
            "answer": decision.answer.value,
            "reason": decision.reason,
            "progress": progress_of(rollout, {*absent, *decision.admitted}),
            "steps": steps_of(fleet, arguments["hooks"], arguments["own_deploy"]) if decision.admitted else [],
            **next_step(fleet, rollout, decision.admitted, journal.absences(ticket.app)),
        }

    def _see_who_turned_bad(self, journal: Journal, ticket: Ticket, fleet: Fleet) -> None:
        """A host that was fine on the version, and is not any more, counts before anybody else leaves."""
        rollout = journal.rollout(ticket.rollout)
        members = self.look(fleet) if any(record.verdict in (Verdict.CONVERGED, Verdict.SKIPPED) for record in rollout.hosts) else []
        bad = turned_bad(rollout, members)
        if bad:
            journal.write(ticket, bad, members, self.now())

    def look(self, fleet: Fleet) -> list[Member]:
        """The pools as they are now, as far as this process can ask."""
        return look_near(fleet)

    def _ask(
        self, journal: Journal, ticket: Ticket, hosts: list[str], policy: Policy
    ) -> tuple[RolloutRecord, tuple[Member, ...], list[str], Decision]:
        """Ask until the answer is not to wait; every asking renews the lease."""
        clock, paused = SystemClock(), None
        while True:
            if os.getppid() != self._controller:
                raise RollingError("the controller has ended while this waited in the gate.")
            journal.renew(ticket, hosts, self.now())
            rollout = journal.rollout(ticket.rollout)
            members = journal.views(ticket.rollout)
            absent = [absence.host for absence in journal.absences(ticket.app)]
            decision = decide(hosts, rollout, policy, members, absent, self.now())
            if rollout.paused != paused and decision.answer is not Answer.HALT:
                paused = rollout.paused
                self.say(f'rollout of "{rollout.app}" {goal(rollout.version)}: ' + (f"paused {paused}" if paused else "goes on"))
            if decision.answer is not Answer.WAIT:
                return rollout, members, absent, decision
            clock.sleep(_PAUSED_POLL if paused else _POLL)


@contextmanager
def _turn(path: str) -> Iterator[None]:
    """Be the only one of this run who asks; whoever ends, however, lets the next one in."""
    with open(path, encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _original(host: str, members: tuple[Member, ...]) -> dict[str, dict[str, t.Any]]:
    return {member.place: member.original for member in members if member.host == host}
