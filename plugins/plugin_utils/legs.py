# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that is brought back to what it had while its rollout goes on: after it failed, or to rehearse the way back. Pure.

Either is a round of the same steps, towards another version. Where a host is on its way is in the journal before it goes on, so that a
controller that is killed there leaves a host that is out and half done, like any other.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, HostRecord, Leg, Plan, RolloutRecord, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.progression import Progression

PHASES: dict[Leg, tuple[str, ...]] = {
    Leg.NEW: ("drain", "deploy", "verify"),
    Leg.OLD: ("deploy", "verify"),
    Leg.AGAIN: ("deploy", "verify", "enable"),
    # Who could not be let in everywhere serves in some pool perhaps.
    Leg.REVERT: ("drain", "deploy", "verify", "enable"),
}
"""What each part of the way consists of, for a host that has more than one of them."""

_TRIED = (Step.DRAINED, Step.DEPLOYED, Step.VERIFIED)


def with_legs(plan: Plan, policy: Policy, obstacle: t.Callable[[str], str], rehearsed: bool) -> Plan:
    """The plan, with who would go back where after a failure, and with the rehearsal.

    :param obstacle: says why nobody should go back to a version; empty when one may.
    :param rehearsed: an earlier rollout, which this one goes on with, has rehearsed.
    :raises InputError: there is no way back to rehearse.
    """
    wanted = policy.rehearse and not rehearsed and bool(plan.order)
    if plan.version == RESTART or not (policy.reverts or wanted):
        return plan
    whys = {version: obstacle(version) for version in set(plan.returns.values())}
    whys[plan.version] = f"it served with {plan.version} last"
    stuck = {
        host: whys[plan.returns[host]] if host in plan.returns else "nobody knows what it served with before"
        for host in plan.order
        if whys.get(plan.returns.get(host, ""), "none")
    }
    plan = replace(plan, stuck=stuck, reverts=policy.reverts)
    if not wanted:
        return plan
    first = plan.order[0]
    if first in stuck:
        raise InputError(
            f"rollout_rehearse: {first}, which goes first, has no way back to rehearse: {stuck[first]}; "
            "set rollout_rehearse to false for this rollout. Nothing was touched."
        )
    rest = (plan.batches[0][1:], *plan.batches[1:])
    return replace(plan, rehearsal=first, batches=((first,), *(batch for batch in rest if batch)))


def due(rollout: RolloutRecord, hosts: t.Iterable[HostRecord]) -> list[HostRecord]:
    """Those of the hosts that are to begin another part of their way now, as they are when they do."""
    plan, found = rollout.plan, []
    for record in hosts:
        if is_due_back(record, plan):
            found.append(replace(record, leg=Leg.REVERT, toward=plan.returns[record.host]))
        elif is_rehearsing(record, rollout) and record.verdict is None and record.step is Step.VERIFIED:
            if record.leg is Leg.NEW:
                found.append(HostRecord(record.host, Step.DRAINED, leg=Leg.OLD, toward=plan.returns[record.host]))
            elif record.leg is Leg.OLD:
                found.append(HostRecord(record.host, Step.DRAINED, leg=Leg.AGAIN))
    return found


def is_due_back(record: HostRecord, plan: Plan) -> bool:
    """Whether a host failed, while it was out, that is put back."""
    failed = record.verdict is Verdict.FAILED and record.leg not in (Leg.REVERT, Leg.STUCK) and record.step in _TRIED
    return failed and plan.reverts and record.host in plan.returns and record.host not in plan.stuck


def is_rehearsing(record: HostRecord, rollout: RolloutRecord) -> bool:
    """Whether a host is the one that rehearses, and is not through."""
    return record.host == rollout.plan.rehearsal and rollout.rehearsed_at is None


def is_under_way(record: HostRecord, plan: Plan) -> bool:
    """Whether a host that is out goes on by itself: its place will come free."""
    return record.verdict is None or record.leg is Leg.REVERT or is_due_back(record, plan)


def as_asked(record: HostRecord) -> HostRecord:
    """A host as the step that it takes sees it: it failed before, and is on its way back all the same."""
    return replace(record, verdict=None) if record.leg is Leg.REVERT else record


def in_legs(done: Progression, rollout: RolloutRecord) -> Progression:
    """What a step did to its hosts, for those of them that have another way than there and back into rotation."""
    return replace(done, records=tuple(_in_leg(rollout.host(record.host), record, rollout) for record in done.records))


def _in_leg(was: HostRecord, now: HostRecord, rollout: RolloutRecord) -> HostRecord:
    if was.leg in (Leg.REVERT, Leg.STUCK):
        return _reverted(was, replace(now, toward=was.toward))
    now = replace(now, leg=was.leg, toward=was.toward)
    if now.verdict in (Verdict.FAILED, Verdict.UNREACHABLE) and is_rehearsing(now, rollout):
        now = replace(now, why=f"rehearsal, {_leads(now, rollout.version)}: {now.why}")
    if now.verdict is Verdict.FAILED and now.step in _TRIED and rollout.plan.reverts and now.host in rollout.plan.stuck:
        now = replace(now, why=f"{now.why}; it can't be put back: {rollout.plan.stuck[now.host]}")
    return now


def _reverted(was: HostRecord, now: HostRecord) -> HostRecord:
    """It failed, whatever becomes of it."""
    step = was.step if now.step is Step.LEAVING else now.step
    if now.verdict is Verdict.CONVERGED:
        note = f" ({now.why})" if now.why else ""
        return replace(now, verdict=Verdict.FAILED, leg=Leg.REVERT, why=f"{was.why}; it was put back on {was.toward}{note}")
    if now.verdict is None and now.step is not Step.LEAVING:
        return replace(now, verdict=Verdict.FAILED, leg=Leg.REVERT, why=was.why)
    why = f"{was.why}; it could not be put back on {was.toward}: {now.why or 'it did not leave'}"
    return replace(now, step=step, verdict=Verdict.FAILED, leg=Leg.STUCK, why=why)


def _leads(record: HostRecord, version: str) -> str:
    return f"back to {record.toward}" if record.toward else f"to {version} again" if record.leg is Leg.AGAIN else f"to {version}"


def reason(records: t.Sequence[HostRecord], version: str) -> str:
    """What hosts that begin another part of their way do, in words."""
    what = "put back, since it failed" if records[0].leg is Leg.REVERT else "rehearsal"
    return "; ".join(f"{record.host} goes {_leads(record, version)}: {what}" for record in records)
