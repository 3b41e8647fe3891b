# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calling a module's main() on every supported ansible-core."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core 2.18

    @contextmanager
    def patch_module_args(args: dict[str, t.Any] | None = None) -> Iterator[None]:
        given = json.dumps({"ANSIBLE_MODULE_ARGS": args or {}}).encode()
        with mock.patch("ansible.module_utils.basic._ANSIBLE_ARGS", given):
            yield


__all__ = ["patch_module_args"]
