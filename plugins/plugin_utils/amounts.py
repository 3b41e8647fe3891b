# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts and percentages of a fleet, in whole-number arithmetic.

Floating point gets these wrong (``int(0.29 * 100)`` is 28), and a limit that silently comes to 0 stops a roll or, rounded the
other way, takes the last member out. Rounding follows Kubernetes: unavailable rounds down, a floor rounds up.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError

_PATTERN = re.compile(r"\s*([0-9]{1,9})\s*(%?)\s*", re.ASCII)


@dataclass(frozen=True)
class Amount:
    """A number of hosts, absolute or as a share of some total."""

    number: int
    percent: bool

    @classmethod
    def parse(cls, value: t.Any, variable: str) -> Amount:
        """An amount from ``2``, ``"2"`` or ``"25%"``.

        :param variable: the name a person knows the value by, for the error.
        :raises InputError: for anything else, and for more than 100 %.
        """
        match = None if isinstance(value, bool) else _PATTERN.fullmatch(str(value))
        if match is None or (match.group(2) and int(match.group(1)) > 100):
            raise InputError(f"{variable}: {value!r} is neither a count nor a percentage; write a whole number such as 2, or 0% to 100%.")
        return cls(int(match.group(1)), bool(match.group(2)))

    def of(self, total: int) -> int:
        """How many of ``total`` hosts this is, rounded down and never more than ``total``."""
        return min(total, total * self.number // 100 if self.percent else self.number)

    def at_least_of(self, total: int) -> int:
        """How many of ``total`` hosts this is as a floor, rounded up and never more than ``total``."""
        return min(total, -(-total * self.number // 100) if self.percent else self.number)

    def explain(self, total: int, up: bool = False) -> str:
        """The sum in words: ``25% of 6 = 1 (rounded down)``; ``up`` for what `at_least_of` makes of it."""
        if not self.percent:
            return f"{self} of {total}"
        rounded = f" (rounded {'up' if up else 'down'})" if total * self.number % 100 else ""
        return f"{self} of {total} = {self.at_least_of(total) if up else self.of(total)}{rounded}"

    def __str__(self) -> str:
        return f"{self.number}%" if self.percent else str(self.number)
