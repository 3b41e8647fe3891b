# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person does to a rollout from elsewhere, by a mark in the journal; no host and no balancer is contacted."""

from __future__ import annotations

import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.lease_argument import STATE_URL_ARGUMENT
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import ControllerStep
from ansible_collections.convoy.rolling.plugins.plugin_utils.interventions import Intervention, Outcome
from ansible_collections.convoy.rolling.plugins.plugin_utils.next_command import command_for


class ActionModule(ControllerStep):
    """``convoy.rolling.control``"""

    _supports_check_mode = False
    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {
        "order": {"type": "str", "required": True, "choices": ["pause", "resume", "approve", "abort", "lock", "unlock"]},
        "hosts": {"type": "list", "elements": "str", "required": True},
        "reason": {"type": "str", "default": ""},
        "rollout_id": {"type": "str", "default": ""},
        "wave": {"type": "str", "default": ""},
        "state_url": STATE_URL_ARGUMENT,
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        person = Intervention(
            arguments["state_url"],
            self.app_of(arguments["hosts"], task_vars),
            self.notice(arguments["reason"].strip(), task_vars),
            lambda playbook: command_for(f"convoy.rolling.{playbook}"),
        )
        outcome = self._do(person, arguments)
        return {"changed": outcome.changed, "text": outcome.text}

    def _do(self, person: Intervention, arguments: dict[str, t.Any]) -> Outcome:
        if arguments["order"] == "unlock":
            return person.unlock(arguments["rollout_id"].strip())
        if arguments["order"] == "approve":
            return person.approve(arguments["wave"].strip())
        orders = {"pause": person.pause, "resume": person.resume, "abort": person.abort, "lock": person.lock}
        return orders[arguments["order"]]()
