# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``lb_member`` without a transfer where the balancer is reached from the controller; and the lease proved before anything moves."""

from __future__ import annotations

import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.providers import RUN_COMMANDS
from ansible_collections.convoy.rolling.plugins.module_utils.members import ARGUMENT_SPEC, run
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import proof_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.in_process import InProcess, Run
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import plain


class ActionModule(InProcess):
    """``convoy.rolling.lb_member``"""

    ARGUMENT_SPEC: t.ClassVar[dict[str, t.Any]] = ARGUMENT_SPEC

    def here(self, params: dict[str, t.Any]) -> Run | None:
        # A command needs the module's own way of running one.
        if params["provider"] in RUN_COMMANDS:
            return None
        proof = proof_of(params.get("lease"))
        return lambda params, check_mode: run(params, check_mode, allowed=proof)

    def module_arguments(self) -> dict[str, t.Any]:
        arguments = super().module_arguments()
        if "lease" in arguments:
            lease = plain(self.validate_argument_spec(self.ARGUMENT_SPEC)[1])["lease"]
            del arguments["lease"]
            if not self._task.check_mode:
                proof_of(lease)()
        return arguments
