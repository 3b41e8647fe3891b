# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
from unit.plugins.fake_clock import FakeClock

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils import heartbeat
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import LeaseLost


class Controller:
    """A controller that is stopped for a while, and ends."""

    def __init__(self, clock: FakeClock, ends: float, stopped: tuple[float, float] = (-1, -1)) -> None:
        self.clock, self.ends, self.stopped = clock, ends, stopped

    def is_gone(self) -> bool:
        return self.clock.now() >= self.ends

    def is_stopped(self) -> bool:
        return self.stopped[0] <= self.clock.now() < self.stopped[1]


def beats(ends: float = 60, fail: Callable[[float], Exception | None] = lambda _now: None, **different: t.Any) -> tuple[list[float], float]:
    """When the lease was renewed, and when the heartbeat ended."""
    clock, renewed = FakeClock(), []

    def renew() -> None:
        error = fail(clock.now())
        if error:
            raise error
        renewed.append(clock.now())

    heartbeat.beat(Controller(clock, ends, **different), renew, clock, every=10)
    return renewed, clock.now()


def test_lease_is_renewed_until_the_controller_is_gone() -> None:
    assert beats() == ([10, 20, 30, 40, 50], 60)


def test_stopped_controller_is_not_kept_alive_and_one_that_comes_back_is() -> None:
    assert beats(stopped=(15, 43)) == ([10, 43, 53], 60)


def test_lost_lease_is_not_looked_for_any_more() -> None:
    assert beats(fail=lambda now: LeaseLost("gone") if now > 25 else None) == ([10, 20], 30)


def test_journal_in_trouble_is_tried_again_soon() -> None:
    assert beats(fail=lambda now: RollingError("locked") if 15 < now < 33 else None) == ([10, 33, 43, 53], 60)


# -- a real one --------------------------------------------------------------------------------------------------------


@pytest.fixture
def controller() -> t.Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


class Heart:
    """A heartbeat that leaves a line in a file each time."""

    def __init__(self, controller: int, log: Path) -> None:
        self.log = log
        heartbeat.start(Holder.of(controller), self._renewing)
        self.wait(lambda: self.pid > 0)

    def _renewing(self) -> Callable[[], None]:
        self.log.write_text(f"{os.getpid()}\n")
        return lambda: None

    @property
    def pid(self) -> int:
        return int(self.log.read_text() or 0) if self.log.exists() else 0

    @property
    def ended(self) -> bool:
        """Whether it is no more, or only still to be noticed by init, which takes its time here."""
        try:
            state, parent = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            return True
        return state == "Z" and int(parent) != os.getpid()

    def wait(self, condition: Callable[[], bool]) -> None:
        give_up = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < give_up
            time.sleep(0.01)


def test_heart_is_nobodys_child_and_holds_nothing_open(controller: subprocess.Popen[str], tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    heart = Heart(controller.pid, tmp_path / "log")
    os.close(theirs)
    assert os.read(ours, 1) == b"", "who reads from a pipe of ours is at its end"
    os.close(ours)
    stat = Path(f"/proc/{heart.pid}/stat").read_text().rpartition(")")[2].split()
    assert int(stat[1]) != os.getpid()
    assert int(stat[3]) != os.getsid(0), "a signal to our session is none to it"
    assert {os.readlink(file) for file in Path(f"/proc/{heart.pid}/fd").iterdir()} == {os.devnull}
    assert Path(f"/proc/{heart.pid}/comm").read_text() == "convoy-lease\n"
    os.kill(heart.pid, signal.SIGTERM)
    heart.wait(lambda: heart.ended)


def test_heart_ends_soon_after_its_controller_and_leaves_no_zombie(controller: subprocess.Popen[str], tmp_path: Path) -> None:
    heart = Heart(controller.pid, tmp_path / "log")
    assert not heart.ended
    controller.kill()
    began = time.monotonic()
    heart.wait(lambda: heart.ended)
    assert time.monotonic() - began < 1


def test_machine_without_room_for_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fork() -> int:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)
    with pytest.raises(RollingError, match="no process could be started to keep the lease: Resource temporarily unavailable"):
        heartbeat.start(Holder.of(os.getpid()), lambda: lambda: None)
