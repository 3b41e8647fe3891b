# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One look at the fleet: what every host has installed, what it runs, and what every balancer says of it."""

from __future__ import annotations

import json
import typing as t
from collections import Counter

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.module_utils.lease_argument import STATE_URL_ARGUMENT
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import OBSERVED_ARGUMENT, ControllerStep, observed_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import load_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, Observed, RolloutRecord, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.outlets import OutletTrouble, write_whole
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import as_data
from ansible_collections.convoy.rolling.plugins.plugin_utils.restarts import goal
from ansible_collections.convoy.rolling.plugins.plugin_utils.state import State, state_of_fleet, status_data
from ansible_collections.convoy.rolling.plugins.plugin_utils.summary import status_lines
from ansible_collections.convoy.rolling.plugins.plugin_utils.verdict import conclude


class ActionModule(ControllerStep):
    """``convoy.rolling.status``"""

    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {
        "fleet": {"type": "path", "required": True},
        "observed": OBSERVED_ARGUMENT,
        "version": {"type": "str"},
        "converged": {"type": "bool", "default": False},
        "watched": {"type": "bool", "default": False},
        "timed_out": {"type": "bool", "default": False},
        "path": {"type": "path", "default": ""},
        "state_url": STATE_URL_ARGUMENT,
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        journal = Journal(arguments["state_url"])
        fleet = load_fleet(arguments["fleet"])
        observed = observed_of(fleet, arguments["observed"], journal)
        rollout = journal.latest(fleet.app)
        version = arguments["version"] or (rollout.version if rollout and rollout.version != RESTART else _commonest(observed))
        conclusion = conclude(version, observed, None)
        lines = status_lines(fleet.app, version, conclusion, observed.members)
        if rollout is not None:
            lines.append(
                f"newest rollout: {rollout.number} {goal(rollout.version)}: {rollout.verdict.value if rollout.verdict else 'going on'}"
            )
        lease = journal.lease(fleet.app)
        live = rollout is not None and lease.rollout == rollout.number and lease.is_live(self.now())
        state = state_of_fleet(conclusion, rollout, live, arguments["timed_out"])
        data = status_data(fleet.app, version, state, conclusion, rollout, live)
        if state is State.TIMED_OUT:
            lines.append("watched as long as rollout_watch_timeout says; the rollout goes on, and has not failed")
        lines += self._lease_lines(journal, fleet.app, rollout)
        lines += [f"out since rollout {absence.rollout}: {absence.host}" for absence in observed.absences]
        result: dict[str, t.Any] = {
            "changed": False,
            **data,
            "members": [as_data(member) for member in observed.members],
            "text": lines,
        }
        if arguments["path"] and not self.check_mode:
            try:
                write_whole(arguments["path"], json.dumps(data, indent=2) + "\n")
            except OutletTrouble as error:
                raise InputError(f"rollout_status_path: {error}.") from error
        short = arguments["converged"] and conclusion.verdict is not Verdict.CONVERGED
        if short or (arguments["watched"] and state in (State.HALTED, State.TIMED_OUT)):
            result.update(failed=True, msg="\n".join([f"{state.value}: {lines[0]}", *lines[1:]]))
        return result

    def _lease_lines(self, journal: Journal, app: str, rollout: RolloutRecord | None) -> list[str]:
        lease = journal.lease(app)
        lines = [f"frozen {lease.frozen}"] if lease.frozen else []
        if lease.rollout is not None:
            lines.append(f"{lease}{lease.silence(self.now())}")
        if rollout and rollout.ended is None:
            lines += [f"paused {rollout.paused}"] if rollout.paused else []
            lines += [rollout.abortion] if rollout.aborted else []
        return lines


def _commonest(observed: Observed) -> str:
    """Without a rollout to compare with, the fleet is measured by the version most of it runs."""
    running = Counter(seen.running or seen.installed for seen in observed.hosts if seen.running or seen.installed)
    return str(running.most_common(1)[0][0]) if running else "unknown"
