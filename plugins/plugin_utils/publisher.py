# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The publisher: a process beside the run that reads what the journal has and tells it on.

Every transition is written into the journal, by this run's steps and by people elsewhere, and so the journal's events are the one place to
read from. A step waits for no file, no web server and no full disk, and none of them can fail it; what could not be told is tried again with
the next look, and said once, when the rollout ends.
"""

from __future__ import annotations

import glob
import json
import os
import signal
import typing as t
from collections.abc import Callable, Sequence
from contextlib import suppress

from ansible_collections.convoy.rolling.plugins.module_utils.clock import Clock
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.history import Picture
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.orphan import start_orphan
from ansible_collections.convoy.rolling.plugins.plugin_utils.outlets import Outlet, OutletTrouble

_EVERY = 0.5


class Watched(t.Protocol):
    """The controller's process, as ``holder.Holder`` knows it."""

    def is_gone(self) -> bool:
        """Whether it has ended."""


class Reader:
    """What the journal knows of a rollout, read anew only when something was written.

    :param after: the number of the last event that is told already.
    """

    def __init__(self, journal: Journal, app: str, rollout: int, after: int) -> None:
        self._journal, self._app, self._rollout, self._after = journal, app, rollout, after
        self._picture: Picture | None = None

    def look(self) -> Picture:
        """:raises RollingError: the journal can't be used now."""
        fresh = self._journal.events(self._app, self._after)
        if fresh or self._picture is None:
            known = (self._picture.events if self._picture else ()) + fresh
            self._after = known[-1].number if known else self._after
            rollout = self._journal.rollout(self._rollout)
            if rollout.ended is not None:  # it may have ended between the two looks, and this is the last
                known += self._journal.events(self._app, self._after)
            self._picture = Picture(rollout, known)
        return self._picture


def publish(
    watched: Watched,
    look: Callable[[], Picture],
    outlets: Sequence[Outlet],
    sleep: Callable[[float], None],
    tell: Callable[[bool, dict[str, str]], None],
) -> None:
    """Tell the outlets until the rollout has ended, or its controller has.

    :param tell: told whether that is all, and the first trouble of each outlet that had one.
    """
    trouble: dict[str, str] = {}
    tell(False, trouble)
    picture: Picture | None = None
    while True:
        gone = watched.is_gone()  # asked before the look, so that what it wrote last is seen
        with suppress(RollingError):  # the run itself fails of that
            picture = look()
        last = gone or (picture is not None and picture.rollout.ended is not None)
        before = len(trouble)
        for outlet in outlets if picture else ():
            try:
                outlet.give(t.cast(Picture, picture), last)
            except OutletTrouble as error:
                trouble.setdefault(outlet.name, str(error))
            except Exception as error:  # a mistake of ours in one of them must not silence the others
                trouble.setdefault(outlet.name, f"{type(error).__name__}: {error}")
        if last or len(trouble) != before:
            tell(last, trouble)
        if last:
            return
        sleep(_EVERY)


def start(watched: Watched, reading: Callable[[], Reader], outlets: Sequence[Outlet], note: str) -> None:
    """Start a publisher beside the controller.

    :param reading: makes the reader in the new process, because a connection must not be shared.
    :param note: a file in which it says how it fares.
    :raises RollingError: this machine has no room for one more process.
    """

    def work() -> None:
        # Blocked, it waits until somebody asks for it: that is how a sleep is cut short.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        publish(
            watched,
            reading().look,
            outlets,
            _doze,
            lambda *said: _write(note, *said),
        )

    start_orphan("convoy-publish", work, "tell of the rollout")


def _doze(seconds: float) -> None:
    signal.sigtimedwait({signal.SIGUSR1}, seconds)


def note_path(directory: str, rollout: int, group: str) -> str:
    """Where the publisher of a group of outlets says how it fares."""
    return os.path.join(directory, f"convoy-publisher-{rollout}-{group}.json")


def finish(directory: str, rollout: int, clock: Clock, patience: float = 10.0) -> dict[str, str]:
    """Let every publisher of a rollout that has ended tell the rest.

    :param patience: how long to wait for that, in seconds; who takes longer goes on alone.
    :return: the outlets that had trouble, and why.
    """
    trouble: dict[str, str] = {}
    give_up = clock.now() + patience
    for path in sorted(glob.glob(note_path(glob.escape(directory), rollout, "*"))):
        said = _read(path)
        if said and not said["done"]:
            _wake(said["pid"])
        while said and not said["done"] and clock.now() < give_up and _is_there(said["pid"]):
            clock.sleep(0.02)
            said = _read(path)
        if said:
            trouble.update(said["trouble"])
    return trouble


def _write(note: str, done: bool, trouble: dict[str, str]) -> None:
    try:
        with open(f"{note}.new", "w", encoding="utf-8") as file:
            json.dump({"pid": os.getpid(), "done": done, "trouble": trouble}, file)
        os.replace(f"{note}.new", note)
    except OSError:
        return  # the run is over, and its temporary files with it


def _read(note: str) -> dict[str, t.Any] | None:
    try:
        with open(note, encoding="utf-8") as file:
            said: dict[str, t.Any] = json.load(file)
            return said
    except (OSError, ValueError):
        return None


def _wake(pid: int) -> None:
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as comm:  # it may have ended, and the number be another's
            if comm.read().startswith("convoy-publish"):
                os.kill(pid, signal.SIGUSR1)
    except OSError:
        return


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
