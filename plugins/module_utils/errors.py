# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one exception family of the collection: raised inside, turned into ``fail_json`` only in a plugin's main."""

from __future__ import annotations

import typing as t


class RollingError(Exception):
    """Something a person must read: one sentence that says what was given, what is allowed, and what to do.

    :param message: the sentence.
    :param result: what was already learnt or done, returned beside the message (JSON-able).
    """

    def __init__(self, message: str, result: dict[str, t.Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.result: dict[str, t.Any] = result or {}


class InputError(RollingError):
    """Bad input, found before anything was touched."""
