# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until no rollout of an app is going on, and say meanwhile how far it is; from the journal alone."""

from __future__ import annotations

import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.clock import Clock, SystemClock
from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.lease_argument import STATE_URL_ARGUMENT
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import ControllerStep
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.progress import lines_of, progress_of

_POLL = 1.0


class ActionModule(ControllerStep):
    """``convoy.rolling.watch``"""

    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {
        "hosts": {"type": "list", "elements": "str", "required": True},
        "timeout": {"type": "str", "default": "30m"},
        "state_url": STATE_URL_ARGUMENT,
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        patience = to_seconds(arguments["timeout"], "rollout_watch_timeout")
        app = self.app_of(arguments["hosts"], task_vars)
        return {"changed": False, "timed_out": self.wait(Journal(arguments["state_url"]), app, patience, SystemClock())}

    def wait(self, journal: Journal, app: str, patience: float, clock: Clock) -> bool:
        """Whether a rollout was still going on when the time was over."""
        give_up = clock.now() + patience
        shown: list[str] = []
        while True:
            lease = journal.lease(app)
            if lease.rollout is None or not lease.is_live(self.now()):
                return False
            rollout = journal.rollout(lease.rollout)
            lines = lines_of(progress_of(rollout))
            if rollout.paused:
                lines.append(f'rollout of "{app}" to {rollout.version}: paused {rollout.paused}')
            for line in lines:
                if line not in shown:
                    self.say(line)
            shown = lines
            if clock.now() >= give_up:
                return True
            clock.sleep(min(_POLL, max(0.0, give_up - clock.now())))
