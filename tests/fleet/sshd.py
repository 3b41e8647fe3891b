# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sshd on loopback: keys, configuration, and how a client gets there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

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
Host {hosts}
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
    """Keys and configuration of servers that share a directory, which is made.

    :param binary: sshd.
    """

    def __init__(self, binary: str, directory: Path) -> None:
        self._binary, self._directory = binary, directory
        (directory / "home").mkdir(parents=True)
        for key in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / key)], check=True)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where root's sshd confines the part that faces the network
        (directory / "ssh_config").touch()
        self.client_arguments = f"-F {directory}/ssh_config"

    def serve(self, hosts: str, port: int) -> list[str]:
        """Configure a server on a port, and clients to find these hosts there.

        :param hosts: a name, or ``*``.
        :return: the command that runs the server in the foreground.
        """
        with (self._directory / "ssh_config").open("a") as client:
            client.write(_CLIENT.format(hosts=hosts, port=port, directory=self._directory))
        server = self._directory / f"sshd-{port}.conf"
        server.write_text(_SERVER.format(port=port, directory=self._directory))
        return [self._binary, "-D", "-e", "-f", str(server)]
