# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One step of a batch, taken and recorded: everything of it that the controller can do in this very process.

A task costs a worker, and its result is carried through Ansible value by value. What needs a task elsewhere, on a load balancer's host
or on the fleet's, was done by the tasks before, and comes as their results.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from ansible_collections.convoy.rolling.plugins.action import record
from ansible_collections.convoy.rolling.plugins.module_utils import members
from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.probes import ARGUMENT_SPEC, over_http, run
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import journal_and_ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import load_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.in_process import call_module
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART
from ansible_collections.convoy.rolling.plugins.plugin_utils.next_step import next_step
from ansible_collections.convoy.rolling.plugins.plugin_utils.probe_targets import with_urls
from ansible_collections.convoy.rolling.plugins.plugin_utils.release_commands import activate_command, answer_of, restart_command

_PRELOADED = over_http  # it imports requests, which each task's worker would do anew
_WHERE = ("provider", "address", "master", "pool", "members")


class ActionModule(record.ActionModule):
    """``convoy.rolling.step``"""

    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {
        **{name: spec for name, spec in record.ActionModule.ARGUMENTS.items() if name not in ("releases", "reached", "way_back")},
        "step": {"type": "str", "required": True, "choices": ["drained", "deployed", "verified", "back"]},
        "options": {"type": "dict", "default": {}},
        "move_timeout": {"type": "str"},
        "patience": {"type": "str"},
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        journal, ticket = journal_and_ticket(arguments)
        fleet = load_fleet(arguments["fleet"])
        rollout = journal.rollout(ticket.rollout)
        todo = next_step(fleet, rollout, arguments["hosts"], journal.absences(ticket.app))
        if arguments["step"] == "drained":
            return self._drain(journal, ticket, fleet, arguments, todo)
        done: dict[str, t.Any] = {}
        if arguments["step"] == "deployed":
            journal.prove(ticket, self.now())
            done["releases"] = self._switch(
                fleet, {host: todo["toward"].get(host, rollout.version) for host in todo["deploy"]}, arguments["patience"], task_vars
            )
        elif arguments["step"] == "verified":
            # Whom it finds let in is noted; what comes of it shows in the step that enables, which does the same.
            done["moves"] = [*arguments["moves"], *self._keep_out(journal, ticket, todo, arguments)]
            done["health"] = [*self._probe(with_urls(todo["targets"], fleet), arguments["options"]), *arguments["health"]]
        else:
            done["moves"] = [
                *arguments["moves"],
                *self._keep_out(journal, ticket, todo, arguments),
                *self._move(journal, ticket, todo["enable"], arguments, state="restored"),
            ]
        return self.record(journal, ticket, fleet, {**arguments, **done}, task_vars)

    def _drain(
        self, journal: Journal, ticket: Ticket, fleet: Fleet, arguments: dict[str, t.Any], todo: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        """Drain, record; and put back at once who could not leave everywhere."""
        moves = [*arguments["moves"], *self._move(journal, ticket, todo["drain"], arguments, state="drained")]
        result = self.record(journal, ticket, fleet, {**arguments, "moves": moves}, {})
        back = self._move(journal, ticket, result["restore"], {**arguments, "options": {}}, state="restored")
        if back:
            self.record(journal, ticket, fleet, {**arguments, "step": "restored", "hosts": [], "moves": back}, {})
        return {**result, "restore": [call for call in result["restore"] if not call["near"]]}

    def _keep_out(self, journal: Journal, ticket: Ticket, todo: dict[str, t.Any], arguments: dict[str, t.Any]) -> list[dict[str, t.Any]]:
        """Take out again who is out: a load balancer that was reloaded has forgotten it. Whoever is out still is only looked at."""
        plain = {**arguments, "options": {}}
        return self._move(journal, ticket, todo["keep_out"], plain, state="maintenance", quiet="0s", on_timeout="continue")

    def _move(
        self, journal: Journal, ticket: Ticket, calls: Iterable[dict[str, t.Any]], arguments: dict[str, t.Any], **how: t.Any
    ) -> list[dict[str, t.Any]]:
        """``lb_member`` for those of the calls that are near, one after another; each result has its call under ``item``."""

        def prove() -> None:
            journal.prove(ticket, self.now())

        if how["state"] != "drained":
            how["wait_timeout"] = arguments["move_timeout"]
        results = []
        for one in calls:
            if one["near"]:
                given = {**{name: one[name] for name in _WHERE}, **arguments["options"], **how}
                if how["state"] == "restored":
                    given["before"] = one["before"]
                else:
                    given.update(floor=one.get("floor"), floor_by=one.get("floor_by", "members"))
                if one["provider"] != "haproxy":
                    given["wait_full_weight"] = None  # the others have no slow start
                move = call_module(members.ARGUMENT_SPEC, lambda params, check_mode: members.run(params, check_mode, allowed=prove), given)
                results.append({**move, "item": one})
        return results

    def _switch(
        self, fleet: Fleet, versions: dict[str, str], patience: str | None, task_vars: dict[str, t.Any]
    ) -> dict[str, dict[str, t.Any]]:
        """Bring each of the hosts to its version."""
        seconds = to_seconds(patience, "patience") if patience else None
        inputs = {host.host: host for host in fleet.hosts}
        commands = {
            host: restart_command(inputs[host].restart or ":", inputs[host].mark)
            if version == RESTART
            else activate_command(str(inputs[host].root), version, inputs[host].restart)
            for host, version in versions.items()
        }
        return {host: answer_of(outcome) for host, outcome in self.on_hosts(commands, task_vars, seconds).items()}

    def _probe(self, targets: list[dict[str, t.Any]], options: dict[str, t.Any]) -> list[dict[str, t.Any]]:
        near = [target for target in targets if "command" not in target]
        return [call_module(ARGUMENT_SPEC, run, {**options, "targets": near})] if near else []
