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
from dataclasses import replace

from ansible_collections.convoy.rolling.plugins.module_utils.clock import Clock, SystemClock
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.lease_argument import RUN_ARGUMENT, STATE_URL_ARGUMENT
from ansible_collections.convoy.rolling.plugins.plugin_utils import legs
from ansible_collections.convoy.rolling.plugins.plugin_utils.bake_looks import can_look, take_look
from ansible_collections.convoy.rolling.plugins.plugin_utils.baking import Look, after_look, next_look, watched
from ansible_collections.convoy.rolling.plugins.plugin_utils.condition_probes import ask
from ansible_collections.convoy.rolling.plugins.plugin_utils.conditions import Condition, Finding, Judgment, Moment, worst
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import ControllerStep, journal_and_ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import load_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.gate import decide
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import (
    Answer,
    Decision,
    Leg,
    Member,
    RolloutRecord,
    Stage,
    Verdict,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.next_command import command_for
from ansible_collections.convoy.rolling.plugins.plugin_utils.next_step import next_step
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.progress import progress_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.restarts import goal
from ansible_collections.convoy.rolling.plugins.plugin_utils.steps import LOOK_STEPS, MOMENTS, PHASES, steps_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.turned_bad import look_near, turned_bad
from ansible_collections.convoy.rolling.plugins.plugin_utils.waves import ended_at

_RESUME, _APPROVE = "convoy.rolling.resume", "convoy.rolling.approve"
_POLL = 0.1
_PAUSED_POLL = 0.5
_LOOK = 1.0  # seconds between two looks at a wave that bakes, at least
_GRACE = 30.0  # seconds that a host's own turn is waited for: those of the wave before may be about to ask


class ActionModule(ControllerStep):
    """``convoy.rolling.gate``"""

    _supports_check_mode = False
    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {
        "run": RUN_ARGUMENT,
        "fleet": {"type": "path", "required": True},
        "hosts": {"type": "list", "elements": "str", "required": True},
        "hooks": {"type": "list", "elements": "str", "choices": list(MOMENTS), "default": []},
        "own_deploy": {"type": "bool", "default": False},
        "policy": {"type": "dict", "required": True},
        "probe_options": {"type": "dict", "default": {}, "no_log": True},
        "state_url": STATE_URL_ARGUMENT,
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        journal, ticket = journal_and_ticket(arguments)
        policy = Policy.parse(arguments["policy"])
        fleet = load_fleet(arguments["fleet"])
        turned = self._turn_round(journal, ticket, fleet, arguments)
        if turned is not None:
            return turned
        # In a window every host asks by itself. One at a time, or two would be let into one place; the others cost nothing meanwhile.
        with _turn(arguments["fleet"]) as turn:
            self._see_who_turned_bad(journal, ticket, fleet)
            asking = _Asking(self, journal, ticket, fleet, policy, arguments["probe_options"], turn)
            rollout, members, absent, decision = asking.ask(arguments["hosts"])
            if decision.answer is Answer.HALT and not rollout.halted:
                journal.write(ticket, (), (), self.now(), halt=decision.reason)
                rollout = journal.rollout(ticket.rollout)
            if decision.admitted:
                journal.leave(ticket, {host: _original(host, members) for host in decision.admitted}, self.now())
        phases = legs.PHASES[Leg.NEW] if any(legs.is_rehearsing(rollout.host(host), rollout) for host in decision.admitted) else PHASES
        steps = steps_of(fleet, arguments["hooks"], arguments["own_deploy"], phases) if decision.admitted else []
        return {
            "changed": False,
            "answer": decision.answer.value,
            "reason": decision.reason,
            "progress": progress_of(rollout, {*absent, *decision.admitted}),
            "wave": decision.wave,
            "steps": LOOK_STEPS if decision.stage is Stage.BAKE else steps,
            **next_step(fleet, rollout, decision.admitted, journal.absences(ticket.app)),
        }

    def _turn_round(self, journal: Journal, ticket: Ticket, fleet: Fleet, arguments: dict[str, t.Any]) -> dict[str, t.Any] | None:
        """What hosts that are out do next, where that is another part of their way; None when nobody's is.

        Whatever was said or went wrong meanwhile, who is out comes back first; and nobody leaves by it. So neither the gate is asked, nor its
        turn waited for, which who waits for just such a host's place may have.
        """
        rollout = journal.rollout(ticket.rollout)
        turning = legs.due(rollout, [rollout.host(host) for host in arguments["hosts"]])
        # One part at a time; nobody rehearses while others fail, so that in practice there is one.
        turning = [record for record in turning if record.leg is turning[0].leg]
        if not turning:
            return None
        journal.write(ticket, turning, (), self.now())
        rollout, absences = journal.rollout(ticket.rollout), journal.absences(ticket.app)
        hooks = [hook for hook in arguments["hooks"] if not hook.endswith("_drain")]
        return {
            "changed": False,
            "answer": Answer.ADMIT.value,
            "reason": legs.reason(turning, rollout.version),
            "progress": progress_of(rollout, [absence.host for absence in absences]),
            "wave": "",
            "steps": steps_of(fleet, hooks, arguments["own_deploy"], legs.PHASES[turning[0].leg]),
            **next_step(fleet, rollout, [record.host for record in turning], absences),
        }

    def _see_who_turned_bad(self, journal: Journal, ticket: Ticket, fleet: Fleet) -> None:
        """A host that was fine on the version, and is not any more, counts before anybody else leaves."""
        rollout = journal.rollout(ticket.rollout)
        fine = (Verdict.CONVERGED, Verdict.SKIPPED)
        members = self.pools_now(fleet) if any(record.verdict in fine for record in rollout.hosts) else []
        bad = turned_bad(rollout, members)
        if bad:
            journal.write(ticket, bad, members, self.now())

    def pools_now(self, fleet: Fleet) -> list[Member]:
        """The pools as they are, as far as this process can ask."""
        return look_near(fleet)

    def clock(self) -> Clock:
        """What the gate waits by."""
        return SystemClock()

    def look(self, fleet: Fleet, hosts: list[str], options: dict[str, t.Any]) -> Look:
        """One look at the pools, and at these hosts."""
        return take_look(fleet, hosts, options)

    def findings(self, conditions: list[Condition]) -> list[Finding]:
        """What conditions say."""
        return ask(self, conditions)


class _Asking:
    """Asking until the answer is not to wait, and doing meanwhile what is waited for."""

    def __init__(
        self,
        action: ActionModule,
        journal: Journal,
        ticket: Ticket,
        fleet: Fleet,
        policy: Policy,
        probe_options: dict[str, t.Any],
        turn: t.IO[str],
    ) -> None:
        self._action, self._journal, self._ticket, self._turn = action, journal, ticket, turn
        self._controller = os.getppid()  # the process that runs the playbook
        self._fleet, self._policy, self._probe_options = fleet, policy, probe_options
        self._said: tuple[t.Any, ...] = ()
        self._accepted: set[str] = set()  # conditions that a person heard to be inconclusive, and let the rollout go on
        self._checked = False  # the conditions of a batch hold, as of a moment ago

    def ask(self, hosts: list[str]) -> tuple[RolloutRecord, tuple[Member, ...], list[str], Decision]:
        """Ask until the answer is not to wait, or to wait for what takes tasks elsewhere; every asking renews the lease."""
        clock = self._action.clock()
        until = self._action.now() + _GRACE
        while True:
            if os.getppid() != self._controller:
                raise RollingError("the controller has ended while this waited in the gate.")
            self._journal.renew(self._ticket, hosts, self._action.now())
            rollout = self._journal.rollout(self._ticket.rollout)
            members = self._journal.views(self._ticket.rollout)
            absent = [absence.host for absence in self._journal.absences(self._ticket.app)]
            decision = decide(hosts, rollout, self._policy, members, absent, self._action.now())
            self._say(rollout, decision)
            if decision.answer is Answer.HALT and decision.stage is Stage.TURN and self._action.now() < until:
                self._let_others_ask(clock)
                continue
            final = decision if decision.answer is Answer.HALT else self._tend(rollout, decision)
            if final is not None:
                return rollout, members, absent, final
            if decision.stage is Stage.TURN:
                self._let_others_ask(clock)
            elif decision.answer is Answer.WAIT:
                clock.sleep(_PAUSED_POLL if rollout.paused or decision.stage else _POLL)

    def _let_others_ask(self, clock: Clock) -> None:
        """Those of the wave before may be about to, in a window."""
        fcntl.flock(self._turn, fcntl.LOCK_UN)
        clock.sleep(_PAUSED_POLL)
        fcntl.flock(self._turn, fcntl.LOCK_EX)

    def _tend(self, rollout: RolloutRecord, decision: Decision) -> Decision | None:
        """Do what is waited for; the answer when there is one, None to ask again."""
        if decision.stage is Stage.BAKE:
            return self._bake(rollout, decision)
        if decision.stage is Stage.CHECK:
            return self._check_wave(rollout, decision)
        if decision.answer is Answer.WAIT:
            self._checked = False
            return None
        conditions = self._conditions(rollout, Moment.BEFORE_BATCH)
        if not decision.admitted or self._checked or not conditions:
            return decision
        trouble = self._judge(rollout, conditions)
        self._checked = trouble is None
        # They may have taken their time, so the gate is asked once more.
        return trouble if trouble is not None and trouble.answer is Answer.HALT else None

    def _bake(self, rollout: RolloutRecord, decision: Decision) -> Decision | None:
        wave = next(wave for wave in rollout.plan.waves if wave.name == decision.wave)
        near, record = can_look(self._fleet), rollout.wave(wave.name)
        interval = max(_LOOK, self._policy.health_interval)
        if self._action.now() < next_look(record.baking, ended_at(wave, rollout) or 0.0, interval, not near):
            return None
        if not near:
            return decision
        look = self._action.look(self._fleet, watched(rollout, wave), {**self._probe_options, "timeout": f"{self._policy.health_timeout}s"})
        now = self._action.now()
        known, failed = after_look(rollout, wave, look, self._policy.success_threshold, now)
        self._journal.write_wave(self._ticket, known, now, failed, look.members)
        return None

    def _check_wave(self, rollout: RolloutRecord, decision: Decision) -> Decision | None:
        trouble = self._judge(rollout, self._conditions(rollout, Moment.AFTER_WAVE))
        if trouble is None:
            now = self._action.now()
            self._journal.write_wave(self._ticket, replace(rollout.wave(decision.wave), passed=now), now)
        return trouble if trouble is not None and trouble.answer is Answer.HALT else None

    def _conditions(self, rollout: RolloutRecord, moment: Moment) -> list[Condition]:
        return [one for one in self._fleet.conditions if moment in one.moments and one.name not in rollout.plan.overridden]

    def _judge(self, rollout: RolloutRecord, conditions: list[Condition]) -> Decision | None:
        """Ask conditions: None when the rollout may go on; to wait when a person was asked to look at it."""
        judgment, bad = worst(self._action.findings(conditions))
        reason = "; ".join(map(str, bad))
        if judgment is Judgment.FAIL:
            return Decision(Answer.HALT, reason)
        fresh = {one.condition for one in bad} - self._accepted
        if not fresh:
            return None
        self._accepted |= fresh
        self._journal.pause(
            self._ticket, Notice("the rollout itself", f"{reason}; look into it and go on with {command_for(_RESUME)}", self._action.now())
        )
        return Decision(Answer.WAIT, reason)

    def _say(self, rollout: RolloutRecord, decision: Decision) -> None:
        """Tell whoever watches what is waited for, once."""
        if decision.answer is Answer.HALT:
            return
        stage = decision.stage if decision.stage is not Stage.TURN and not rollout.paused else None
        now = (rollout.paused, decision.wave if stage else "", stage)
        if now == self._said or (not self._said and now == (None, "", None)):
            return
        self._said = now
        what = f"paused {rollout.paused}" if rollout.paused else decision.reason if stage else "goes on"
        how = f"; let it begin with {command_for(_APPROVE)}" if stage is Stage.APPROVE else ""
        self._action.say(f'rollout of "{rollout.app}" {goal(rollout.version)}: {what}{how}')


@contextmanager
def _turn(path: str) -> Iterator[t.IO[str]]:
    """Be the only one of this run who asks; whoever ends, however, lets the next one in."""
    with open(path, encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _original(host: str, members: tuple[Member, ...]) -> dict[str, dict[str, t.Any]]:
    return {member.place: member.original for member in members if member.host == host}
