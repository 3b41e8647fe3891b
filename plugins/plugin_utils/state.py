# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fleet is doing, in one word, for whoever decides by it; and its status as machines are told. Pure."""

from __future__ import annotations

import typing as t
from enum import StrEnum

from ansible_collections.convoy.rolling.plugins.plugin_utils.events import iso
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RolloutRecord, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import as_data
from ansible_collections.convoy.rolling.plugins.plugin_utils.verdict import Conclusion

STATUS_SCHEMA = "convoy.rolling/status/1"


class State(StrEnum):
    """What a fleet is doing."""

    CONVERGED = "converged"
    PROGRESSING = "progressing"
    PAUSED = "paused"
    HALTED = "halted"
    TIMED_OUT = "timed_out"  # whoever watched had no more time; the rollout goes on


def state_of_fleet(conclusion: Conclusion, rollout: RolloutRecord | None, live: bool, timed_out: bool) -> State:
    """:param live: whether the newest rollout is going on.
    :param timed_out: whether it still was when the time to watch it was over.
    """
    if live and timed_out:
        return State.TIMED_OUT
    if live:
        return State.PAUSED if rollout and rollout.paused else State.PROGRESSING
    return State.CONVERGED if conclusion.verdict is Verdict.CONVERGED else State.HALTED


def status_data(
    app: str, version: str, state: State, conclusion: Conclusion, rollout: RolloutRecord | None, live: bool
) -> dict[str, t.Any]:
    """The status after the schema."""
    newest = rollout and {
        "number": rollout.number,
        "version": rollout.version,
        "verdict": rollout.verdict.value if rollout.verdict else None,
        "live": live,
        "paused": live and rollout.paused is not None,
        "started": iso(rollout.started),
        "ended": None if rollout.ended is None else iso(rollout.ended),
    }
    return {
        "schema": STATUS_SCHEMA,
        "app": app,
        "version": version,
        "state": state.value,
        "verdict": conclusion.verdict.value,
        "reason": conclusion.reason,
        "timed_out": state is State.TIMED_OUT,
        "rollout": newest,
        "hosts": as_data(conclusion)["hosts"],
    }
