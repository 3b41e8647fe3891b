# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A HAProxy of any configuration, and apps and agents in threads: for what takes no fleet."""

from __future__ import annotations

import http.server
import signal
import socket
import subprocess
import threading
import time
import typing as t
from contextlib import contextmanager
from pathlib import Path

from fleet.waiting import wait_until


class App:
    """An HTTP server that knows what it was asked: /slow takes a second and /slow3 three, /health is what `healthy` says."""

    def __init__(self, port: int) -> None:
        self.healthy = True
        self.hits: list[str] = []
        app = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path != "/health":
                    app.hits.append(self.path)
                _path, slow, seconds = self.path.partition("slow")
                if slow:
                    time.sleep(float(seconds or 1))
                self.send_response(200 if app.healthy or self.path != "/health" else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: t.Any) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_args: t.Any) -> None:
                pass  # a health check that hangs up is no news

        self._server = Server(("127.0.0.1", port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def agent(port: int) -> t.Iterator[None]:
    """An agent that always says "up ready 100%", which cancels what an operator ordered."""
    with socket.create_server(("127.0.0.1", port)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _peer = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"up ready 100%\n")

        threading.Thread(target=serve, daemon=True).start()
        yield
        listener.shutdown(socket.SHUT_RDWR)


class HAProxy:
    """One HAProxy; with a master it can be reloaded.

    :param directory: for the configuration, whose path must be short: `admin.sock` and `master.sock` are there, too.
    :param config: with `stats socket {here}/admin.sock` in it.
    """

    def __init__(self, binary: str, directory: Path, config: str, master: bool = False) -> None:
        self.socket, self.master = str(directory / "admin.sock"), str(directory / "master.sock")
        path = directory / "haproxy.cfg"
        path.write_text(config)
        mode = ["-W", "-S", self.master] if master else ["-db"]
        self._process = subprocess.Popen([binary, *mode, "-q", "-f", str(path)], stderr=subprocess.DEVNULL)
        wait_until(self._answers, 10, "HAProxy")

    def ask(self, command: str) -> str:
        """The answer to one line of commands, of whoever serves now."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(self.socket)
            connection.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode().strip()

    def pid(self) -> str:
        """Of the worker that serves now."""
        return next(line for line in self.ask("show info").splitlines() if line.startswith("Pid:"))

    def reload(self) -> None:
        """Return when another worker has taken over, and forgotten what it was told."""
        before = self.pid()
        self._process.send_signal(signal.SIGUSR2)
        wait_until(lambda: self._answers() and self.pid() != before, 10, "the reload")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def _answers(self) -> bool:
        try:
            return "Stopping: 0" in self.ask("show info")
        except (OSError, StopIteration):
            return False
