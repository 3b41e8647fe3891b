# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rollout was over time, from its events: who was in which step, what served, what was asked of it. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.convoy.rolling.plugins.plugin_utils.events import SEEN, Event
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Leg, RolloutRecord, Step, Verdict

PHASES = {Step.LEAVING: "drain", Step.DRAINED: "deploy", Step.DEPLOYED: "verify", Step.VERIFIED: "enable"}
"""What a host is doing after it was written down to be there."""

OUT = "out"
"""What a host does of which nothing is done any more: it was left out of rotation."""

REVERT = "revert"
"""What a host does that failed and is put back on what it had."""

_IN = (Step.PLANNED, Step.BACK)


@dataclass(frozen=True)
class Picture:
    """All that the journal knows of one rollout."""

    rollout: RolloutRecord
    events: tuple[Event, ...] = ()

    @property
    def mine(self) -> list[Event]:
        """The events of the rollout itself."""
        return [event for event in self.events if event.rollout == self.rollout.number]

    @property
    def opening(self) -> Mapping[str, t.Any]:
        """What it began with."""
        return next((event.detail for event in self.mine if event.kind == "opened"), {})

    @property
    def running(self) -> dict[str, str]:
        """Host -> what it ran when the rollout began."""
        return {host: version for version, hosts in self.opening.get("running", {}).items() for host in hosts}


@dataclass(frozen=True)
class Phase:
    """What a host was doing for a while; times in seconds since the epoch."""

    name: str
    began: float
    ended: float
    verdict: str = ""  # what it ended with, if that was not the next step
    going_on: bool = False

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True)
class Reading:
    """One look at one place."""

    at: float
    serving: int
    members: int
    requests: int | None
    errors: int | None


def phases_of(picture: Picture, until: float) -> dict[str, list[Phase]]:
    """Host -> what it did, one after another; hosts that did nothing are not there.

    :param until: when the last of them ends, for who is in the middle of one.
    """
    found: dict[str, list[Phase]] = {}
    since: dict[str, tuple[str, float]] = {}
    for event in picture.mine:
        if event.host is None:
            continue
        if event.host in since:
            name, began = since.pop(event.host)
            found.setdefault(event.host, []).append(Phase(name, began, event.at, str(event.detail.get("verdict") or "")))
        if event.kind not in _IN:
            since[event.host] = phase_of(event), event.at
    for host, (name, began) in since.items():
        found.setdefault(host, []).append(Phase(name, began, max(until, began), going_on=True))
    return found


def phase_of(event: Event) -> str:
    """What a host does since an event of its own; ``OUT`` where that is nothing any more."""
    if event.detail.get("leg") == Leg.REVERT:
        return REVERT
    return OUT if event.detail.get("verdict") else PHASES.get(t.cast(Step, event.kind), event.kind)


def versions_over_time(picture: Picture) -> list[tuple[float, dict[str, int]]]:
    """When, and how many hosts then served with which version; who is out is under ``out of rotation``."""
    serving = dict(picture.running)
    for host in [*picture.opening.get("held", {}), *picture.opening.get("unreachable", {})]:
        serving.pop(host, None)
    counts = Counter(serving.values())
    out: set[str] = set()
    series = [(picture.rollout.started, dict(counts))]
    for event in picture.mine:
        if event.host is None or (event.kind in _IN) == (event.host not in out):
            continue
        if event.kind in _IN:
            out.discard(event.host)
            if event.kind == Step.BACK:
                serving[event.host] = str(event.detail.get("toward") or event.detail.get("version") or event.version)
            counts[serving.get(event.host, "unknown")] += 1
        else:
            out.add(event.host)
            counts[serving.setdefault(event.host, "unknown")] -= 1
        now = {**{version: count for version, count in counts.items() if count > 0}, **({"out of rotation": len(out)} if out else {})}
        if series[-1][0] == event.at:
            series[-1] = event.at, now
        else:
            series.append((event.at, now))
    return series


def readings_of(picture: Picture) -> dict[str, list[Reading]]:
    """Place -> every look at it."""
    weighed = picture.rollout.plan.weighed
    unit = ("serving_weight", "weight") if weighed else ("serving", "members")
    places: dict[str, list[Reading]] = {}
    for event in picture.mine:
        if event.kind == SEEN:
            for place, seen in event.detail.get("places", {}).items():
                places.setdefault(place, []).append(Reading(event.at, seen[unit[0]], seen[unit[1]], seen["requests"], seen["errors"]))
    return places


def rates_of(readings: Iterable[Reading]) -> list[tuple[float, float, float]]:
    """When, requests a second and errors a second since the look before; nothing where the balancer does not count.

    A count that is smaller than before was begun anew, by a balancer that was started again.
    """
    rates = []
    last: Reading | None = None
    for reading in readings:
        if reading.requests is None:
            continue
        if last is not None and last.requests is not None and reading.at > last.at:
            requests, errors = reading.requests - last.requests, (reading.errors or 0) - (last.errors or 0)
            if requests >= 0 and errors >= 0:
                seconds = reading.at - last.at
                rates.append((reading.at, requests / seconds, errors / seconds))
        last = reading
    return rates


def paused_spans(picture: Picture, until: float) -> list[tuple[float, float]]:
    """From when to when it was paused."""
    spans, since = [], None
    for event in picture.mine:
        if event.kind == "paused" and since is None:
            since = event.at
        elif event.kind == "resumed" and since is not None:
            spans.append((since, event.at))
            since = None
    return [*spans, (since, max(until, since))] if since is not None else spans


def clock(seconds: float) -> str:
    """A span of time as a clock shows it."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def standing(rollout: RolloutRecord) -> dict[str, int]:
    """How many hosts are where: old, out, new, failed, unreachable, held. Each host is in one of them."""
    counts = dict.fromkeys(("old", "out", "new", "failed", "unreachable", "held"), 0)
    for record in rollout.hosts:
        counts[state_of(record.step, record.verdict)] += 1
    return counts


def state_of(step: Step, verdict: Verdict | None) -> str:
    """Where a host stands, in one word."""
    if verdict in (Verdict.FAILED, Verdict.UNREACHABLE, Verdict.HELD):
        return verdict.value
    if verdict in (Verdict.CONVERGED, Verdict.SKIPPED):
        return "new"
    return "old" if step in _IN else "out"
