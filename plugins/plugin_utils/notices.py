# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person said about a rollout or an app: who, why and when. Pure."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass

from ansible_collections.convoy.rolling.plugins.plugin_utils.typed_values import typed_json


@dataclass(frozen=True)
class Notice:
    """Somebody wants a rollout paused or aborted, or an app frozen."""

    by: str
    why: str
    at: float  # seconds since the epoch

    def __str__(self) -> str:
        return f"by {self.by} at {moment(self.at)}" + (f": {self.why}" if self.why else "")

    def to_text(self) -> str:
        """The notice as the journal keeps it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Notice | None:
        """The notice that ``to_text`` wrote; None when there is none."""
        notice: Notice | None = typed_json(cls, text) if text else None
        return notice


def moment(at: float) -> str:
    """A time of day for a person, where they are.

    :param at: seconds since the epoch.
    """
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(at))
    except (OverflowError, ValueError, OSError):  # a journal that somebody else wrote may say anything
        return f"{at:g} s after 1970"
