# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, each as a function of the scene, the run and the fault. It returns what it did, and leaves nothing broken behind."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import threading
import time
import typing as t
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from subprocess import TimeoutExpired

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from soak.scene import Controller, Scene
from soak.schedule import HOSTS, Fault, Roll
from soak.watchman import is_ordered, serves


class Missed(Exception):
    """It could not happen: the moment never came, or the machine has not what it takes."""


class Act:
    """One roll while it goes on: its controllers and its faults, each in a thread of its own."""

    def __init__(self, scene: Scene, roll: Roll, say: Callable[..., None]) -> None:
        self.scene, self.roll, self._say = scene, roll, say
        self.broken: list[str] = []
        self.others: list[Controller] = []
        self.controller = scene.roll(roll.version, traced=True, **roll.variables)
        self._threads = [threading.Thread(target=self._strike, args=(fault,)) for fault in roll.faults]

    def play(self) -> None:
        """Return when every controller has ended and every fault is over."""
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        for controller in (self.controller, *self.others):
            controller.wait()

    def another(self, part: int, **variables: t.Any) -> Controller:
        """A second controller, with a version of its own."""
        version = self.roll.other_version(part)
        self.scene.fleet.release(version)
        self.others.append(self.scene.roll(version, **self.roll.variables, **variables))
        return self.others[-1]

    def tell(self, order: str) -> int:
        """Play one of the playbooks with which a person has a word with a rollout."""
        return self.scene.start(f"convoy.rolling.{order}", {"rollout_reason": "soak"}).wait()

    def _strike(self, fault: Fault) -> None:
        try:
            while not self._has_come(fault.place):
                if self.controller.ended:
                    raise Missed("the run ended before")
                time.sleep(0.02)
            time.sleep(fault.delay)
            self._say("fault", kind=fault.kind, host=fault.host, done=FAULTS[fault.kind](self, fault))
        except Missed as why:
            self._say("missed", kind=fault.kind, why=str(why))
        except Exception as error:
            self.broken.append(f"soak: {fault.kind}: {error!r}")

    def _has_come(self, place: str) -> bool:
        task, _hash, count = place.partition("#")
        if task in ("taken out", "let in"):
            return self.scene.ledger.count(out=task == "taken out") >= int(count)
        return self.controller.stops is not None and place in self.controller.stops.trace


def _killed(act: Act, fault: Fault) -> str:
    act.controller.signal(signal.SIGKILL, fault.how != "alone")
    return fault.how


def _interrupted(act: Act, _fault: Fault) -> str:
    for press in ("once", "again"):
        with suppress(ProcessLookupError):
            os.killpg(act.controller.process.pid, signal.SIGINT)  # as Ctrl-C does
        try:
            act.controller.wait(30)
        except TimeoutExpired:
            continue  # ansible-core waits for a lock for ever, now and then; see plugin_utils/last_words
        return f"SIGINT {press}"
    return "SIGINT in vain"


def _terminated(act: Act, _fault: Fault) -> str:
    act.controller.signal(signal.SIGTERM, all_of_it=False)
    return "SIGTERM"


def _stopped(act: Act, _fault: Fault) -> str:
    act.controller.signal(signal.SIGSTOP, all_of_it=True)
    opened = act.scene.journal.lease("web").rollout
    try:
        code = act.another(7, rollout_lock_wait="30s").wait()
        before = len(act.scene.ledger.moves)
    finally:
        act.controller.signal(signal.SIGCONT, all_of_it=True)
    act.controller.wait()
    time.sleep(0.2)
    if opened and _was_taken_over(act, opened) and len(act.scene.ledger.moves) > before:
        act.broken.append(f"fence: rollout {opened} was stopped, came back after another one and moved {act.scene.ledger.moves[before:]}")
    return f"rollout {opened} was stopped; who took over ended with {code}"


def _was_taken_over(act: Act, opened: int) -> bool:
    """Not where who was stopped held the lock of the journal: nobody else can open a rollout then, and it may go on."""
    with suppress(RollingError):
        return act.scene.journal.rollout(opened + 1).version == act.roll.other_version(7)
    return False


def _aborted(act: Act, _fault: Fault) -> str:
    return f"abort ended with {act.tell('abort')}"


def _paused(act: Act, fault: Fault) -> str:
    codes = [act.tell("pause")]
    time.sleep(fault.seconds)
    return f"pause and resume ended with {[*codes, act.tell('resume')]}"


def _second(act: Act, fault: Fault) -> str:
    return f"it ended with {act.another(5, **({'rollout_lock_wait': '60s'} if fault.how == 'waits' else {})).wait()}"


@contextmanager
def _turn(act: Act, host: str) -> Iterator[None]:
    """Nobody restarts the app meanwhile."""
    with (act.scene.fleet.hosts[host].directory / "turn").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _app_killed(act: Act, fault: Fault) -> str:
    with act.scene.loses_requests():
        with _turn(act, fault.host):
            act.scene.fleet.kill(fault.host)
        time.sleep(fault.seconds)
        with _turn(act, fault.host):
            act.scene.fleet.control("start", fault.host)
        return f"and started after {fault.seconds} s"


def _app_frozen(act: Act, fault: Fault) -> str:
    with act.scene.loses_requests():
        pid = act.scene.fleet.health(fault.host)[1].get("pid")
        if not pid:
            raise Missed("the app does not answer")
        os.kill(pid, signal.SIGSTOP)
        time.sleep(fault.seconds)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        return f"for {fault.seconds} s"


def _cut_off(act: Act, fault: Fault) -> str:
    ssh = _ssh(act)
    ssh.cut(fault.host)
    time.sleep(fault.seconds)
    ssh.connect(fault.host)
    return f"for {fault.seconds} s"


def _host_frozen(act: Act, fault: Fault) -> str:
    ssh = _ssh(act)
    with act.scene.loses_requests():
        try:
            ssh.freeze(fault.host)
        except KeyError:
            raise Missed("the app does not answer") from None
        time.sleep(3 * fault.seconds)  # longer than rollout_host_timeout, at times
        ssh.thaw(fault.host)
        return f"for {3 * fault.seconds} s"


def _rebooted(act: Act, fault: Fault) -> str:
    ssh = _ssh(act)
    with act.scene.loses_requests():
        with _turn(act, fault.host):
            ssh.power_off(fault.host)
        time.sleep(fault.seconds)
        with _turn(act, fault.host):
            ssh.boot(fault.host)
        return f"up after {fault.seconds} s"


def _ssh(act: Act) -> t.Any:
    if act.scene.ssh is None:
        raise Missed("no sshd on this machine")
    return act.scene.ssh


def _reloaded(act: Act, fault: Fault) -> str:
    with _starts_anew(act, fault):
        act.scene.fleet.reload_balancer(fault.balancer)
    return fault.balancer


def _restarted(act: Act, fault: Fault) -> str:
    with _starts_anew(act, fault):
        act.scene.fleet.restart_balancer(fault.balancer, wait=False)
    return fault.balancer


@contextmanager
def _starts_anew(act: Act, fault: Fault) -> Iterator[None]:
    with act.scene.loses_requests():
        act.scene.let_in = True
        act.scene.ledger.forget(fault.balancer)
        act.scene.weights.clear()
        yield


def _silent(act: Act, fault: Fault) -> str:
    (balancer,) = (one for one in act.scene.fleet.balancers if one.name == fault.balancer)
    away = balancer.socket.with_suffix(".lost")
    balancer.socket.rename(away)
    time.sleep(fault.seconds)
    away.rename(balancer.socket)
    return f"{fault.balancer} for {fault.seconds} s"


def _held(act: Act, fault: Fault) -> str:
    scene = act.scene
    if fault.host in scene.absent() or not all(map(serves, _words(act, fault.host))):
        raise Missed("it is out already")
    scene.ledger.hold(fault.host)
    scene.held.add(fault.host)
    scene.order(fault.host, f"state {fault.how}")
    if fault.host in scene.absent():
        scene.ledger.held.discard(fault.host)
        return f"{fault.how}, at the same moment as a rollout"
    return fault.how


def _words(act: Act, host: str) -> t.Iterable[str]:
    """What a person sees of a host."""
    try:
        return act.scene.words(host).values()
    except OSError:
        raise Missed("a balancer does not answer") from None


def _let_in(act: Act, _fault: Fault) -> str:
    hosts = [host for host in HOSTS if host not in act.scene.held and any(map(is_ordered, _words(act, host)))]
    if not hosts:
        raise Missed("nobody is out")
    with act.scene.loses_requests():
        act.scene.let_in = True
        act.scene.ledger.let_in(hosts)
        for host in hosts:
            act.scene.order(host, "state ready")
    return ", ".join(hosts)


def _weighted(act: Act, fault: Fault) -> str:
    took = act.scene.order(fault.host, "weight 3")
    act.scene.weights.update({(balancer, fault.host): 3 for balancer in took})
    return f"3 on {', '.join(took) or 'none'}"


def _locked(act: Act, fault: Fault) -> str:
    with closing(sqlite3.connect(act.scene.journal_file, isolation_level=None, timeout=10)) as other:
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(fault.seconds)
    return f"for {fault.seconds} s"


def _full(act: Act, fault: Fault) -> str:
    if not act.scene.disk:
        raise Missed("this user may not mount a small disk")
    filling = act.scene.journal_file.with_name("filling")
    try:
        with filling.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        time.sleep(fault.seconds)
    finally:
        filling.unlink()
    return f"for {fault.seconds} s"


FAULTS: dict[str, Callable[[Act, Fault], str]] = {
    "controller killed": _killed,
    "controller interrupted": _interrupted,
    "controller terminated": _terminated,
    "controller stopped and taken over": _stopped,
    "aborted": _aborted,
    "paused": _paused,
    "app killed": _app_killed,
    "app frozen": _app_frozen,
    "host cut off": _cut_off,
    "host frozen": _host_frozen,
    "host rebooted": _rebooted,
    "balancer reloaded": _reloaded,
    "balancer restarted": _restarted,
    "balancer silent": _silent,
    "held by a person": _held,
    "let in by a person": _let_in,
    "weighted by a person": _weighted,
    "second controller": _second,
    "journal locked": _locked,
    "disk full": _full,
}
