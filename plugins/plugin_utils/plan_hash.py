# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hash of a plan: whoever looked at a plan gives it, and a plan that became another one is not carried out. Pure."""

from __future__ import annotations

import hashlib
import json
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Plan

PARTS = ("the target", "the hosts, their order or their batches", "the limits")
"""What each part of a hash is made of, so that it can be told which of them changed."""


def plan_hash(plan: Plan, sha256: str | None) -> str:
    """A hash over what is going to be done, in one part each for `PARTS`; no time is in it.

    :param sha256: the digest of the artifact, where it was given.
    """
    target = [plan.app, plan.version, sha256 or ""]
    hosts: list[t.Any] = [plan.batches, sorted(plan.skipped), sorted(plan.held), sorted(plan.unreachable), plan.deployed]
    limits: list[t.Any] = [plan.limit, plan.floors, plan.weighed, plan.window, [(scope.name, scope.room) for scope in plan.scopes]]
    if plan.spared:
        hosts.append(sorted(plan.spared))
    if plan.waves:
        hosts.append([(wave.name, sorted(wave.hosts)) for wave in plan.waves])
        limits.append([(wave.bake_time, wave.bake_requests, wave.approve, wave.checked) for wave in plan.waves])
    if plan.reverts or plan.rehearsal:
        limits.append([plan.reverts, plan.rehearsal])
    return "-".join(_digest(part) for part in (target, hosts, limits))


def check_hash(given: str, made: str) -> None:
    """:raises InputError: when the plan that was looked at is not this one, saying what changed."""
    if given == made:
        return
    then, now = given.split("-"), made.split("-")
    if len(then) != len(now):
        raise InputError(
            f"rollout_plan_hash: {given!r} is no hash of a plan; give what rollout_plan_only=true showed. Nothing was touched."
        )
    changed = " and ".join(what for what, old, new in zip(PARTS, then, now, strict=True) if old != new)
    raise InputError(f"rollout_plan_hash: since that plan was shown, {changed} changed; look at the new one, {made}. Nothing was touched.")


def _digest(value: t.Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
