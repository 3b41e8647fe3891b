# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal's tables. SQLAlchemy Core gives SQLite and PostgreSQL from one definition.

A table or column that came later says so: ``info=since(2)``. Everything about older journals follows from that: what is made when
one is migrated, and what is read in its place until then. A column that came later can be NULL or has a ``server_default``.
"""

from __future__ import annotations

import typing as t

VERSION = 3


def since(version: int) -> dict[str, t.Any]:
    """The ``info`` of a table or column that journals older than this version lack."""
    return {"since": version}


try:
    from sqlalchemy import (
        Column,
        Connection,
        DefaultClause,
        Float,
        Integer,
        MetaData,
        Table,
        TypeDecorator,
        cast,
        false,
        insert,
        literal,
        null,
        select,
        update,
    )
    from sqlalchemy import Text as AnyText
    from sqlalchemy.engine import Dialect
    from sqlalchemy.schema import CreateColumn
except ImportError as error:
    MISSING: ImportError | None = error
else:
    MISSING = None

    class Text(TypeDecorator[str]):
        """Text as every database keeps it: PostgreSQL takes no NUL and nobody half a surrogate pair, and programs that fail say both."""

        impl = AnyText
        cache_ok = True

        def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
            return None if value is None else value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()

    METADATA = MetaData()

    ABOUT = Table("convoy_about", METADATA, Column("version", Integer, primary_key=True))

    ROLLOUTS = Table(
        "convoy_rollouts",
        METADATA,
        Column("number", Integer, primary_key=True, autoincrement=True),
        Column("app", Text, nullable=False, index=True),
        Column("version", Text, nullable=False),
        Column("digest", Text),
        Column("cause", Text, nullable=False),
        Column("by", Text, nullable=False),
        Column("plan", Text, nullable=False),
        Column("started", Float, nullable=False),
        Column("progressed", Float, nullable=False),
        Column("halted", Text, nullable=False, default=""),
        Column("ended", Float),
        Column("verdict", Text),
        Column("reason", Text, nullable=False, default=""),
        Column(
            "paused", Text, nullable=False, default="", server_default="", info=since(2)
        ),  # who wants it, why and since when; empty: nobody
        Column("aborted", Text, nullable=False, default="", server_default="", info=since(2)),
        # When the tasks of rollout_hooks.expand and contract went well; NULL: not yet. A rollback wants to know.
        Column("expanded_at", Float, info=since(3)),
        Column("contracted_at", Float, info=since(3)),
        Column("rehearsed_at", Float, info=since(3)),  # when a host had been on the version, back and on it again
        Column("origin", Text, nullable=False, default="", server_default="", info=since(3)),  # where its command was typed
        Column("back", Text, nullable=False, default="", server_default="", info=since(3)),  # of a rollback: what it undoes, and why
        Column("bad", Text, nullable=False, default="", server_default="", info=since(3)),  # why nobody should go back to it
    )

    HOSTS = Table(
        "convoy_hosts",
        METADATA,
        Column("rollout", Integer, primary_key=True),
        Column("host", Text, primary_key=True),
        Column("place", Integer, nullable=False),  # its place in the plan's order
        Column("step", Text, nullable=False),
        Column("verdict", Text),
        Column("why", Text, nullable=False, default=""),
        Column("asked", Integer, nullable=False, default=0),
        Column("changed", Float, nullable=False),
        Column("departed", Float, info=since(3)),  # when it left rotation
        Column("leg", Text, nullable=False, default="", server_default="", info=since(3)),  # see model.Leg
        Column("toward", Text, nullable=False, default="", server_default="", info=since(3)),  # the version it goes back to, where it does
    )

    # Every host that we took out, until it is back: whichever rollout it was, and whatever became of that.
    ABSENCES = Table(
        "convoy_absences",
        METADATA,
        Column("app", Text, primary_key=True),
        Column("host", Text, primary_key=True),
        Column("rollout", Integer, nullable=False),
        Column("since", Float, nullable=False),
        Column("original", Text, nullable=False),
    )

    VIEWS = Table(
        "convoy_views",
        METADATA,
        Column("rollout", Integer, primary_key=True),
        Column("place", Text, primary_key=True),
        Column("seen", Float, nullable=False),
        Column("members", Text, nullable=False),
    )

    LEASES = Table(
        "convoy_leases",
        METADATA,
        Column("app", Text, primary_key=True),
        Column("fence", Integer, nullable=False),  # grows with every holder; a step with an older one is refused
        Column("rollout", Integer),
        Column("holder", Text, nullable=False),
        Column("expires", Float, nullable=False),
        Column("frozen", Text, nullable=False, default="", server_default="", info=since(2)),  # who froze the app, why and since when
    )

    WAVES = Table(
        "convoy_waves",
        METADATA,
        Column("rollout", Integer, primary_key=True),
        Column("name", Text, primary_key=True),
        Column("place", Integer, nullable=False),  # its place in the plan
        Column("ended", Float),  # when its last host was back, where that was in an earlier rollout
        Column("baking", Text, nullable=False),  # what was seen of it while it bakes
        Column("passed", Float),
        Column("approved", Text, nullable=False, default=""),  # who approved it, why and when; empty: nobody
        info=since(3),
    )

    EVENTS = Table(
        "convoy_events",
        METADATA,
        Column("number", Integer, primary_key=True, autoincrement=True),
        Column("rollout", Integer, nullable=False, index=True),
        Column("at", Float, nullable=False),
        Column("host", Text),
        Column("kind", Text, nullable=False),
        Column("detail", Text, nullable=False),
    )

    def bring_forward(db: Connection, version: int) -> None:
        """Give a journal of an older version what it lacks; version 0 has nothing yet."""
        for table in METADATA.sorted_tables:
            if _since(table) > version:
                table.create(db)
                continue
            for column in table.columns:
                if _since(column) > version:
                    db.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {CreateColumn(column).compile(dialect=db.dialect)}")
        db.execute(update(ABOUT).values(version=VERSION) if version else insert(ABOUT).values(version=VERSION))

    def show_as_newest(db: Connection, version: int) -> None:
        """Let an older journal be read as one of today's, unchanged: views in front of its tables, for this connection alone."""
        for table in METADATA.sorted_tables:
            # Without a schema SQLite would take the view for its own table; PostgreSQL looks the name up before the view is there.
            stored = table.to_metadata(MetaData(), schema="main") if db.dialect.name == "sqlite" else table
            if _since(table) > version:
                seen = select(*map(_default, stored.columns)).where(false())
            elif any(_since(column) > version for column in stored.columns):
                seen = select(*(column if _since(column) <= version else _default(column) for column in stored.columns))
            else:
                continue
            text = seen.compile(dialect=db.dialect, compile_kwargs={"literal_binds": True})
            db.exec_driver_sql(f"CREATE TEMPORARY VIEW {table.name} AS {text}")

    def _since(item: Table | Column[t.Any]) -> int:
        return int(item.info.get("since", 1))

    def _default(column: Column[t.Any]) -> t.Any:
        default = column.server_default.arg if isinstance(column.server_default, DefaultClause) else None
        return cast(null() if default is None else literal(str(default), AnyText), column.type).label(column.name)
