# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An sshd for each host of a fleet, so that a host can be cut off, frozen or rebooted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import typing as t
from contextlib import suppress
from pathlib import Path

from fleet.fleet import Fleet
from fleet.sshd import Sshd
from fleet.waiting import wait_until


class Ssh:
    """The way to the hosts of a fleet. Use it as a context manager, inside the fleet's.

    :param sshd: the binary.
    """

    def __init__(self, fleet: Fleet, sshd: str) -> None:
        self._fleet = fleet
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        # For the sockets of shared connections, whose paths must be short.
        self._sockets = tempfile.mkdtemp(prefix="cp-")
        self._directory = fleet.directory / "ssh"
        self._sshd = Sshd(sshd, self._directory)
        self._commands = {name: self._sshd.serve(name, fleet.ports.take()) for name in fleet.hosts}

    @property
    def variables(self) -> dict[str, t.Any]:
        """For the inventory."""
        return {
            "ansible_connection": "ssh",
            "ansible_ssh_common_args": self._sshd.client_arguments,
            "ansible_ssh_args": "-o ControlMaster=auto -o ControlPersist=15s",
            "ansible_control_path_dir": self._sockets,
            "ansible_pipelining": True,
            "ansible_timeout": 3,
        }

    def __enter__(self) -> Ssh:
        for name in self._fleet.hosts:
            self.connect(name)
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._running):
            self.thaw(name)
            self.cut(name)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def connect(self, name: str) -> None:
        """Start the host's sshd."""
        with (self._directory / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                self._commands[name], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(lambda: b"Server listening" in (self._directory / f"{name}.log").read_bytes(), 30, f"sshd of {name}")

    def cut(self, name: str) -> None:
        """The host can't be reached any more; what runs there runs on."""
        sshd = self._running.pop(name)
        self._signal(name, sshd.pid, signal.SIGKILL)
        sshd.wait()

    def freeze(self, name: str) -> None:
        """The host's app and sshd stand still; connections stay open.

        :raises KeyError: the app does not answer, so nobody knows its process.
        """
        os.kill(self._fleet.health(name)[1]["pid"], signal.SIGSTOP)
        self._signal(name, self._running[name].pid, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        with suppress(OSError, ValueError):
            os.kill(int((self._fleet.hosts[name].directory / "pid").read_text()), signal.SIGCONT)
        self._signal(name, self._running[name].pid, signal.SIGCONT)

    def power_off(self, name: str) -> None:
        """Everything on the host ends at once."""
        self.cut(name)
        self._fleet.kill(name)

    def boot(self, name: str) -> None:
        self._fleet.control("start", name)
        self.connect(name)

    def _signal(self, name: str, first: int, number: int) -> None:
        """To an sshd and those it forked, not to what they run."""
        family = [first]
        for pid in family:
            with suppress(OSError):
                family += [child for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()) if _is_sshd(child)]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _is_sshd(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("sshd")
    except OSError:
        return False
