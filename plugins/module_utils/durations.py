# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durations as people write them."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PATTERN = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)?\s*", re.ASCII)


def to_seconds(value: t.Any, variable: str) -> float:
    """Seconds from ``90``, ``90s``, ``1.5m``, ``500ms``, ``2h`` or ``1d``; a bare number is seconds.

    :param variable: the name a person knows the value by, for the error.
    :raises InputError: for anything else, negative numbers included.
    """
    match = None if isinstance(value, bool) else _PATTERN.fullmatch(str(value))
    if match is None:
        raise InputError(f"{variable}: {value!r} is no duration; write seconds or a number with ms, s, m, h or d, such as 90, 90s or 5m.")
    return float(match.group(1)) * _UNITS[match.group(2) or "s"]
