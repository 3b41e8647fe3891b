# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a rollout ended: from its record and one last look at the fleet. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass, replace

from ansible_collections.convoy.rolling.plugins.plugin_utils.gate import is_shut, over_budget
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import (
    RESTART,
    Before,
    HostRecord,
    HostSeen,
    Member,
    Observed,
    RolloutRecord,
    Step,
    Verdict,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.planner import is_converged
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy


@dataclass(frozen=True)
class HostState:
    """Where one host stands at the end, for a person."""

    host: str
    verdict: Verdict
    why: str
    out: tuple[str, ...]  # the places, ``balancer/pool``, that send it no traffic
    installed: str | None
    running: str | None
    note: str = ""  # what else a person should know: somebody else had a hand in it


@dataclass(frozen=True)
class Conclusion:
    """A rollout's verdict and where every host stands."""

    verdict: Verdict
    reason: str
    hosts: tuple[HostState, ...]

    @property
    def out(self) -> tuple[HostState, ...]:
        """The hosts that some balancer sends no traffic."""
        return tuple(state for state in self.hosts if state.out)

    @property
    def converged(self) -> tuple[HostState, ...]:
        """The hosts that run the target and serve."""
        return tuple(state for state in self.hosts if state.verdict is Verdict.CONVERGED)


def conclude(version: str, observed: Observed, rollout: RolloutRecord | None) -> Conclusion:
    """The verdict over a fleet, with or without a rollout behind it.

    A host is converged only when it is *seen* to be: its process answers the version and every balancer sends it traffic. A
    host that a person holds is reported and does not make the rollout fail. The last host failing is a failure like any other.
    """
    mine: dict[str, list[Member]] = {}
    for member in observed.members:
        if member.host is not None:
            mine.setdefault(member.host, []).append(member)
    absent = {absence.host for absence in observed.absences}
    states = tuple(_state(seen, mine.get(seen.host, []), version, seen.host in absent, rollout) for seen in observed.hosts)
    spared = rollout.plan.spared if rollout else {}
    short = [state for state in states if state.verdict not in (Verdict.CONVERGED, Verdict.HELD) and state.host not in spared]
    if not short and not observed.silent:
        return Conclusion(Verdict.CONVERGED, _success(version, states, spared), states)
    whys = [*observed.silent.values(), *(f"{state.host}: {state.why}" for state in short[:5])]
    reason = rollout.halted if rollout and rollout.halted else "; ".join(whys)
    stopped = rollout is not None and rollout.aborted is not None and rollout.halted == rollout.abortion
    return Conclusion(Verdict.CANCELLED if stopped else Verdict.HALTED, reason, states)


def counts_of(conclusion: Conclusion) -> dict[str, int]:
    """Verdict -> how many hosts ended so; those that no host did are not there."""
    return dict(sorted(Counter(state.verdict.value for state in conclusion.hosts).items()))


def reason_to_go_back(conclusion: Conclusion, rollout: RolloutRecord, policy: Policy) -> str:
    """Why a rollout that has ended is to be undone by itself; empty when it is not.

    Not when a person ended it, or the time of day; not for failures within their budgets; and not when it touched nobody.
    """
    if policy.on_failure != "rollback" or rollout.back or conclusion.verdict is not Verdict.HALTED or is_shut(rollout.halted):
        return ""
    if all(record.step is Step.PLANNED for record in rollout.hosts):
        return ""
    total = len(conclusion.hosts)
    failed, unreachable = (
        [state.host for state in conclusion.hosts if state.verdict is verdict] for verdict in (Verdict.FAILED, Verdict.UNREACHABLE)
    )
    over = over_budget(failed, "failed", policy.max_failures, "rollout_max_failures", total)
    return rollout.halted or over or over_budget(unreachable, "unreachable", policy.max_unreachable, "rollout_max_unreachable", total)


def _success(version: str, states: t.Sequence[HostState], spared: t.Collection[str]) -> str:
    alone = sum(state.host in spared and state.verdict is not Verdict.CONVERGED for state in states)
    text = f"{_count(states, Verdict.CONVERGED)} of {len(states) - alone} hosts {done(version)} and serve"
    return f"{text}; {alone} left alone" if alone else text


def _state(seen: HostSeen, members: t.Sequence[Member], version: str, absent: bool, rollout: RolloutRecord | None) -> HostState:
    out = tuple(member.place for member in members if not member.in_service)
    record = rollout.host(seen.host) if rollout else None
    before = rollout.plan.restarts.get(seen.host, Before()) if rollout else None
    if before and record and record.verdict is Verdict.CONVERGED:
        before = replace(before, done=True)
    held = bool(rollout and seen.host in rollout.plan.held) or (not absent and any(member.admin != "ready" for member in members))

    def state(verdict: Verdict, why: str) -> HostState:
        wanted = rollout.plan.version_of(seen.host) if rollout else version
        return HostState(seen.host, verdict, why, out, seen.installed, seen.running, _note(seen, wanted, record))

    gone = "" if seen.reachable else seen.why or "it could not be reached"
    if rollout and seen.host in rollout.plan.spared and not is_converged(seen, members, version):
        return state(Verdict.SKIPPED, f"left alone: {rollout.plan.spared[seen.host]}")
    if record and record.verdict is Verdict.FAILED:
        # What it failed on comes first, and counted; that it can't be asked any more is said beside it.
        return state(Verdict.FAILED, f"{record.why}; and now it can't be reached: {gone}" if gone else record.why)
    if record and record.verdict is Verdict.UNREACHABLE:
        return state(Verdict.UNREACHABLE, record.why)
    if gone:
        return state(Verdict.UNREACHABLE, gone)
    if held:
        noticed = record.why if record and record.verdict is Verdict.HELD else ""
        return state(Verdict.HELD, noticed or ("somebody took it out of rotation" if rollout else "out by a person"))
    if is_converged(seen, members, version, before):
        return state(Verdict.CONVERGED, "it was restarted" if version == RESTART else f"it runs {version}")
    if out:
        return state(Verdict.FAILED, f"no traffic from {', '.join(out)}")
    if not seen.healthy:
        return state(Verdict.FAILED, seen.why or "its health check fails")
    if version == RESTART:
        return state(Verdict.SKIPPED, "it was not restarted")
    return state(Verdict.SKIPPED, f"it still runs {seen.running or seen.installed or 'an unknown version'}")


def _note(seen: HostSeen, version: str | None, record: HostRecord | None) -> str:
    """What somebody else did to a host that this rollout had finished with."""
    if record is None or record.verdict is not Verdict.CONVERGED:
        return ""
    notes = [record.why] if record.why else []
    if version is None:
        return "; ".join(notes)
    if seen.installed not in (None, version):
        runs = f", and it runs {seen.running}" if seen.running not in (None, seen.installed) else ""
        notes.append(f"this rollout had brought it to {version}; somebody has installed {seen.installed} since{runs}")
    elif seen.running not in (None, version):
        notes.append(f"this rollout had brought it to {version}; somebody has started {seen.running} since")
    return "; ".join(notes)


def done(version: str) -> str:
    """What hosts do that have converged."""
    return "were restarted" if version == RESTART else f"run {version}"


def _count(states: t.Sequence[HostState], verdict: Verdict) -> int:
    return sum(state.verdict is verdict for state in states)
