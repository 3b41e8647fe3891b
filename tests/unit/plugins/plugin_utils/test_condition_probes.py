# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import threading
import typing as t
from collections.abc import Iterator

import pytest
from ansible.plugins.action import ActionBase
from unit.plugins.plugin_utils.real_action import Run

from ansible_collections.convoy.rolling.plugins.plugin_utils.condition_probes import ask
from ansible_collections.convoy.rolling.plugins.plugin_utils.conditions import Finding, Judgment, parse_conditions


class Action(ActionBase):
    """An action that does nothing."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        return {}


@pytest.fixture
def url() -> Iterator[str]:
    """Something that tells two errors to whoever has the token, and to /drip a byte now and then."""
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                client, _where = server.accept()
            except OSError:
                return
            asked = client.recv(65536)
            if b"/drip" in asked:
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                over.wait(5)
            else:
                status = b"200 OK" if b"Authorization: Bearer abcdef" in asked else b"401 No"
                client.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 13\r\n\r\n" + b'{"errors": 2}')
            client.close()

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    over.set()
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def asked(*conditions: dict[str, t.Any]) -> list[Finding]:
    # become is of no concern here: it is for the hosts.
    return ask(Run(become=True).action(Action), parse_conditions(list(conditions)))


def test_http_is_asked_with_its_headers(url: str) -> None:
    few = {"url": url, "condition": "errors < `5`", "headers": {"Authorization": "Bearer abcdef"}}
    assert asked({"name": "few", "http": few}, {"name": "open", "http": {"url": url}}) == [
        Finding("few", Judgment.PASS, "errors < `5` is true"),
        Finding("open", Judgment.FAIL, 'status 401 is not 200: {"errors": 2}'),
    ]


def test_who_gives_no_whole_answer_in_time_is_inconclusive(url: str) -> None:
    (dripping, nobody) = asked(
        {"name": "drip", "http": {"url": f"{url}/drip"}, "timeout": "200ms"}, {"name": "nobody", "http": {"url": "http://127.0.0.1:1/"}}
    )
    assert dripping == Finding("drip", Judgment.INCONCLUSIVE, "no answer within 0.2 s")
    assert nobody == Finding("nobody", Judgment.INCONCLUSIVE, "Connection refused")


def test_command_runs_on_the_controller_without_a_shell() -> None:
    said, failed, late, missing = asked(
        {"name": "said", "command": "echo '$HOME; it' is"},
        {"name": "failed", "command": "sh -c 'echo it hurts >&2; exit 3'"},
        {"name": "late", "command": "sleep 5", "timeout": "100ms"},
        {"name": "missing", "command": "/no/such/program"},
    )
    assert said == Finding("said", Judgment.PASS, "exit code 0: $HOME; it is")
    assert failed == Finding("failed", Judgment.FAIL, "exit code 3: it hurts")
    assert late == Finding("late", Judgment.INCONCLUSIVE, "no end within 0.1 s")
    assert missing.judgment is Judgment.INCONCLUSIVE and "exit code 127" in missing.evidence
