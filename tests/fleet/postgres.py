# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One PostgreSQL server for tests: in a directory of its own, on loopback, and gone with it."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import typing as t
from pathlib import Path

import psycopg

from fleet.ports import Ports
from fleet.waiting import wait_until

PASSWORD = "hunter2-of-the-database"


def find_postgres() -> Path:
    """The directory of PostgreSQL's programs.

    :raises FileNotFoundError: it is not there.
    """
    for initdb in [*sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True), Path(shutil.which("initdb") or "/nowhere")]:
        if initdb.exists() and (initdb.parent / "postgres").exists():
            return initdb.parent
    raise FileNotFoundError(
        "no PostgreSQL in /usr/lib/postgresql or on PATH; as root on Debian or Ubuntu, `tests/setup/debian.sh postgresql` installs it"
    )


class Postgres:
    """A server that trusts nobody without a password. It refuses to run as root, so there it runs as a user without rights."""

    def __init__(self) -> None:
        self._programs = find_postgres()
        self._numbers = itertools.count(1)
        self._user = "nobody" if os.geteuid() == 0 else None
        self.directory = Path(tempfile.mkdtemp(prefix="convoy-pg-", dir="/tmp"))
        self._ports = Ports()
        self.port = self._ports.take()
        self.process: subprocess.Popen[bytes] | None = None
        if self._user:
            os.chown(self.directory, pwd.getpwnam(self._user).pw_uid, -1)
        secret = self.directory / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        words = [
            "--pgdata=data",
            "--username=convoy",
            "--auth=scram-sha-256",
            "--pwfile=secret",
            "--no-sync",
            "--locale=C",
            "--encoding=UTF8",
        ]
        self._run("initdb", *words, stdout=subprocess.DEVNULL).wait()

    def __enter__(self) -> Postgres:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._ports.release()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.directory,
            "shared_buffers": "16MB",
            "fsync": "off",
        }
        with (self.directory / "log").open("ab") as log:
            arguments = [f"--{name}={value}" for name, value in settings.items()]
            self.process = self._run("postgres", "-D", "data", *arguments, stdout=log, stderr=log)
        wait_until(self._answers, 30, "PostgreSQL to answer")

    def kill(self) -> None:
        """End it as a crash of the machine would: at once, with every session."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
            self.process = None

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[t.Any, ...]]:
        """A session of somebody else's."""
        return psycopg.connect(self._dsn(database), autocommit=True)

    def make(self, name: str) -> str:
        """A fresh database, whoever asked for one of this name before, and its URL with the password."""
        database = f"{name}{next(self._numbers)}"
        with self.connect() as db:
            db.execute(f'CREATE DATABASE "{database}"')
        return f"postgresql+psycopg://convoy:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            assert self.process is not None and self.process.poll() is None, (self.directory / "log").read_text()
            return False
        return True

    def _dsn(self, database: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=convoy password={PASSWORD} dbname={database}"

    def _run(self, program: str, *arguments: str, **streams: t.Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(self._programs / program), *arguments],
            cwd=self.directory,
            user=self._user,
            extra_groups=[] if self._user else None,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            **streams,
        )
