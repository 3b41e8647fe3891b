# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The heartbeat: a small process that renews a rollout's lease as long as the controller is alive and at work.

A lease that is renewed only where a step ends would have to outlive the longest of steps, and block everybody for as long when its
controller's machine is gone. A thread or child of a step's worker ends with the worker; so this process is nobody's child. It watches the
controller, ends when that is gone, when the rollout has ended, or when the lease is another's, and stays silent while the
controller is stopped: whoever comes then may take over.
"""

from __future__ import annotations

import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.clock import Clock, SystemClock
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import LEASE_SECONDS, LeaseLost
from ansible_collections.convoy.rolling.plugins.plugin_utils.orphan import start_orphan


class Watched(t.Protocol):
    """The controller's process, as ``holder.Holder`` knows it."""

    def is_gone(self) -> bool:
        """Whether it has ended."""

    def is_stopped(self) -> bool:
        """Whether a signal holds it up."""


_LOOK = 0.5


def beat(holder: Watched, renew: t.Callable[[], None], clock: Clock, every: float = LEASE_SECONDS / 6) -> None:
    """Renew until there is nothing to renew for.

    :param renew: renews the lease; what fails but for a lost lease is tried again at the next look.
    :param every: seconds between two renewals.
    """
    due = clock.now() + every
    while True:
        clock.sleep(min(_LOOK, every))
        if holder.is_gone():
            return
        if clock.now() < due or holder.is_stopped():
            continue
        try:
            renew()
        except LeaseLost:
            return
        except RollingError:
            continue  # the journal may come back; if it does not, the lease runs out
        due = clock.now() + every


def start(holder: Watched, renewing: t.Callable[[], t.Callable[[], None]]) -> None:
    """Start a heartbeat beside the controller, and return.

    :param renewing: makes ``renew`` in the new process, because a connection must not be shared.
    :raises RollingError: this machine has no room for one more process.
    """
    start_orphan("convoy-lease", lambda: beat(holder, renewing(), SystemClock()), "keep the lease")
