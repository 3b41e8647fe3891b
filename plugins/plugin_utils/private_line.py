# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A line from a run's workers to its main process that nobody else can hear: what is no result, because results are shown and logged.

A pipe that the main process opens before it forks its first worker. What is said there is in no file and in no argument.
"""

from __future__ import annotations

import json
import os
import typing as t

_LONGEST = 65536
_ends: list[int] = []


def open_line() -> None:
    """Open it, in the main process; once is enough."""
    if not _ends:
        _ends.extend(os.pipe())
        for end in _ends:
            os.set_blocking(end, False)


def tell(message: dict[str, t.Any]) -> None:
    """Say something, in a worker. It is lost when the main process does not listen."""
    if _ends:
        try:
            os.write(_ends[1], json.dumps(message).encode() + b"\n")
        except BlockingIOError:
            return


def heard() -> list[dict[str, t.Any]]:
    """What the workers said since the last time."""
    try:
        said = os.read(_ends[0], _LONGEST) if _ends else b""
    except BlockingIOError:
        said = b""
    return [json.loads(line) for line in said.splitlines()]
