# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a rollout as a person reads it. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Member, Observed, RolloutRecord, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.restarts import goal
from ansible_collections.convoy.rolling.plugins.plugin_utils.verdict import Conclusion, HostState, done


def summary_lines(app: str, version: str, conclusion: Conclusion, observed: Observed, command: str, back: bool = False) -> list[str]:
    """The verdict and why, every host that did not converge, who is out of rotation, and the command to type next."""
    what = "rollback" if back else "rollout"
    lines = [f'{what} of "{app}" {goal(version)}: {conclusion.verdict.value}: {conclusion.reason}']
    if conclusion.verdict is not Verdict.CONVERGED:
        lines.append(f"  {len(conclusion.converged)} of {len(conclusion.hosts)} hosts {done(version)} and serve")
    lines += [f"  not seen: {why}; of its members this is what it said last" for why in observed.silent.values()]
    left_out = {absence.host for absence in observed.absences}
    for state in conclusion.hosts:
        if state.verdict in (Verdict.FAILED, Verdict.UNREACHABLE, Verdict.HELD):
            lines.append(f"  {state.verdict.value}: {state.host}: {state.why}")
        if state.note:
            lines.append(f"  note: {state.host}: {state.note}")
        if state.out:
            whose = "taken out by this rollout or one before" if state.host in left_out else "not by a rollout"
            lines.append(f"  out of rotation: {state.host} on {', '.join(state.out)} ({whose})")
    if command:
        lines.append(f"  next: {command}")
    return lines


def unfinished_lines(progress: Mapping[str, t.Any], why: str, out: Sequence[str], command: str, doubt: str = "") -> list[str]:
    """A rollout that a run leaves open: who may be out of rotation, by the journal or by what was seen last, and what to type.

    :param why: how the run ended.
    :param doubt: why it can't be known better.
    """
    return [
        f'rollout {progress["rollout"]} of "{progress["app"]}" {goal(progress["version"])}: not finished: {why}',
        *([f"  {doubt}"] if doubt else []),
        f"  {progress['updated']} of {progress['total']} hosts were updated",
        *_out_lines(out),
        f"  next: {command}",
    ]


def unopened_lines(app: str, why: str, out: Sequence[str], command: str) -> list[str]:
    """A run that ended before it opened a rollout, while somebody is out since an earlier one."""
    return [f'rollout of "{app}": not begun: {why}', *_out_lines(out), f"  next: {command}"]


def ended_lines(rollout: RolloutRecord, out: Sequence[str], command: str) -> list[str]:
    """A rollout that somebody else ended while this run still thought it was its own."""
    verdict = rollout.verdict.value if rollout.verdict else "ended"
    return [
        f'rollout {rollout.number} of "{rollout.app}" {goal(rollout.version)}: {verdict}: {rollout.reason}; this run moved nothing more',
        *_out_lines(out),
        f"  next: {command}",
    ]


def _out_lines(out: Sequence[str]) -> list[str]:
    return [f"  out of rotation, or on its way: {host} (taken out by a rollout)" for host in out] or ["  nobody was left out of rotation"]


def status_lines(app: str, version: str, conclusion: Conclusion, members: Sequence[Member]) -> list[str]:
    """One line a host: what is installed, what runs, and what every balancer says of it in its own words."""
    words: dict[str, list[str]] = {}
    for member in members:
        if member.host is not None:
            words.setdefault(member.host, []).append(f"{member.place} {member.status or member.admin}")
    head = ("HOST", "INSTALLED", "RUNNING", "LOAD BALANCERS", "STATE")
    rows = [head, *(_row(state, words.get(state.host, [])) for state in conclusion.hosts)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [f'"{app}" at {version}: {conclusion.verdict.value}: {conclusion.reason}', *table]


def _row(state: HostState, words: Sequence[str]) -> tuple[str, str, str, str, str]:
    return state.host, state.installed or "-", state.running or "-", ", ".join(words) or "-", f"{state.verdict.value}: {state.why}"
