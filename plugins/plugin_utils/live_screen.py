# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The board on a terminal: at its bottom, below the lines that scroll. Everything is shown through Ansible's Display."""

from __future__ import annotations

import json
import os
import threading
import typing as t
from collections.abc import Callable, Mapping

from ansible_collections.convoy.rolling.plugins.plugin_utils.board import LINES

_SMALLEST = (40, 2 * LINES)
"""Columns and rows of a terminal on which a board leaves room for anything else."""

_wanted: list[str] = []


def want(path: str) -> None:
    """Say, in the main process before it forks its first worker, that the board is wanted in this file."""
    _wanted[:] = [path]


def wanted() -> str:
    """Where it is wanted; empty when nobody watches."""
    return _wanted[0] if _wanted else ""


def is_terminal(environment: Mapping[str, str], is_tty: bool) -> bool:
    """Whether somebody sits before it. Under ansible-runner and AWX standard output looks like a terminal, and is a log."""
    runner = (
        environment.get("AWX_ISOLATED_DATA_DIR") or environment.get("JOB_ID") or environment.get("ANSIBLE_STDOUT_CALLBACK") == "awx_display"
    )
    return is_tty and not runner and environment.get("TERM", "dumb") not in ("", "dumb", "unknown")


class LiveScreen:
    """The last lines of a terminal, kept from scrolling as apt does it, and drawn anew every so often.

    :param show: writes a text to the terminal as it is.
    :param lines: the board's, for a width in columns; nothing while there is none.
    :param size: the terminal's, in columns and rows.
    """

    def __init__(
        self, show: Callable[[str], None], lines: Callable[[int], list[str]], size: Callable[[], tuple[int, int]], every: float
    ) -> None:
        self._show, self._lines, self._size, self._every = show, lines, size, every
        self._kept: tuple[int, int] | None = None  # the size that lines are kept free for
        self._over = threading.Event()
        self._lock = threading.RLock()  # a signal's handler may come in the middle of a drawing
        self._mine = os.getpid()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Draw from now on; once is enough."""
        if self._thread is None and not self._over.is_set():
            self._thread = threading.Thread(target=self._draw_on, name="convoy-board", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Leave the terminal as it was."""
        if os.getpid() != self._mine:
            return  # a worker has the thread's memory, and not its terminal
        self._over.set()
        # Without waiting for ever: it may be the very thread that was interrupted.
        if self._lock.acquire(timeout=1):
            try:
                self._let_go()
            finally:
                self._lock.release()

    def _draw_on(self) -> None:
        try:
            while not self._over.is_set():
                self.draw()
                self._over.wait(self._every)
        except Exception:  # whatever is wrong with the terminal, the run goes on without a board
            self._over.set()

    def draw(self) -> None:
        """Draw it once, where there is room."""
        with self._lock:
            size = self._size()
            if self._over.is_set():
                return
            lines = self._lines(size[0]) if size[0] >= _SMALLEST[0] and size[1] >= _SMALLEST[1] else []
            if size != self._kept or not lines:
                self._let_go()
            if not lines:
                return
            rows = size[1]
            text = ""
            if self._kept is None:
                text = "\n" * LINES + f"\x1b7\x1b[1;{rows - LINES}r\x1b8\x1b[{LINES}A"
                self._kept = size
            drawn = "".join(f"\x1b[{rows - LINES + number};1H\x1b[2K{line}" for number, line in enumerate(lines, 1))
            self._show(f"{text}\x1b7{drawn}\x1b8")

    def _let_go(self) -> None:
        if self._kept is None:
            return
        _columns, rows = self._kept
        self._kept = None
        cleared = "".join(f"\x1b[{rows - LINES + number};1H\x1b[2K" for number in range(1, LINES + 1))
        self._show(f"\x1b7\x1b[r{cleared}\x1b8")


def read_board(path: str) -> dict[str, t.Any] | None:
    """The board as the publisher wrote it last; None when there is none yet."""
    try:
        with open(path, encoding="utf-8") as file:
            board: dict[str, t.Any] = json.load(file)
            return board
    except (OSError, ValueError):
        return None
