# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate: the one place that decides whether a host may leave rotation now. Pure.

The floor is enforced once more where the drain happens (``convoy.rolling.lb_member`` reads the pool and drains over one
connection), because somebody else may have taken members out since the newest view that the gate has.
"""

from __future__ import annotations

import typing as t

from ansible_collections.convoy.rolling.plugins.plugin_utils.amounts import Amount
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Answer, Decision, Member, RolloutRecord, Stage, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.standing import Standing
from ansible_collections.convoy.rolling.plugins.plugin_utils.wave_turns import running_since, what_waves_want
from ansible_collections.convoy.rolling.plugins.plugin_utils.wording import listed

_SHUT = "the same command goes on then, or now with rollout_override"


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
    return decide_on(Standing(rollout, members, sorted(absent)), want, policy, now)


def decide_on(standing: Standing, want: t.Sequence[str], policy: Policy, now: float) -> Decision:
    """`decide`, at the cost of the hosts that ask: on values that are kept up to date."""
    due = [host for host in want if standing.is_due(host)]
    trouble = _halted(standing, policy)
    if trouble:
        return Decision(Answer.HALT, trouble)
    held = what_waves_want(standing, due, policy, now)
    if not due and held is None:
        return Decision(Answer.ADMIT, "nothing to do for these hosts")
    if standing.rollout.paused:
        return Decision(Answer.WAIT, f"paused {standing.rollout.paused}", later=tuple(due))
    if held is not None and (held.stage is not Stage.TURN or held.answer is Answer.HALT):
        return held
    over = _out_of_time(standing, policy, now)
    if over:
        return Decision(Answer.HALT, over)
    if held is not None:
        return held
    everybody, current = due, standing.current_wave()
    due = [host for host in due if standing.wave_number(host) == current]
    first = standing.rehearsal()
    if first is not None and due and first.host not in due:
        waits = f"{first.host} rehearses the way back before anybody else leaves"
        return Decision(Answer.WAIT if first.asked or first.out else Answer.HALT, waits, later=tuple(everybody), stage=Stage.TURN)
    due = due if first is None else [host for host in due if host == first.host]
    # One that is out already leaves nothing: it takes no place of anybody's.
    free = [host for host in due if standing.is_out_already(host)]
    back = set(free)
    # An absence takes a place whatever the view says, so whoever is absent asks before whoever is not.
    leaving = sorted((host for host in due if host not in back), key=lambda host: not standing.is_absent(host))
    asking, limit = set(due), standing.rollout.plan.limit
    places = limit - standing.absent(but=asking) - len(free)
    if policy.ramp:
        # It counts who is under way. Who failed and stays out has its place in the limit, and would take the ramp's for good.
        places = min(places, standing.ramp() - standing.moving(but=everybody) - len(free))
    admitted = free + standing.fitting(leaving[: max(0, places)])
    if not admitted:
        at_a_time = min(limit, standing.ramp()) if policy.ramp else limit
        full = f"{standing.absent_names(but=asking)} out of rotation, {at_a_time} at a time" if places < 1 else standing.full_scope(leaving)
        if standing.moving(but=everybody):  # who asks is under way no more
            return Decision(Answer.WAIT, full or "no pool has room", later=tuple(everybody))
        alone = [host for host in leaving if standing.may_go_alone(host, limit)]
        if full and not alone:
            return Decision(Answer.HALT, f"{full}, and not coming back by itself")
        # Somebody else took members out. One host goes alone: the balancer, which sees whether they come back, holds the floor.
        admitted = (alone or leaving)[:1]
    going = set(admitted)
    later = tuple(host for host in everybody if host not in going)
    ramp = f", the ramp is at {standing.ramp()}" if policy.ramp and standing.ramp() < limit else ""
    return Decision(Answer.ADMIT, f"{len(admitted)} of {limit} places{ramp}", tuple(admitted), later)


def _halted(standing: Standing, policy: Policy) -> str:
    """Why the rollout must not go on; empty when it may."""
    rollout = standing.rollout
    if rollout.ended is not None:
        return f"rollout {rollout.number} has ended ({rollout.verdict.value if rollout.verdict else 'no verdict'})"
    if rollout.halted:
        return rollout.halted
    if rollout.aborted:
        return rollout.abortion
    rehearsed = standing.rehearsal()
    if rehearsed is not None and rehearsed.verdict is Verdict.FAILED:
        return f"{rehearsed.host}: {rehearsed.why}"
    if rehearsed is not None and rehearsed.verdict is not None:
        return f"the way back was not rehearsed: {rehearsed.host} is {rehearsed.verdict.value}: {rehearsed.why}"
    failed, unreachable = standing.with_verdict(Verdict.FAILED), standing.with_verdict(Verdict.UNREACHABLE)
    over = over_budget(failed, "failed", policy.max_failures, "rollout_max_failures", standing.total)
    return over or over_budget(unreachable, "unreachable", policy.max_unreachable, "rollout_max_unreachable", standing.total)


def is_shut(halted: str) -> bool:
    """Whether a rollout was halted for the time of day, and nothing is wrong with it."""
    return halted.endswith(_SHUT)


def _out_of_time(standing: Standing, policy: Policy, now: float) -> str:
    """Why it is too late for another host; empty when it is not."""
    idle = now - running_since(standing)
    if idle > policy.progress_deadline:
        return f"no host became available for {idle:.0f} s, rollout_progress_deadline is {policy.progress_deadline:g} s"
    shut = policy.shut(now, started=True)
    return f"{shut}; {_SHUT}" if shut else ""


def over_budget(hosts: t.Collection[str], what: str, budget: Amount, variable: str, total: int) -> str:
    """The budget's sentence once it is exceeded: reaching it is tolerated, one more is not."""
    if len(hosts) <= budget.of(total):
        return ""
    return (
        f"{len(hosts)} {'host' if len(hosts) == 1 else 'hosts'} {what} ({listed(hosts, len(hosts))}), {variable} is {budget.explain(total)}"
    )
