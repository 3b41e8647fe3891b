# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a step did to its hosts, written into the journal; and which hosts go on to the next step."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from ansible_collections.convoy.rolling.plugins.module_utils.lease_argument import RUN_ARGUMENT, STATE_URL_ARGUMENT
from ansible_collections.convoy.rolling.plugins.plugin_utils import progression
from ansible_collections.convoy.rolling.plugins.plugin_utils.baking import after_look, look_of, watched
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import ControllerStep, journal_and_ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import load_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.legs import as_asked, in_legs
from ansible_collections.convoy.rolling.plugins.plugin_utils.milestones import ONCE
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Leg, RolloutRecord
from ansible_collections.convoy.rolling.plugins.plugin_utils.next_step import next_step
from ansible_collections.convoy.rolling.plugins.plugin_utils.observation import health_by_host
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import WAYS_BACK
from ansible_collections.convoy.rolling.plugins.plugin_utils.progress import progress_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.progression import Progression
from ansible_collections.convoy.rolling.plugins.plugin_utils.restarts import same_process


class ActionModule(ControllerStep):
    """``convoy.rolling.record``"""

    _supports_check_mode = False
    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {
        "run": RUN_ARGUMENT,
        "fleet": {"type": "path", "required": True},
        "hosts": {"type": "list", "elements": "str", "required": True},
        "step": {
            "type": "str",
            "required": True,
            "choices": ["staged", "drained", "restored", "deployed", "tasks", "verified", "back", "looked", *ONCE],
        },
        "moves": {"type": "list", "elements": "dict", "default": []},
        "releases": {"type": "dict", "default": {}},
        "reached": {"type": "dict", "default": {}},
        "way_back": {"type": "str", "choices": list(WAYS_BACK), "default": "ignore"},
        "health": {"type": "list", "elements": "dict", "default": []},
        "pools": {"type": "list", "elements": "dict", "default": []},
        "wave": {"type": "str", "default": ""},
        "threshold": {"type": "int", "default": 1},
        "state_url": STATE_URL_ARGUMENT,
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        journal, ticket = journal_and_ticket(arguments)
        return self.record(journal, ticket, load_fleet(arguments["fleet"]), arguments, task_vars)

    def record(
        self, journal: Journal, ticket: Ticket, fleet: Fleet, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        """Write what came of a step, and say what is next."""
        before = journal.rollout(ticket.rollout)
        if arguments["step"] in ONCE:
            self._reach(journal, ticket, arguments, before, task_vars)
            return {"changed": False, "progress": None, **next_step(fleet, journal.rollout(ticket.rollout), [])}
        if arguments["step"] == "looked":
            self._write_look(journal, ticket, fleet, before, arguments)
        done = in_legs(self._progression(arguments, task_vars, fleet, before, journal), before)
        stuck = (
            progression.no_way_back(arguments["releases"]) if arguments["step"] == "staged" and arguments["way_back"] != "ignore" else ""
        )
        required = f"{stuck}; rollout_way_back is require" if stuck and arguments["way_back"] == "require" else ""
        halt = "" if before.halted else done.halt or required
        journal.write(ticket, done.records, done.members, self.now(), back=done.back, halt=halt, originals=done.originals)
        rollout, absences = journal.rollout(ticket.rollout), journal.absences(ticket.app)
        out = [absence.host for absence in absences]
        result = {
            "changed": False,
            **({"warnings": [stuck]} if stuck and not required else {}),
            "restore": list(done.restore),
            "progress": progress_of(rollout, out) if arguments["step"] == "back" else None,
            **next_step(fleet, rollout, done.going_on, absences),
        }
        # Whoever waits for a wave that bakes asks again after every look.
        return {**result, "again": not rollout.halted} if arguments["step"] == "looked" else result

    def _write_look(self, journal: Journal, ticket: Ticket, fleet: Fleet, rollout: RolloutRecord, arguments: dict[str, t.Any]) -> None:
        wave = next(wave for wave in rollout.plan.waves if wave.name == arguments["wave"])
        look = look_of(fleet, arguments["pools"], arguments["health"], watched(rollout, wave))
        now = self.now()
        known, failed = after_look(rollout, wave, look, arguments["threshold"], now)
        journal.write_wave(ticket, known, now, failed, look.members)

    def _progression(
        self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any], fleet: Fleet, rollout: RolloutRecord, journal: Journal
    ) -> Progression:
        step, hosts = arguments["step"], arguments["hosts"]
        if step == "looked":
            return Progression(())
        if step == "drained":
            out_before = [absence.host for absence in journal.absences(rollout.app) if absence.rollout != rollout.number]
            out_before += [record.host for record in rollout.hosts if record.leg is Leg.REVERT]
            return progression.after_drain(fleet.balancers, hosts, arguments["moves"], out_before)
        if step == "restored":
            return progression.after_restore(fleet.balancers, rollout.hosts, arguments["moves"], journal.views(rollout.number))
        if step in ("staged", "deployed"):
            releases = arguments["releases"]
            if step == "deployed" and not releases:
                # No release of ours was switched to: a person's own tasks deployed.
                failures = {host: {"error": why} for host, why in self._failures(hosts, rollout, task_vars).items()}
                releases = self._lost(arguments) | failures
            if step == "deployed":
                same = same_process(hosts, rollout.plan.restarts, arguments["releases"] or arguments.get("reached", {}))
                releases = {**releases, **{host: {"error": why, **releases.get(host, {})} for host, why in same.items()}}
            return progression.after_release(hosts, releases, staged=step == "staged")
        if step == "tasks":
            lost = {host: answer["unreachable"] for host, answer in self._lost(arguments).items()}
            return progression.after_tasks(
                [as_asked(rollout.host(host)) for host in hosts], self._failures(hosts, rollout, task_vars), lost
            )
        if step == "verified":
            return progression.after_verify(fleet.balancers, hosts, health_by_host(fleet, arguments["health"]), arguments["moves"])
        noted = [host for host in hosts if rollout.host(host).why and rollout.host(host).leg is not Leg.REVERT]
        return progression.after_enable(fleet.balancers, hosts, arguments["moves"], noted)

    def _reach(
        self, journal: Journal, ticket: Ticket, arguments: dict[str, t.Any], rollout: RolloutRecord, task_vars: dict[str, t.Any]
    ) -> None:
        """Tasks that run once for the fleet went well, or they did not."""
        failures = self._failures(arguments["hosts"], rollout, task_vars)
        lost = {host: f"{host} could not be reached: {answer['unreachable']}" for host, answer in self._lost(arguments).items()}
        journal.reach(ticket, arguments["step"], self.now(), "; ".join((lost | failures).values()))

    def _lost(self, arguments: dict[str, t.Any]) -> dict[str, dict[str, str]]:
        """Who could not be reached after a person's own tasks."""
        return {host: answer for host, answer in arguments.get("reached", {}).items() if answer.get("unreachable")}

    def _failures(self, hosts: Sequence[str], rollout: RolloutRecord, task_vars: dict[str, t.Any]) -> dict[str, str]:
        """What the rescue of a person's own tasks left as a fact on each host that failed in this rollout, on this part of its way."""
        failures = {}
        for host, variables in self.variables_of(hosts, task_vars).items():
            mark = variables.get("rollout_failed_task")
            # ansible-core 2.18 makes a text of the number.
            if mark and int(mark["rollout"]) == rollout.number and mark.get("leg", "") == rollout.host(host).leg.value:
                failures[host] = f"task {mark['task']!r} failed: {mark['msg']}"
        return failures
