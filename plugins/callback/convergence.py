# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person watches: the fleet converging on the version."""

from __future__ import annotations

DOCUMENTATION = r"""
name: convergence
type: aggregate
short_description: Shows a rollout converging, one line a change
version_added: 0.1.0
author: [convoy.rolling maintainers (@convoy-rolling)]
description:
  - Prints how far a rollout is after each batch, and how it ended, in lines that read like those of C(kubectl rollout status).
  - When the run ends before the rollout does, by SIGINT (Ctrl-C), by SIGTERM or because a step of the controller's failed, it says who is out of
    rotation and what to type. It reads that from the journal; if that is what failed, it says what it saw last.
  - Works beside any stdout callback, and changes nothing of the run.
  - >-
    Enable it by its full name, C(callbacks_enabled = convoy.rolling.convergence) in the section V([defaults]) of C(ansible.cfg), or
    E(ANSIBLE_CALLBACKS_ENABLED=convoy.rolling.convergence).
"""

import typing as t

from ansible.plugins.callback import CallbackBase

from ansible_collections.convoy.rolling.plugins.plugin_utils.last_words import LastWords
from ansible_collections.convoy.rolling.plugins.plugin_utils.progress import lines_of


class CallbackModule(CallbackBase):
    """``convoy.rolling.convergence``"""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "convoy.rolling.convergence"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self._shown: list[str] = []
        self._last_words = LastWords(lambda line: self._display.display(line, color="red"))

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._show(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._show(result)

    def _show(self, result: t.Any) -> None:
        # ansible-core 2.18 knows the underscore only; from 2.19 on `result` is the public name.
        returned = result.result if hasattr(type(result), "result") else result._result
        self._last_words.listen()
        progress = returned.get("progress")
        if not isinstance(progress, dict) or "app" not in progress:
            return
        self._last_words.see(progress)
        lines = lines_of(progress)
        for line in lines:
            if line not in self._shown:
                self._display.display(line, color="red" if line.startswith("error: ") else "cyan")
        self._shown = lines
