# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values without Ansible's tags and lazy containers, which databases, threads and JSON should not see. Pure."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict
from datetime import date


def plain(value: t.Any) -> t.Any:
    """Any JSON-able value, made of Python's own types only; a date, which YAML makes of 2026-12-20, is its text."""
    return json.loads(json.dumps(value, default=_text_of_date))


def _text_of_date(value: t.Any) -> str:
    if isinstance(value, date):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no plain value")


def as_data(value: t.Any) -> t.Any:
    """A dataclass as plain JSON values, for a task's result."""
    return plain(asdict(value))
