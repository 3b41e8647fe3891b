# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of docs/design as plain values: what is observed, what is planned, what is remembered.

Everything here is frozen, JSON-able through ``to_json`` and ``typed_values``, and free of I/O, so that decisions can be replayed from
a file, driven by a simulator, or checked by a property.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice

RESTART = "(restart)"
"""What stands in the place of a version where a rollout brings none and starts every process anew; no version is called so."""


class Verdict(StrEnum):
    """How a host, or a rollout, ended."""

    CONVERGED = "converged"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    SKIPPED = "skipped"
    HELD = "held"
    HALTED = "halted"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    ROLLED_BACK = "rolled back"


class Step(StrEnum):
    """Where a host stands inside a rollout. Between PLANNED and BACK it is out of rotation by our doing."""

    PLANNED = "planned"
    LEAVING = "leaving"
    DRAINED = "drained"
    DEPLOYED = "deployed"
    VERIFIED = "verified"
    BACK = "back"


class Leg(StrEnum):
    """Which part of its way a host is on: most have the first one only."""

    NEW = ""
    OLD = "rehearsal, back"
    AGAIN = "rehearsal, again"
    REVERT = "revert"  # it failed, and goes back to what it had
    STUCK = "stuck"  # and could not


@dataclass(frozen=True)
class Member:
    """A host's entry in one pool of one balancer, as that balancer sees it."""

    balancer: str
    pool: str
    name: str
    host: str | None = None  # None: a member of the pool that is no host of this fleet
    admin: str = "ready"  # ready, drain, maintenance
    in_service: bool = True
    weight: int | None = None
    status: str = ""  # the balancer's own word
    initial_weight: int | None = None
    agent: bool | None = None  # whether the balancer listens to its agent
    follows: str | None = None  # the member of another pool that it is out with
    alone: bool = False  # its balancer sees no other member, so that no floor can be told from it
    requests: int | None = None  # that it was ever given
    errors: int | None = None  # of these, those that came to nothing by its own doing

    @property
    def place(self) -> str:
        """The pool's full name, ``balancer/pool``."""
        return f"{self.balancer}/{self.pool}"

    def units(self, weighed: bool) -> int:
        """What it is of its place: one member, or its weight; out of service, the weight that it would serve with."""
        return (self.weight or self.initial_weight or 0) if weighed else 1

    @property
    def original(self) -> dict[str, t.Any]:
        """What it must have again after an absence."""
        return original_of(asdict(self))


def original_of(view: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What a member must have again after an absence, and its name, from any view of it."""
    return {name: view.get(name) for name in ("name", "admin", "weight", "initial_weight", "agent", "follows")}


@dataclass(frozen=True)
class HostSeen:
    """What was observed of one host."""

    host: str
    reachable: bool = True
    installed: str | None = None  # the release that `current` points to; None: no deploy root, or nothing there
    running: str | None = None  # the version that the process itself answers; None: it does not say, or does not answer
    healthy: bool = True
    why: str = ""  # why it is unreachable or unhealthy
    zone: str = ""  # rollout_zone
    apart: tuple[str, ...] = ()  # rollout_anti_affinity: never out together with another host that has one of these
    priority: int = 0  # rollout_priority
    mark: str | None = None  # of a restart: what its process, or its boot, has that the next one has another of
    groups: tuple[str, ...] = ()  # of the inventory

    @property
    def version(self) -> str | None:
        """What it runs, as far as anybody says."""
        return self.installed if self.running is None else self.running


@dataclass(frozen=True)
class Absence:
    """A host that we took out of rotation and that is not back yet; kept in the journal until it is."""

    host: str
    rollout: int
    since: float
    original: dict[str, dict[str, t.Any]] = field(default_factory=dict)  # place -> what the member there had before we came


@dataclass(frozen=True)
class Observed:
    """One look at the whole fleet."""

    hosts: tuple[HostSeen, ...]
    members: tuple[Member, ...]
    absences: tuple[Absence, ...] = ()
    silent: dict[str, str] = field(default_factory=dict)  # balancers that do not answer, and why; their members are as they were seen last


@dataclass(frozen=True)
class Scope:
    """Hosts of which only so many may be out at the same time, whatever their pools allow: a zone, or an anti-affinity group."""

    name: str
    hosts: tuple[str, ...]
    room: int


@dataclass(frozen=True)
class Before:
    """What a restart began with on one host."""

    version: str | None = None  # what its process must answer again
    mark: str | None = None  # None: nothing tells two of its processes apart
    done: bool = False  # an interrupted restart, which this one goes on with, had restarted it


@dataclass(frozen=True)
class Wave:
    """A slice of the fleet. The next one begins only when this one is over."""

    name: str
    hosts: tuple[str, ...]  # whoever is part of it, and whoever was in the rollout that this one goes on with
    sum: str = ""  # how large it is, for a person
    bake_time: float = 0.0  # seconds from its end, when its last host is back
    bake_requests: int = 0  # that its hosts must have been given since
    approve: bool = False  # it begins only when a person says so
    checked: bool = False  # conditions are asked at its end

    @property
    def bakes(self) -> bool:
        """Whether its hosts are watched for a while before the rollout goes on."""
        return self.bake_time > 0 or self.bake_requests > 0

    @property
    def is_watched(self) -> bool:
        """Whether more is asked of it than that its hosts are through."""
        return self.bakes or self.checked


@dataclass(frozen=True)
class Plan:
    """Who is rolled, in which batches, who is not and why, and what must stay in service meanwhile."""

    app: str
    version: str
    batches: tuple[tuple[str, ...], ...]
    skipped: dict[str, str]  # host -> why it needs nothing
    held: dict[str, str]  # host -> why it must not be touched
    unreachable: dict[str, str]  # host -> why it can't be
    limit: int  # hosts out at the same time, over the whole fleet
    floors: dict[str, int]  # place -> members that stay in service; their weight where the plan is weighed
    sums: tuple[str, ...]  # how the limits were computed, for a person
    deployed: tuple[str, ...] = ()  # hosts of the batches that run the version already and only have to come back
    left_out: tuple[str, ...] = ()  # hosts that an earlier rollout left out of rotation, everywhere; whether they are rolled or not
    scopes: tuple[Scope, ...] = ()
    weighed: bool = False  # floors are sums of weights
    window: bool = False  # each host goes as soon as a place is free, and waits for nobody of its batch
    restarts: dict[str, Before] = field(default_factory=dict)  # of a restart: host -> what it began with
    waves: tuple[Wave, ...] = ()
    overridden: tuple[str, ...] = ()  # conditions that failed before it began, and are not asked any more
    before: dict[str, str] = field(default_factory=dict)  # host of the batches -> the version that it had
    spared: dict[str, str] = field(default_factory=dict)  # host -> why a rollback leaves it alone, whatever it runs
    returns: dict[str, str] = field(default_factory=dict)  # host of the batches, or that is out -> the version that it served with last
    stuck: dict[str, str] = field(default_factory=dict)  # host of the batches -> why it could not go back to one
    reverts: bool = False  # a host that fails goes back alone
    rehearsal: str = ""  # the host that goes there, back and there again before anybody else leaves

    @property
    def order(self) -> tuple[str, ...]:
        """The hosts to roll, in the order they go."""
        return tuple(host for batch in self.batches for host in batch)

    def version_of(self, host: str) -> str | None:
        """What the host's process must answer; None: it may answer anything."""
        return self.restarts.get(host, Before()).version if self.version == RESTART else self.version


@dataclass(frozen=True)
class HostRecord:
    """What the journal knows of one host of one rollout."""

    host: str
    step: Step = Step.PLANNED
    verdict: Verdict | None = None
    why: str = ""
    asked: bool = False  # the gate has been asked for it
    changed: float = field(default=0.0, compare=False)  # when this was written
    left: float = field(default=0.0, compare=False)  # when it left rotation
    leg: Leg = Leg.NEW
    toward: str = ""  # the version that it is on its way to, or was, where that is not its rollout's

    @property
    def out(self) -> bool:
        """Whether our doing keeps it out of rotation now."""
        return self.step not in (Step.PLANNED, Step.BACK)

    @property
    def is_put_back(self) -> bool:
        """Whether it failed, and serves again with what it had."""
        return self.leg is Leg.REVERT and self.step is Step.BACK


@dataclass(frozen=True)
class Baking:
    """What was seen of a wave while it bakes."""

    looked: float = 0.0  # when everything was seen last
    requests: int = 0  # that its hosts were given since it ended
    counters: dict[str, int] = field(default_factory=dict)  # place and member -> its balancer's counter when it was seen last
    suspects: dict[str, int] = field(default_factory=dict)  # host -> looks in a row that found it bad


@dataclass(frozen=True)
class WaveRecord:
    """What the journal knows of one wave of one rollout."""

    name: str
    ended: float | None = None  # when its last host was back, where that was in an earlier rollout
    baking: Baking = Baking()
    passed: float | None = None  # when it had baked, and its conditions held
    approved: Notice | None = None


@dataclass(frozen=True)
class Rollback:
    """What a rollout goes back to, and what of."""

    revision: int | None  # the rollout that it goes back to; None: what the hosts ran before the first one
    undoes: tuple[int, ...]  # the rollouts that are undone: nobody goes back to them any more
    why: str
    by_itself: bool = False  # a rollout that failed began it

    @property
    def name(self) -> str:
        """Where it leads, for a person."""
        return f"revision {self.revision}" if self.revision is not None else "what ran before the first revision"


@dataclass(frozen=True)
class RolloutRecord:
    """What the journal knows of one rollout: the gate's other half of the truth."""

    number: int
    app: str
    version: str
    plan: Plan
    hosts: tuple[HostRecord, ...]
    started: float
    progressed: float  # when a host last became available
    halted: str = ""  # why it was halted, once it is
    ended: float | None = None
    verdict: Verdict | None = None
    cause: str = ""
    by: str = ""
    reason: str = ""  # of the verdict
    paused: Notice | None = None
    aborted: Notice | None = None
    expanded_at: float | None = None  # when the tasks of rollout_hooks.expand had run
    contracted_at: float | None = None  # when those of contract had
    rehearsed_at: float | None = None  # when a host had been there, back and there again
    waves: tuple[WaveRecord, ...] = ()
    back: Rollback | None = None  # None: it went forward

    @property
    def abortion(self) -> str:
        """Why it is halted when somebody aborts it; empty when nobody does."""
        return f"aborted {self.aborted}" if self.aborted else ""

    def host(self, name: str) -> HostRecord:
        """The record of one host; a fresh one when the rollout does not know it."""
        return next((record for record in self.hosts if record.host == name), HostRecord(name))

    def wave(self, name: str) -> WaveRecord:
        """The record of one wave; a fresh one when the rollout does not know it."""
        return next((record for record in self.waves if record.name == name), WaveRecord(name))


class Answer(StrEnum):
    """What the gate can say."""

    ADMIT = "admit"
    WAIT = "wait"
    HALT = "halt"


class Stage(StrEnum):
    """What a wave waits for, beside its hosts."""

    BAKE = "bake"  # time, requests, and that its hosts stay well
    CHECK = "check"  # the conditions at its end
    APPROVE = "approve"  # a person
    TURN = "turn"  # the hosts of an earlier wave


@dataclass(frozen=True)
class Decision:
    """The gate's answer, with the reason in words."""

    answer: Answer
    reason: str
    admitted: tuple[str, ...] = ()
    later: tuple[str, ...] = ()  # asked for, still to be asked again once a place is free
    wave: str = ""  # what is waited for is something of this wave
    stage: Stage | None = None  # what it is


def to_json(value: t.Any) -> dict[str, t.Any]:
    """A frozen value of this file as plain dicts, lists and strings."""
    return asdict(value)
