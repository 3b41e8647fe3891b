# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan as a person reads it before anything is touched. Pure."""

from __future__ import annotations

from ansible_collections.convoy.rolling.plugins.plugin_utils.forecast import Forecast, forecast_lines
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Observed, Plan
from ansible_collections.convoy.rolling.plugins.plugin_utils.restarts import goal


def preview_lines(plan: Plan, observed: Observed, made: Forecast, digest: str, shut: str = "") -> list[str]:
    """What would be rolled, in which batches, who is left out and why, the sums behind the limits, and what it comes to.

    :param digest: the plan's hash.
    :param shut: why it may not start now.
    """
    running = {seen.host: seen.version or "unknown" for seen in observed.hosts}
    lines = [f'rollout of "{plan.app}" {goal(plan.version)}: {len(plan.order)} of {len(observed.hosts)} hosts {_how(plan)}']
    lines += [f"limit  {text}" for text in plan.sums]
    if plan.window and plan.order:
        lines.append("order  " + ", ".join(f"{host} ({running[host]})" for host in plan.order))
    for number, batch in enumerate(() if plan.window else plan.batches, 1):
        lines.append(f"batch {number}  " + ", ".join(f"{host} ({running[host]})" for host in batch))
    for absence in observed.absences:
        then = "it goes first" if absence.host in plan.order else "it stays out"
        lines.append(f"out  {absence.host}: taken out by rollout {absence.rollout}, not back yet; {then}")
    for word, hosts in (("skip", plan.skipped), ("held", plan.held), ("unreachable", plan.unreachable)):
        lines += [f"{word}  {host}: {why}" for host, why in hosts.items()]
    lines += forecast_lines(made, plan.weighed)
    return [*lines, *([f"not now  {shut}"] if shut else []), f"hash  {digest}"]


def _how(plan: Plan) -> str:
    return f"through a window of {plan.limit}" if plan.window else f"in {len(plan.batches)} batches"
