# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A journal's database behind the journal's back, in SQLite and in PostgreSQL."""

from __future__ import annotations

import typing as t
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError

RECORDED = Path(__file__).parent / "recorded"


def sql(url: str, statement: str, **values: t.Any) -> list[tuple[t.Any, ...]]:
    """What one statement returns, if it returns rows."""
    with create_engine(url, poolclass=NullPool).begin() as db:
        result = db.execute(text(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []


def everything(url: str) -> dict[str, tuple[list[str], list[tuple[t.Any, ...]]]]:
    """Table -> its columns with their types, and its rows."""
    with create_engine(url, poolclass=NullPool).begin() as db:
        seen = inspect(db)
        names = sorted(seen.get_table_names())
        columns = {name: [f"{column['name']} {column['type']} {column['nullable']}" for column in seen.get_columns(name)] for name in names}
        return {name: (columns[name], sorted(map(tuple, db.execute(text(f"SELECT * FROM {name}"))), key=repr)) for name in names}


def restore(url: str, version: int) -> None:
    """Make the journal that the collection wrote when its schema had this version: rollout 1 is done, 2 was cut off with web1 out."""
    engine = create_engine(url, poolclass=NullPool)
    dump = (RECORDED / f"journal-{version}.{engine.dialect.name}.sql").read_text(encoding="utf-8")
    with closing(engine.raw_connection()) as db:
        if engine.dialect.name == "sqlite":
            db.driver_connection.executescript(dump)  # type: ignore[union-attr]
        else:
            # What begins with a backslash is psql's own.
            db.driver_connection.execute("\n".join(line for line in dump.splitlines() if not line.startswith("\\")))  # type: ignore[union-attr]
        db.commit()


def fails_clearly(call: t.Callable[[], object]) -> str:
    """The one sentence that a call on a journal in trouble fails with."""
    with pytest.raises(RollingError) as caught:
        call()
    message = caught.value.message
    assert message.startswith("the journal at rollout_state_url")
    assert "\n" not in message and "Traceback" not in message and "[SQL" not in message
    return message
