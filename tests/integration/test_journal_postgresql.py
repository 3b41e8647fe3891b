# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal in a real PostgreSQL: every unit test of it over again, and what only a server can do."""

from __future__ import annotations

import re
import socket
import time
import typing as t

import pytest
from sqlalchemy import delete, make_url, select, text
from unit.plugins.plugin_utils import test_journal as everywhere
from unit.plugins.plugin_utils.journals import everything, fails_clearly
from unit.plugins.plugin_utils.test_journal import ORIGINAL, opened

from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_schema, journal_store
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from fleet.postgres import Postgres

# Its tests, and the one fixture of its own that is the same here.
globals().update({name: one for name, one in vars(everywhere).items() if name.startswith("test_") or name == "journal"})


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.make("journal")


@pytest.fixture
def elsewhere(postgres: Postgres) -> str:
    return postgres.make("elsewhere")


def test_session_of_somebody_else_that_holds_a_table_does_not_hang_a_step(
    postgres: Postgres, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = opened(Journal(url))
    monkeypatch.setattr(journal_store, "LOCK_SECONDS", 0.3)
    with postgres.connect(url.rpartition("/")[2]) as other, other.transaction():
        other.execute("LOCK TABLE convoy_absences IN ACCESS EXCLUSIVE MODE")
        for call in (lambda: Journal(url).leave(ticket, {"web1": ORIGINAL}, 101.0), lambda: Journal(url).absences("web")):
            began = time.monotonic()
            message = fails_clearly(call)
            assert "lock timeout" in message and "end what holds it and run the same command again" in message
            assert time.monotonic() - began < 20, "not the 30 s of a statement"
    Journal(url).leave(ticket, {"web1": ORIGINAL}, 102.0)


def test_controller_that_stops_inside_a_transaction_loses_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with SIGSTOP, or a machine that is gone: the others go on, and it finds that its session is over."""
    ticket = opened(Journal(url))
    monkeypatch.setattr(journal_store, "STATEMENT_SECONDS", 0.3)
    stopped = Journal(url)

    def stop() -> None:
        with stopped._store.writing() as db:
            Journal(url).renew(ticket, [], 101.0)  # it waits for the writer before it
            db.execute(select(journal_schema.LEASES))

    assert "idle-in-transaction" in fails_clearly(stop)


def test_writers_wait_for_each_other_and_readers_for_nobody(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = opened(Journal(url))
    monkeypatch.setattr(journal_store, "LOCK_SECONDS", 0.3)
    with Journal(url)._store.writing():
        assert Journal(url).latest("web") is not None
        assert "lock timeout" in fails_clearly(lambda: Journal(url).renew(ticket, [], 101.0))
    Journal(url).renew(ticket, [], 102.0)


def test_server_set_to_another_isolation_makes_no_difference(postgres: Postgres, url: str) -> None:
    with postgres.connect() as db:
        db.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_isolation = 'serializable'")
    everywhere.test_of_many_controllers_at_the_same_instant_exactly_one_rolls(url)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param({"password": "hunter3"}, "password authentication failed.*mend the URL", id="wrong password"),
        pytest.param({"database": "nowhere"}, 'database "nowhere" does not exist.*mend the URL', id="no database"),
        pytest.param({"port": 1}, "Connection refused.*bring the server back", id="no server"),
        pytest.param({"host": "nowhere.invalid"}, "nowhere.invalid", id="no such machine"),
    ],
)
def test_server_that_cannot_be_had(url: str, change: dict[str, t.Any], sentence: str) -> None:
    wrong = make_url(url).set(**change).render_as_string(hide_password=False)
    for call in (lambda: Journal(wrong).absences("web"), lambda: opened(Journal(wrong))):
        message = fails_clearly(call)
        assert re.search(sentence, message)
        assert "hunter" not in message


def test_server_that_does_not_answer_does_not_hang_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one whose machine is stopped: the kernel accepts, and nobody says a word."""
    monkeypatch.setitem(journal_store._LIBPQ, "connect_timeout", "2")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        assert "timeout" in fails_clearly(lambda: Journal(f"postgresql://me:hunter2@127.0.0.1:{port}/journal").absences("web"))
        assert time.monotonic() - began < 9, "not the 10 s of every other connection"


def test_server_that_ends_inside_a_transaction_has_written_nothing(postgres: Postgres, url: str) -> None:
    ticket = opened(Journal(url))
    before = everything(url)

    def crash() -> None:
        with Journal(url)._store.writing() as db:
            db.execute(delete(journal_schema.LEASES))
            postgres.kill()
            db.execute(delete(journal_schema.HOSTS))

    try:
        message = fails_clearly(crash)
        assert "bring the server back and run the same command again" in message
        fails_clearly(lambda: Journal(url).renew(ticket, [], 101.0))
    finally:
        postgres.start()
    assert everything(url) == before
    Journal(url).renew(ticket, [], 102.0)


def test_settings_in_the_url_win(url: str) -> None:
    with Journal(f"{url}?application_name=mine&sslmode=disable")._store._reader.connect() as db:
        assert db.execute(text("show application_name")).scalar() == "mine"
    with Journal(url)._store._reader.connect() as db:
        assert db.execute(text("show application_name")).scalar() == "convoy.rolling"
        assert db.execute(text("show lock_timeout")).scalar() == "10s"
