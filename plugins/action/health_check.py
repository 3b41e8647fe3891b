# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``health_check`` without a transfer where the probes start from the controller."""

from __future__ import annotations

import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.probes import ARGUMENT_SPEC, over_http, run
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import load_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.in_process import InProcess, Run
from ansible_collections.convoy.rolling.plugins.plugin_utils.probe_targets import with_urls

_PRELOADED = over_http  # it imports requests, which each task's worker would do anew


class ActionModule(InProcess):
    """``convoy.rolling.health_check``"""

    ARGUMENT_SPEC: t.ClassVar[dict[str, t.Any]] = ARGUMENT_SPEC

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        arguments = dict(self._task.args)
        fleet = arguments.pop("fleet", None)
        if fleet:
            try:
                targets = with_urls(arguments.get("targets") or (), load_fleet(str(fleet)))
            except RollingError as error:
                return {"failed": True, "msg": error.message}
            self._task.args = {**arguments, "targets": targets}
        return super().run(tmp, task_vars)

    def here(self, params: dict[str, t.Any]) -> Run | None:
        # A command needs the module's own way of running one.
        commands = params.get("command") or any(target.get("command") for target in params.get("targets") or ())
        return None if commands else run
