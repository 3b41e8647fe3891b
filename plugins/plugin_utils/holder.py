# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who runs a rollout: the process that must be alive for its lease to be worth anything."""

from __future__ import annotations

import getpass
import os
import socket
import typing as t
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ansible import context


@dataclass(frozen=True)
class Holder:
    """One controller process, told apart from a later one with the same number by when it started."""

    user: str
    node: str
    pid: int
    born: str  # the kernel's start time of the process; empty where /proc does not say, or it ended and nobody took note
    space: str = ""  # which boot and which process numbers ``pid`` belongs to: containers may share a host's name
    job: str = ""  # what a person knows the run by: a job of AWX, or the playbook of the command line

    @classmethod
    def of(cls, pid: int, job: str = "") -> Holder:
        """The holder for a process of this machine."""
        return cls(_user(), socket.gethostname(), pid, _born(pid), _space(), job)

    def is_same(self, other: Holder) -> bool:
        """Whether the two are one process."""
        return (self.node, self.space, self.pid, self.born) == (other.node, other.space, other.pid, other.born)

    def is_gone(self) -> bool:
        """Whether the process is known to have ended; a process of another machine never is."""
        return self._is_near() and (not _exists(self.pid) or _born(self.pid) != self.born)

    def is_stopped(self) -> bool:
        """Whether the process is known to be stopped, by Ctrl-Z, SIGSTOP or a debugger."""
        return self._is_near() and _stat(self.pid)[:1] in (["T"], ["t"])

    def _is_near(self) -> bool:
        return (self.node, self.space) == (socket.gethostname(), _space())

    def __str__(self) -> str:
        return f"{self.user} on {self.node}, process {self.pid}" + (f" ({self.job})" if self.job else "")

    def to_json(self) -> dict[str, t.Any]:
        """The holder as the journal keeps it."""
        return asdict(self)


def job_of(task_vars: Mapping[str, t.Any]) -> str:
    """What a person knows this run by: AWX says its job, anybody else typed a playbook."""
    return awx_job_of(task_vars) or " ".join(context.CLIARGS.get("args") or ())


def awx_job_of(task_vars: Mapping[str, t.Any]) -> str:
    """The job of AWX that this run is; empty when it is none."""
    named = [task_vars[name] for name in ("awx_job_id", "tower_job_id") if task_vars.get(name)]
    named += [os.environ["JOB_ID"]] if "AWX_HOST" in os.environ and "JOB_ID" in os.environ else []
    return f"AWX job {named[0]}" if named else ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user has no passwd entry
        return str(os.getuid())


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _born(pid: int) -> str:
    fields = _stat(pid)
    return "" if len(fields) < 20 or fields[0] in "ZX" else fields[19]


def _stat(pid: int) -> list[str]:
    """What the kernel says of a process, from its state on; nothing where there is no /proc."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            # The command, in brackets, may hold blanks and brackets itself; the start time is the 20th field after it.
            return stat.read().rpartition(")")[2].split()
    except OSError:
        return []


def _space() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot:
            return f"{boot.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""
