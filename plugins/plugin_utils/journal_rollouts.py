# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rollout and its hosts as rows of the journal, and read back. SQL is known here, for ``journal``."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterable
from dataclasses import replace

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_schema as schema
from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_waves
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Plan, RolloutRecord, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.typed_values import typed

if schema.MISSING is None:
    from sqlalchemy import Connection, insert, select

_MARKS = ("paused", "aborted", "back")


def begin_hosts(db: Connection, rollout: int, plan: Plan, now: float) -> None:
    """Write every host of a new rollout, in the order of its plan; those first that are to be rolled."""
    rows = [{"rollout": rollout, "place": place, "changed": now, **host} for place, host in enumerate(_planned(plan))]
    if rows:
        db.execute(insert(schema.HOSTS), rows)


def read(db: Connection, number: int) -> RolloutRecord:
    """One rollout, whole.

    :raises RollingError: there is none of this number.
    """
    row = db.execute(select(schema.ROLLOUTS).where(schema.ROLLOUTS.c.number == number)).one_or_none()
    if row is None:
        raise RollingError(f"the journal has no rollout {number}.")
    hosts = db.execute(select(schema.HOSTS).where(schema.HOSTS.c.rollout == number).order_by(schema.HOSTS.c.place)).all()
    names = (
        *("number", "app", "version", "started", "progressed", "halted", "ended", "verdict", "cause", "by", "reason"),
        *("expanded_at", "contracted_at", "rehearsed_at"),
    )
    values = {name: getattr(row, name) for name in names}
    values |= {name: json.loads(getattr(row, name)) if getattr(row, name) else None for name in _MARKS}
    record: RolloutRecord = typed(RolloutRecord, {**values, "plan": json.loads(row.plan), "hosts": [_host_values(host) for host in hosts]})
    return replace(record, waves=journal_waves.read(db, number))


def _planned(plan: Plan) -> Iterable[dict[str, t.Any]]:
    blank = {"step": Step.PLANNED.value, "verdict": None, "why": ""}
    for host in plan.order:
        yield {**blank, "host": host}
    for verdict, hosts in ((Verdict.SKIPPED, plan.skipped), (Verdict.HELD, plan.held), (Verdict.UNREACHABLE, plan.unreachable)):
        for host, why in hosts.items():
            yield {**blank, "host": host, "verdict": verdict.value, "why": why}


def _host_values(row: t.Any) -> dict[str, t.Any]:
    return {
        "host": row.host,
        "step": row.step,
        "verdict": row.verdict,
        "why": row.why,
        "asked": bool(row.asked),
        "changed": row.changed,
        "left": row.departed or 0.0,
        "leg": row.leg,
        "toward": row.toward,
    }
