# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.action.recorded_runs import RUNS, check_golden, recorded
from unit.plugins.plugin_utils.pictures import BEGAN, big_picture

from ansible_collections.convoy.rolling.plugins.plugin_utils.board import LINES, _bar, _shares, board_lines, board_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.history import Picture
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Step, Verdict


def until(picture: Picture, at: float) -> Picture:
    """The same rollout as it was at a moment."""
    events = tuple(event for event in picture.events if event.at <= at)
    records = {
        record.host: HostRecord(record.host, verdict=record.verdict if record.step is Step.PLANNED else None)
        for record in picture.rollout.hosts
    }
    for event in events:
        if event.host is not None and event.rollout == picture.rollout.number:
            verdict = event.detail.get("verdict")
            records[event.host] = HostRecord(event.host, Step(event.kind), Verdict(verdict) if verdict else records[event.host].verdict)
    ended = picture.rollout.ended if picture.rollout.ended and picture.rollout.ended <= at else None
    verdict = picture.rollout.verdict if ended else None
    return Picture(dataclasses.replace(picture.rollout, hosts=tuple(records.values()), ended=ended, verdict=verdict), events)


@pytest.mark.parametrize("name", RUNS)
def test_boards_of_a_run_are_as_ever(name: str) -> None:
    picture = recorded(name).picture()
    moments = sorted({event.at for event in picture.mine})
    frames = []
    for at in moments:
        lines = board_lines(board_of(until(picture, at), at), at + 0.5, 100, colour=False)
        frames.append("\n".join(lines))
    check_golden(f"{name}.board.txt", "\n\n".join(frames) + "\n")


def test_thousand_hosts_are_the_same_few_lines() -> None:
    at = BEGAN + 50
    lines = board_lines(board_of(until(big_picture(1000), at), at), at, 120, colour=False)
    assert len(lines) == LINES
    assert lines[0] == 'rollout 1 of "web" to 2.0: progressing  batch 4 of 10  0:50, about 1:54 left'
    assert lines[1].endswith("  new 300  out 100  old 600")
    assert lines[2] == "drain 0:01: web301, web302, web303 and 97 more"
    assert lines[3].endswith("requests/s, 0.0 errors/s")


@given(st.lists(st.integers(0, 2000), min_size=6, max_size=6).filter(any), st.integers(10, 60))
def test_bar_is_always_as_long_and_nobody_is_left_out_of_it(counts: list[int], cells: int) -> None:
    shares = _shares(counts, cells)
    assert sum(shares) == cells
    assert all((share > 0) == (count > 0) for share, count in zip(shares, counts, strict=True))


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    board = board_of(until(big_picture(100), BEGAN + 20), BEGAN + 20)
    for colour in (True, False):
        lines = board_lines({**board, "app": "x" * 300}, BEGAN + 21, width, colour)
        assert max(len(re.sub(r"\x1b\[\d+m", "", line)) for line in lines) <= width


def test_without_colour_there_is_no_escape_and_without_unicode_only_ascii() -> None:
    board = board_of(until(big_picture(100), BEGAN + 20), BEGAN + 20)
    assert "\x1b" in "".join(board_lines(board, BEGAN, 100))
    assert "".join(board_lines(board, BEGAN, 100, colour=False, plain=True)).isascii()
    assert "\x1b" not in "".join(board_lines(board, BEGAN, 100, colour=False))


def test_names_give_the_terminal_no_orders() -> None:
    at = BEGAN + 6
    picture = until(big_picture(10, rename=lambda host: f"{host}\x1b[2J\r\n"), at)
    assert "\x1b" not in "".join(board_lines(board_of(picture, at), at, 100, colour=False))


def test_fleet_of_nobody_has_a_board_too() -> None:
    assert _bar(dict.fromkeys(("new", "out", "failed", "unreachable", "held", "old"), 0), 80, True, False) == "new 0  old 0"
