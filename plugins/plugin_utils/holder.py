# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who runs a rollout: the process that must be alive for its lease to be worth anything."""

from __future__ import annotations

import getpass
import os
import socket
import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Holder:
    """One controller process, told apart from a later one with the same number by when it started."""

    user: str
    node: str
    pid: int
    born: str  # the kernel's start time of the process; empty where /proc does not say, or it ended and nobody took note

    @classmethod
    def of(cls, pid: int) -> Holder:
        """The holder for a process of this machine."""
        return cls(_user(), socket.gethostname(), pid, _born(pid))

    def is_gone(self) -> bool:
        """Whether the process is known to have ended; a process of another machine never is."""
        return self.node == socket.gethostname() and (not _exists(self.pid) or _born(self.pid) != self.born)

    def __str__(self) -> str:
        return f"{self.user} on {self.node}, process {self.pid}"

    def to_json(self) -> dict[str, t.Any]:
        """The holder as the journal keeps it."""
        return {"user": self.user, "node": self.node, "pid": self.pid, "born": self.born}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user has no passwd entry
        return str(os.getuid())


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _born(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            # The command, in brackets, may hold blanks and brackets itself; the start time is the 20th field after it.
            fields = stat.read().rpartition(")")[2].split()
            return "" if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return ""
