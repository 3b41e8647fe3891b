# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The app that the fleet runs: one HTTP/1.1 server, one thread a connection, as quick to start as Python allows.

What it is (version) and how it misbehaves comes from the `release.json` beside it; where it is, from FLEET_HOST, FLEET_PORT and
FLEET_ADDRESS (127.0.0.1), unless systemd hands it a socket. It stops at once on SIGTERM, in the middle of its answers: only
draining saves a request.

Behaviours, in seconds since it listens where they are times:
    listen_delay        listens only after so long
    unready             503 on everything for so long
    healthy: false      /health is 503 for ever, / works
    turns_bad_after     /health is 503 from then on
    errors_after        real traffic gets 500 from then on, /health stays 200
    exit: true          dies at start
    exit_after          dies then
    hang: true          accepts and never answers
    only                the hosts on which all of this is so; on others it behaves
    out_file            /health is 503 as long as this file is there, looked for in the host's directory; / works
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
import typing as t

_REASONS = {200: "OK", 500: "Internal Server Error", 503: "Service Unavailable"}
_NEVER = float("inf")


class App:
    """Answers for one release on one host."""

    def __init__(self, release: dict[str, t.Any], host: str) -> None:
        self.version: str = release["version"]
        behaviour: dict[str, t.Any] = release.get("behaviour") or {}
        self.behaviour = behaviour if host in behaviour.get("only", [host]) else {}
        self.host = host
        self.listening_since = 0.0
        self.in_flight = 0
        self._lock = threading.Lock()

    def answer(self, path: str) -> tuple[int, dict[str, t.Any]]:
        """Status and JSON body for one request; a path nobody knows is answered like `/`."""
        age = time.monotonic() - self.listening_since
        route, _mark, query = path.partition("?")
        if age < self.behaviour.get("unready", 0):
            return 503, {"status": "starting", "version": self.version, "host": self.host}
        if route == "/health":
            up = self.behaviour.get("healthy", True) and age < self.behaviour.get("turns_bad_after", _NEVER) and not self._switched_off()
            body = {"status": "up" if up else "down", "version": self.version, "host": self.host, "pid": os.getpid()}
            return (200 if up else 503), {**body, "in_flight": self.in_flight - 1}
        if age >= self.behaviour.get("errors_after", _NEVER):
            return 500, {"host": self.host, "version": self.version, "error": "broken by design"}
        if route.endswith("/slow"):
            time.sleep(float(query.partition("seconds=")[2] or 2))
        return 200, {"host": self.host, "version": self.version}

    def _switched_off(self) -> bool:
        out_file = self.behaviour.get("out_file")
        return bool(out_file) and os.path.exists(out_file)

    def serve(self, port: int) -> t.NoReturn:
        time.sleep(self.behaviour.get("listen_delay", 0))
        listener = socket.socket(fileno=3) if os.environ.get("LISTEN_FDS") == "1" else _listen(port)
        self.listening_since = time.monotonic()
        if self.behaviour.get("exit_after"):
            threading.Timer(self.behaviour["exit_after"], os._exit, (1,)).start()
        while True:
            connection, _peer = listener.accept()
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        """All requests of one connection, one after another."""
        received = b""
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while chunk := connection.recv(65536):
                    received += chunk
                    while b"\r\n\r\n" in received and not self.behaviour.get("hang"):
                        head, _blank, received = received.partition(b"\r\n\r\n")
                        if not self._exchange(connection, head.decode("latin-1")):
                            return
            except OSError:
                return  # the client is gone

    def _exchange(self, connection: socket.socket, head: str) -> bool:
        """One answer; False when the connection ends with it. Requests have no body here."""
        with self._lock:
            self.in_flight += 1
        try:
            status, value = self.answer(head.split(" ", 2)[1])
            body = json.dumps(value).encode()
            keep = "connection: close" not in head.lower() and not head.endswith("HTTP/1.0")
            connection.sendall(
                f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n".encode()
                + body
            )
            return keep
        finally:
            with self._lock:
                self.in_flight -= 1


def _listen(port: int) -> socket.socket:
    """A listening socket; waits for a predecessor that was killed a moment ago to let go of the port."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    deadline = time.monotonic() + 5
    while True:
        try:
            listener.bind((os.environ.get("FLEET_ADDRESS", "127.0.0.1"), port))
            listener.listen(512)
            return listener
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def main() -> None:
    if os.getsid(0) != os.getpid():  # systemd's services have a session of their own
        os.setsid()  # outlive the session, the ssh connection or the play that started it
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "release.json"), encoding="utf-8") as file:
        app = App(json.load(file), os.environ["FLEET_HOST"])
    if app.behaviour.get("exit"):
        sys.exit(f"{app.version} dies at start by design")

    def stop(*_: object) -> None:
        os.write(2, f"SIGTERM: {app.in_flight} requests cut short\n".encode())
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    app.serve(int(os.environ["FLEET_PORT"]))


if __name__ == "__main__":
    main()
