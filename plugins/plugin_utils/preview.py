# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan as a person reads it before anything is touched. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.convoy.rolling.plugins.plugin_utils.forecast import Forecast, forecast_lines
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Observed, Plan, Wave
from ansible_collections.convoy.rolling.plugins.plugin_utils.restarts import goal
from ansible_collections.convoy.rolling.plugins.plugin_utils.revisions import Target
from ansible_collections.convoy.rolling.plugins.plugin_utils.wording import listed

_SHOWN = 20


def preview_lines(
    plan: Plan,
    observed: Observed,
    made: Forecast,
    digest: str,
    shut: str = "",
    findings: Sequence[str] = (),
    back: Target | None = None,
) -> list[str]:
    """What would be rolled, in which batches, who is left out and why, the sums behind the limits, and what it comes to.

    :param digest: the plan's hash.
    :param shut: why it may not start now.
    :param findings: what the conditions say now.
    :param back: where it goes back to, if it does.
    """
    if back and not plan.order and not plan.unreachable:
        held = [f"held  {host}: {why}" for host, why in plan.held.items()]
        return [f"skipped rollback (fleet already runs {back.back.name})", *held, *_spared_lines(plan)]
    running = {seen.host: seen.version or "unknown" for seen in observed.hosts}
    what = "rollback" if back else "rollout"
    lines = [f'{what} of "{plan.app}" {goal(plan.version)}: {len(plan.order)} of {len(observed.hosts)} hosts {_how(plan)}']
    lines += [f"why  {back.cause}"] if back else []
    lines += [f"undoes  {back.newest}"] if back and back.newest else []
    lines += [f"limit  {text}" for text in plan.sums]
    lines += _lines_of_legs(plan)
    if plan.window and plan.order:
        lines += [_wave_line(wave) for wave in plan.waves]
        lines.append("order  " + ", ".join(f"{host} ({running[host]})" for host in plan.order))
    wave_of = {host: wave for wave in plan.waves for host in wave.hosts}
    shown: set[str] = set()
    for number, batch in enumerate(() if plan.window else plan.batches, 1):
        wave = wave_of.get(batch[0])
        for one in plan.waves[: plan.waves.index(wave) + 1] if wave else ():
            lines += [] if one.name in shown else [_wave_line(one)]
            shown.add(one.name)
        lines.append(f"batch {number}  " + ", ".join(f"{host} ({running[host]})" for host in batch))
    for absence in observed.absences:
        then = "it goes first" if absence.host in plan.order else "it stays out"
        lines.append(f"out  {absence.host}: taken out by rollout {absence.rollout}, not back yet; {then}")
    for word, hosts in (("skip", plan.skipped), ("held", plan.held), ("unreachable", plan.unreachable)):
        lines += [f"{word}  {host}: {why}" for host, why in hosts.items()]
    lines += _spared_lines(plan)
    lines += forecast_lines(made, plan.weighed)
    lines += findings
    return [*lines, *([f"not now  {shut}"] if shut else []), f"hash  {digest}"]


def _lines_of_legs(plan: Plan) -> list[str]:
    """What comes of hosts that fail, and which of them shows before that it can."""
    lines = []
    if plan.rehearsal:
        old = plan.returns[plan.rehearsal]
        lines.append(f"rehearsal  {plan.rehearsal}: to {plan.version}, back to {old}, to {plan.version} again, before anybody else leaves")
    if plan.reverts:
        hosts: dict[str, list[str]] = {}
        for host, why in plan.stuck.items():
            hosts.setdefault(why, []).append(host)
        lines.append("revert  a host that fails goes back alone")
        lines += [f"revert  not {listed(mine, len(mine))}: {why}" for why, mine in hosts.items()]
    return lines


def _how(plan: Plan) -> str:
    return f"through a window of {plan.limit}" if plan.window else f"in {len(plan.batches)} batches"


def _wave_line(wave: Wave) -> str:
    """One wave: who is in it, and what is asked of it before the next begins."""
    asks = ["waits for approval"] if wave.approve else []
    if wave.bakes:
        amounts = [f"{wave.bake_time:g} s"] if wave.bake_time else []
        amounts += [f"{wave.bake_requests} requests"] if wave.bake_requests else []
        asks.append(f"then bakes for {' and '.join(amounts)}")
    if wave.checked:
        asks.append("then its conditions are asked")
    many = f" and {len(wave.hosts) - _SHOWN} more" if len(wave.hosts) > _SHOWN else ""
    return f"wave {wave.name}  {wave.sum}: {', '.join(wave.hosts[:_SHOWN])}{many}" + "".join(f"; {one}" for one in asks)


def _spared_lines(plan: Plan) -> list[str]:
    """Whom a rollback leaves alone: it may be most of a large fleet."""
    hosts: dict[str, list[str]] = {}
    for host, why in plan.spared.items():
        hosts.setdefault(why, []).append(host)
    return [f"spared  {listed(mine, len(mine))}: {why}" for why, mine in hosts.items()]
