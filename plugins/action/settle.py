# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a rollout: one last look, the verdict, and the journal closed."""

from __future__ import annotations

import typing as t
from contextlib import suppress

from ansible import constants as C
from ansible import context

from ansible_collections.convoy.rolling.plugins.module_utils.clock import SystemClock
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.lease_argument import RUN_ARGUMENT, STATE_URL_ARGUMENT
from ansible_collections.convoy.rolling.plugins.plugin_utils import publisher
from ansible_collections.convoy.rolling.plugins.plugin_utils.annals import Annals
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import (
    OBSERVED_ARGUMENT,
    ControllerStep,
    journal_and_ticket,
    observed_of,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import load_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.milestones import why_not_contract, with_contract
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, RolloutRecord, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.next_command import back_again, next_command
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import as_data
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.progress import progress_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.revisions import Wanted, target_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.summary import summary_lines
from ansible_collections.convoy.rolling.plugins.plugin_utils.verdict import conclude, counts_of, reason_to_go_back


class ActionModule(ControllerStep):
    """``convoy.rolling.settle``"""

    _supports_check_mode = False
    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {
        "run": RUN_ARGUMENT,
        "fleet": {"type": "path", "required": True},
        "observed": OBSERVED_ARGUMENT,
        "contract": {"type": "bool", "default": False},
        "policy": {"type": "dict", "required": True},
        "able": {"type": "bool", "default": True},
        "allow_bad": {"type": "bool", "default": False},
        "history_limit": {"type": "int", "default": 100},
        "state_url": STATE_URL_ARGUMENT,
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        journal, ticket = journal_and_ticket(arguments)
        # With a balancer that does not answer, what it said last: the end of a rollout is told whatever happens.
        views = journal.views(ticket.rollout)
        observed = observed_of(load_fleet(arguments["fleet"]), arguments["observed"], journal, views)
        rollout = journal.rollout(ticket.rollout)
        conclusion = with_contract(conclude(rollout.version, observed, rollout), rollout)
        why_not = ""
        if arguments["contract"] and rollout.contracted_at is None and conclusion.verdict is Verdict.CONVERGED:
            why_not = why_not_contract(rollout, conclusion, observed, limited=bool(context.CLIARGS.get("subset")))
            if not why_not:
                return {"changed": False, "verdict": conclusion.verdict.value, "contract": True, "text": [], "progress": None}
        # Whoever is seen to serve is back, whatever became of the call that should have taken it out.
        unseen = {member.host for member in observed.members if member.balancer in observed.silent}
        serving = {member.host for member in observed.members} - {state.host for state in conclusion.out} - unseen
        back = [absence.host for absence in observed.absences if absence.host in serving]
        undo, notes = self._undo(arguments, ticket, reason_to_go_back(conclusion, rollout, Policy.parse(arguments["policy"])))
        command = "" if undo else next_command(rollout, conclusion)
        lines = summary_lines(rollout.app, rollout.version, conclusion, observed, command, back=rollout.back is not None)
        if why_not and rollout.version != RESTART:
            lines.append(f"  not contracted: {why_not}; the same command again does it then")
        lines += [f"  {line}" for line in notes]
        told = {"next": command, "text": lines, "counts": counts_of(conclusion)}
        journal.close(ticket, conclusion.verdict, conclusion.reason, self.now(), back, told)
        for outlet, trouble in publisher.finish(C.DEFAULT_LOCAL_TMP, ticket.rollout, SystemClock()).items():
            self.warn(f"{outlet}: {trouble}; the rollout itself is not concerned.")
        with suppress(RollingError):  # how it ended is told whatever happens
            Annals(arguments["state_url"]).prune(ticket.app, arguments["history_limit"])
        progress = {
            **progress_of(rollout, [absence.host for absence in observed.absences if absence.host not in back]),
            "verdict": conclusion.verdict.value,
            "halted": conclusion.reason,
            "available": len(conclusion.converged),
        }
        return {
            "changed": False,
            "verdict": conclusion.verdict.value,
            "contract": False,
            "hosts": as_data(conclusion)["hosts"],
            "next": command,
            "text": lines,
            "artifact": {
                "app": rollout.app,
                "version": rollout.version,
                "rollout": rollout.number,
                "verdict": conclusion.verdict.value,
                "counts": told["counts"],
                "out": [state.host for state in conclusion.out],
                "next": command,
            },
            "undo": undo,
            "complaint": self._complaint(rollout, lines[0], conclusion.verdict),
            "progress": progress,
        }

    def _undo(self, arguments: dict[str, t.Any], ticket: Ticket, why: str) -> tuple[dict[str, t.Any], list[str]]:
        """What begins by itself now, if anything, and what a person should know of it."""
        if not why:
            return {}, []
        annals = Annals(arguments["state_url"])
        wanted = Wanted(allow_bad=arguments["allow_bad"], undo=ticket.rollout)
        try:
            target = target_of(annals.revisions(ticket.app), annals.versions_before, wanted)
        except RollingError as error:
            return {}, [f"not rolled back: {error.message}"]
        if not arguments["able"]:
            again = back_again(target.back.revision)
            return {}, [f"not rolled back: tasks of your own need every host in this play; type {again}"]
        hosts = [host.host for host in load_fleet(arguments["fleet"]).hosts]
        return {"rollout": ticket.rollout, "why": why, "hosts": hosts}, [f"rolls back to {target.back.name} ({target.version})"]

    def _complaint(self, rollout: RolloutRecord, line: str, verdict: Verdict) -> str:
        """What the run fails with; empty when all is as it was wanted."""
        if verdict is not Verdict.CONVERGED or rollout.back is None or not rollout.back.by_itself:
            return "" if verdict is Verdict.CONVERGED else line
        return f'rolled back "{rollout.app}" to {rollout.back.name} ({rollout.version}): {rollout.back.why}'
