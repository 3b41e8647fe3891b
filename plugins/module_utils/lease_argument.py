# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How modules and steps are told which rollout they belong to."""

from __future__ import annotations

import typing as t

STATE_URL_ARGUMENT: dict[str, t.Any] = {"type": "str", "required": True, "no_log": True}

RUN_ARGUMENT: dict[str, t.Any] = {
    "type": "dict",
    "required": True,
    "options": {
        "app": {"type": "str", "required": True},
        "rollout": {"type": "int", "required": True},
        "fence": {"type": "int", "required": True},
    },
}
"""What ``convoy.rolling.plan`` returned as ``ticket``."""

LEASE_ARGUMENT: dict[str, t.Any] = {"type": "dict", "options": {"run": RUN_ARGUMENT, "state_url": STATE_URL_ARGUMENT}}
"""Whose lease is proved before something is moved or restarted."""
