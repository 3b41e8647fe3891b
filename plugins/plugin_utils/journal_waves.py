# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The waves of a rollout in the journal: what of them outlives a controller. SQL is known here, for ``journal`` and ``interventions``."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterable
from dataclasses import asdict

from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_schema as schema
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Baking, WaveRecord
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice
from ansible_collections.convoy.rolling.plugins.plugin_utils.typed_values import typed, typed_json

if schema.MISSING is None:
    from sqlalchemy import Connection, insert, select, update


def begin(db: Connection, rollout: int, waves: Iterable[WaveRecord]) -> None:
    """Write the waves of a new rollout, in the order of its plan."""
    rows = [{"rollout": rollout, "place": place, **_values(wave)} for place, wave in enumerate(waves)]
    if rows:
        db.execute(insert(schema.WAVES), rows)


def read(db: Connection, rollout: int) -> tuple[WaveRecord, ...]:
    """The waves of a rollout, in the order of its plan."""
    rows = db.execute(select(schema.WAVES).where(schema.WAVES.c.rollout == rollout).order_by(schema.WAVES.c.place)).all()
    return tuple(_record(row) for row in rows)


def write(db: Connection, rollout: int, wave: WaveRecord) -> None:
    """What is known of a wave now."""
    mine = (schema.WAVES.c.rollout == rollout) & (schema.WAVES.c.name == wave.name)
    db.execute(update(schema.WAVES).where(mine).values(**_values(wave)))


def _values(wave: WaveRecord) -> dict[str, t.Any]:
    return {
        "name": wave.name,
        "ended": wave.ended,
        "baking": json.dumps(asdict(wave.baking)),
        "passed": wave.passed,
        "approved": wave.approved.to_text() if wave.approved else "",
    }


def _record(row: t.Any) -> WaveRecord:
    values = {"name": row.name, "ended": row.ended, "passed": row.passed, "approved": None}
    record: WaveRecord = typed(WaveRecord, {**values, "baking": asdict(typed_json(Baking, row.baking))})
    return WaveRecord(record.name, record.ended, record.baking, record.passed, Notice.from_text(row.approved))
