# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a plan comes to: the least that serves meanwhile, how long it takes, whether ``forks`` holds it back. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter, defaultdict
from dataclasses import dataclass

from ansible_collections.convoy.rolling.plugins.plugin_utils.limits import members_by_host
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Observed, Plan


@dataclass(frozen=True)
class Capacity:
    """The least that one place has in service at any moment of a plan, if every host comes back."""

    place: str
    lowest: int
    of: int
    batch: int  # the first batch that leaves so little, counted from 1


@dataclass(frozen=True)
class Pace:
    """How long hosts were out in past rollouts, in seconds."""

    shortest: float
    longest: float
    hosts: int


@dataclass(frozen=True)
class Forecast:
    """What a plan comes to."""

    capacity: tuple[Capacity, ...]
    best: float | None  # seconds; None when no rollout of the app ever brought a host back
    worst: float | None
    hosts_timed: int
    forks: int
    widest: int  # hosts of the largest batch, or of the window
    window: bool = False


def forecast(plan: Plan, observed: Observed, pace: Pace | None, forks: int) -> Forecast:
    """:param forks: on how many hosts Ansible works at the same time."""
    best, worst = (pace.shortest * len(plan.batches), pace.longest * len(plan.batches)) if pace else (None, None)
    widest = min(plan.limit, len(plan.order)) if plan.window else max(map(len, plan.batches), default=0)
    return Forecast(tuple(_capacities(plan, observed)), best, worst, pace.hosts if pace else 0, forks, widest, plan.window)


def pace_of(steps: t.Iterable[tuple[int, str, str, float]]) -> Pace | None:
    """From the journal's steps of past rollouts.

    :param steps: rollout, host, ``leaving`` or ``back``, and when; in the order they were written.
    """
    left: dict[tuple[int, str], float] = {}
    spans = []
    for rollout, host, step, at in steps:
        if step == "leaving":
            left[rollout, host] = at
        elif (rollout, host) in left:
            spans.append(at - left.pop((rollout, host)))
    return Pace(min(spans), max(spans), len(spans)) if spans else None


def forecast_lines(made: Forecast, weighed: bool) -> list[str]:
    """The forecast as a person reads it."""
    unit = "of the weight" if weighed else "members"
    lines = [f"serves  {one.place}: never fewer than {one.lowest} of {one.of} {unit} (batch {one.batch})" for one in made.capacity]
    if made.widest and made.best is not None and made.worst is not None:
        lines.append(f"takes  {span(made.best)} to {span(made.worst)}, if hosts are out as long as {made.hosts_timed} were before")
    elif made.widest:
        lines.append("takes  nobody knows yet: no rollout of the app has brought a host back")
    if made.forks < made.widest and made.window:
        lines.append(f"forks  the window is {made.forks} and not {made.widest}, as many hosts as are worked on; give --forks {made.widest}")
    elif made.forks < made.widest:
        lines.append(f"forks  {made.forks} of the {made.widest} hosts of a batch are worked on at a time; give --forks {made.widest}")
    return lines


def _capacities(plan: Plan, observed: Observed) -> t.Iterator[Capacity]:
    if not plan.batches:
        return
    members = members_by_host(observed.members)
    total: Counter[str] = Counter()
    serving: Counter[str] = Counter()
    for member in observed.members:
        if member.place in plan.floors:
            total[member.place] += member.units(plan.weighed)
            serving[member.place] += member.units(plan.weighed) if member.in_service else 0
    lowest: dict[str, tuple[int, int]] = {}
    for number, batch in enumerate(plan.batches, 1):
        leaving: Counter[str] = Counter()
        returning: dict[str, int] = defaultdict(int)
        for member in (member for host in batch for member in members[host] if member.place in plan.floors):
            units = member.units(plan.weighed)
            if member.in_service:
                leaving[member.place] += units
            else:
                returning[member.place] += units
        for place, floor in plan.floors.items():
            # Hosts of a batch that were left by halves go one after the other where they would break the floor together.
            least = max(serving[place] - leaving[place], min(floor, serving[place]))
            lowest[place] = min(lowest.get(place, (serving[place], number)), (least, number))
            serving[place] += returning[place]
    for place, (least, number) in sorted(lowest.items()):
        yield Capacity(place, least, total[place], number)


def span(seconds: float) -> str:
    """A time for a person."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    return f"{whole // 60}m {whole % 60:02}s" if whole < 3600 else f"{whole // 3600}h {whole // 60 % 60:02}m"
