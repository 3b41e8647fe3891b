# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the bench prints."""

from __future__ import annotations

import statistics
import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Round:
    """One roll: seconds of CPU and of wall time, seconds that each host was out of rotation, requests sent and failed."""

    cpu: float
    wall: float
    absences: list[float]
    sent: int
    failed: int

    def line(self) -> str:
        rotation = f"out of rotation {_spread(self.absences)} s a host"
        return f"CPU {self.cpu:.1f} s, wall {self.wall:.1f} s, {rotation}, {self.failed} of {self.sent} failed"


def table(rounds: t.Mapping[tuple[int, str, str], t.Sequence[Round]]) -> str:
    """A Markdown table of what was measured by (hosts, connection, side), and how many times more the recipe took than ours, and our way back
    than our way there.
    """
    lines = [
        "| hosts | connection | side | CPU s min/median/max | wall s min/median/max | out of rotation s a host | failed of sent |",
        "|---|---|---|---|---|---|---|",
    ]
    for (hosts, connection, side), measured in rounds.items():
        cells = [
            str(hosts),
            connection,
            side,
            _spread([one.cpu for one in measured]),
            _spread([one.wall for one in measured]),
            _spread([seconds for one in measured for seconds in one.absences]),
            f"{sum(one.failed for one in measured)} of {sum(one.sent for one in measured)}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    for hosts, connection in dict.fromkeys(key[:2] for key in rounds):
        for side, places in (("recipe", 1), ("rollback", 2)):
            other, ours = rounds.get((hosts, connection, side)), rounds.get((hosts, connection, "ours"))
            if other and ours:
                cpu, wall = (
                    statistics.median(getattr(one, what) for one in other) / statistics.median(getattr(one, what) for one in ours)
                    for what in ("cpu", "wall")
                )
                lines.append(f"| {hosts} | {connection} | {side} / ours | {cpu:.{places}f} x | {wall:.{places}f} x | | |")
    return "\n".join(lines)


def _spread(values: t.Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{min(values):.1f} / {statistics.median(values):.1f} / {max(values):.1f}"
