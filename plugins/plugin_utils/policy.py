# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person asked for, checked: the target and the limits of a rollout."""

from __future__ import annotations

import math
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.amounts import Amount

ON_FAILURE = ("halt",)

_LONGEST = 1e9  # seconds: what is longer is a slip of the keyboard, up to numbers that no float holds


@dataclass(frozen=True)
class Policy:
    """The limits of one rollout. Durations are in seconds; every field is a role variable of the same name with ``rollout_``."""

    max_unavailable: Amount
    max_failures: Amount
    max_unreachable: Amount
    success_threshold: int
    health_interval: float
    health_timeout: float
    min_ready_seconds: float
    healthy_deadline: float
    progress_deadline: float
    drain_timeout: float
    floor_wait: float
    on_failure: str

    @classmethod
    def parse(cls, variables: t.Mapping[str, t.Any]) -> Policy:
        """The policy in the ``rollout_*`` variables.

        :raises InputError: naming the variable that is wrong, or the two that contradict each other.
        """

        def duration(name: str, more_than_none: bool = False) -> float:
            value = _given(variables, name)
            seconds = to_seconds(value, name)
            if more_than_none and not seconds:
                raise InputError(f"{name}: {value!r} is no time at all; give more than 0.")
            if seconds > _LONGEST:
                raise InputError(f"{name}: {str(value)[:20]}... is no time to wait; give at most {_LONGEST:g} s.")
            return seconds

        policy = cls(
            max_unavailable=Amount.parse(_given(variables, "rollout_max_unavailable"), "rollout_max_unavailable"),
            max_failures=Amount.parse(_given(variables, "rollout_max_failures"), "rollout_max_failures"),
            max_unreachable=Amount.parse(_given(variables, "rollout_max_unreachable"), "rollout_max_unreachable"),
            success_threshold=_positive(variables, "rollout_success_threshold"),
            health_interval=duration("rollout_health_interval", more_than_none=True),
            health_timeout=duration("rollout_health_timeout", more_than_none=True),
            min_ready_seconds=duration("rollout_min_ready_seconds"),
            healthy_deadline=duration("rollout_healthy_deadline"),
            progress_deadline=duration("rollout_progress_deadline"),
            drain_timeout=duration("rollout_drain_timeout"),
            floor_wait=duration("rollout_floor_wait"),
            on_failure=str(_given(variables, "rollout_on_failure")),
        )
        if policy.on_failure not in ON_FAILURE:
            raise InputError(f"rollout_on_failure: {policy.on_failure!r} is not among {', '.join(ON_FAILURE)}.")
        # Nomad's rule: a deadline that can't be met by a healthy host only ever reports failures.
        if not policy.settling_time < policy.healthy_deadline < policy.progress_deadline:
            raise InputError(
                f"rollout_healthy_deadline: {policy.healthy_deadline:g} s must be more than the {policy.settling_time:g} s that "
                "rollout_success_threshold, rollout_health_interval and rollout_min_ready_seconds ask for, and less than "
                f"rollout_progress_deadline, {policy.progress_deadline:g} s."
            )
        return policy

    @property
    def passes(self) -> int:
        """Probes in a row that make a host ready: the threshold, or as many as min_ready_seconds takes."""
        return max(self.success_threshold, 1 + math.ceil(self.min_ready_seconds / self.health_interval))

    @property
    def settling_time(self) -> float:
        """Seconds that a perfectly healthy host needs to be found ready."""
        return (self.passes - 1) * self.health_interval


def _given(variables: t.Mapping[str, t.Any], name: str) -> t.Any:
    if variables.get(name) in (None, ""):
        raise InputError(f"{name} is not set; see `ansible-doc -t role convoy.rolling.rollout`.")
    return variables[name]


def _positive(variables: t.Mapping[str, t.Any], name: str) -> int:
    value = str(_given(variables, name))
    if not re.fullmatch("[0-9]{1,9}", value) or int(value) < 1:
        raise InputError(f"{name}: {value[:20]!r} is not a whole number of 1 or more.")
    return int(value)
