# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One sshd on loopback that stands in for the sshd of every host."""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t
from pathlib import Path

from fleet.ports import Ports

_SERVER = """\
ListenAddress 127.0.0.1:{port}
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/user_key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 500
MaxSessions 100
Subsystem sftp internal-sftp
# A host's account has no shell start-up files worth measuring, yours may.
SetEnv HOME={directory}/home
"""

# Every host by its own name: Ansible shares a connection between hosts that have one address.
_CLIENT = """\
Host *
    HostName 127.0.0.1
    Port {port}
    IdentityFile {directory}/user_key
    IdentitiesOnly yes
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
"""


def find_sshd() -> str | None:
    """sshd's path; it insists on being started by its full name."""
    return shutil.which("sshd") or shutil.which("/usr/sbin/sshd")


class Sshd:
    """Keys and configuration in a directory of its own, and how to start and to reach it.

    :param sshd: the binary.
    """

    def __init__(self, sshd: str, directory: Path, ports: Ports) -> None:
        (directory / "home").mkdir(parents=True)
        for key in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / key)], check=True)
        values = {"port": ports.take(), "directory": directory}
        (directory / "sshd_config").write_text(_SERVER.format(**values))
        (directory / "ssh_config").write_text(_CLIENT.format(**values))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where root's sshd confines the part that faces the network
        self.command = [sshd, "-D", "-e", "-f", str(directory / "sshd_config")]
        self.variables: dict[str, t.Any] = {"ansible_connection": "ssh", "ansible_ssh_common_args": f"-F {directory}/ssh_config"}
