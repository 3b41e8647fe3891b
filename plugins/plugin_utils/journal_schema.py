# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal's tables. SQLAlchemy Core gives SQLite and PostgreSQL from one definition."""

from __future__ import annotations

VERSION = 1

try:
    from sqlalchemy import Column, Float, Integer, MetaData, String, Table, Text
except ImportError as error:
    MISSING: ImportError | None = error
else:
    MISSING = None

    METADATA = MetaData()

    ABOUT = Table("convoy_about", METADATA, Column("version", Integer, primary_key=True))

    ROLLOUTS = Table(
        "convoy_rollouts",
        METADATA,
        Column("number", Integer, primary_key=True, autoincrement=True),
        Column("app", String(255), nullable=False, index=True),
        Column("version", String(255), nullable=False),
        Column("digest", String(255)),
        Column("cause", Text, nullable=False),
        Column("by", String(255), nullable=False),
        Column("plan", Text, nullable=False),
        Column("started", Float, nullable=False),
        Column("progressed", Float, nullable=False),
        Column("halted", Text, nullable=False, default=""),
        Column("ended", Float),
        Column("verdict", String(32)),
        Column("reason", Text, nullable=False, default=""),
    )

    HOSTS = Table(
        "convoy_hosts",
        METADATA,
        Column("rollout", Integer, primary_key=True),
        Column("host", String(255), primary_key=True),
        Column("place", Integer, nullable=False),  # its place in the plan's order
        Column("step", String(32), nullable=False),
        Column("verdict", String(32)),
        Column("why", Text, nullable=False, default=""),
        Column("asked", Integer, nullable=False, default=0),
        Column("changed", Float, nullable=False),
    )

    # Every host that we took out, until it is back: whichever rollout it was, and whatever became of that.
    ABSENCES = Table(
        "convoy_absences",
        METADATA,
        Column("app", String(255), primary_key=True),
        Column("host", String(255), primary_key=True),
        Column("rollout", Integer, nullable=False),
        Column("since", Float, nullable=False),
        Column("original", Text, nullable=False),
    )

    VIEWS = Table(
        "convoy_views",
        METADATA,
        Column("rollout", Integer, primary_key=True),
        Column("place", String(255), primary_key=True),
        Column("seen", Float, nullable=False),
        Column("members", Text, nullable=False),
    )

    LEASES = Table(
        "convoy_leases",
        METADATA,
        Column("app", String(255), primary_key=True),
        Column("fence", Integer, nullable=False),  # grows with every holder; a step with an older one is refused
        Column("rollout", Integer),
        Column("holder", Text, nullable=False),
        Column("expires", Float, nullable=False),
    )

    EVENTS = Table(
        "convoy_events",
        METADATA,
        Column("number", Integer, primary_key=True, autoincrement=True),
        Column("rollout", Integer, nullable=False, index=True),
        Column("at", Float, nullable=False),
        Column("host", String(255)),
        Column("kind", String(32), nullable=False),
        Column("detail", Text, nullable=False),
    )
