# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person asked for, checked: the target and the limits of a rollout."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.amounts import Amount

ON_FAILURE = ("halt",)


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

        def duration(name: str) -> float:
            return to_seconds(_given(variables, name), name)

        policy = cls(
            max_unavailable=Amount.parse(_given(variables, "rollout_max_unavailable"), "rollout_max_unavailable"),
            max_failures=Amount.parse(_given(variables, "rollout_max_failures"), "rollout_max_failures"),
            max_unreachable=Amount.parse(_given(variables, "rollout_max_unreachable"), "rollout_max_unreachable"),
            success_threshold=_positive(variables, "rollout_success_threshold"),
            health_interval=duration("rollout_health_interval"),
            health_timeout=duration("rollout_health_timeout"),
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
        if not self.min_ready_seconds:
            return self.success_threshold
        return max(self.success_threshold, 1 + -(-self.min_ready_seconds // max(self.health_interval, 0.05)).__trunc__())

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
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise InputError(f"{name}: {value!r} is not a whole number of 1 or more.")
    return int(value)
