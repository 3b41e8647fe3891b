# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the journal is kept: opening the database, its transactions, its schema, and what may be wrong with it, in one sentence."""

from __future__ import annotations

import os
import re
import sys
import typing as t
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_schema as schema

if schema.MISSING is None:
    from sqlalchemy import Connection, Engine, create_engine, event, inspect, select
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.engine import URL, make_url
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    _PRELOADED = sqlite  # SQLAlchemy would import it at first use, in each step's worker anew

LOCK_SECONDS = 10.0
"""How long a write waits for another controller's to end."""

STATEMENT_SECONDS = 30.0
"""How long a PostgreSQL works on one statement, and waits for the next of a controller that was stopped inside a transaction."""

_WRITERS = 0x636F6E766F79
"""PostgreSQL's advisory lock that makes writers wait for each other, as SQLite makes them."""

_HOW = "write sqlite:////absolute/path.db or postgresql+psycopg://user:password@host/database"

_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}

_LIBPQ = {
    "application_name": "convoy.rolling",
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds
}
"""What a connection to PostgreSQL is asked for, unless the URL says otherwise: a server that is gone is noticed within half a minute."""

_REMEDIES = (
    (r"locked|lock timeout|statement timeout|idle-in-transaction", "end what holds it"),
    (r"is full|No space left|File too large|quota|disk I/O", "make room"),
    (r"readonly|read-only|[Pp]ermission denied|unable to open", "give this user the right to write the file and its directory"),
    (r"malformed|not a database|did not write|encrypted", "put a copy of it back, or move it away, which docs/journal.md tells more of,"),
    (r"authentication|does not exist|no pg_hba", "mend the URL or the server's users and databases"),
    (r"connect|terminat|closed|server|SSL", "bring the server back"),
)
"""What to do about an error: the first whose words are in it."""


class Store:
    """The database behind one URL. In each there is one writer at a time, which sees what the one before it wrote.

    :param url: ``sqlite:////absolute.db``, ``sqlite:///relative.db`` or ``postgresql+psycopg://user:password@host/database``.
    :raises InputError: when the URL is none of these; the URL itself, which may hold a password, is not repeated.
    """

    def __init__(self, url: str) -> None:
        if schema.MISSING is not None:
            raise RollingError(
                f"SQLAlchemy is missing for {sys.executable}, which runs Ansible; install it there: pip install 'SQLAlchemy>=2.0'."
            )
        self._url = _parsed(url)
        self._path = Path(str(self._url.database)).absolute() if self._url.get_backend_name() == "sqlite" else None
        self._known = False
        self._engine = _engine(self._url)
        # All of a look is of one moment, as it is in SQLite anyway.
        isolation = {} if self._path else {"isolation_level": "REPEATABLE READ"}
        self._reader = self._engine.execution_options(reading=True, **isolation)

    @contextmanager
    def reading(self) -> t.Iterator[Connection | None]:
        """A connection to read through; None when there is no journal yet, so that looking never makes one, nor changes an older one.

        Fetch all rows of a result before they are made into anything: an error in between would leave SQLite's file locked, for as long as
        the error is kept.
        """
        if self._path is not None and not self._path.exists():
            yield None
            return
        with self._failing_clearly(), self._reader.connect() as db:
            version = self._version(db)
            if 0 < version < schema.VERSION:
                schema.show_as_newest(db, version)
            yield db if version else None

    @contextmanager
    def writing(self, make: bool = False) -> t.Iterator[Connection]:
        """One transaction. An older journal is brought forward in it.

        :param make: make the journal where there is none. Only who opens a rollout may: for anybody else it has been lost.
        """
        with self._failing_clearly():
            if self._path is not None and not self._path.exists():
                if not make:
                    raise self.lost()
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))
            with self._engine.begin() as db:
                version = self._version(db)
                if not version and not make:
                    raise self.lost()
                if version < schema.VERSION:
                    schema.bring_forward(db, version)
                yield db
            self._known = True

    def _version(self, db: Connection) -> int:
        """The schema of the journal, 0 when there is none; asked until it is today's."""
        if self._known:
            return schema.VERSION
        if not inspect(db).has_table(schema.ABOUT.name):
            return 0
        version = db.execute(select(schema.ABOUT.c.version)).scalar_one()
        if not 1 <= version <= schema.VERSION:
            raise RollingError(
                f"the journal at rollout_state_url has schema {version}, this collection knows {schema.VERSION}; use the collection that wrote it."
            )
        self._known = version == schema.VERSION
        return int(version)

    def lost(self) -> RollingError:
        """What to say to whoever asks for a rollout that was opened in a journal that is not there any more."""
        return RollingError(
            f"the journal at rollout_state_url ({self._shown}) is gone, and with it what this rollout took out. No host leaves rotation "
            "without it; put it back and run the same command again, or see docs/journal.md."
        )

    @property
    def _shown(self) -> str:
        # A password may also be among the options after the question mark.
        return self._url.set(query={}, database=str(self._path or self._url.database or "")).render_as_string(hide_password=True)

    @contextmanager
    def _failing_clearly(self) -> t.Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
            # All but the first two: what is written there is not what this collection writes.
            foreign = "" if isinstance(error, (SQLAlchemyError, OSError)) else "it holds what this collection did not write: "
            why = foreign + (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0].rstrip(". ")
            remedy = next((remedy for words, remedy in _REMEDIES if re.search(words, why)), "mend it")
            raise RollingError(
                f"the journal at rollout_state_url ({self._shown}) can't be used: {why}. "
                f"No host leaves rotation without it; {remedy} and run the same command again."
            ) from error


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise InputError(f"rollout_state_url: this is no database URL; {_HOW}.") from None
    if parsed.drivername not in _DRIVERS:
        raise InputError(f"rollout_state_url: the journal is kept in SQLite or in PostgreSQL with psycopg; {_HOW}.")
    parsed = parsed.set(drivername=_DRIVERS[parsed.drivername])
    if parsed.drivername == "sqlite":
        if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
            raise InputError(
                "rollout_state_url: the journal is a file, since every step is a process of its own; write sqlite:////absolute/path.db."
            )
        if parsed.username or parsed.host or parsed.query:
            raise InputError("rollout_state_url: SQLite takes a path and nothing else; write sqlite:////absolute/path.db.")
    elif url.count("@") > 1 or "@" in f"{parsed.host}{parsed.database}":
        # Or what follows the @ would be taken for a host, and be named in errors.
        raise InputError("rollout_state_url: write @ as %40, / as %2F, : as %3A and ? as %3F in the user and the password.")
    return parsed


@lru_cache(maxsize=4)
def _engine(url: URL) -> Engine:
    """One a process and database: what it has compiled serves every store. It keeps no connection, and so a fork may share it."""
    return _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)


def _postgresql(url: URL) -> Engine:
    asked = {name: value for name, value in _LIBPQ.items() if name not in url.query}
    try:
        engine = create_engine(url, poolclass=NullPool, isolation_level="READ COMMITTED", use_native_hstore=False, connect_args=asked)
    except ImportError:
        raise InputError(
            f"rollout_state_url: PostgreSQL needs psycopg, which {sys.executable} can't import; install it there: pip install 'psycopg[binary]>=3.1'."
        ) from None

    @event.listens_for(engine, "begin")
    def _begin(db: Connection) -> None:
        patience = {
            "lock_timeout": LOCK_SECONDS,
            "statement_timeout": STATEMENT_SECONDS,
            "idle_in_transaction_session_timeout": STATEMENT_SECONDS,
        }
        words = [f"set_config('{name}', '{round(seconds * 1000)}', true)" for name, seconds in patience.items()]
        if not db.get_execution_options().get("reading"):
            words.append(f"pg_advisory_xact_lock({_WRITERS})")
        db.exec_driver_sql(f"SELECT {', '.join(words)}")

    return engine


def _sqlite(url: URL) -> Engine:
    """With real transactions: pysqlite would open them late, and two controllers could both read before either writes."""
    engine = create_engine(url, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _connect(connection: t.Any, _record: t.Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {round(LOCK_SECONDS * 1000)}")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def _begin(db: Connection) -> None:
        db.exec_driver_sql("BEGIN" if db.get_execution_options().get("reading") else "BEGIN IMMEDIATE")

    return engine
