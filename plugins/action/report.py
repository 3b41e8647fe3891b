# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a rollout, from the journal alone; no host and no balancer is contacted."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.lease_argument import STATE_URL_ARGUMENT
from ansible_collections.convoy.rolling.plugins.plugin_utils import charts
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import ControllerStep
from ansible_collections.convoy.rolling.plugins.plugin_utils.history import Picture
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.metrics import state_of_rollout
from ansible_collections.convoy.rolling.plugins.plugin_utils.outlet_settings import report_file
from ansible_collections.convoy.rolling.plugins.plugin_utils.outlets import OutletTrouble, write_whole
from ansible_collections.convoy.rolling.plugins.plugin_utils.report import report_html
from ansible_collections.convoy.rolling.plugins.plugin_utils.restarts import goal


class ActionModule(ControllerStep):
    """``convoy.rolling.report``"""

    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {
        "hosts": {"type": "list", "elements": "str", "required": True},
        "path": {"type": "str", "default": ""},
        "rollout_id": {"type": "str", "default": ""},
        "state_url": STATE_URL_ARGUMENT,
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        app = self.app_of(arguments["hosts"], task_vars)
        picture = self._picture(Journal(arguments["state_url"]), app, arguments["rollout_id"].strip())
        given = os.path.expanduser(arguments["path"] or "./")
        path = os.path.abspath(report_file(given, app, picture.rollout.number))
        if not self.check_mode:
            try:
                write_whole(path, report_html(picture, self.now()))
            except OutletTrouble as error:
                raise InputError(f"rollout_report_path: {error}. Nothing was changed.") from error
            if charts.MISSING:
                self.warn(charts.MISSING)
        state = state_of_rollout(picture)
        text = f'rollout {picture.rollout.number} of "{app}" {goal(picture.rollout.version)}: {state}: {path}'
        return {"changed": True, "path": path, "rollout": picture.rollout.number, "state": state, "text": text}

    def _picture(self, journal: Journal, app: str, which: str) -> Picture:
        if which and not (which.isascii() and which.isdigit()):
            raise InputError(f"rollout_id: {which!r} is not the number of a rollout. Nothing was changed.")
        rollout = journal.rollout(int(which)) if which else journal.latest(app)
        if rollout is None or rollout.app != app:
            raise RollingError(f"app {app!r}: there is no rollout{' ' + which if which else ''} in the journal. Nothing was changed.")
        return Picture(rollout, journal.events(app, rollout=rollout.number))
