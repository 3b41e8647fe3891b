# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time as a parameter: whatever waits or decides takes a clock, so that tests need not sleep."""

from __future__ import annotations

import time
import typing as t


class Clock(t.Protocol):
    """What a wait needs of time."""

    def now(self) -> float:
        """Seconds on a clock that never goes back (no relation to the time of day)."""

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))
