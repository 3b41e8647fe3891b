# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kill -9 of the controller before every task that a roll takes and inside every wait; then a roll again, under load.

A place in a roll is a task's name and how often it has begun. `test_no_place_is_missing` holds the list against a real roll.
"""

from __future__ import annotations

import http.server
import json
import sqlite3
import threading
import time
import typing as t
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Verdict
from fleet.app import APPCTL
from fleet.breakpoints import Breakpoints
from fleet.fleet import POOLS, Fleet
from fleet.waiting import wait_until

Fixture = t.Callable[..., t.Any]

OBSERVING = ["Look at the load balancers", "Look at the releases", "Ask the processes", "Ask the processes on their hosts"]
PLANNING = ["Read the fleet", *OBSERVING, "Plan the rollout", "Show the plan", "Remember the rollout"]
STAGING = ["Stage the release", "Record whom the release could not be staged on", "Expand"]
BATCH = [
    "Ask the gate",
    "Take the steps",
    "Drain",
    "Switch to the release and restart",
    "Verify",
    "Enable",
    "Go round again for the others",
]
SETTLING = [
    "Conclude the rollout",
    *OBSERVING,
    "Settle the rollout",
    "Contract",
    "Show how it ended",
    "Tell the workflow",
    "Go back by itself",
    "Fail unless the fleet converged",
]


def places_of(tasks: t.Sequence[str]) -> list[str]:
    return [f"{task}#{tasks[: number + 1].count(task)}" for number, task in enumerate(tasks)]


PLACES = places_of([*PLANNING, *STAGING, *BATCH, *BATCH, *SETTLING])
OFTEN = {"Switch to the release and restart#1", "Settle the rollout#1"}

QUICK: dict[str, t.Any] = {
    "rollout_max_unavailable": 2,
    "rollout_health_interval": "50ms",
    "rollout_drain_soft": "500ms",  # in which a kill has to fall
    "rollout_drain_quiet": "100ms",
}


@dataclass
class Case:
    """One controller to kill, and what it and the next one are told."""

    fleet: Fleet
    directory: Path
    version: str
    wire_to: Fixture
    variables: dict[str, t.Any] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    behaviour: dict[str, t.Any] = field(default_factory=dict)
    killed: threading.Event = field(default_factory=threading.Event)
    roll: t.Any = None

    def kill_all(self) -> None:
        if not self.killed.is_set():
            self.roll.kill_all()
            self.killed.set()

    def wait_for_kill(self) -> None:
        wait_until(lambda: self.killed.is_set() or self.roll.process.poll() is not None, 60, "the moment to kill")
        assert self.killed.wait(1), "it ended before"

    def wait_for(self, what: Path) -> None:
        self.roll.wait_until(what.exists, str(what))


Ambush = Callable[[Case], t.ContextManager[Callable[[], None]]]
"""Prepares a case, and yields what waits for the moment and kills there."""


def on_the_wire(order: str, looks: int = 0) -> Ambush:
    """When an order to HAProxy is on its way, which then never arrives; or with so many looks at the pool after it."""

    @contextmanager
    def ambush(case: Case) -> Iterator[Callable[[], None]]:
        left = looks if looks else None

        def look(line: str) -> None:
            nonlocal left
            if line == f"set server {order}":
                seen.set()
            if seen.is_set() and not case.killed.is_set() and (left is None or line.startswith("show stat")):
                left = None if left is None else left - 1
                if not left:
                    case.kill_all()
                    raise ConnectionAbortedError

        seen = threading.Event()
        with case.wire_to(case.fleet, look) as wire:
            case.variables["rollout_balancers"] = [{"name": "lb1", "address": wire.address, "pools": list(POOLS)}]
            yield case.wait_for_kill

    return ambush


def before_it_is_recorded(order: str = "") -> Ambush:
    """A step is done, the last order given and obeyed, or the hosts restarted, and its record waits for the journal, which we keep busy."""

    @contextmanager
    def ambush(case: Case) -> Iterator[Callable[[], None]]:
        mark, last = case.directory / "web1", [0.0]

        def look(line: str) -> None:
            last[0] = time.monotonic()
            if line == f"set server {order}" and not case.killed.is_set() and not busy.in_transaction:
                busy.execute("BEGIN IMMEDIATE")

        def wait() -> None:
            if order:
                case.roll.wait_until(lambda: busy.in_transaction and time.monotonic() - last[0] > 0.7, order)
            else:
                case.wait_for(mark)
                busy.execute("BEGIN IMMEDIATE")
                time.sleep(1)
            case.kill_all()
            busy.execute("ROLLBACK")

        path = case.fleet.directory / "state.db"
        busy = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        with closing(busy), case.wire_to(case.fleet, look) as wire:
            case.variables["rollout_balancers"] = [{"name": "lb1", "address": wire.address, "pools": list(POOLS)}]
            with while_it_restarts("{restart}; {mark}; sleep 0.3")(case):
                yield wait

    return ambush


@contextmanager
def waiting_for_the_floor(case: Case) -> Iterator[Callable[[], None]]:
    """A person took two hosts out after the plan was made, and puts them back after the kill."""
    looks = count()
    waits = threading.Event()

    def look(line: str) -> None:
        if waits.is_set() and line.startswith("show stat") and next(looks) == 3:
            case.kill_all()

    def wait() -> None:
        case.roll.wait_until(lambda: stops.reached("Drain#1"), "the drain")
        for host in ("web3", "web4"):
            case.fleet.set_state(host, "maint")
        waits.set()
        stops.go("Drain#1")
        case.wait_for_kill()
        for host in ("web3", "web4"):
            case.fleet.set_state(host, "ready")
        case.fleet.wait_up()

    stops = Breakpoints(case.directory / "stops", "Drain#1")
    case.settings = stops.settings
    with case.wire_to(case.fleet, look) as wire:
        case.variables["rollout_balancers"] = [{"name": "lb1", "address": wire.address, "pools": list(POOLS)}]
        yield wait


def while_it_restarts(line: str, orphaned: bool = False) -> Ambush:
    """While the hosts run their restart command.

    :param orphaned: only the controller is killed, and the command goes on as it would on a host far away.
    """

    @contextmanager
    def ambush(case: Case) -> Iterator[Callable[[], None]]:
        here = f"{case.fleet.directory}/hosts/{{{{ inventory_hostname }}}}"
        mark = case.directory / "web1"
        mine = line.format(mark=f"touch {case.directory}/{{{{ inventory_hostname }}}}", restart=f"{APPCTL} restart {here}")
        case.variables["rollout_restart_command"] = mine

        def wait() -> None:
            case.wait_for(mark)
            case.roll.kill() if orphaned else case.kill_all()

        yield wait

    return ambush


@contextmanager
def while_own_tasks_run(case: Case) -> Iterator[Callable[[], None]]:
    mark = case.directory / "mark"
    tasks = case.directory / "deploy.yml"
    tasks.write_text(
        "- convoy.rolling.release: {root: '{{ rollout_root }}', version: '{{ rollout_version }}', src: '{{ rollout_artifact }}', state: active}\n"
        f"- ansible.builtin.shell: test -e {mark} || {{ touch {mark}; sleep 20; }}\n"
        "- ansible.builtin.command: '{{ rollout_restart_command }}'\n"
    )
    case.variables["rollout_deploy_tasks"] = str(tasks)

    def wait() -> None:
        case.wait_for(mark)
        case.kill_all()

    yield wait


@contextmanager
def served(answer: Callable[[http.server.BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """The address of an HTTP server."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_args: t.Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # type: ignore[assignment]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def while_it_stages(case: Case) -> Iterator[Callable[[], None]]:
    """In the middle of the artifact."""
    asked = threading.Event()

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        whole = (case.fleet.directory / "artifacts" / request.path.lstrip("/")).read_bytes()
        request.send_response(200)
        request.send_header("Content-Length", str(len(whole)))
        request.end_headers()
        request.wfile.write(whole[:200])
        asked.set()
        case.killed.wait(30)
        request.wfile.write(whole[200:])

    def wait() -> None:
        case.roll.wait_until(asked.is_set, "the download")
        case.kill_all()

    with served(answer) as url:
        case.variables["rollout_artifact"] = f"{url}/web-{{{{ rollout_version }}}}.tar.gz"
        yield wait


@contextmanager
def while_it_verifies(case: Case) -> Iterator[Callable[[], None]]:
    """When the new process has answered twice that it is not ready yet."""
    case.behaviour["unready"] = 1
    answers = count(1)

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        status, body = case.fleet.health(request.path.lstrip("/"))
        if body.get("version") == case.version and status == 503 and next(answers) == 2:
            case.kill_all()
        text = json.dumps(body).encode()
        request.send_response(status or 504)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    with served(answer) as url:
        usual = {"conditions": ["status == 'up'"], "version": "version"}
        case.variables["rollout_health"] = {"url": f"{url}/{{{{ inventory_hostname }}}}", **usual}
        yield case.wait_for_kill


def before(place: str) -> Ambush:
    """Right before a task begins."""

    @contextmanager
    def ambush(case: Case) -> Iterator[Callable[[], None]]:
        def wait() -> None:
            case.roll.wait_until(lambda: stops.reached(place), place)
            case.kill_all()

        stops = Breakpoints(case.directory / "stops", place)
        case.settings = stops.settings
        yield wait

    return ambush


INSIDE: dict[str, Ambush] = {
    "staging": while_it_stages,
    "waiting for the floor": waiting_for_the_floor,
    "the first order lost": on_the_wire("sticky/web1 state drain"),
    "one of two ordered": on_the_wire("sticky/web2 state drain"),
    "soft phase": on_the_wire("sticky/web1 state drain", looks=2),
    "between drain and maintenance": on_the_wire("sticky/web1 state maint"),
    "one of two in maintenance": on_the_wire("sticky/web2 state maint"),
    "waiting for sessions": on_the_wire("sticky/web2 state maint", looks=2),
    "out of one pool": on_the_wire("web/web1 state drain"),
    "waiting for sessions of the last pool": on_the_wire("web/web2 state maint", looks=2),
    "drained, not recorded": before_it_is_recorded("web/web2 state maint"),
    "switched, not restarted": while_it_restarts("{mark}; sleep 1; {restart}"),
    "restarted, not told": while_it_restarts("{restart}; {mark}; sleep 1"),
    "restarting goes on": while_it_restarts("{mark}; sleep 1; {restart}", orphaned=True),
    "restarted, not recorded": before_it_is_recorded(),
    "own tasks": while_own_tasks_run,
    "verifying": while_it_verifies,
    "the first return lost": on_the_wire("sticky/web1 state ready"),
    "one of two let in": on_the_wire("sticky/web2 state ready"),
    "waiting for the return": on_the_wire("sticky/web2 state ready", looks=1),
    "back in one pool": on_the_wire("web/web1 state ready"),
    "waiting for the last return": on_the_wire("web/web2 state ready", looks=1),
    "back, not recorded": before_it_is_recorded("web/web2 state ready"),
}
OFTEN_INSIDE = {"waiting for sessions", "restarting goes on", "verifying", "back, not recorded"}


class Fleets:
    """One fleet for many rolls; another one when a test left it in pieces."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory, self._stack = factory, ExitStack()
        self._fleet: Fleet | None = None
        self._numbers = count(2)

    def get(self) -> Fleet:
        if self._fleet is None or not is_whole(self._fleet):
            self._stack.close()
            self._fleet = self._stack.enter_context(Fleet(4, self._factory.mktemp("fleet")))
        return self._fleet

    def version(self) -> str:
        return f"{next(self._numbers)}.0.0"

    def close(self) -> None:
        self._stack.close()


def journal_of(fleet: Fleet) -> Journal:
    return Journal(f"sqlite:///{fleet.directory}/state.db")


def is_whole(fleet: Fleet) -> bool:
    one_version = len(set(fleet.versions().values())) == 1
    return one_version and {member["status"] for member in fleet.stat()} == {"UP"} and not journal_of(fleet).absences("web")


@pytest.fixture(scope="module")
def fleets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleets]:
    kept = Fleets(tmp_path_factory)
    yield kept
    kept.close()


@pytest.fixture
def case(fleets: Fleets, tmp_path: Path, wire_to: Fixture) -> Case:
    return Case(fleets.get(), tmp_path, fleets.version(), wire_to)


@pytest.fixture
def kill_and_resume(case: Case, start: Fixture, play: Fixture, watching: Fixture) -> Fixture:
    """Roll, kill in the ambush, look whether anybody is forgotten, roll again to `target` and look whether it is whole."""

    def do(ambush: Ambush, target: str) -> t.Any:
        fleet, journal = case.fleet, journal_of(case.fleet)
        before = journal.latest("web")
        with ambush(case) as wait:
            fleet.release(target)
            fleet.release(case.version, case.behaviour)
            asked = QUICK | case.variables
            with watching(fleet) as seen:
                case.roll = start(fleet, asked | {"rollout_version": case.version}, settings=case.settings)
                wait()
                assert case.roll.end().rc == -9
                out = {member["svname"] for member in fleet.stat() if member["status"] != "UP"}
                absent = {absence.host for absence in journal.absences("web")}
                assert out <= absent, "somebody is out of rotation and not in the journal"
                killed = journal.latest("web")
                again = play(fleet, asked | {"rollout_version": target})
            assert again.rc == 0
            assert set(fleet.versions().values()) == {target}
            assert {member["status"] for member in fleet.stat()} == {"UP"}
            assert journal.absences("web") == ()
        seen.nothing_was_lost()
        assert min(seen.lowest(pool) for pool in POOLS) >= 2
        if killed is not None and killed != before:
            ended = journal.rollout(killed.number)
            assert ended.verdict in (Verdict.INTERRUPTED, Verdict.CANCELLED) if killed.ended is None else ended == killed
        for host in absent:
            assert f"out {host}: taken out by rollout {killed.number}, not back yet" in again.text
        assert absent <= set(again.batches[0] if again.batches else ()), "who is out comes first"
        return again

    return do


def some(names: t.Iterable[str], often: t.Collection[str]) -> list[t.Any]:
    return [pytest.param(name, marks=[] if name in often else pytest.mark.exhaustive) for name in names]


def test_no_place_is_missing(case: Case, play: Fixture) -> None:
    case.fleet.release(case.version)
    stops = Breakpoints(case.directory / "stops")
    assert play(case.fleet, QUICK | {"rollout_version": case.version}, settings=stops.settings).rc == 0
    assert stops.trace == PLACES
    assert set(PLACES) >= OFTEN and set(INSIDE) >= OFTEN_INSIDE


@pytest.mark.parametrize("place", some(PLACES, OFTEN))
def test_killed_before_a_task(place: str, case: Case, kill_and_resume: Fixture) -> None:
    kill_and_resume(before(place), case.version)


@pytest.mark.parametrize("moment", some(INSIDE, OFTEN_INSIDE))
def test_killed_inside_a_task(moment: str, case: Case, kill_and_resume: Fixture) -> None:
    kill_and_resume(INSIDE[moment], case.version)


OTHER_TARGET = [
    "Drain#1",
    "Switch to the release and restart#1",
    "Verify#1",
    "Enable#1",
    "Go round again for the others#1",
    "Enable#2",
]
OTHER_TARGET_INSIDE = ["out of one pool", "switched, not restarted", "restarting goes on", "back in one pool"]


@pytest.mark.parametrize("place", some(OTHER_TARGET, {"Verify#1"}))
def test_killed_before_a_task_and_another_version_is_wanted(place: str, case: Case, fleets: Fleets, kill_and_resume: Fixture) -> None:
    kill_and_resume(before(place), fleets.version())


@pytest.mark.parametrize("moment", some(OTHER_TARGET_INSIDE, ()))
def test_killed_inside_a_task_and_another_version_is_wanted(moment: str, case: Case, fleets: Fleets, kill_and_resume: Fixture) -> None:
    kill_and_resume(INSIDE[moment], fleets.version())
