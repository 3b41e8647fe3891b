# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sqlite3
import sys
import typing as t
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from unit.plugins.plugin_utils.journals import fails_clearly
from unit.plugins.plugin_utils.test_journal import ELSEWHERE, ORIGINAL, WEB, WRITES, opened
from unit.plugins.plugin_utils.test_typed_values import ANYTHING

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_schema, journal_store
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal, Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Member, Plan


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "rollouts.db"


@pytest.fixture
def journal(path: Path) -> Journal:
    return Journal(f"sqlite:///{path}")


def test_looking_makes_no_file(journal: Journal, path: Path) -> None:
    assert journal.absences("web") == ()
    assert journal.latest("web") is None
    assert journal.views(1) == ()
    with pytest.raises(RollingError, match="is gone, and with it"):
        journal.rollout(1)
    assert not path.parent.exists()


def test_looking_makes_no_tables(journal: Journal, path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert journal.latest("web") is None
    assert path.read_bytes() == b""


def test_journal_is_its_owners_alone(journal: Journal, path: Path) -> None:
    before = os.umask(0)
    try:
        opened(journal)
    finally:
        os.umask(before)
    assert (path.parent.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)


def test_relative_path_counts_from_where_the_command_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    journal = Journal("sqlite:///state/rollouts.db")
    monkeypatch.chdir("/")
    opened(journal)
    assert (tmp_path / "state" / "rollouts.db").exists()
    assert f"sqlite:///{tmp_path}/state/rollouts.db" in journal._store.lost().message


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true", "sqlite:///file:x"]
)
def test_journal_in_memory_is_refused(url: str) -> None:
    """It would be another one in every step."""
    with pytest.raises(
        InputError, match=r"^rollout_state_url: the journal is a file, since every step is a process of its own; write sqlite"
    ):
        Journal(url)


def test_file_that_is_no_database(journal: Journal, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"This is a shopping list, not a database. " * 50)
    for call in (lambda: opened(journal), lambda: journal.absences("web"), lambda: journal.latest("web")):
        assert "file is not a database" in fails_clearly(call)


def test_database_that_was_cut_short(journal: Journal, path: Path) -> None:
    opened(journal)
    path.write_bytes(path.read_bytes()[:5000])
    fails_clearly(lambda: journal.latest("web"))


def test_database_that_can_only_be_read(journal: Journal) -> None:
    ticket = opened(journal)
    event.listen(journal._store._engine, "connect", lambda db, _: db.execute("PRAGMA query_only = ON"))
    assert "readonly" in fails_clearly(lambda: journal.leave(ticket, {"web1": ORIGINAL}, 101.0))
    assert journal.latest("web")


def test_database_that_is_locked(journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(journal)
    monkeypatch.setattr(journal_store, "LOCK_SECONDS", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        assert "database is locked" in fails_clearly(lambda: opened(journal))
    finally:
        other.close()


def test_disk_that_is_full(journal: Journal) -> None:
    ticket = opened(journal)
    event.listen(journal._store._engine, "connect", lambda db, _: db.execute("PRAGMA max_page_count = 1"))
    originals = {f"host{number}": {WEB: {"admin": "ready" * 100}} for number in range(200)}
    assert "full" in fails_clearly(lambda: journal.leave(ticket, originals, 101.0))
    assert journal.absences("web") == ()


def test_directory_in_place_of_the_file(journal: Journal, path: Path) -> None:
    path.mkdir(parents=True)
    assert "unable to open database file" in fails_clearly(lambda: opened(journal))


def test_file_in_place_of_the_directory(journal: Journal, path: Path) -> None:
    path.parent.touch()
    fails_clearly(lambda: opened(journal))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "rollouts.db",
        "sqlite//x",
        "nosuchdb://user:hunter2@host/db",
        "mysql://user:hunter2@host/db",
        "postgresql+nosuchdriver://user:hunter2@host/db",
        "postgresql+psycopg2://user:hunter2@host/db",
        "sqlite+aiosqlite:////x.db",
        "http://x:hunter2@y",
        "postgresql://me:hunter2",
        "sqlite:////x.db?password=hunter2",
        "sqlite://me:hunter2@host/x.db",
        "postgresql://me:p@hunter2@host/db",
        "postgresql://me/x:hunter2@host/db",
    ],
)
def test_what_is_no_database_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InputError, match=r"^rollout_state_url: .*; write |^rollout_state_url: write @ as ") as caught:
        Journal(url)
    assert "hunter2" not in caught.value.message


@given(
    st.sampled_from(["postgres", "postgresql", "postgresql+psycopg", "sqlite", "mysql", ""]),
    st.text("/:@?#[]%& a\n", max_size=4),
    st.text("/:@?#[]%& a\n", max_size=4),
    st.sampled_from(["host/db", "host:1/db", "[::1]/db", "/db", "host:x/db", "", "host/db?password=hunter2&sslpassword=hunter2"]),
)
def test_password_is_not_repeated_however_the_url_is_misspelled(scheme: str, before: str, after: str, rest: str) -> None:
    try:
        journal = Journal(f"{scheme}://me:{before}hunter2{after}@{rest}")
    except InputError as error:
        assert "hunter2" not in error.message
    else:
        assert "hunter2" not in journal._store.lost().message


@pytest.mark.parametrize("url", ["postgres://me:hunter2@host/db", "postgresql://me:hunter2@host/db?sslmode=require"])
def test_postgresql_is_spoken_to_through_psycopg(url: str) -> None:
    assert "(postgresql+psycopg://me:***@host/db)" in Journal(url)._store.lost().message


def test_psycopg_that_is_missing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError, match=r"PostgreSQL needs psycopg, which .* can't import; .* pip install 'psycopg\[binary\]>=3.1'"):
        Journal("postgresql://me:hunter2@never-asked/db")


# -- rows that nobody here wrote ---------------------------------------------------------------------------------------

RUBBISH = st.one_of(
    st.none(),
    st.text(max_size=10),
    st.binary(max_size=5),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.just("[" * 5000),
    ANYTHING.map(json.dumps),
    st.sampled_from([Member, Plan, Holder]).flatmap(
        lambda kind: st.dictionaries(st.sampled_from([field.name for field in dataclasses.fields(kind)]), ANYTHING, max_size=4).map(
            json.dumps
        )
    ),
)
COLUMNS = [column for table in journal_schema.METADATA.sorted_tables for column in table.columns]


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of a rollout that is going on, whose columns take anything."""
    path = tmp_path_factory.mktemp("loose") / "rollouts.db"
    journal = Journal(f"sqlite:///{path}")
    journal.leave(opened(journal, holder=ELSEWHERE), {"web1": ORIGINAL}, 101.0)
    with sqlite3.connect(path) as db:
        for table in journal_schema.METADATA.sorted_tables:
            db.execute(f"CREATE TABLE loose AS SELECT * FROM {table.name}")
            db.execute(f"DROP TABLE {table.name}")
            untyped = ", ".join(f'"{column.name}"' for column in table.columns)
            db.execute(f"CREATE TABLE {table.name} ({untyped})")
            db.execute(f"INSERT INTO {table.name} SELECT * FROM loose")
            db.execute("DROP TABLE loose")
    return path


@settings(max_examples=settings.default.max_examples // 2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(COLUMNS), RUBBISH), min_size=1, max_size=2))
def test_rubbish_in_any_row_is_a_sentence_or_does_no_harm(loose: Path, tmp_path: Path, rubbish: list[tuple[t.Any, t.Any]]) -> None:
    path = tmp_path / "rollouts.db"
    shutil.copyfile(loose, path)
    with sqlite3.connect(path) as db:
        for column, value in rubbish:
            db.execute(f'UPDATE {column.table.name} SET "{column.name}" = ?', [value])
    calls: list[t.Callable[[Journal], t.Any]] = [
        lambda journal: journal.absences("web"),
        lambda journal: journal.rollout(1),
        lambda journal: journal.latest("web"),
        lambda journal: journal.views(1),
        *(lambda journal, write=write: write(journal, Ticket("web", 1, 1)) for write in WRITES.values()),
        lambda journal: opened(journal, 10_000.0),
    ]
    journal = Journal(f"sqlite:///{path}")
    for call in calls:
        try:
            value = call(journal)
        except RollingError as error:
            assert "\n" not in error.message
            # Nothing is left open, though the error is kept.
            with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
        else:
            json.dumps(value if isinstance(value, tuple) else dataclasses.asdict(value) if value else None, default=dataclasses.asdict)
