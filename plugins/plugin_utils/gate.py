# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate: the one place that decides whether a host may leave rotation now. Pure.

The floor is enforced once more where the drain happens (``convoy.rolling.lb_member`` reads the pool and drains over one
connection), because somebody else may have taken members out since the newest view that the gate has.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.convoy.rolling.plugins.plugin_utils.amounts import Amount
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import (
    Answer,
    Decision,
    Member,
    RolloutRecord,
    Verdict,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy


def decide(
    want: t.Sequence[str],
    rollout: RolloutRecord,
    policy: Policy,
    members: t.Sequence[Member],
    absent: t.Collection[str],
    now: float,
) -> Decision:
    """May these hosts leave rotation?

    :param want: the hosts that ask, in the order they should go.
    :param members: the newest view of every pool.
    :param absent: every host of the app that our doing keeps out of rotation, of whatever rollout.
    :param now: seconds since the epoch.
    :return: admit (perhaps only some of them: the rest is in ``later``), wait (places will come free), or halt.
    """
    order, records = set(rollout.plan.order), {record.host: record for record in rollout.hosts}
    due = [host for host in want if host in order and (host not in records or records[host].verdict is None)]
    trouble = _halted(rollout, policy)
    if trouble:
        return Decision(Answer.HALT, trouble)
    if not due:
        return Decision(Answer.ADMIT, "nothing to do for these hosts")
    if rollout.paused:
        return Decision(Answer.WAIT, f"paused {rollout.paused}", later=tuple(due))
    idle = now - rollout.progressed
    if idle > policy.progress_deadline:
        deadline = f"rollout_progress_deadline is {policy.progress_deadline:g} s"
        return Decision(Answer.HALT, f"no host became available for {idle:.0f} s, {deadline}")
    # Whom an earlier rollout left out and this one does not roll is in the plan's limit already.
    others = set(absent) - set(due) - (set(rollout.plan.left_out) - order)
    # One that is out already leaves nothing: it takes no place of anybody's. An absence alone does not mean that: it is written
    # before the drain, and a run that was killed in between left the host where it was.
    serving = {member.host for member in members if member.in_service}
    free = [host for host in due if host in absent and host not in serving]
    leaving = [host for host in due if host not in free]
    places = rollout.plan.limit - len(others) - len(free)
    admitted = free + _fitting(leaving[: max(0, places)], rollout, members)
    if not admitted:
        limit = f"{', '.join(sorted(others)) or 'nobody of ours'} out of rotation, {rollout.plan.limit} at a time"
        if any(records[host].out and records[host].verdict is None for host in others if host in records):
            return Decision(Answer.WAIT, limit, later=tuple(due))
        if places < 1:
            return Decision(Answer.HALT, f"{limit}, and not coming back by itself")
        # Somebody else took members out. One host goes alone: the balancer, which sees whether they come back, holds the floor.
        admitted = leaving[:1]
    later = tuple(host for host in due if host not in admitted)
    return Decision(Answer.ADMIT, f"{len(admitted)} of {rollout.plan.limit} places", tuple(admitted), later)


def _fitting(hosts: t.Sequence[str], rollout: RolloutRecord, members: t.Sequence[Member]) -> list[str]:
    """Those of the hosts that may all leave without any pool falling below its floor, as the newest view has it."""
    room = Counter({place: -floor for place, floor in rollout.plan.floors.items()})
    mine: dict[str, Counter[str]] = {host: Counter() for host in hosts}
    for member in members:
        if member.in_service and member.place in room:
            room[member.place] += 1
            if member.host in mine:
                mine[member.host][member.place] += 1
    fitting: list[str] = []
    for host in hosts:
        if all(room[place] >= count for place, count in mine[host].items()):
            room.subtract(mine[host])
            fitting.append(host)
    return fitting


def _halted(rollout: RolloutRecord, policy: Policy) -> str:
    """Why the rollout must not go on; empty when it may."""
    if rollout.ended is not None:
        return f"rollout {rollout.number} has ended ({rollout.verdict.value if rollout.verdict else 'no verdict'})"
    if rollout.halted:
        return rollout.halted
    if rollout.aborted:
        return rollout.abortion
    plan = rollout.plan
    total = len(plan.order) + len(plan.skipped) + len(plan.held) + len(plan.unreachable)
    failed = [record.host for record in rollout.hosts if record.verdict is Verdict.FAILED]
    unreachable = [record.host for record in rollout.hosts if record.verdict is Verdict.UNREACHABLE]
    over = _over_budget(failed, "failed", policy.max_failures, "rollout_max_failures", total)
    return over or _over_budget(unreachable, "unreachable", policy.max_unreachable, "rollout_max_unreachable", total)


def _over_budget(hosts: t.Sequence[str], what: str, budget: Amount, variable: str, total: int) -> str:
    """The budget's sentence once it is exceeded: reaching it is tolerated, one more is not."""
    if len(hosts) <= budget.of(total):
        return ""
    return f"{len(hosts)} {'host' if len(hosts) == 1 else 'hosts'} {what} ({', '.join(hosts[:5])}), {variable} is {budget.explain(total)}"
