# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import threading
import typing as t

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.balancers import http_calls
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.http_calls import HttpCalls, NoReply
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError


@pytest.fixture
def url() -> t.Iterator[str]:
    """A server that says back what it was asked."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/cut":
                self.close_connection = True
                return
            if self.path == "/silent":
                threading.Event().wait(0.5)
            self.send_response(302 if self.path == "/away" else 200)
            self.send_header("Location", "http://192.0.2.1/")
            self.send_header("X-Asked", f"{self.command} {self.headers['Connection']} {self.headers.get('If-Match')}")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PATCH = _answer

        def log_message(self, *_arguments: t.Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_calls(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    calls = HttpCalls(5)
    reply = calls.send("PATCH", url, {"a": [1]}, {"If-Match": '"x"'})
    assert (reply.status, reply.value(), reply.headers["x-asked"]) == (200, {"a": [1]}, 'PATCH close "x"')
    assert calls.send("GET", f"{url}/away").status == 302, "redirects are not followed"
    assert calls.send("GET", url).value() is None
    calls.close()


def test_no_reply(url: str) -> None:
    with pytest.raises(NoReply, match=r"no answer within 0\.05s"):
        HttpCalls(0.05).send("GET", f"{url}/silent")
    with pytest.raises(NoReply, match="Connection refused") as caught:
        HttpCalls(1).send("GET", "http://127.0.0.1:1/")
    assert not caught.value.is_cut
    with pytest.raises(NoReply, match="closed") as caught:
        HttpCalls(1).send("GET", f"{url}/cut")
    assert caught.value.is_cut
    with pytest.raises(NoReply):
        HttpCalls(1).send("GET", "http://[/")


def test_without_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_calls, "REQUESTS_TRACEBACK", "No module named requests")
    with pytest.raises(RollingError, match=r"\(requests\).* load balancers over HTTP"):
        HttpCalls(1)
