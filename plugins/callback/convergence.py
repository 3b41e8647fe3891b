# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person watches: the fleet converging on the version."""

from __future__ import annotations

DOCUMENTATION = r"""
name: convergence
type: aggregate
short_description: Shows a rollout converging
version_added: 0.1.0
author: [convoy.rolling maintainers (@convoy-rolling)]
description:
  - >-
    On a terminal, the last lines show the rollout while it goes on: how many hosts are new, out, failed, held and old; which batch it is; who is
    in which step and for how long; how long it will take, from the hosts that are done; requests and errors a second as the load balancers count them.
  - >-
    Elsewhere, in a pipe, under ansible-runner or AWX, or with E(TERM=dumb), it prints how far the rollout is after each batch, and how it ended, in
    lines that read like those of C(kubectl rollout status).
  - When the run ends before the rollout does, by SIGINT (Ctrl-C), by SIGTERM or because a step of the controller's failed, it says who is out of
    rotation and what to type. It reads that from the journal; if that is what failed, it says what it saw last.
  - Works beside any stdout callback, changes nothing of the run, and cannot fail it.
  - >-
    Enable it by its full name, C(callbacks_enabled = convoy.rolling.convergence) in the section V([defaults]) of C(ansible.cfg), or
    E(ANSIBLE_CALLBACKS_ENABLED=convoy.rolling.convergence).
options:
  mode:
    description:
      - V(live) and V(lines) are as above; V(auto) is V(live) where somebody sits before a terminal.
    type: str
    choices: [auto, live, lines]
    default: auto
    ini:
      - {section: callback_convergence, key: mode}
    env:
      - {name: CONVOY_CONVERGENCE}
    vars:
      - {name: convoy_convergence}
  refresh:
    description:
      - Seconds between two drawings of V(live).
    type: float
    default: 1.0
    ini:
      - {section: callback_convergence, key: refresh}
    env:
      - {name: CONVOY_CONVERGENCE_REFRESH}
    vars:
      - {name: convoy_convergence_refresh}
"""

import atexit
import os
import shutil
import sys
import time
import typing as t
from contextlib import suppress

from ansible import constants as C
from ansible.plugins.callback import CallbackBase

from ansible_collections.convoy.rolling.plugins.plugin_utils import live_screen
from ansible_collections.convoy.rolling.plugins.plugin_utils.last_words import LastWords
from ansible_collections.convoy.rolling.plugins.plugin_utils.progress import lines_of


class CallbackModule(CallbackBase):
    """``convoy.rolling.convergence``"""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "convoy.rolling.convergence"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self._shown: list[str] = []
        self._screen: live_screen.LiveScreen | None = None
        self._last_words = LastWords(self._say_last)
        self._tired = False

    def set_options(self, task_keys: t.Any = None, var_options: t.Any = None, direct: t.Any = None) -> None:
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        mode = self.get_option("mode")
        if mode == "live" or (mode == "auto" and live_screen.is_terminal(os.environ, bool(sys.stdout and sys.stdout.isatty()))):
            path = os.path.join(C.DEFAULT_LOCAL_TMP, "convoy-board.json")
            live_screen.want(path)
            self._screen = live_screen.LiveScreen(
                self._show_raw, lambda width: self._board(path, width), _size, max(0.1, self.get_option("refresh"))
            )

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._show(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._show(result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        if self._screen:
            self._screen.stop()

    def _show(self, result: t.Any) -> None:
        try:
            # ansible-core 2.18 knows the underscore only; from 2.19 on `result` is the public name.
            returned = result.result if hasattr(type(result), "result") else result._result
            self._last_words.listen()
            progress = returned.get("progress")
            if isinstance(progress, dict) and "app" in progress:
                self._last_words.see(progress)
                if not self._tired:
                    self._show_progress(progress)
        except Exception as error:  # a run must not end, nor be in doubt, because somebody can't watch it
            if self._tired:
                return
            self._tired = True
            if self._screen:
                self._screen.stop()
            self._display.warning(f"convoy.rolling.convergence shows nothing more: {type(error).__name__}: {error}")

    def _show_progress(self, progress: dict[str, t.Any]) -> None:
        lines = lines_of(progress)
        over = bool(progress["verdict"] or progress["halted"])
        if self._screen:
            if progress["verdict"]:
                self._screen.stop()
            elif progress["rollout"] is not None:
                self._watch(self._screen)
        for line in lines:
            if line not in self._shown and not (self._screen and line == lines[-1] and not over):
                self._display.display(line, color="red" if line.startswith("error: ") else "cyan")
        self._shown = lines

    def _watch(self, screen: live_screen.LiveScreen) -> None:
        # After the last words' own, and so before them: nothing is said below the board.
        atexit.unregister(screen.stop)
        atexit.register(screen.stop)
        screen.start()

    def _board(self, path: str, width: int) -> list[str]:
        # Not above: the callback is loaded for every playbook.
        from ansible_collections.convoy.rolling.plugins.plugin_utils.board import board_lines

        board = live_screen.read_board(path)
        plain = "utf" not in (sys.stdout.encoding or "").lower()
        return (
            board_lines(board, time.time(), width, colour=not C.ANSIBLE_NOCOLOR and not os.environ.get("NO_COLOR"), plain=plain)
            if board
            else []
        )

    def _show_raw(self, text: str) -> None:
        self._display.display(text, screen_only=True, newline=False)

    def _say_last(self, line: str) -> None:
        with suppress(OSError, ValueError):  # nobody is there to hear it
            if self._screen:
                self._screen.stop()
            self._display.display(line, color="red")


def _size() -> tuple[int, int]:
    size = shutil.get_terminal_size((0, 0))
    return size.columns, size.lines
