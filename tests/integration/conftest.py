# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests on real processes share: running a playbook as a person would, and watching a fleet meanwhile."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
import time
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleet.fleet import Fleet
from fleet.haproxy import find_haproxy
from fleet.load import Load
from fleet.play import ROLLING, command, environment
from fleet.postgres import Postgres
from fleet.sampler import Sampler
from fleet.waiting import wait_until

# No time is lost in drains, but where the drain is what is tested.
Fleet.variables = {"rollout_drain_soft": "200ms", "rollout_drain_quiet": "100ms"}

_RECAP = re.compile(r"^(\S+)\s+: (ok=\d+ .*)$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """How a playbook ended."""

    rc: int
    output: str
    seconds: float

    @property
    def text(self) -> str:
        """The output as one line, however it was wrapped and indented."""
        return " ".join(self.output.split())

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """Host -> ok, changed, unreachable, failed, ... of the closing recap."""
        found = {}
        for host, counts in _RECAP.findall(self.output.rpartition("PLAY RECAP")[2]):
            found[host] = {name: int(number) for name, number in (pair.split("=") for pair in counts.split())}
        return found

    @property
    def changed(self) -> int:
        return sum(counts["changed"] for counts in self.recap.values())

    @property
    def batches(self) -> list[list[str]]:
        """The planned batches, as the plan was shown."""
        lines = re.findall(r"^\W*batch \d+  (.*)$", self.output, re.MULTILINE)
        return [re.findall(r"(\S+) \(", line) for line in lines]


class Playing:
    """A playbook that is being run; its output goes to a file in the fleet's directory."""

    def __init__(self, fleet: Fleet, playbook: Path | str, variables: dict[str, t.Any], *arguments: str, **different: t.Any) -> None:
        inventory, settings, here = different.get("inventory"), different.get("settings", {}), different.get("here", fleet.directory)
        self._began = time.monotonic()
        self._log = fleet.directory / f"run-{time.monotonic_ns()}.log"
        words = command(fleet, playbook, variables, *arguments, inventory=inventory)
        with self._log.open("wb") as output:
            # A session of its own, as in a terminal of its own: what ends it does not end us.
            self.process = subprocess.Popen(
                words,
                cwd=here,
                env=environment(fleet, **settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def end(self, seconds: float = 120) -> Run:
        """Wait for it; an ansible-playbook that hangs is killed and fails the test."""
        try:
            rc = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"still running after {seconds:g} s:\n{self.output}")
        print(self.output)  # pytest shows it when the test fails
        return Run(rc, self.output, time.monotonic() - self._began)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Only the controller itself: what it forked for the task in hand goes on, as an orphan."""
        self.process.send_signal(number)

    def kill_all(self) -> None:
        """The controller and all that it started, as when its machine loses power."""
        family = [self.process.pid]
        for pid in family:
            with suppress(OSError):
                family += [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Wait for something to become true while it runs."""
        wait_until(lambda: condition() or self.process.poll() is not None, seconds, what)
        assert self.process.poll() is None, f"it ended before {what}:\n{self.output}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for every test of this process; who kills it starts it again."""
    try:
        server = Postgres()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture
def start() -> Iterator[Callable[..., Playing]]:
    """Start a playbook: ``start(fleet, variables, *arguments, playbook=, inventory=, settings=, here=)``."""
    started: list[Playing] = []

    def start_one(
        fleet: Fleet, variables: dict[str, t.Any], *arguments: str, playbook: Path | str = ROLLING, **different: t.Any
    ) -> Playing:
        started.append(Playing(fleet, playbook, variables, *arguments, **different))
        return started[-1]

    yield start_one
    for playing in started:
        if playing.process.poll() is None:
            playing.kill()
            playing.process.wait()


@pytest.fixture
def play(start: Callable[..., Playing]) -> Callable[..., Run]:
    """Run a playbook to its end, with the arguments of ``start``."""
    return lambda *arguments, **different: start(*arguments, **different).end()


class Watch:
    """What clients and balancers saw while a block ran."""

    def __init__(self, fleet: Fleet, rate: float) -> None:
        self.balancers = len(fleet.balancers)
        self.load = Load([balancer.url for balancer in fleet.balancers], fleet.directory / "load.jsonl", rate)
        self.sampler = Sampler(fleet.balancers)
        self.summary: dict[str, t.Any] = {}

    def nothing_was_lost(self) -> None:
        """Every client of every kind got every answer."""
        assert self.summary["failed"] == 0, self.summary
        assert min(counts["sent"] for counts in self.summary["by_kind"].values()) > 0, self.summary

    def lowest(self, pool: str) -> int:
        """The fewest members in service, sampled 10 times a second or more; it fails when the sampling did not hold."""
        times = sorted({sample.time for sample in self.sampler.samples})
        looks, seconds = len(times) / self.balancers, times[-1] - times[0]
        gaps = self.sampler.gaps(0.5)
        print(f"{looks:.0f} looks in {seconds:.1f} s, {looks / seconds:.1f} a second; pauses over 0.5 s: {[round(gap, 2) for gap in gaps]}")
        assert not self.sampler.errors
        # A pause shorter than every absence hides none.
        shortest = min((absence.seconds for absence in self.sampler.absences), default=1)
        assert looks / seconds >= 10 and max(gaps, default=0) < shortest, "the machine is too busy to sample; nothing was shown"
        return self.sampler.minimum(pool)


@pytest.fixture
def watching() -> Callable[..., t.ContextManager[Watch]]:
    """Mixed load on a fleet, so many requests a second, and a look at its balancers 20 times a second while a block runs."""

    @contextmanager
    def watch(fleet: Fleet, rate: float = 60) -> Iterator[Watch]:
        seen = Watch(fleet, rate)
        with seen.load:
            with seen.sampler:
                yield seen
            seen.summary = seen.load.stop()
        print(f"{seen.summary['sent']} requests, {seen.summary['failed']} failed, fewest in service {seen.sampler.minimum()}")

    return watch


@pytest.fixture
def words() -> Callable[[Fleet, str], set[str]]:
    """The balancers' words for a host, over every pool: ``{'UP'}`` when it serves everywhere."""
    return lambda fleet, host: set(fleet.status(host).values())


@pytest.fixture
def untouched() -> Callable[[Fleet], t.ContextManager[None]]:
    """Proves that a block took nobody out, restarted nothing and switched nothing."""

    @contextmanager
    def check(fleet: Fleet) -> Iterator[None]:
        def state() -> list[tuple[t.Any, ...]]:
            return [(fleet.health(name)[1]["pid"], (host.root / "current").readlink()) for name, host in fleet.hosts.items()]

        before = state()
        with Sampler(fleet.balancers) as sampler:
            yield
        assert state() == before
        assert sampler.minimum() == len(fleet.hosts)

    return check


@pytest.fixture(scope="session")
def binary_of() -> Callable[[str | None], str]:
    """The HAProxy of a version; the test is skipped where it was not had."""

    def find(version: str | None) -> str:
        try:
            return find_haproxy(version)
        except FileNotFoundError as error:
            pytest.skip(str(error))

    return find


class Wire:
    """A TCP proxy in front of a runtime API that keeps every line sent to it.

    :param look: called with each line before it is passed on; an OSError from it cuts the connection instead.
    """

    def __init__(self, target: Path, look: Callable[[str], None]) -> None:
        self._look = look
        self.lines: list[str] = []
        self._target = str(target)
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    @property
    def writes(self) -> list[str]:
        """The lines that are no mere questions."""
        return [line for line in self.lines if line != "prompt" and not line.startswith("show ")]

    def _serve(self) -> None:
        while True:
            try:
                client, _peer = self.listener.accept()
            except OSError:
                return
            api = socket.socket(socket.AF_UNIX)
            try:
                api.connect(self._target)
            except OSError:
                client.close()
                continue
            threading.Thread(target=self._pass_on, args=(client, api, True), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(api, client, False), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, keep: bool) -> None:
        said = b""
        try:
            while chunk := source.recv(65536):
                if keep:
                    *lines, said = (said + chunk).split(b"\n")
                    for line in lines:
                        self.lines.append(line.decode())
                        self._look(self.lines[-1])
                        sink.sendall(line + b"\n")
                else:
                    sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            # The other side is gone, or was cut off by who looked: then the line never arrives.
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def wire_to() -> Callable[..., t.ContextManager[Wire]]:
    """A wire to the runtime API of a fleet's first balancer: ``wire_to(fleet, look=)``."""

    @contextmanager
    def wire(fleet: Fleet, look: Callable[[str], None] = lambda _line: None) -> Iterator[Wire]:
        tapped = Wire(fleet.balancers[0].socket, look)
        yield tapped
        tapped.listener.close()

    return wire
