# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One stand for each provider: the real load balancer before three real apps, and what a test needs to know of it."""

from __future__ import annotations

import abc
import contextlib
import json
import os
import re
import subprocess
import sys
import typing as t
import urllib.request
from pathlib import Path

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.providers import able_to_run
from ansible_collections.convoy.rolling.plugins.module_utils.members import observe, run
from fleet.ports import Ports
from fleet.waiting import wait_until

_APP = Path(__file__).parents[1] / "app" / "switched.py"
# Listens late and is then not ready for a while, as apps are after a restart.
_SLOW_TO_START = {"listen_delay": 0.3, "unready": 0.3}


class Missing(Exception):
    """A load balancer that is not installed; says how to get it."""


def run_command(words: t.Sequence[str], **_options: t.Any) -> tuple[int, str, str]:
    """As a module's own."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


class App:
    """One app process on a port that stays its own."""

    def __init__(self, name: str, port: int, directory: Path) -> None:
        self.name, self.port, self.directory = name, port, directory
        self.out_file = directory / "out"
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir()

    def start(self, behaviour: dict[str, float] | None = None) -> None:
        release = json.dumps({"version": "v1", "behaviour": behaviour or {}})
        more = {"FLEET_RELEASE": release, "FLEET_HOST": self.name, "FLEET_PORT": str(self.port), "FLEET_OUT_FILE": str(self.out_file)}
        self._process = subprocess.Popen([sys.executable, "-S", str(_APP)], env={**os.environ, **more}, stdin=subprocess.DEVNULL)

    def kill(self) -> None:
        """SIGKILL: whatever it is doing is lost."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Kill it, start it, and return when it is ready by its own word; its switch does not matter."""
        self.kill()
        self.start(_SLOW_TO_START)
        wait_until(lambda: self._get("/")[0] == 200, 20, f"{self.name} to be ready")

    @property
    def in_flight(self) -> int:
        return int(self._get("/health")[1]["in_flight"])

    def _get(self, path: str) -> tuple[int, dict[str, t.Any]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError:
            return 0, {}


class Stand(abc.ABC):
    """A load balancer before three apps; started and stopped by ``with``.

    :param directory: empty, and its path short.
    """

    provider: t.ClassVar[str]
    pool = "web"
    #: The clients that may lose requests in a roll, see ``rolls.KINDS``, since the load balancer itself loses them at any change.
    may_lose: t.ClassVar[t.Collection[str]] = ()

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ports = Ports()
        self.port = self.ports.take()
        ports = [self.ports.take() for _number in range(3)]
        names = [self.name_of(number, port) for number, port in enumerate(ports, 1)]
        self.apps = {
            name: App(name, port, directory / f"app{number}") for number, (name, port) in enumerate(zip(names, ports, strict=True))
        }

    @property
    def members(self) -> list[str]:
        return list(self.apps)

    @property
    def url(self) -> str:
        """Where clients come in."""
        return f"http://127.0.0.1:{self.port}"

    def name_of(self, number: int, port: int) -> str:
        """What the member is called in its pool."""
        return f"127.0.0.1:{port}"

    @abc.abstractmethod
    def address(self, member: str) -> str:
        """Where the provider is reached to move this member."""

    @abc.abstractmethod
    def start(self) -> None:
        """Start the load balancer and return when it serves."""

    @abc.abstractmethod
    def stop(self) -> None:
        """End the load balancer."""

    @abc.abstractmethod
    def configured(self) -> object:
        """What must be entirely the same again once all members are back."""

    def orders(self) -> object:
        """What differs after any order, even one that changed nothing."""
        return self.configured()

    @abc.abstractmethod
    def refusing(self) -> contextlib.AbstractContextManager[dict[str, t.Any]]:
        """While orders are refused; gives the options that are different then."""

    def options(self, *members: str, **different: t.Any) -> dict[str, t.Any]:
        usual = {"provider": self.provider, "address": self.address(members[0]), "pool": self.pool, "members": list(members)}
        return {**usual, "wait_timeout": "20s", "timeout": "10s", **different}

    def run(self, *members: str, check_mode: bool = False, **different: t.Any) -> dict[str, t.Any]:
        return run(self.options(*members, **different), check_mode, providers=able_to_run(run_command))

    def look(self, member: str, **different: t.Any) -> dict[str, t.Any]:
        """A member as a fresh conversation sees it."""
        shown = observe({"provider": self.provider, "address": self.address(member), "pools": [self.pool], "timeout": "10s", **different})
        return next(one for one in shown["pools"][0]["members"] if one["name"] == member)

    def __enter__(self) -> t.Any:
        try:
            for app in self.apps.values():
                app.start()
            for app in self.apps.values():
                wait_until(lambda app=app: app._get("/")[0] == 200, 20, app.name)  # type: ignore[misc]
            self.start()
            wait_until(self._serves, 20, f"{self.provider} to serve")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for app in self.apps.values():
            app.kill()
        self.ports.release()

    def _serves(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def end(process: subprocess.Popen[bytes] | None) -> None:
    """SIGTERM, and SIGKILL for what does not hear it."""
    if process:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def as_module(options: t.Mapping[str, t.Any], module: str = "lb_member") -> dict[str, t.Any]:
    """The result of a module as ``ansible`` runs it on this machine."""
    command = [sys.executable, "-m", "ansible", "adhoc", "localhost", "-c", "local", "-m", f"convoy.rolling.{module}"]
    arguments = ["-a", json.dumps(options), "-e", f"ansible_python_interpreter={sys.executable}"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    result: dict[str, t.Any] = json.loads(re.split(r"^localhost \| \w+!? => ", done.stdout, maxsplit=1, flags=re.MULTILINE)[1])
    return result
