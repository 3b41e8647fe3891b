# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The history of an app, read from the journal; no host and no balancer is contacted."""

from __future__ import annotations

import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.module_utils.lease_argument import STATE_URL_ARGUMENT
from ansible_collections.convoy.rolling.plugins.plugin_utils.annals import Annals
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import ControllerStep
from ansible_collections.convoy.rolling.plugins.plugin_utils.history_lines import history_lines, revision_lines
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import as_data


class ActionModule(ControllerStep):
    """``convoy.rolling.history``"""

    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {
        "hosts": {"type": "list", "elements": "str", "required": True},
        "revision": {"type": "str", "default": ""},
        "state_url": STATE_URL_ARGUMENT,
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        app = self.app_of(arguments["hosts"], task_vars)
        history = Annals(arguments["state_url"]).revisions(app)
        result: dict[str, t.Any] = {"changed": False, "app": app, "revisions": [as_data(one) for one in history]}
        wanted = arguments["revision"].strip()
        if not wanted:
            return {**result, "revision": None, "text": history_lines(app, history)}
        found = next((one for one in history if str(one.number) == wanted), None)
        if found is None:
            known = ", ".join(str(one.number) for one in history[-10:]) or "none"
            raise InputError(f"rollout_revision: {wanted!r} is no revision of app {app!r}; the newest are {known}.")
        rollout = Journal(arguments["state_url"]).rollout(found.number)
        whole = {**as_data(found), "plan": as_data(rollout.plan), "hosts": [as_data(host) for host in rollout.hosts]}
        return {**result, "revision": whole, "text": revision_lines(app, found, rollout)}
