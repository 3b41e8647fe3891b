# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is in which wave, and what a wave keeps of the rollout that is gone on with. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.amounts import Amount
from ansible_collections.convoy.rolling.plugins.plugin_utils.limits import Bound
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Observed, Plan, RolloutRecord, Verdict, Wave, WaveRecord
from ansible_collections.convoy.rolling.plugins.plugin_utils.order import Candidate
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.wave_specs import REST, WaveSpec


@dataclass
class Slice:
    """The hosts of one wave."""

    spec: WaveSpec
    sum: str
    done: list[str]  # in it already when an earlier rollout rolled them
    going: list[Candidate]

    def wave(self, checked: bool) -> Wave:
        """The wave as the plan has it.

        :param checked: conditions are asked at its end.
        """
        hosts = (*self.done, *(one.seen.host for one in self.going))
        spec = self.spec
        return Wave(spec.name, hosts, self.sum, spec.bake_time, spec.bake_requests, spec.approve, checked)

    def bound(self, at_least_one: bool) -> Bound | None:
        """What its own limit lets go at the same time; None when it has none."""
        amount, total = self.spec.max_unavailable, len(self.done) + len(self.going)
        if amount is None or not self.going:
            return None
        room = max(amount.of(total), int(at_least_one))
        name = f"wave {self.spec.name}"
        raised = f", {room} by rollout_at_least_one" if room > amount.of(total) else ""
        text = f"{name}: {amount.explain(total)}{raised}, so {room} at a time"
        return Bound("wave", name, "rollout_waves", room, text, {one.seen.host: 1 for one in self.going})


def resumed(latest: RolloutRecord | None, version: str, policy: Policy) -> RolloutRecord | None:
    """The rollout that one to this version goes on with, if it does: its hosts stay in their waves.

    :param latest: the newest rollout of the app.
    """
    if latest is None or latest.version != version or latest.verdict is Verdict.CONVERGED or not latest.plan.waves:
        return None
    known = {spec.name for spec in policy.waves} or {REST}
    return latest if all(wave.name in known for wave in latest.plan.waves) else None


def slices_of(
    specs: t.Sequence[WaveSpec], order: t.Sequence[Candidate], skipped: t.Collection[str], observed: Observed, before: Plan | None
) -> list[Slice]:
    """The hosts that go, each in one wave; waves without anybody are left out.

    A count or percentage takes the first that are left, of a percentage of the fleet rounded up. Whoever is away already goes in the
    first wave that goes: its place comes free by nothing but its return.

    :param before: the plan that this one goes on with; its hosts stay in their waves.
    :raises InputError: a wave names a zone or group that no host has.
    """
    was_in = {host: wave.name for wave in (before.waves if before else ()) for host in wave.hosts}
    left = {one.seen.host: one for one in order}
    kept: dict[str, list[Candidate]] = {}
    for host in list(left):
        if host in was_in:
            kept.setdefault(was_in[host], []).append(left.pop(host))
    place = {one.seen.host: number for number, one in enumerate(order)}
    slices = []
    for spec in specs:
        done = [host for host, wave in was_in.items() if wave == spec.name and host in skipped]
        mine = kept.get(spec.name, [])
        fresh, text = _pick(spec, left, observed, len(done) + len(mine))
        for one in fresh:
            del left[one.seen.host]
        slices.append(Slice(spec, text, done, [*mine, *fresh]))
    _bring_forward(slices)
    for part in slices:
        part.going.sort(key=lambda candidate: place[candidate.seen.host])
    return [part for part in slices if part.done or part.going]


def carried_over(plan: Plan, before: RolloutRecord | None, now: float) -> tuple[WaveRecord, ...]:
    """The records that a plan's waves begin with: what a wave that is through has baked stays, and so does a person's approval.

    :param before: the rollout that this one goes on with.
    """
    if before is None:
        return tuple(WaveRecord(wave.name) for wave in plan.waves)
    going, known = set(plan.order), {wave.name: wave for wave in before.plan.waves}
    records = []
    for wave in plan.waves:
        old = before.wave(wave.name)
        if wave.name in known and going.isdisjoint(wave.hosts):
            ended = ended_at(known[wave.name], before)
            records.append(replace(old, ended=now if ended is None else ended, baking=replace(old.baking, suspects={})))
        else:
            records.append(WaveRecord(wave.name, approved=old.approved))
    return tuple(records)


def ended_at(wave: Wave, rollout: RolloutRecord) -> float | None:
    """When its last host was through; None while one is not."""
    known = rollout.wave(wave.name).ended
    order, mine = set(rollout.plan.order), set(wave.hosts)
    rolled = [record for record in rollout.hosts if record.host in mine and record.host in order]
    if any(record.verdict is None for record in rolled):
        return None
    return known if known is not None else max((record.changed for record in rolled), default=None)


def check_approvals(names: t.Collection[str], waves: t.Sequence[Wave], policy: Policy) -> None:
    """:raises InputError: a wave that is to be approved is not there, or asks for no approval."""
    asking = [wave.name for wave in waves if wave.approve] + [spec.name for spec in policy.waves if spec.approve]
    for name in names:
        if name not in asking:
            said = ", ".join(dict.fromkeys(asking)) or "none"
            raise InputError(f"rollout_approve: {name!r} is no wave that waits for approval; there are {said}. Nothing was touched.")


def check_requests(waves: t.Sequence[Wave], observed: Observed) -> None:
    """:raises InputError: a wave counts requests that no load balancer tells of one of its hosts."""
    told = {member.host for member in observed.members if member.requests is not None}
    for wave in waves:
        silent = [host for host in wave.hosts if host not in told] if wave.bake_requests else []
        if silent:
            raise InputError(
                f"rollout_waves: wave {wave.name!r} bakes for {wave.bake_requests} requests, and no load balancer tells how many {silent[0]} "
                "is given; bake for a time only. Nothing was touched."
            )


def _pick(spec: WaveSpec, left: t.Mapping[str, Candidate], observed: Observed, already: int) -> tuple[list[Candidate], str]:
    """Whom a wave takes of those that are left, and how many that is in words."""
    candidates = list(left.values())
    if spec.hosts == REST:
        return candidates, "all that are left"
    if isinstance(spec.hosts, Amount):
        total = len(observed.hosts)
        return candidates[: max(0, spec.hosts.at_least_of(total) - already)], spec.hosts.explain(total, up=True)
    if any(seen.zone == spec.hosts for seen in observed.hosts):
        return [one for one in candidates if one.seen.zone == spec.hosts], f"zone {spec.hosts}"
    if any(spec.hosts in seen.groups for seen in observed.hosts):
        return [one for one in candidates if spec.hosts in one.seen.groups], f"group {spec.hosts}"
    there = sorted({seen.zone for seen in observed.hosts if seen.zone}) or sorted(
        {group for seen in observed.hosts for group in seen.groups}
    )
    raise InputError(
        f"rollout_waves: wave {spec.name!r}: {spec.hosts!r} is no zone and no group of these hosts; there are {', '.join(there[:10]) or 'none'}. "
        "Nothing was touched."
    )


def _bring_forward(slices: t.Sequence[Slice]) -> None:
    first = next((one for one in slices if one.going), None)
    if first is None:
        return
    for other in slices:
        if other is not first:
            first.going += [one for one in other.going if one.away]
            other.going = [one for one in other.going if not one.away]
