# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process that outlives the step that starts it: a child of a step's worker would end with the worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError


def start_orphan(name: str, work: Callable[[], None], purpose: str) -> None:
    """Start a process beside the controller, and return.

    :param name: what ``ps`` calls it.
    :param work: what it does; it makes its own connections, because they must not be shared.
    :param purpose: what it is for, for the error.
    :raises RollingError: this machine has no room for one more process.
    """
    try:
        child = os.fork()
    except OSError as error:
        raise RollingError(f"no process could be started to {purpose}: {error.strerror}. Nothing was touched.") from error
    if child:
        os.waitpid(child, 0)
        return
    try:
        # In a session of its own and orphaned, it gets no signal of the controller's and is waited for by nobody.
        os.setsid()
        if os.fork() == 0:
            _let_go(name)
            work()
    finally:
        os._exit(0)  # whatever happened, never into what the worker would do next


def _let_go(name: str) -> None:
    """Leave everything behind that was the worker's: signal handlers, and open files, or who reads from a pipe would wait for us."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for opened in os.listdir("/dev/fd"):
        try:
            # Not closed: an object that still knows the number would close what is opened under it later.
            os.dup2(nothing, int(opened))
        except OSError:
            continue  # the list of them itself, which is closed by now
    try:
        with open("/proc/self/comm", "w", encoding="ascii") as comm:
            comm.write(name)
    except OSError:
        pass  # not on this platform
