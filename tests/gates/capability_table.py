# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of providers and what they can do in docs/load-balancers.md: printed, or with --write put there."""

from __future__ import annotations

import dataclasses
import sys
import typing as t
from pathlib import Path

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import Capabilities
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.providers import PROVIDERS

DOCUMENT = Path(__file__).parents[2] / "docs" / "load-balancers.md"
_BEGIN, _END = "<!-- capabilities: begin -->\n", "<!-- capabilities: end -->\n"
_TITLES = {
    "drains": "knows when a member is drained",
    "soft_drain": "state between in and out",
    "cuts_sessions": "ends open sessions",
    "whole_pool": "sees the whole pool",
    "max_weight": "weights",
    "warms_up": "tells of a slow start",
    "old_workers": "asks old processes after a reload",
}


def table() -> str:
    """As Markdown; a capability without a title here has its own name."""
    names = sorted(PROVIDERS)
    rows = [["", *names], ["---"] * (len(names) + 1)]
    for field in dataclasses.fields(Capabilities):
        values = [getattr(PROVIDERS[name].capabilities, field.name) for name in names]
        rows.append([_TITLES.get(field.name, field.name), *(_word(value) for value in values)])
    return "".join(f"| {' | '.join(row)} |\n".replace("|  |", "| |") for row in rows)


def split(document: str) -> tuple[str, str, str]:
    """What is before the table, the table, and what is after it."""
    before, _begin, rest = document.partition(_BEGIN)
    inside, _end, after = rest.partition(_END)
    return before + _BEGIN, inside, _END + after


def _word(value: t.Any) -> str:
    if isinstance(value, bool) or value is None:
        return "yes" if value else "no"
    return f"to {value}"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        start, _old, rest = split(DOCUMENT.read_text())
        DOCUMENT.write_text(f"{start}{table()}{rest}")
    else:
        print(table(), end="")
