# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import threading
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from unit.plugins.fake_clock import FakeClock

from ansible_collections.convoy.rolling.plugins.module_utils.probes import ARGUMENT_SPEC

Answer = t.Callable[[http.server.BaseHTTPRequestHandler], None]


class Server(http.server.ThreadingHTTPServer):
    """A real server on loopback. ``answer`` is what it does with a request; ``seen`` the headers of each."""

    daemon_threads = True
    request_queue_size = 128
    answer: Answer

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[dict[str, str]] = []
        self.connections = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}/health"

    def process_request(self, request: t.Any, client_address: t.Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        pass  # a client that cuts the line is what the tests are about


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.seen.append(dict(self.headers))
        self.server.answer(self)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: t.Any) -> None:
        pass


def say(status: int = 200, body: str = "", **headers: str) -> Answer:
    """An answer with a status, a body and headers."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body.encode())))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body.encode())

    return answer


@pytest.fixture
def server() -> t.Iterator[Server]:
    server = Server()
    server.answer = say()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(name="say")
def _say() -> t.Callable[..., Answer]:
    return say


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1000.0)


@pytest.fixture
def params() -> t.Callable[..., dict[str, t.Any]]:
    """Parameters as Ansible validates them."""

    def validate(**given: t.Any) -> dict[str, t.Any]:
        result = ArgumentSpecValidator(ARGUMENT_SPEC).validate(given)
        assert not result.error_messages
        parameters: dict[str, t.Any] = result.validated_parameters
        return parameters

    return validate
