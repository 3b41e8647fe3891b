# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The providers there are: a new one is a line here and its own file."""

from __future__ import annotations

import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import Balancer
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.caddy import Caddy
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.haproxy import HAProxy
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.nginx import Nginx, RunCommand
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.readiness import Readiness

PROVIDERS: t.Mapping[str, type[Balancer]] = {provider.provider: provider for provider in (Caddy, HAProxy, Nginx, Readiness)}

RUN_COMMANDS = frozenset({Nginx.provider})
"""Those that cannot change a member without running a command."""


def able_to_run(run_command: RunCommand) -> t.Mapping[str, type[Balancer]]:
    """The providers, with a module's way of running commands handed to those that need it."""

    class RunningNginx(Nginx):
        pass

    RunningNginx.run_command = staticmethod(run_command)
    return {**PROVIDERS, Nginx.provider: RunningNginx}
