# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets are planted wherever a person may have one, and looked for wherever one could come out."""

from __future__ import annotations

import functools
import http.server
import json
import threading
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.journals import everything

from fleet.fleet import Fleet
from fleet.postgres import PASSWORD, Postgres

Fixture = t.Callable[..., t.Any]

SECRETS = {
    "database": PASSWORD,
    "password": "planted-probe-password",
    "query": "planted-probe-query",
    "header": "planted-probe-header",
    "signature": "planted-artifact-signature",
}


class CommandLines:
    """Every command line of the machine that held a secret while a block ran."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.looks = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> CommandLines:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.01):
            self.looks += 1
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes().decode(errors="replace").replace("\0", " ")
                except OSError:
                    continue
                self.found.update(line for secret in SECRETS.values() if secret in line)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@contextmanager
def file_server(directory: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(directory)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def shown(text: str) -> list[str]:
    """Where a text holds a secret: which, and the line."""
    return [f"{what}: {line[:2000]}" for what, secret in SECRETS.items() for line in text.splitlines() if secret in line]


@pytest.mark.parametrize("where", ["controller", pytest.param("host", marks=pytest.mark.exhaustive)])
def test_planted_secrets_come_out_nowhere(where: str, postgres: Postgres, tmp_path: Path, play: Fixture) -> None:
    url = postgres.make(f"secrets-{where}")
    with Fleet(2, tmp_path / "fleet") as fleet, file_server(fleet.directory / "artifacts") as files, CommandLines() as lines:
        fleet.release("2.0.0")
        fleet.release("3.0.0", {"unready": 60})
        # In a file, since the arguments of ansible-playbook are the user's own.
        given = tmp_path / "secrets.json"
        health = {
            "url": f"http://probe:{SECRETS['password']}@127.0.0.1:{{{{ app_port }}}}/health?token={SECRETS['query']}",
            "headers": {"X-Token": SECRETS["header"]},
            "conditions": ["status == 'up'"],
            "version": "version",
            "from": where,
        }
        artifact = f"{files}/web-{{{{ rollout_version }}}}.tar.gz?signature={SECRETS['signature']}"
        variables = {"rollout_state_url": url, "rollout_health": health, "rollout_artifact": artifact}
        given.write_text(json.dumps(variables))

        def run(version: str, *arguments: str, **different: t.Any) -> t.Any:
            roll = {"rollout_version": version, "rollout_max_unavailable": 1, "rollout_healthy_deadline": "3s"}
            return play(fleet, roll, "-vvv", "-e", f"@{given}", *arguments, **different)

        # The release has an artifact and a health page; 3.0.0 is never healthy, 4.0.0 is not there.
        runs = {"roll": run("2.0.0"), "bad version": run("3.0.0")}
        assert (runs["roll"].rc, runs["bad version"].rc) == (0, 2)
        if where == "controller":
            runs["check"] = run("2.0.0", "--check")
            runs["no artifact"] = run("4.0.0", "-e", "rollout_max_unavailable=2")
            assert "cannot be fetched" in runs["no artifact"].text
            given.write_text(json.dumps({**variables, "rollout_state_url": url.replace("@127.0.0.1", "@127.0.0.1:1/")}))
            runs["no database"] = run("2.0.0")
            assert "rollout_state_url" in runs["no database"].text
            given.write_text(json.dumps(variables))
        fleet.kill("web1")
        runs["nobody answers"] = run("2.0.0", playbook="convoy.rolling.status")
        assert "web1" in runs["nobody answers"].text
    assert {name: found for name, one in runs.items() if (found := shown(one.output))} == {}
    assert shown(json.dumps(everything(url))) == []
    assert lines.looks > 100
    assert lines.found == set()
    kept = [path for path in fleet.directory.rglob("*") if path.is_file() and not path.is_symlink()]
    assert {str(path): found for path in kept if (found := shown(path.read_bytes().decode(errors="replace")))} == {}
    assert not list(fleet.directory.rglob("convoy-fleet-*"))
