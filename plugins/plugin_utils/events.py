# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happened, as the journal's events tell it and as others are told: one JSON object a transition, docs/events.md. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Leg, Member, Plan, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.restarts import goal

EVENT_SCHEMA = "convoy.rolling/event/1"

SEEN = "seen"
"""A look at load balancers: a reading for charts, and nothing that happened."""


@dataclass(frozen=True)
class Event:
    """One row of the journal's events."""

    number: int
    at: float  # seconds since the epoch
    app: str
    rollout: int
    version: str
    kind: str  # what it is; there may be new ones in every release
    host: str | None = None  # None: of the whole rollout
    detail: Mapping[str, t.Any] = field(default_factory=dict)

    @property
    def is_notable(self) -> bool:
        """Whether a person wants to be told: what happens to a whole rollout, and hosts that fail."""
        if self.host is None:
            return self.kind != SEEN
        # Once that it failed, and once what became of it when it was put back: all steps of that have the verdict.
        under_way = self.detail.get("leg") == Leg.REVERT and self.kind != Step.BACK
        return self.detail.get("verdict") in (Verdict.FAILED, Verdict.UNREACHABLE) and not under_way

    def data(self) -> dict[str, t.Any]:
        """The event as others are told, after the schema."""
        return {
            "schema": EVENT_SCHEMA,
            "number": self.number,
            "at": iso(self.at),
            "app": self.app,
            "rollout": self.rollout,
            "version": self.version,
            "kind": self.kind,
            "host": self.host,
            "detail": dict(self.detail),
        }

    @property
    def sentence(self) -> str:
        """The event as a person reads it."""
        words = [str(self.detail[name]) for name in ("verdict", "reason", "why", "by", "cause") if self.detail.get(name)]
        name = f'rollout {self.rollout} of "{self.app}" {goal(self.version)}'
        return f"{name}: {': '.join([f'{self.host} {self.kind}' if self.host else self.kind, *words])}"


def iso(at: float) -> str:
    """A moment in UTC to the millisecond, after RFC 3339.

    :param at: seconds since the epoch.
    """
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def opening(plan: Plan, versions: Mapping[str, str | None]) -> dict[str, t.Any]:
    """What a rollout begins with.

    :param versions: host -> what it runs, as far as anybody says.
    """
    running: dict[str, list[str]] = {}
    for host, version in versions.items():
        running.setdefault(version or "unknown", []).append(host)
    return {
        "batches": [len(batch) for batch in plan.batches],
        "limit": plan.limit,
        "floors": dict(plan.floors),
        "skipped": len(plan.skipped),
        "held": dict(plan.held),
        "unreachable": dict(plan.unreachable),
        "running": running,
    }


def serving(members: Iterable[Member]) -> dict[str, dict[str, int | None]]:
    """Place -> how much of it serves, and what it was given and failed so far; None where its balancer does not count."""
    places: dict[str, list[Member]] = {}
    for member in members:
        places.setdefault(member.place, []).append(member)
    return {
        place: {
            "serving": sum(one.in_service for one in mine),
            "members": len(mine),
            "serving_weight": sum(one.units(True) for one in mine if one.in_service),
            "weight": sum(one.units(True) for one in mine),
            "requests": _sum(one.requests for one in mine),
            "errors": _sum(one.errors for one in mine),
        }
        for place, mine in places.items()
    }


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
