# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lets a test stand in the middle of a run: `fleet.breakpoints` says where, and when to go on."""

from __future__ import annotations

DOCUMENTATION = r"""
name: breakpoints
type: aggregate
short_description: Writes down every task that begins, and waits before those it was told to
description: [For the project's own tests.]
"""

import os
import time
import typing as t
from collections import Counter
from pathlib import Path

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "breakpoints"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self._here = Path(os.environ["FLEET_BREAKPOINTS"])
        self._begun: Counter[str] = Counter()

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        self._begun[task.name] += 1
        place = f"{task.name}#{self._begun[task.name]}"
        with (self._here / "trace").open("a") as trace:
            trace.write(f"{place}\n")
        if (self._here / f"stop {place}").exists():
            (self._here / f"reached {place}").touch()
            while not (self._here / f"go {place}").exists():
                time.sleep(0.02)
