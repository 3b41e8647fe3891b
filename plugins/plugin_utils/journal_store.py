# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the journal is kept: opening the database, its transactions, its schema, and what may be wrong with it, in one sentence."""

from __future__ import annotations

import sys
import typing as t
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_schema as schema

if schema.MISSING is None:
    from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    _PRELOADED = sqlite  # SQLAlchemy would import it at first use, in each step's worker anew

LOCK_SECONDS = 10.0
"""How long a write waits for another controller's to end, in SQLite."""


class Store:
    """The database behind one URL.

    :param url: ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or any URL that SQLAlchemy knows.
    :raises InputError: when the URL is malformed; the URL itself, which may hold a password, is not repeated.
    """

    def __init__(self, url: str) -> None:
        if schema.MISSING is not None:
            raise RollingError(
                f"SQLAlchemy is missing for {sys.executable}, which runs Ansible; install it there: pip install 'SQLAlchemy>=2.0'."
            )
        try:
            self._url = make_url(url)
            self._engine: Engine = create_engine(self._url, poolclass=NullPool)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise InputError(
                "rollout_state_url: this is no database URL that can be opened here "
                f"({type(error).__name__}); write sqlite:////absolute/path.db or postgresql+psycopg://user:password@host/database."
            ) from None
        self._known = False
        if self._url.get_backend_name() == "sqlite":
            _make_sqlite_strict(self._engine)

    @contextmanager
    def reading(self) -> t.Iterator[Connection | None]:
        """A connection to read through; None when there is no journal yet, so that looking never makes one."""
        path = self._sqlite_path()
        if path is not None and not path.exists():
            yield None
            return
        with self._failing_clearly(), self._engine.execution_options(reading=True).connect() as db:
            yield db if self._has_tables(db) else None

    @contextmanager
    def writing(self) -> t.Iterator[Connection]:
        """One transaction; the tables are made on the first."""
        path = self._sqlite_path()
        with self._failing_clearly():
            if path is not None:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._engine.begin() as db:
                if not self._has_tables(db):
                    schema.METADATA.create_all(db)
                    db.execute(insert(schema.ABOUT).values(version=schema.VERSION))
                yield db

    def _has_tables(self, db: Connection) -> bool:
        """Whether the journal is there, in the schema that this collection knows; asked once a step."""
        if self._known:
            return True
        if not inspect(db).has_table(schema.ABOUT.name):
            return False
        version = db.execute(select(schema.ABOUT.c.version)).scalar()
        if version != schema.VERSION:
            raise RollingError(
                f"the journal at rollout_state_url has schema {version}, this collection knows {schema.VERSION}; use the collection that wrote it."
            )
        self._known = True
        return True

    @contextmanager
    def _failing_clearly(self) -> t.Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError, ValueError, KeyError, TypeError) as error:
            # The last three: what is written there is not what this collection writes.
            foreign = "" if isinstance(error, (SQLAlchemyError, OSError)) else "it holds what this collection did not write: "
            first = foreign + (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0]
            raise RollingError(
                f"the journal at rollout_state_url ({self._url.render_as_string(hide_password=True)}) can't be used: {first}. "
                "No host leaves rotation without it; mend it and run the same command again."
            ) from error

    def _sqlite_path(self) -> Path | None:
        if self._url.get_backend_name() != "sqlite" or self._url.database in (None, "", ":memory:"):
            return None
        return Path(str(self._url.database))


def _make_sqlite_strict(engine: Engine) -> None:
    """Make SQLite's transactions real: pysqlite would open them late, and two controllers could both read before either writes."""

    @event.listens_for(engine, "connect")
    def _connect(connection: t.Any, _record: t.Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {round(LOCK_SECONDS * 1000)}")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def _begin(db: Connection) -> None:
        db.exec_driver_sql("BEGIN" if db.get_execution_options().get("reading") else "BEGIN IMMEDIATE")
