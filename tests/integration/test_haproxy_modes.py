# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP mode, members that track another, and ``on-marked-down shutdown-sessions``."""

from __future__ import annotations

import http.client
import socket
import typing as t
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.members import observe, run
from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import members_of, move_calls
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Balancer
from fleet.haproxy import DEBIAN, find_haproxy
from fleet.ports import Ports
from fleet.tiny import App, HAProxy
from fleet.waiting import wait_until

_CONFIG = """\
global
    stats socket {here}/admin.sock mode 600 level admin
defaults
    mode http
    retries 0
    timeout connect 1s
    timeout client 10s
    timeout server 10s
    timeout check 1s
    option httpchk GET /health
    default-server inter 100ms rise 2 fall 2
listen tcp
    mode tcp
    bind 127.0.0.1:{ports[0]}
    server web1 127.0.0.1:{app} check
listen ends
    bind 127.0.0.1:{ports[1]}
    server web1 127.0.0.1:{app} check on-marked-down shutdown-sessions
listen web
    bind 127.0.0.1:{ports[2]}
    server web1 127.0.0.1:{app} check
# One sorts before the pool that it tracks, and one after.
backend api
    server web1 127.0.0.1:{app} track web/web1
backend zoo
    server web1 127.0.0.1:{app} track web/web1
"""


class Place:
    def __init__(self, haproxy: HAProxy, ports: dict[str, int], app: App) -> None:
        self.haproxy, self.ports, self.app = haproxy, ports, app

    def run(self, pool: str, state: str, **different: t.Any) -> dict[str, t.Any]:
        """The one member of a call."""
        options = {"provider": "haproxy", "address": self.haproxy.socket, "pool": pool, "members": ["web1"], "state": state}
        one: dict[str, t.Any] = run({**options, **different}, False)["members"][0]
        return one

    def look(self) -> dict[str, dict[str, t.Any]]:
        """Pool -> its one member."""
        shown = observe({"provider": "haproxy", "address": self.haproxy.socket})
        return {pool["pool"]: pool["members"][0] for pool in shown["pools"]}

    def get(self, pool: str, path: str) -> int:
        client = http.client.HTTPConnection("127.0.0.1", self.ports[pool], timeout=10)
        try:
            client.request("GET", path)
            return client.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            client.close()


@pytest.fixture(scope="module", params=[None, *DEBIAN], ids=str)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Place]:
    try:
        binary = find_haproxy(request.param)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    here = tmp_path_factory.mktemp("m")
    ports = Ports()
    fronts, app_port = [ports.take() for _number in range(3)], ports.take()
    with ExitStack() as stack:
        stack.callback(ports.release)
        app = App(app_port)
        stack.callback(app.stop)
        haproxy = HAProxy(binary, here, _CONFIG.format(here=here, ports=fronts, app=app_port))
        stack.callback(haproxy.stop)
        yield Place(haproxy, dict(zip(("tcp", "ends", "web"), fronts, strict=True)), app)


@pytest.fixture
def place(running: Place) -> Place:
    for pool in ("tcp", "ends", "web", "api", "zoo"):
        running.run(pool, "ready")
    return running


SOON = {"soft": "0.2s", "quiet": "0.2s", "wait_timeout": "0.8s"}


@pytest.fixture
def connection(place: Place) -> t.Iterator[socket.socket]:
    """A client of the TCP pool who stays, busy or not."""
    with socket.create_connection(("127.0.0.1", place.ports["tcp"]), 5) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        yield client


def test_an_open_tcp_connection_is_work_and_the_drain_fails_in_time(place: Place, connection: socket.socket) -> None:
    with pytest.raises(RollingError, match=r"It still had 1 sessions .* It was put back to what it was: ready"):
        place.run("tcp", "drained", **SOON)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert connection.recv(1000).startswith(b"HTTP/1.1 200"), "nobody was cut"


def test_an_open_tcp_connection_is_cut_by_force_and_counted(place: Place, connection: socket.socket) -> None:
    one = place.run("tcp", "drained", on_timeout="force", **SOON)
    assert (one["cut"], one["sessions"], one["after"]["sessions"]) == (1, 1, 0)
    assert connection.recv(1000) == b""


def test_an_open_tcp_connection_that_is_let_be_is_said(place: Place, connection: socket.socket) -> None:
    one = place.run("tcp", "drained", on_timeout="continue", **SOON)
    assert "It still had 1 sessions" in one["note"] and one["cut"] == 0
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert connection.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_tcp_connection_that_ends_in_time_is_waited_for(place: Place, connection: socket.socket) -> None:
    with ThreadPoolExecutor(1) as pool:
        draining = pool.submit(place.run, "tcp", "drained")
        wait_until(lambda: place.look()["tcp"]["admin"] == "maintenance", 5, "the maintenance")
        connection.close()
        assert draining.result()["ok"]


@pytest.mark.parametrize(("soft", "survives"), [("5s", True), ("0s", False)])
def test_maintenance_that_ends_sessions_comes_after_a_soft_phase_that_is_long_enough(place: Place, soft: str, survives: bool) -> None:
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(place.get, "ends", "/slow")
        wait_until(lambda: place.look()["ends"]["sessions"] == 1, 5, "the request")
        one = place.run("ends", "drained", soft=soft)
        assert (asking.result() == 200) is survives
    assert one["seconds"] < 3


def test_who_tracks_another_goes_with_it_out_and_back(place: Place) -> None:
    """The role's own order of calls, over every pool of a host: in any other, one is found out by a person's hand, or waits for ever."""
    members = {pool: {"web1": "host"} for pool in ("api", "web", "zoo")}
    balancer = Balancer("lb", "haproxy", place.haproxy.socket, None, False, tuple(members), members)
    seen = [one for pool, member in place.look().items() for one in members_of([balancer], "lb", pool, [member])]
    originals = {"host": {member.place: member.original for member in seen}}
    for call in move_calls([balancer], ["host"], {}, originals):
        one = place.run(call["pool"], "drained")
        assert one["ok"] and one["before"]["admin"] == "ready", call
    assert not any(place.look()[pool]["in_service"] for pool in members)
    for call in move_calls([balancer], ["host"], None, originals):
        assert place.run(call["pool"], "restored", before=call["before"], wait_timeout="3s")["ok"], call
    assert all(place.look()[pool]["in_service"] for pool in members)
