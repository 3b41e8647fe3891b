# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.plugin_utils import live_screen
from ansible_collections.convoy.rolling.plugins.plugin_utils.live_screen import LiveScreen, is_terminal, read_board

LINES = ["one", "two", "three", "four"]


class Terminal:
    def __init__(self, size: tuple[int, int] = (80, 24)) -> None:
        self.size = size
        self.shown: list[str] = []
        self.lines = list(LINES)
        self.drawn = threading.Event()

    def show(self, text: str) -> None:
        self.shown.append(text)
        self.drawn.set()

    def screen(self, every: float = 60) -> LiveScreen:
        return LiveScreen(self.show, lambda _width: self.lines, lambda: self.size, every)


@pytest.mark.parametrize(
    ("environment", "is_tty", "live"),
    [
        ({"TERM": "xterm-256color"}, True, True),
        ({"TERM": "xterm"}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({}, True, False),
        ({"TERM": "xterm", "JOB_ID": "7"}, True, False),
        ({"TERM": "xterm", "AWX_ISOLATED_DATA_DIR": "/runner/artifacts/1"}, True, False),
        ({"TERM": "xterm", "ANSIBLE_STDOUT_CALLBACK": "awx_display"}, True, False),
        ({"TERM": "xterm", "ANSIBLE_STDOUT_CALLBACK": "yaml"}, True, True),
    ],
)
def test_only_where_somebody_sits_before_it(environment: dict[str, str], is_tty: bool, live: bool) -> None:
    assert is_terminal(environment, is_tty) is live


def test_last_lines_are_kept_free_once_drawn_again_and_given_back() -> None:
    terminal = Terminal()
    screen = terminal.screen()
    screen.draw()
    screen.draw()
    screen.stop()
    first, second, last = terminal.shown
    assert first.startswith("\n\n\n\n\x1b7\x1b[1;20r\x1b8\x1b[4A\x1b7\x1b[21;1H\x1b[2Kone")
    assert second == "\x1b7" + "".join(f"\x1b[{21 + row};1H\x1b[2K{line}" for row, line in enumerate(LINES)) + "\x1b8"
    assert last.startswith("\x1b7\x1b[r") and last.endswith("\x1b8") and "one" not in last
    screen.draw()
    screen.stop()
    assert len(terminal.shown) == 3, "it is over"


def test_terminal_that_changes_its_size_is_taken_anew_and_one_too_small_is_left_alone() -> None:
    terminal = Terminal()
    screen = terminal.screen()
    screen.draw()
    terminal.size = (100, 40)
    screen.draw()
    assert terminal.shown[1].startswith("\x1b7\x1b[r") and "\x1b[1;36r" in terminal.shown[2]
    for small in ((39, 40), (100, 7), (0, 0)):
        terminal.size = small
        screen.draw()
    assert len(terminal.shown) == 4 and terminal.shown[3].startswith("\x1b7\x1b[r")


def test_nothing_is_kept_before_there_is_something_to_show() -> None:
    terminal = Terminal()
    terminal.lines = []
    terminal.screen().draw()
    assert terminal.shown == []


def test_thread_draws_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    screen = terminal.screen(every=0.01)
    screen.start()
    screen.start()
    assert terminal.drawn.wait(30)
    screen.stop()
    assert screen._thread is not None
    screen._thread.join(30)
    assert not screen._thread.is_alive()


def test_terminal_that_is_gone_ends_it_without_a_word() -> None:
    def gone(_text: str) -> None:
        raise BrokenPipeError

    screen = LiveScreen(gone, lambda _width: LINES, lambda: (80, 24), 0.01)
    screen._draw_on()
    screen.start()
    assert screen._thread is None, "once was enough"


def test_worker_does_not_touch_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    screen = terminal.screen()
    screen.draw()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: 1)
        screen.stop()
    assert len(terminal.shown) == 1


def test_board_is_read_when_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "board.json"
    assert read_board(str(path)) is None
    path.write_text("{")
    assert read_board(str(path)) is None
    path.write_text('{"app": "web"}')
    assert read_board(str(path)) == {"app": "web"}


def test_who_wants_it_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_screen, "_wanted", [])
    assert live_screen.wanted() == ""
    live_screen.want("/a")
    assert live_screen.wanted() == "/a"
