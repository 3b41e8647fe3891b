# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What HAProxy answers, read strictly: either the right members or an error, whatever comes in.

Two tables describe a backend. ``show stat`` has the counters, the checks and a status in words, from which the operator's wish cannot
be told while a server is down; ``show servers state`` (format 1) has that wish as bits. The bits and numbers are those of
``enum srv_admin`` and ``enum srv_state`` in HAProxy's include/haproxy/server-t.h.
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import operator
import re
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import DRAIN, MAINTENANCE, READY, Location, Member
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError

_MAINT_BITS = 0x01 | 0x02 | 0x20  # forced, inherited by "track", no address resolved
_DRAIN_BITS = 0x08 | 0x10  # forced, inherited
_STARTING, _RUNNING = 1, 2  # starting is a slow start; 0 is stopped, 3 stopping (NOLB)
_AGENT_CONFIGURED, _AGENT_ENABLED = 0x02, 0x04
_GOOD_CHECKS = ("L4OK", "L6OK", "L7OK", "PROCOK")
_LAST_ROW = "BACKEND"
_STAT_COLUMNS = ("pxname", "svname", "scur", "qcur", "stot", "status", "check_status", "tracked")
_ERROR_COLUMNS = ("hrsp_5xx", "econ", "eresp")
_OPTIONAL_COLUMNS = ("last_chk", *_ERROR_COLUMNS)
_STATE_COLUMNS = (
    *("be_name", "srv_name", "srv_addr", "srv_port"),
    *("srv_op_state", "srv_admin_state", "srv_uweight", "srv_iweight", "srv_agent_state"),
)

_SESSION = re.compile(r"(?P<id>0x[0-9a-f]+): .* be=(?P<backend>\S+) srv=(?P<server>\S+) ", re.ASCII)

Row = dict[str, str]
Cells = tuple[tuple[str, str], ...]
"""A row that can be compared as a whole."""


def backend_ids(stat: str) -> dict[str, str]:
    """Backend name -> the number HAProxy knows it by, from ``show stat -1 2 -1``.

    :raises RollingError: the text is not that table.
    """
    return {row["pxname"]: row["iid"] for row in _stat_rows(stat, ("pxname", "iid"))}


def servers(backend: str, stat: str, state: str) -> tuple[Member, ...]:
    """The members of a backend, in HAProxy's order.

    :param stat: the answer to ``show stat <number> 6 -1``; its last row, the backend's own, proves that it is whole.
    :param state: the answer to ``show servers state <backend>``.
    :raises RollingError: one is not that table, is cut, is another backend's, or the two do not agree.
    """
    rows = _stat_rows(stat, _STAT_COLUMNS)
    if not rows or rows[-1]["svname"] != _LAST_ROW or any(row["svname"] == _LAST_ROW for row in rows[:-1]):
        raise _garbled("show stat", "the row of the backend itself is not its last")
    if any(row["pxname"] != backend for row in rows):
        raise _garbled("show stat", f"it is not about {backend} only")
    states = {row["srv_name"]: row for row in _state_rows(state)}
    names = [row["svname"] for row in rows[:-1]]
    if len(set(names)) != len(names) or set(names) != set(states):
        raise _garbled("show servers state", f"it does not list the servers that show stat lists for {backend}")
    if any(row["be_name"] != backend for row in states.values()):
        raise _garbled("show servers state", f"it is not about {backend} only")
    return tuple(_member(tuple(row.items()), tuple(states[row["svname"]].items())) for row in rows[:-1])


def locations(state: str) -> list[Location]:
    """Every server of every backend that has an IP address and a port of its own, from ``show servers state``.

    :raises RollingError: the text is not that table.
    """
    found = [(row["be_name"], row["srv_name"], row["srv_addr"], _number(row, "srv_port")) for row in _state_rows(state)]
    return [Location(*place) for place in found if place[2] != "-" and place[3]]


def is_stopping(info: str) -> bool:
    """From ``show info``: the process was replaced by a reload and only finishes what it has; it knows nothing of later orders.

    :raises RollingError: the text does not say.
    """
    said = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("Stopping:")]
    if said not in (["0"], ["1"]):
        raise _garbled("show info", "it does not say whether the process is stopping")
    return said == ["1"]


def old_worker_pids(processes: str) -> list[str]:
    """The processes from before a reload that still work, from the master's ``show proc``.

    :raises RollingError: the text is not that table.
    """
    lines = processes.splitlines()
    if not lines or not lines[0].startswith("#<PID>"):
        raise _garbled("show proc", f"it begins with {processes[:60]!r}")
    section, pids = "", []
    for words in (line.split() for line in lines[1:]):
        if words[:1] == ["#"]:
            section = " ".join(words[1:])
        elif section == "old workers" and words[1:2] == ["worker"]:
            pids.append(words[0])
    if not all(pid.isascii() and pid.isdigit() for pid in pids):
        raise _garbled("show proc", "a PID is not a number")
    return pids


@dataclasses.dataclass(frozen=True)
class Work:
    """What a process does for one server."""

    sessions: int = 0
    queued: int = 0
    requests: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.sessions + other.sessions, self.queued + other.queued, self.requests + other.requests)


def work_of(backend: str, stat: str) -> dict[str, Work]:
    """Server -> its work, of one backend, from ``show stat -1 4 -1``; empty when the process has no such backend.

    :raises RollingError: the text is not that table.
    """
    rows = [row for row in _stat_rows(stat, ("pxname", "svname", "scur", "qcur", "stot")) if row["pxname"] == backend]
    return {row["svname"]: Work(*(_number(row, column) for column in ("scur", "qcur", "stot"))) for row in rows}


def session_ids(backend: str, names: t.Collection[str], sessions: str) -> list[str]:
    """The sessions of some servers of one backend, from ``show sess``."""
    found = (_SESSION.match(line) for line in sessions.splitlines())
    return [match["id"] for match in found if match and match["backend"] == backend and match["server"] in names]


@functools.lru_cache(maxsize=4096)  # a pool is read ten times a second, and next to nothing of most members changes meanwhile
def _member(of_stat: Cells, of_state: Cells) -> Member:
    row, state = dict(of_stat), dict(of_state)
    status, bits = row["status"], _number(state, "srv_admin_state")
    admin = MAINTENANCE if bits & _MAINT_BITS else DRAIN if bits & _DRAIN_BITS else READY
    if (admin == MAINTENANCE) != status.startswith("MAINT"):
        raise _garbled("show servers state", f"it does not agree with show stat about {row['svname']}, which is {status!r} there")
    weight, port = _number(state, "srv_uweight"), _number(state, "srv_port")
    agent = _number(state, "srv_agent_state")
    return Member(
        name=row["svname"],
        admin=admin,
        health=_health(row),
        in_service=admin == READY and weight > 0 and _number(state, "srv_op_state") in (_STARTING, _RUNNING),
        status=status,
        check=" ".join(part for part in (row["check_status"], row.get("last_chk", "")) if part) or None,
        address=state["srv_addr"] if state["srv_addr"] != "-" else None,
        port=port or None,
        weight=weight,
        initial_weight=_number(state, "srv_iweight"),
        sessions=_number(row, "scur"),
        queued=_number(row, "qcur"),
        requests=_number(row, "stot"),
        errors=_errors(row),
        agent=bool(agent & _AGENT_ENABLED) if agent & _AGENT_CONFIGURED else None,
        warming=_number(state, "srv_op_state") == _STARTING,
        follows=row["tracked"] or None,
    )


def _health(row: Row) -> str:
    """Exactly UP is full check health (``UP 1/2`` is going down, ``DOWN 1/2`` going up), but says nothing of the last check."""
    word, _space, rest = row["status"].partition(" ")
    if row["status"] == "no check":
        return "unchecked"
    if word == "UP":
        return "up" if not rest and _last_check_good(row) else "falling"
    if word == "DRAIN":
        if not row["check_status"] and not row["tracked"]:
            return "unchecked"
        return "up" if rest in ("", "(agent)") and _last_check_good(row) else "falling"
    if word == "DOWN":
        return "down" if rest in ("", "(agent)") else "rising"
    return "down" if word == "NOLB" else "unknown"


def _last_check_good(row: Row) -> bool:
    """``* L7OK`` is a check under way after a good one; a server that tracks another has no checks of its own."""
    return row["check_status"].replace("* ", "", 1) in _GOOD_CHECKS or bool(row["tracked"] and not row["check_status"])


def _stat_rows(text: str, needed: t.Sequence[str]) -> list[Row]:
    try:
        table = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise _garbled("show stat", str(error)) from error
    if not table or not table[0][0].startswith("# "):
        raise _garbled("show stat", f"it begins with {text[:60]!r}")
    header = [table[0][0][2:], *table[0][1:]]
    return _rows("show stat", header, table[1:], needed)


def _state_rows(text: str) -> list[Row]:
    lines = text.splitlines()
    if len(lines) < 2 or lines[0].strip() != "1" or not lines[1].startswith("# "):
        raise _garbled("show servers state", f"it begins with {text[:60]!r}")
    return _rows("show servers state", lines[1][2:].split(), [line.split() for line in lines[2:] if line.strip()], _STATE_COLUMNS)


def _rows(command: str, header: list[str], table: list[list[str]], needed: t.Sequence[str]) -> list[Row]:
    missing = [column for column in needed if header.count(column) != 1]
    if missing:
        raise _garbled(command, f"the column {missing[0]} is missing or there twice")
    if any(len(row) != len(header) for row in table):
        raise _garbled(command, "a row is not as long as the header")
    # Of the hundred columns of show stat, a dozen.
    wanted = [column for column in header if column in needed or column in _OPTIONAL_COLUMNS]
    cells = operator.itemgetter(*(header.index(column) for column in wanted))
    return [dict(zip(wanted, cells(row))) for row in table]


def _errors(row: Row) -> int | None:
    """None where a column is missing or empty, as for a TCP backend's answers."""
    counted = [row.get(column, "") for column in _ERROR_COLUMNS]
    return sum(map(int, counted)) if all(text.isascii() and text.isdigit() for text in counted) else None


def _number(row: Row, column: str) -> int:
    text = row[column]
    if not (text.isascii() and text.isdigit()):
        raise _garbled("show stat" if "svname" in row else "show servers state", f"{column} is {text!r} and not a number")
    return int(text)


def _garbled(command: str, reason: str) -> RollingError:
    return RollingError(f"HAProxy's answer to {command!r} cannot be used: {reason}. Nothing was concluded from it.")
