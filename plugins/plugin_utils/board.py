# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The board: a rollout in the few lines that a person watches, of any number of hosts. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.convoy.rolling.plugins.plugin_utils.history import (
    OUT,
    Picture,
    clock,
    paused_spans,
    phase_of,
    rates_of,
    readings_of,
    standing,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.metrics import state_of_rollout
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Step

LINES = 4
"""How many lines a board has."""

_NAMED = 3
_STATES = ("new", "out", "failed", "unreachable", "held", "old")
_UNICODE = {"new": "█", "out": "▒", "failed": "✖", "unreachable": "✖", "held": "▪", "old": "░"}
_ASCII = {"new": "#", "out": ">", "failed": "x", "unreachable": "x", "held": "=", "old": "."}
_COLOURS = {"new": "32", "out": "33", "failed": "31", "unreachable": "31", "held": "35", "old": "90"}
_WIDEST_BAR = 60
_NARROWEST_BAR = 10


def board_of(picture: Picture, now: float) -> dict[str, t.Any]:
    """What a board shows, as plain values.

    :param now: seconds since the epoch.
    """
    rollout = picture.rollout
    left = [event for event in picture.mine if event.kind == Step.LEAVING]
    batch_of = {host: number for number, hosts in enumerate(rollout.plan.batches, 1) for host in hosts}
    planned = set(batch_of)
    done = sum(record.verdict is not None for record in rollout.hosts if record.host in planned)
    at = rollout.ended or now
    latest = [rates[-1] for rates in map(rates_of, readings_of(picture).values()) if rates]
    return {
        "app": rollout.app,
        "version": rollout.version,
        "rollout": rollout.number,
        "state": state_of_rollout(picture),
        "started": rollout.started,
        "standing": standing(rollout),
        "batch": max((batch_of.get(str(event.host), 0) for event in left), default=0),
        "batches": len(rollout.plan.batches),
        "doing": _doing(picture),
        "until": _until(left[0].at, at, done, len(planned), picture) if left and 0 < done < len(planned) else None,
        "requests": sum(requests for _at, requests, _errors in latest) if latest else None,
        "errors": sum(errors for _at, _requests, errors in latest) if latest else None,
    }


def _doing(picture: Picture) -> list[dict[str, t.Any]]:
    """Step -> who is in it, and since when the longest of them."""
    # Only the newest of a host counts; its whole history would cost more than all the rest of a board.
    newest = {event.host: event for event in picture.mine if event.host is not None}
    steps: dict[str, dict[str, t.Any]] = {}
    for host, event in newest.items():
        name = phase_of(event)
        if event.kind not in (Step.PLANNED, Step.BACK) and name != OUT:
            one = steps.setdefault(name, {"step": name, "hosts": [], "count": 0, "since": event.at})
            one["count"] += 1
            one["since"] = min(one["since"], event.at)
            if len(one["hosts"]) < _NAMED:
                one["hosts"].append(host)
    return list(steps.values()) if picture.rollout.ended is None else []


def _until(began: float, at: float, done: int, planned: int, picture: Picture) -> float:
    """When it ends if it goes on as it went."""
    paused = sum(till - since for since, till in paused_spans(picture, at))
    return at + max(0.0, at - began - paused) / done * (planned - done)


def board_lines(board: Mapping[str, t.Any], now: float, width: int, colour: bool = True, plain: bool = False) -> list[str]:
    """The board as a terminal shows it, as many lines as ``LINES``, none of them wider than the terminal.

    :param plain: nothing but ASCII.
    """
    until = board["until"]
    ahead = f", about {clock(max(0.0, until - now))} left" if until is not None and board["state"] == "progressing" else ""
    batch = f"  batch {board['batch']} of {board['batches']}" if board["batch"] else ""
    head = f'rollout {board["rollout"]} of "{board["app"]}" to {board["version"]}: {board["state"]}{batch}  {clock(now - board["started"])}{ahead}'
    rates = "" if board["requests"] is None else f"{board['requests']:.0f} requests/s, {board['errors']:.1f} errors/s"
    doing = "  ".join(f"{one['step']} {clock(now - one['since'])}: {_named(one)}" for one in board["doing"])
    return [
        _cut(head, width),
        _bar(board["standing"], width, colour, plain),
        _cut(doing or "nobody is in a step", width),
        _cut(rates or "nobody counts requests here", width),
    ]


def _named(one: Mapping[str, t.Any]) -> str:
    more = one["count"] - len(one["hosts"])
    return ", ".join(one["hosts"]) + (f" and {more} more" if more else "")


def _bar(counts: Mapping[str, int], width: int, colour: bool, plain: bool) -> str:
    """The mix, and beside it in numbers; without a bar where there is no room for one."""
    words = "  ".join(f"{state} {counts[state]}" for state in _STATES if counts[state] or state in ("new", "old"))
    room = min(_WIDEST_BAR, width - len(words) - 2)
    total = sum(counts.values())
    if room < _NARROWEST_BAR or not total:
        return _cut(words, width)
    cells = _shares([counts[state] for state in _STATES], room)
    marks = _ASCII if plain else _UNICODE
    drawn = "".join(_painted(marks[state] * count, _COLOURS[state], colour) for state, count in zip(_STATES, cells, strict=True))
    return f"{drawn}  {words}"


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour and text else text


def _shares(counts: list[int], cells: int) -> list[int]:
    """So many cells for each, by largest remainder; who has one host has a cell."""
    total = sum(counts)
    shares = [max(count * cells // total, 1 if count else 0) for count in counts]
    while sum(shares) != cells:
        step = 1 if sum(shares) < cells else -1
        # Whoever is furthest from what is due, and may still give.
        chosen = max(
            (place for place in range(len(counts)) if counts[place] and (step > 0 or shares[place] > 1)),
            key=lambda place: step * (counts[place] * cells - shares[place] * total),
        )
        shares[chosen] += step
    return shares


def _cut(text: str, width: int) -> str:
    """One line of text that no terminal takes for an order."""
    safe = "".join(letter if letter.isprintable() else "?" for letter in text)
    return safe if len(safe) <= width else f"{safe[: max(0, width - 3)]}..."
