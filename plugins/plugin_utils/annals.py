# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The history of an app in the journal: its revisions, what a rollback undoes, and what is forgotten.

Here and in ``journal``, ``lease`` and ``interventions`` SQL is known.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_schema as schema
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal_store import Store
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, Rollback, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.revisions import Revision, bad_versions
from ansible_collections.convoy.rolling.plugins.plugin_utils.typed_values import typed, typed_json

if schema.MISSING is None:
    from sqlalchemy import Connection, delete, select, update

_COLUMNS = ("number", "version", "started", "ended", "verdict", "reason", "cause", "by", "digest", "bad", "contracted_at")


class Annals:
    """The history in the journal behind one URL."""

    def __init__(self, url: str) -> None:
        self._store = Store(url)

    def revisions(self, app: str) -> tuple[Revision, ...]:
        """Every rollout of an app that is remembered, oldest first; none when there is no journal yet."""
        with self._store.reading() as db:
            return _revisions(db, app) if db else ()

    def versions_before(self, number: int) -> dict[str, str]:
        """What the hosts of a rollout had when it was planned."""
        with self._store.reading() as db:
            text = db.execute(select(schema.ROLLOUTS.c.plan).where(schema.ROLLOUTS.c.number == number)).scalar() if db else None
        before: dict[str, str] = typed(dict[str, str], json.loads(text).get("before", {})) if text else {}
        return before

    def hosts_of(self, numbers: t.Sequence[int]) -> tuple[frozenset[str], frozenset[str]]:
        """Whom these rollouts took out of rotation, and whom their plans knew."""
        with self._store.reading() as db:
            columns = schema.HOSTS.c.host, schema.HOSTS.c.step
            rows = db.execute(select(*columns).where(schema.HOSTS.c.rollout.in_(numbers))).all() if db else []
        return frozenset(row.host for row in rows if row.step != Step.PLANNED.value), frozenset(row.host for row in rows)

    def prune(self, app: str, limit: int) -> tuple[int, ...]:
        """Forget the oldest rollouts of an app, so that so many are left; see `surplus` for what is never forgotten."""
        if len(self.revisions(app)) <= limit:
            return ()
        with self._store.writing() as db:
            absences = select(schema.ABSENCES.c.rollout).where(schema.ABSENCES.c.app == app)
            numbers = surplus(_revisions(db, app), limit, set(db.execute(absences).scalars()))
            for table in (schema.HOSTS, schema.VIEWS, schema.EVENTS, schema.WAVES) if numbers else ():
                db.execute(delete(table).where(table.c.rollout.in_(numbers)))
            db.execute(delete(schema.ROLLOUTS).where(schema.ROLLOUTS.c.number.in_(numbers)))
        return numbers


def surplus(history: t.Sequence[Revision], limit: int, absent: t.Collection[int]) -> tuple[int, ...]:
    """The oldest revisions, so that ``limit`` are left.

    Never one that has not ended, nor one that a host is out since; nor what would be needed to go back: the newest two good versions
    that converged, and all that came after the older of them.
    """
    bad, good = bad_versions(history), dict[str, int]()
    for one in history:
        if one.verdict is Verdict.CONVERGED and one.version not in bad and one.version != RESTART:
            good.pop(one.version, None)
            good[one.version] = one.number
    needed = min(list(good.values())[-2:], default=0)
    old = history[: max(0, len(history) - limit)]
    return tuple(one.number for one in old if one.ended is not None and one.number < needed and one.number not in absent)


def mark_bad(db: Connection, number: int, back: Rollback) -> None:
    """What a rollback undoes is bad from the moment it begins."""
    why = f"rolled back by rollout {number}" + (f": {back.why}" if back.why else "")
    db.execute(update(schema.ROLLOUTS).where(schema.ROLLOUTS.c.number.in_(back.undoes)).values(bad=why))


def mark_rolled_back(db: Connection, number: int) -> None:
    """A rollout converged: what it has undone, if it did, is rolled back."""
    text = db.execute(select(schema.ROLLOUTS.c.back).where(schema.ROLLOUTS.c.number == number)).scalar()
    if text:
        undone = schema.ROLLOUTS.c.number.in_(typed_json(Rollback, text).undoes)
        db.execute(update(schema.ROLLOUTS).where(undone).values(verdict=Verdict.ROLLED_BACK.value))


def _revisions(db: Connection, app: str) -> tuple[Revision, ...]:
    table = schema.ROLLOUTS.c
    columns = [getattr(table, name) for name in (*_COLUMNS, "origin", "back")]
    rows = db.execute(select(*columns).where(table.app == app).order_by(table.number)).all()
    return tuple(typed(Revision, {**{name: getattr(row, name) for name in _COLUMNS}, **_parsed(row)}) for row in rows)


def _parsed(row: t.Any) -> dict[str, t.Any]:
    return {"origin": json.loads(row.origin) if row.origin else {}, "back": json.loads(row.back) if row.back else None}
