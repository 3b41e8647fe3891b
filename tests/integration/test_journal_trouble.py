# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal fails in the middle of a roll: nobody else leaves rotation, and what is out is found again."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleet.fleet import POOLS, Fleet
from fleet.play import environment
from fleet.postgres import Postgres

Fixture = t.Callable[..., t.Any]
Breaks = t.Callable[[], t.ContextManager[None]]
ROLL = {"rollout_version": "2.0.0", "rollout_max_unavailable": 1}


def out(fleet: Fleet) -> set[str]:
    return {member["svname"] for member in fleet.stat() if member["status"] != "UP"}


@pytest.fixture
def state() -> Iterator[Path]:
    """Where the journal is: a small disk of its own, where root can have one."""
    directory = Path("/tmp") / f"convoy-state-{os.getpid()}"
    directory.mkdir(mode=0o700)
    mounted = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(directory)], capture_output=True, check=False).returncode
        == 0
    )
    try:
        yield directory
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(directory)], check=True)
        shutil.rmtree(directory)


def needs_a_disk(state: Path) -> None:
    if not os.path.ismount(state):
        pytest.skip("a disk of the test's own needs root, and the right to mount")


@contextmanager
def full(journal: Path) -> Iterator[None]:
    needs_a_disk(journal.parent)
    filling = journal.parent / "filling"
    with filling.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    yield
    filling.unlink()


@contextmanager
def read_only(journal: Path) -> Iterator[None]:
    needs_a_disk(journal.parent)
    subprocess.run(["mount", "-o", "remount,ro", str(journal.parent)], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", str(journal.parent)], check=True)


@contextmanager
def locked(journal: Path) -> Iterator[None]:
    other = sqlite3.connect(journal, isolation_level=None, timeout=10)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.close()


@contextmanager
def corrupt(journal: Path) -> Iterator[None]:
    copy = journal.read_bytes()
    journal.write_bytes(b"rubbish " * (len(copy) // 8))
    yield
    journal.write_bytes(copy)


@contextmanager
def moved(journal: Path) -> Iterator[None]:
    journal.rename(journal.with_suffix(".away"))
    yield
    journal.with_suffix(".away").rename(journal)


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        pytest.param(full, "(database or disk is full|No space left).* make room and run the same command again", id="full disk"),
        pytest.param(
            read_only,
            "(readonly database|unable to open).* give this user the right to write",
            id="read-only",
            marks=pytest.mark.exhaustive,
        ),
        pytest.param(
            locked, "database is locked.* end what holds it and run the same command again", id="locked", marks=pytest.mark.exhaustive
        ),
        pytest.param(corrupt, "not a database.* put a copy of it back, or move it away", id="corrupt", marks=pytest.mark.exhaustive),
        pytest.param(moved, "is gone, and with it what this rollout took out.* put it back", id="moved away", marks=pytest.mark.exhaustive),
    ],
)
def test_file_in_trouble(
    trouble: Callable[[Path], t.ContextManager[None]], sentence: str, state: Path, tmp_path: Path, start: Fixture, play: Fixture
) -> None:
    journal = state / "state.db"
    _stops_and_goes_on(f"sqlite:///{journal}", lambda: trouble(journal), sentence, tmp_path, start, play)


def test_server_that_is_killed(postgres: Postgres, tmp_path: Path, start: Fixture, play: Fixture) -> None:
    @contextmanager
    def killed() -> Iterator[None]:
        postgres.kill()
        yield
        postgres.start()

    try:
        _stops_and_goes_on(postgres.make("killed"), killed, "bring the server back and run the same command again", tmp_path, start, play)
    finally:
        if postgres.process is None:
            postgres.start()


def _stops_and_goes_on(url: str, trouble: Breaks, sentence: str, tmp_path: Path, start: Fixture, play: Fixture) -> None:
    with Fleet(3, tmp_path) as fleet:
        fleet.release("2.0.0")
        roll = ROLL | {"rollout_state_url": url}
        first = start(fleet, roll)
        first.wait_until(lambda: out(fleet) == {"web2"}, "web2 is out")
        with trouble():
            run = first.end()
            assert run.rc == 2
            was_out = out(fleet)
            assert was_out <= {"web2"}
            assert re.search(sentence, run.text)
            assert "Traceback" not in run.output
            assert "No host leaves rotation without it" in run.text
            # Nor does anybody leave while it is in trouble, whatever is asked for.
            second = play(fleet, roll)
            assert second.rc == 2
            assert out(fleet) == was_out
            assert "rollout_state_url" in second.text or "1 out already (web2)" in second.text
        third = play(fleet, roll)
        assert third.rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"}
        assert out(fleet) == set()


def test_journal_that_is_lost_for_good(state: Path, tmp_path: Path, start: Fixture, play: Fixture) -> None:
    """Nobody knows any more whose doing it was that a host is out. It is named as held until a person brings it back."""
    journal = state / "state.db"
    with Fleet(3, tmp_path) as fleet:
        fleet.release("2.0.0")
        roll = ROLL | {"rollout_state_url": f"sqlite:///{journal}"}
        first = start(fleet, roll)
        first.wait_until(lambda: out(fleet) == {"web2"}, "web2 is out")
        journal.unlink()
        assert first.end().rc == 2
        assert out(fleet) == {"web2"}
        held = play(fleet, roll | {"rollout_max_unavailable": 2})
        assert held.rc == 0
        assert re.search("web2: held|held +web2", held.text), held.text
        assert fleet.version("web3") == "2.0.0"
        assert out(fleet) == {"web2"}
        status = play(fleet, {"rollout_version": "2.0.0"}, playbook="convoy.rolling.status")
        assert "web2" in status.text
        for pool in POOLS:  # what docs/journal.md says to do
            back = f"provider=haproxy address={fleet.balancers[0].socket} pool={pool} members=web2 state=ready"
            ansible = [str(Path(sys.executable).with_name("ansible")), "localhost", "-m", "convoy.rolling.lb_member", "-a", back]
            subprocess.run(ansible, env=environment(fleet), check=True, stdin=subprocess.DEVNULL, timeout=60)
        again = play(fleet, roll)
        assert again.rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"}
        assert out(fleet) == set()
