# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The embedded fleet: hosts as directories and processes on loopback, behind one HAProxy or a pair."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import typing as t
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.convoy.rolling.plugins.module_utils import artifacts
from fleet.app import APPCTL, make_release
from fleet.haproxy import Balancer, find_haproxy, in_service
from fleet.ports import Ports
from fleet.waiting import wait_until

POOLS = ("web", "sticky")


@dataclass(frozen=True)
class Host:
    """One host: its own directory with the deploy root `srv/`, the pid file and the app's log."""

    name: str
    directory: Path
    port: int

    @property
    def root(self) -> Path:
        """What `rollout_root` is for this host."""
        return self.directory / "srv"


class Fleet:
    """N hosts `web1`..`webN` with the app running, each a member of the pools `web` and `sticky` of every balancer.

    Use it as a context manager: it starts, and stops everything it started, however the block ends.

    :param directory: where all of it lives; without one it is a temporary directory that goes with the fleet.
    :param haproxy: the binary; found when not given.
    :param balancers: how many HAProxies stand in front of the same hosts.
    :param inter: between two health checks of a member, in HAProxy's units.
    :param version: what the hosts run at first, and `behaviour` how that behaves.
    """

    variables: t.ClassVar[dict[str, t.Any]] = {}  # of every fleet's inventory, beside or instead of the usual ones

    def __init__(
        self,
        n: int = 6,
        directory: Path | None = None,
        haproxy: str | None = None,
        balancers: int = 1,
        inter: str = "200ms",
        version: str = "1.0.0",
        behaviour: dict[str, t.Any] | None = None,
    ) -> None:
        self._haproxy = haproxy or find_haproxy()
        self._inter = inter
        self._first_version, self._first_behaviour = version, behaviour
        self._temporary: list[Path] = []
        self.ports = Ports()
        self.directory = directory.resolve() if directory else self._make_directory()
        self.hosts = {name: Host(name, self.directory / "hosts" / name, self.ports.take()) for name in (f"web{i}" for i in range(1, n + 1))}
        # A UNIX socket's path has 108 bytes, and HAProxy adds a suffix while it starts.
        sockets = self.directory if len(str(self.directory)) < 70 else self._make_directory()
        self.balancers = [
            Balancer(f"lb{i}", self.directory, sockets, port=self.ports.take(), admin_port=self.ports.take())
            for i in range(1, balancers + 1)
        ]

    def __enter__(self) -> Fleet:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Return when every host runs the first version and is up in every pool."""
        artifact = self.release(self._first_version, self._first_behaviour)
        for host in self.hosts.values():
            host.root.mkdir(parents=True)
            artifacts.run(str(host.root), self._first_version, "active", str(artifact))
            (host.directory / "env").write_text(
                f"export FLEET_HOST={host.name} FLEET_PORT={host.port} FLEET_ROOT='{host.root}' FLEET_PYTHON='{sys.executable}'\n"
            )
        self.control("start", *self.hosts)
        wait_until(lambda: set(self.versions().values()) == {self._first_version}, 30, f"every host to run {self._first_version}")
        for balancer in self.balancers:
            self._start(balancer)
        self.wait_up()

    def _start(self, balancer: Balancer) -> None:
        balancer.start(self._haproxy, {host.name: host.port for host in self.hosts.values()}, self._inter)

    def stop(self) -> None:
        for balancer in self.balancers:
            balancer.stop()
        self.control("stop", *(name for name, host in self.hosts.items() if (host.directory / "pid").exists()))
        self.ports.release()
        for directory in self._temporary:
            shutil.rmtree(directory, ignore_errors=True)

    # What a test or a demo does to the fleet

    def release(self, version: str, behaviour: dict[str, t.Any] | None = None, size: int = 0) -> Path:
        """Build an artifact where the inventory's `rollout_artifact` finds it; see `fleet.app.make_release`."""
        return make_release(self.directory / "artifacts", version, behaviour, size)

    def control(self, verb: str, *hosts: str) -> None:
        """`appctl start|stop|restart` for these hosts."""
        if hosts:
            subprocess.run([str(APPCTL), verb, *(str(self.hosts[name].directory) for name in hosts)], check=True)

    def kill(self, host: str) -> None:
        """SIGKILL the host's app."""
        self.control("stop", host)

    def restart_balancer(self, name: str, wait: bool = True) -> None:
        """Stop one and start it anew; it forgets what it was told. Return when every member is up, or else when it answers."""
        (balancer,) = (one for one in self.balancers if one.name == name)
        balancer.stop()
        self._start(balancer)
        if wait:
            self.wait_up()

    def reload_balancer(self, name: str) -> None:
        """Let a new process take over from one; it forgets what it was told."""
        (balancer,) = (one for one in self.balancers if one.name == name)
        balancer.reload(self._haproxy)

    def set_state(self, host: str, state: str, pools: t.Sequence[str] = POOLS) -> None:
        """Do by hand what a person does: set a member `drain`, `maint` or `ready` on every balancer."""
        for balancer in self.balancers:
            for pool in pools:
                if complaint := balancer.ask(f"set server {pool}/{host} state {state}").strip():
                    raise RuntimeError(f"{balancer.name}: {complaint}")

    def wait_up(self, seconds: float = 30) -> None:
        """Return when every member of every pool is up and has been checked."""
        wait_until(lambda: all(m["status"] == "UP" and m["check_status"] == "L7OK" for m in self.stat()), seconds, "every member to be UP")

    # What is true of it

    def stat(self) -> list[dict[str, str]]:
        """Every member of every pool of every balancer, in the columns of `show stat` and `balancer`."""
        return [member for balancer in self.balancers for member in balancer.members()]

    def status(self, host: str) -> dict[tuple[str, str], str]:
        """HAProxy's word for one host: (balancer, pool) -> `UP`, `MAINT`, ..."""
        return {(m["balancer"], m["pxname"]): m["status"] for m in self.stat() if m["svname"] == host}

    def in_service(self, pool: str) -> int:
        """Members of the pool that get requests, on the balancer where they are fewest."""
        return min(sum(in_service(m) for m in balancer.members() if m["pxname"] == pool) for balancer in self.balancers)

    def health(self, host: str) -> tuple[int, dict[str, t.Any]]:
        """Status and body of the host's own health page; (0, {}) when nothing answers within a second."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.hosts[host].port}/health", timeout=1) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError:
            return 0, {}

    def version(self, host: str) -> str | None:
        """The version that the process itself answers, healthy or not."""
        return self.health(host)[1].get("version")

    def versions(self) -> dict[str, str | None]:
        return {name: self.version(name) for name in self.hosts}

    # How Ansible sees it

    def inventory(self, path: Path | None = None, unreachable: t.Collection[str] = (), **overrides: t.Any) -> Path:
        """Write the inventory and return its path.

        :param unreachable: hosts that Ansible can't reach, whatever their app does.
        :param overrides: group variables, beside or instead of the usual ones.
        """
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "rollout_app": "web",
            "rollout_artifact": f"{self.directory}/artifacts/web-{{{{ rollout_version }}}}.tar.gz",
            "rollout_root": f"{self.directory}/hosts/{{{{ inventory_hostname }}}}/srv",
            "rollout_restart_command": f"{APPCTL} restart {self.directory}/hosts/{{{{ inventory_hostname }}}}",
            "rollout_balancers": [
                {"name": balancer.name, "provider": "haproxy", "address": str(balancer.socket), "pools": list(POOLS)}
                for balancer in self.balancers
            ],
            "rollout_health": {
                "url": "http://127.0.0.1:{{ app_port }}/health",
                "conditions": ["status == 'up'"],
                "version": "version",
            },
            "rollout_health_interval": "200ms",
            "rollout_health_timeout": "1s",
            "rollout_success_threshold": 3,
            "rollout_healthy_deadline": "10s",
            "rollout_drain_timeout": "20s",
            "rollout_state_url": f"sqlite:///{self.directory}/state.db",
            **self.variables,
            **overrides,
        }
        off = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_common_args": "-o BatchMode=yes"}
        hosts = {h.name: {"app_port": h.port, **(off if h.name in unreachable else {})} for h in self.hosts.values()}
        path = path or self.directory / "inventory.yml"
        path.write_text(json.dumps({"web": {"hosts": hosts, "vars": variables}}, indent=2) + "\n")  # JSON is YAML, and needs no library
        return path

    def _make_directory(self) -> Path:
        self._temporary.append(Path(tempfile.mkdtemp(prefix="fleet-")).resolve())
        return self._temporary[-1]
