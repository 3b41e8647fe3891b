# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person asked for, checked: the limits of a rollout, its order and its times."""

from __future__ import annotations

import math
import re
import typing as t
from dataclasses import dataclass

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.amounts import Amount
from ansible_collections.convoy.rolling.plugins.plugin_utils.time_windows import Calendar
from ansible_collections.convoy.rolling.plugins.plugin_utils.wave_specs import WaveSpec, parse_waves

ON_FAILURE = ("halt", "rollback")
ON_HOST_FAILURE = ("keep_out", "revert")
WAYS_BACK = ("require", "warn", "ignore")
LIMIT_BY = ("members", "weight")
ORDERS = ("inventory", "reverse_inventory", "sorted", "reverse_sorted", "shuffle")
ZONE_ORDERS = ("striped", "sequential")
MODES = ("serial", "window")
WINDOW_CLOSES = ("halt", "finish")

DEFAULT_MAX_UNAVAILABLE = Amount(25, True)
"""What may be out when neither ``rollout_max_unavailable`` nor ``rollout_min_available`` is given."""

_LONGEST = 1e9  # seconds: what is longer is a slip of the keyboard, up to numbers that no float holds


@dataclass(frozen=True)
class Allowance:
    """How much of anything may be out: so much at most, or so much as leaves a least."""

    amount: Amount
    variable: str  # what a person knows it by
    stays: bool = False  # the amount is what stays in service
    at_least_one: bool = False  # where it comes to less than the smallest thing that can leave, that much

    def of(self, total: int, one: int = 1) -> int:
        """What of ``total`` may be out.

        :param one: the most that any one host takes of it.
        """
        may = total - self.amount.at_least_of(total) if self.stays else self.amount.of(total)
        return max(may, one) if self.at_least_one else may

    def explain(self, total: int, one: int = 1) -> str:
        """The sum in words."""
        text = self.amount.explain(total, up=self.stays)
        text = f"{text} must stay, {total - self.amount.at_least_of(total)} may leave" if self.stays else text
        raised = self.of(total, one) != Allowance(self.amount, "", self.stays).of(total)
        return f"{text}, {self.of(total, one)} by rollout_at_least_one" if raised else text


@dataclass(frozen=True)
class Policy:
    """The limits of one rollout. Durations are in seconds; a field is the role variable of the same name with ``rollout_``
    where nothing else is said."""

    unavailable: Allowance  # rollout_max_unavailable or rollout_min_available
    unavailable_per_zone: Allowance | None  # rollout_max_unavailable_per_zone
    limit_by: str  # members or weight
    mode: str  # serial or window
    waves: tuple[WaveSpec, ...]
    ramp: bool
    order: str
    zone_order: str
    max_versions: int
    supersede: bool
    calendar: Calendar
    window_closes: str
    override: str
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
    on_host_failure: str
    rehearse: bool

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
            unavailable=_unavailable(variables),
            unavailable_per_zone=_allowance(variables, "rollout_max_unavailable_per_zone"),
            limit_by=_choice(variables, "rollout_limit_by", LIMIT_BY),
            mode=_choice(variables, "rollout_mode", MODES),
            waves=parse_waves(variables.get("rollout_waves")),
            ramp=_yes(variables, "rollout_ramp"),
            order=_choice(variables, "rollout_order", ORDERS),
            zone_order=_choice(variables, "rollout_zone_order", ZONE_ORDERS),
            max_versions=_whole(variables, "rollout_max_versions", 2),
            supersede=_yes(variables, "rollout_supersede"),
            calendar=Calendar.parse(variables.get("rollout_windows"), variables.get("rollout_freezes")),
            window_closes=_choice(variables, "rollout_window_closes", WINDOW_CLOSES),
            override=str(variables.get("rollout_override") or "").strip(),
            max_failures=Amount.parse(_given(variables, "rollout_max_failures"), "rollout_max_failures"),
            max_unreachable=Amount.parse(_given(variables, "rollout_max_unreachable"), "rollout_max_unreachable"),
            success_threshold=_whole(variables, "rollout_success_threshold", 1),
            health_interval=duration("rollout_health_interval", more_than_none=True),
            health_timeout=duration("rollout_health_timeout", more_than_none=True),
            min_ready_seconds=duration("rollout_min_ready_seconds"),
            healthy_deadline=duration("rollout_healthy_deadline"),
            progress_deadline=duration("rollout_progress_deadline"),
            drain_timeout=duration("rollout_drain_timeout"),
            floor_wait=duration("rollout_floor_wait"),
            on_failure=_choice(variables, "rollout_on_failure", ON_FAILURE),
            on_host_failure=_choice(variables, "rollout_on_host_failure", ON_HOST_FAILURE),
            rehearse=_yes(variables, "rollout_rehearse"),
        )
        # Nomad's rule: a deadline that can't be met by a healthy host only ever reports failures.
        if not policy.settling_time < policy.healthy_deadline < policy.progress_deadline:
            raise InputError(
                f"rollout_healthy_deadline: {policy.healthy_deadline:g} s must be more than the {policy.settling_time:g} s that "
                "rollout_success_threshold, rollout_health_interval and rollout_min_ready_seconds ask for, and less than "
                f"rollout_progress_deadline, {policy.progress_deadline:g} s."
            )
        return policy

    def shut(self, now: float, started: bool) -> str:
        """Why no host may leave rotation at this time of day, whoever asks; empty when one may.

        :param started: a rollout goes on already.
        """
        return "" if self.override or (started and self.window_closes == "finish") else self.calendar.shut(now)

    @property
    def reverts(self) -> bool:
        """Whether a host that fails goes back alone."""
        return self.on_host_failure == "revert"

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


def _unavailable(variables: t.Mapping[str, t.Any]) -> Allowance:
    may, stays = (variables.get(name) not in (None, "") for name in ("rollout_max_unavailable", "rollout_min_available"))
    if may and stays:
        raise InputError("rollout_max_unavailable, rollout_min_available: each says the other; give one of them.")
    found = _allowance(variables, "rollout_min_available" if stays else "rollout_max_unavailable", stays)
    return found or Allowance(DEFAULT_MAX_UNAVAILABLE, "rollout_max_unavailable", at_least_one=_yes(variables, "rollout_at_least_one"))


def _allowance(variables: t.Mapping[str, t.Any], name: str, stays: bool = False) -> Allowance | None:
    if variables.get(name) in (None, ""):
        return None
    return Allowance(Amount.parse(variables[name], name), name, stays, _yes(variables, "rollout_at_least_one"))


def _choice(variables: t.Mapping[str, t.Any], name: str, among: t.Sequence[str]) -> str:
    value = str(_given(variables, name))
    if value not in among:
        raise InputError(f"{name}: {value[:20]!r} is not among {', '.join(among)}.")
    return value


def _whole(variables: t.Mapping[str, t.Any], name: str, least: int) -> int:
    value = str(_given(variables, name))
    if not re.fullmatch("[0-9]{1,9}", value) or int(value) < least:
        raise InputError(f"{name}: {value[:20]!r} is not a whole number of {least} or more.")
    return int(value)


def _yes(variables: t.Mapping[str, t.Any], name: str) -> bool:
    value = variables.get(name)
    try:
        return bool(boolean(value or False))
    except TypeError:
        raise InputError(f"{name}: {str(value)[:20]!r} is neither yes nor no.") from None
