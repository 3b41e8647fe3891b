# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose wave's turn it is, and what a wave still waits for: the part of the gate that knows waves. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Answer, Decision, Stage, Wave
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.standing import Standing
from ansible_collections.convoy.rolling.plugins.plugin_utils.wording import listed


def what_waves_want(standing: Standing, due: t.Sequence[str], policy: Policy, now: float) -> Decision | None:
    """Why none of these hosts may go yet, or the rollout must not end yet; None when no wave is in the way of some of them.

    :param due: the hosts that ask and have no verdict; nobody, when the question is whether all is over.
    """
    waves, current = standing.rollout.plan.waves, standing.current_wave()
    if current is None or (not due and current < len(waves)):
        return None  # hosts that are through do not wait for others
    for number, wave in enumerate(waves[:current]):
        waiting = _unfinished(standing, number, wave, due, policy, now)
        if waiting:
            return waiting
    if current == len(waves):
        return None
    wave = waves[current]
    if wave.approve and standing.rollout.wave(wave.name).approved is None:
        return Decision(Answer.WAIT, f"wave {wave.name} waits for approval", later=tuple(due), wave=wave.name, stage=Stage.APPROVE)
    if any(standing.wave_number(host) == current for host in due):
        return None
    shown = f"wave {wave.name} is not over: {listed(filter(standing.is_due, wave.hosts), standing.undone(current))}"
    if standing.somebody_asked(current):
        return Decision(Answer.WAIT, shown, later=tuple(due), wave=wave.name, stage=Stage.TURN)
    return Decision(
        Answer.HALT,
        f"{shown}, and nobody is at it; {due[0]} is of a later wave; let the hosts go in the order of the plan",
        stage=Stage.TURN,
    )


def running_since(standing: Standing) -> float:
    """Since when the time counts in which some host must become available: not while a wave bakes, nor while it waits for a person."""
    rollout, current = standing.rollout, standing.current_wave()
    since = [rollout.progressed]
    for wave in rollout.plan.waves[: None if current is None else current + 1]:
        record = rollout.wave(wave.name)
        since += [record.passed or 0.0, record.approved.at if record.approved else 0.0]
    return max(since)


def _unfinished(standing: Standing, number: int, wave: Wave, due: t.Sequence[str], policy: Policy, now: float) -> Decision | None:
    """What a wave whose hosts are all through still waits for."""
    record = standing.rollout.wave(wave.name)
    if record.passed is not None or not wave.is_watched:
        return None

    def wait(why: str, stage: Stage = Stage.BAKE) -> Decision:
        return Decision(Answer.WAIT, f"wave {wave.name} {why}", later=tuple(due), wave=wave.name, stage=stage)

    if not wave.bakes:
        return wait("is asked for its conditions", Stage.CHECK)
    until = standing.wave_ended(number) + wave.bake_time
    requests = f"{record.baking.requests} of {wave.bake_requests} requests" if wave.bake_requests else ""
    if now < until:
        return wait(f"bakes for {until - now:.0f} s more{', ' + requests if requests else ''}")
    lacks = requests if record.baking.requests < wave.bake_requests else ""
    if not lacks and record.baking.looked < until:
        lacks = "its hosts not seen since"
    if not lacks and record.baking.suspects:
        lacks = f"{listed(record.baking.suspects, len(record.baking.suspects))} in doubt"
    if not lacks:
        return wait("has baked", Stage.CHECK)
    over = now - max(until, standing.rollout.progressed)
    if over > policy.progress_deadline:
        return Decision(
            Answer.HALT,
            f"wave {wave.name} has not baked {over:.0f} s after its time: {lacks}; rollout_progress_deadline is {policy.progress_deadline:g} s",
        )
    return wait(f"bakes: {lacks}")
