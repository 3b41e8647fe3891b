# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a rollout is, and the lines that say so; they read like those of ``kubectl rollout status``. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Plan, RolloutRecord, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.restarts import goal


def progress_of(rollout: RolloutRecord, out: Iterable[str] = ()) -> dict[str, t.Any]:
    """A rollout's progress, for whoever watches: a task's result carries it under ``progress``.

    :param out: the hosts that our doing keeps out of rotation.
    """
    done = len(rollout.plan.skipped)
    updated = sum(record.step in (Step.DEPLOYED, Step.VERIFIED, Step.BACK) and not record.toward for record in rollout.hosts)
    held = sorted(record.host for record in rollout.hosts if record.verdict is Verdict.HELD)
    available = sum(record.verdict is Verdict.CONVERGED for record in rollout.hosts)
    return {
        "app": rollout.app,
        "version": rollout.version,
        "rollout": rollout.number,
        "total": len(rollout.hosts) - len(held),
        "updated": done + updated,
        "available": done + available,
        "held": held,
        "trouble": {record.host: record.why for record in rollout.hosts if record.verdict in (Verdict.FAILED, Verdict.UNREACHABLE)},
        "halted": rollout.halted,
        "out": sorted(out),
        "verdict": "",
        "back": rollout.back is not None,
        "to_revision": rollout.back.revision if rollout.back else None,
    }


def converged_progress(plan: Plan) -> dict[str, t.Any]:
    """The progress of a plan that has nobody to roll."""
    done = len(plan.skipped)
    return {
        "app": plan.app,
        "version": plan.version,
        "rollout": None,
        "total": done,
        "updated": done,
        "available": done,
        "held": sorted(plan.held),
        "trouble": {},
        "halted": "",
        "out": [],
        "verdict": Verdict.CONVERGED.value,
        "back": False,
        "to_revision": None,
    }


def lines_of(progress: Mapping[str, t.Any]) -> list[str]:
    """What a person reads of it."""
    back = bool(progress.get("back"))
    name = f'{"rollback" if back else "rollout"} of "{progress["app"]}" {goal(progress["version"])}'
    if progress["verdict"] == Verdict.CONVERGED.value:
        held = f" ({len(progress['held'])} held: {', '.join(progress['held'])})" if progress["held"] else ""
        return [f"{name}: {'rolled back' if back else 'successfully rolled out'}{held}"]
    trouble = [f"{name}: {host}: {why}" for host, why in sorted(progress["trouble"].items())]
    if progress["verdict"] or progress["halted"]:
        return [*trouble, f"error: {name}: {progress['verdict'] or 'halted'}: {progress['halted']}"]
    if progress["updated"] < progress["total"]:
        what = f"{progress['updated']} out of {progress['total']} hosts have been updated..."
    else:
        what = f"{progress['available']} of {progress['updated']} updated hosts are available..."
    return [*trouble, f"Waiting for {name} to finish: {what}"]
