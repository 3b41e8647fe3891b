# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rollout does once for the whole fleet: expand, before anybody is drained, and contract, after all have converged. Pure.

Between the two, both versions serve, and whatever they share (a database, a queue) must be good for both. What contract takes
away, the old version can't do without any more.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, Observed, Plan, RolloutRecord, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.wording import listed

if t.TYPE_CHECKING:  # the journal, which needs little of this, would load the whole planner
    from ansible_collections.convoy.rolling.plugins.plugin_utils.verdict import Conclusion

EXPAND, CONTRACT = ONCE = ("expand", "contract")


@dataclass(frozen=True)
class Milestones:
    """When each was reached, in seconds since the epoch; None: it was not."""

    expanded_at: float | None = None
    contracted_at: float | None = None
    rehearsed_at: float | None = None


def reached_before(newest: RolloutRecord | None, version: str) -> Milestones:
    """What earlier rollouts to the same version reached: the same command again is a resume.

    :param newest: the app's newest rollout to a version; whatever it reached counts no more once another version came in between.
    """
    if newest is None or newest.version != version:
        return Milestones()
    return Milestones(newest.expanded_at, newest.contracted_at, newest.rehearsed_at)


def is_contract_left(newest: RolloutRecord | None, plan: Plan) -> bool:
    """Whether the fleet is there already, and the rollout that brought it there did not come to its contract."""
    if newest is None or newest.version != plan.version or newest.contracted_at is not None:
        return False
    return not (plan.order or plan.held or plan.unreachable)


def why_not_contract(rollout: RolloutRecord, conclusion: Conclusion, observed: Observed, limited: bool) -> str:
    """Why somebody may run another version still; empty when every member of every pool is seen on this one.

    :param limited: only a part of the fleet was looked at, by ``--limit``.
    """
    if rollout.version == RESTART:
        return "a restart brings no version"
    if conclusion.verdict is not Verdict.CONVERGED:
        return "the fleet did not converge"
    others = [state.host for state in conclusion.hosts if state.verdict is not Verdict.CONVERGED]
    if others:
        return f"{listed(others, len(others))} may run another version still"
    if limited:
        return "only a part of the fleet was looked at, by --limit"
    strangers = sorted({f"{member.name} of {member.place}" for member in observed.members if member.host is None})
    return f"nobody knows what {listed(strangers, len(strangers))} runs: it is no host of the play" if strangers else ""


def with_contract(conclusion: Conclusion, rollout: RolloutRecord) -> Conclusion:
    """A fleet that converged, and whose contract failed, has not come to its end."""
    if conclusion.verdict is Verdict.CONVERGED and rollout.halted.startswith(name_of(CONTRACT)):
        return replace(conclusion, verdict=Verdict.HALTED, reason=rollout.halted)
    return conclusion


def name_of(milestone: str) -> str:
    """How a person knows it."""
    return f"rollout_hooks.{milestone}"
