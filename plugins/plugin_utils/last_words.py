# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run says when it ends before its rollout does: who is out of rotation, and what to type.

Ansible runs no play and no ``always`` after a signal, and none after a step of the controller's that failed. What is left then is the main
process: on its way out for SIGINT and errors, and in a signal handler for SIGTERM, of which it dies.

After SIGINT it may never come to its way out: ansible-core (seen on 2.21) waits for the lock of the queue of results, and a worker that
SIGINT ended while it was sending one has taken that with it. Then a thread speaks, and says what to do about it.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
import typing as t
from collections.abc import Callable, Mapping
from contextlib import suppress

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils import private_line
from ansible_collections.convoy.rolling.plugins.plugin_utils.next_command import back_again, command_for, same_again
from ansible_collections.convoy.rolling.plugins.plugin_utils.summary import ended_lines, unfinished_lines, unopened_lines

_PATIENCE = 5.0
"""Seconds that an interrupted run has to end by itself."""


class LastWords:
    """The main process's, armed from when a run has the journal until it has said how its rollout ended.

    :param say: shows a person one line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._mine = os.getpid()
        self._armed = False
        self._progress: Mapping[str, t.Any] | None = None
        self._begun: Mapping[str, str] | None = None
        self._state_urls: dict[int, str] = {}
        private_line.open_line()

    def listen(self) -> None:
        """Take in what the workers said: which journal a run begins with, and which rollout it opened."""
        for message in private_line.heard():
            if "rollout" in message:
                self._state_urls[message["rollout"]] = message["state_url"]
            else:
                self._begun = message
                self._arm()

    def see(self, progress: Mapping[str, t.Any]) -> None:
        """Take in how far the rollout is; once it has a verdict there is nothing left to say."""
        self.listen()
        self._begun = None
        self._progress = None if progress["verdict"] or progress["rollout"] is None else progress
        if self._progress:
            self._arm()

    def speak(self, why: str) -> None:
        """Say it, once, and in no process but the one that runs the playbook."""
        if os.getpid() != self._mine:
            return
        progress, self._progress = self._progress, None
        begun, self._begun = self._begun, None
        for line in self._lines(progress, why) if progress else self._lines_of_before(begun, why) if begun else []:
            try:
                self._say(line)
            except Exception:  # such as RuntimeError, when the signal came in the middle of another line
                with suppress(OSError):
                    os.write(1, f"\n{line}\n".encode())

    def _arm(self) -> None:
        if not self._armed:
            self._armed = True
            atexit.register(self.speak, "the run ended before the rollout did")
            self._catch(signal.SIGTERM, lambda: self.speak("ended by SIGTERM"))
            self._catch(signal.SIGINT, self._wait_for_the_end)

    def _wait_for_the_end(self) -> None:
        late = threading.Timer(_PATIENCE, self.speak, ["interrupted, and ansible-playbook does not end by itself: press Ctrl-C again"])
        late.daemon = True
        late.start()

    def _lines_of_before(self, begun: Mapping[str, str], why: str) -> list[str]:
        """Who is out since an earlier rollout, which this run was going to bring back."""
        from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal  # as below

        try:
            out = [absence.host for absence in Journal(begun["state_url"]).absences(begun["app"])]
        except RollingError:
            return []  # it is what the run failed of, and has said
        again = same_again(begun["version"], False) if begun["version"] else command_for()
        return unopened_lines(begun["app"], why, out, again) if out else []

    def _lines(self, progress: Mapping[str, t.Any], why: str) -> list[str]:
        # Not above: the callback is loaded for every playbook, and this brings SQLAlchemy. In a rollout it is there already.
        from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal

        again = same_again(progress["version"], bool(progress["trouble"]))
        if progress.get("back"):
            again = back_again(progress["to_revision"])
        try:
            journal = Journal(self._state_urls.get(progress["rollout"], ""))
            rollout, absences = journal.rollout(progress["rollout"]), journal.absences(progress["app"])
        except RollingError as error:
            return unfinished_lines(progress, why, progress["out"], again, f"as it was seen last: {error.message}")
        out = [absence.host for absence in absences]
        if rollout.ended is not None:
            return ended_lines(rollout, out, command_for("convoy.rolling.status"))
        return unfinished_lines(progress, why, out, again)

    def _catch(self, number: signal.Signals, first: Callable[[], None]) -> None:
        """Do this before the signal does what it would have done anyway; where it would do nothing, nothing is done."""
        before = signal.getsignal(number)

        def handle(received: int, frame: t.Any) -> None:
            first()
            if callable(before):
                before(received, frame)
            else:
                signal.signal(received, signal.SIG_DFL)
                os.kill(os.getpid(), received)

        if before is signal.SIG_IGN:
            return
        try:
            signal.signal(number, handle)
        except ValueError:
            return  # not in the main thread: then it is not ansible-playbook that we are part of
