# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A HAProxy of any configuration, and apps and agents in threads: for what takes no fleet, and the place where they all are."""

from __future__ import annotations

import http.client
import http.server
import signal
import socket
import subprocess
import threading
import time
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ansible_collections.convoy.rolling.plugins.module_utils.members import observe, run
from fleet.ports import Ports
from fleet.waiting import wait_until

_HEAD = """\
global
    stats socket {here}/admin.sock mode 600 level admin expose-fd listeners
    stats socket {here}/operator.sock mode 600 level operator
    stats socket ipv4@127.0.0.1:{tcp[admin]} level admin
    stats socket ipv4@127.0.0.1:{tcp[operator]} level operator
    stats socket ipv4@127.0.0.1:{tcp[user]} level user
    hard-stop-after 30s
defaults
    mode http
    retries 0
    timeout connect 1s
    timeout client 10s
    timeout server 10s
    timeout check 1s
    option httpchk GET /health
    default-server inter 100ms rise 2 fall 2
"""


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
        wait_until(self._answers, 30, "HAProxy")

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
        wait_until(lambda: self._answers() and self.pid() != before, 30, "the reload")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def _answers(self) -> bool:
        try:
            return "Stopping: 0" in self.ask("show info")
        except (OSError, StopIteration):
            return False


class Place:
    """A HAProxy with everything around it.

    :param config: its frontends and backends, with ``{fronts[0]}``, ``{apps[0]}`` and ``{agent}`` for ports.
    :param directory: empty, and its path short.
    :param master: start it so that it can be reloaded.
    """

    def __init__(self, config: str, binary: str, directory: Path, master: bool = False) -> None:
        self._stack = ExitStack()
        ports = Ports()
        self._stack.callback(ports.release)
        self.tcp = {level: ports.take() for level in ("admin", "operator", "user")}
        self._fronts, self.app_ports = [[ports.take() for _number in range(3)] for _kind in range(2)]
        self.apps: list[App] = []
        agent_port = ports.take()
        self._clients = self._stack.enter_context(ThreadPoolExecutor(4))
        for port in self.app_ports:
            self.apps.append(App(port))
            self._stack.callback(self.apps[-1].stop)
        self._stack.enter_context(agent(agent_port))
        text = (_HEAD + config).format(here=directory, tcp=self.tcp, fronts=self._fronts, apps=self.app_ports, agent=agent_port)
        self.haproxy = HAProxy(binary, directory, text, master)
        self._stack.callback(self.haproxy.stop)

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def operator_socket(self) -> str:
        """The runtime API without the right to change a member."""
        return self.haproxy.socket.replace("admin", "operator")

    def options(self, **different: t.Any) -> dict[str, t.Any]:
        return {"provider": "haproxy", "address": self.haproxy.socket, "pool": "web", "members": ["web1"], **different}

    def run(self, check_mode: bool = False, **different: t.Any) -> dict[str, t.Any]:
        return run(self.options(**different), check_mode)

    def move(self, pool: str, state: str | None = None, **different: t.Any) -> dict[str, t.Any]:
        """The one member of a call."""
        one: dict[str, t.Any] = self.run(pool=pool, state=state, **different)["members"][0]
        return one

    def members(self, pool: str = "web") -> dict[str, dict[str, t.Any]]:
        shown = observe({"provider": "haproxy", "address": self.haproxy.socket, "pools": [pool]})
        return {member["name"]: member for member in shown["pools"][0]["members"]}

    def status(self, pool: str = "web") -> str:
        """HAProxy's own word for web1."""
        return str(self.members(pool)["web1"]["status"])

    def get(self, path: str, cookie: str = "", front: int = 0) -> int:
        """The status; 0 when there was none."""
        client = http.client.HTTPConnection("127.0.0.1", self._fronts[front], timeout=10)
        try:
            client.request("GET", path, headers={"Cookie": f"MEMBER={cookie}"} if cookie else {})
            return client.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            client.close()

    def start(self, path: str, **different: t.Any) -> Future[int]:
        """A request that an app has begun to answer."""
        begun = sum(len(app.hits) for app in self.apps)
        request = self._clients.submit(self.get, path, **different)
        wait_until(lambda: sum(len(app.hits) for app in self.apps) > begun, 30, path)
        return request

    def connect(self, front: int) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._fronts[front]), 5)
