# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event
from unit.plugins.plugin_utils.journals import fails_clearly
from unit.plugins.plugin_utils.test_journal import ORIGINAL, WEB, opened

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_store
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal


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
    with pytest.raises(RollingError, match="the journal has no rollout 1"):
        journal.rollout(1)
    assert not path.parent.exists()


def test_looking_makes_no_tables(journal: Journal, path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert journal.latest("web") is None
    assert path.read_bytes() == b""


def test_directory_of_the_journal_is_its_owners_alone(journal: Journal, path: Path) -> None:
    opened(journal)
    assert path.parent.stat().st_mode & 0o077 == 0


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
        "postgresql+nosuchdriver://user:hunter2@host/db",
        "http://x:hunter2@y",
    ],
)
def test_what_is_no_database_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InputError, match=r"^rollout_state_url: ") as caught:
        Journal(url)
    assert "hunter2" not in caught.value.message
    assert "sqlite:////absolute/path.db" in caught.value.message


def test_password_is_never_shown(tmp_path: Path) -> None:
    journal = Journal(f"sqlite:///{tmp_path}")
    journal._store._url = journal._store._url.set(username="ann", password="hunter2")  # as the URL of a PostgreSQL has them
    message = fails_clearly(lambda: opened(journal))
    assert "hunter2" not in message and "ann:***" in message
