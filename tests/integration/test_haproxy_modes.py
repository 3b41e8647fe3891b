# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP mode, members that track another, and ``on-marked-down shutdown-sessions``."""

from __future__ import annotations

import socket
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import members_of, move_calls
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Balancer
from fleet.haproxy import versions
from fleet.tiny import Place
from fleet.waiting import wait_until

_CONFIG = """\
listen tcp
    mode tcp
    bind 127.0.0.1:{fronts[0]}
    server web1 127.0.0.1:{apps[0]} check
listen ends
    bind 127.0.0.1:{fronts[1]}
    server web1 127.0.0.1:{apps[0]} check on-marked-down shutdown-sessions
listen web
    bind 127.0.0.1:{fronts[2]}
    server web1 127.0.0.1:{apps[0]} check
# One sorts before the pool that it tracks, and one after.
backend api
    server web1 127.0.0.1:{apps[0]} track web/web1
backend zoo
    server web1 127.0.0.1:{apps[0]} track web/web1
"""


TCP, ENDS = 0, 1  # their frontends


@pytest.fixture(scope="module", params=versions(differs=True), ids=str)
def running(request: pytest.FixtureRequest, binary_of: t.Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Place]:
    with Place(_CONFIG, binary_of(request.param), tmp_path_factory.mktemp("m")) as place:
        yield place


@pytest.fixture
def place(running: Place) -> Place:
    for pool in ("tcp", "ends", "web", "api", "zoo"):
        running.move(pool, "ready")
    return running


SOON = {"soft": "0.2s", "quiet": "0.2s", "wait_timeout": "0.8s"}


@pytest.fixture
def connection(place: Place) -> t.Iterator[socket.socket]:
    """A client of the TCP pool who stays, busy or not."""
    with place.connect(TCP) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        yield client


def test_an_open_tcp_connection_is_work_and_the_drain_fails_in_time(place: Place, connection: socket.socket) -> None:
    with pytest.raises(RollingError, match=r"It still had 1 sessions .* It was put back to what it was: ready"):
        place.move("tcp", "drained", **SOON)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert connection.recv(1000).startswith(b"HTTP/1.1 200"), "nobody was cut"


def test_an_open_tcp_connection_is_cut_by_force_and_counted(place: Place, connection: socket.socket) -> None:
    one = place.move("tcp", "drained", on_timeout="force", **SOON)
    assert (one["cut"], one["sessions"], one["after"]["sessions"]) == (1, 1, 0)
    assert connection.recv(1000) == b""


def test_an_open_tcp_connection_that_is_let_be_is_said(place: Place, connection: socket.socket) -> None:
    one = place.move("tcp", "drained", on_timeout="continue", **SOON)
    assert "It still had 1 sessions" in one["note"] and one["cut"] == 0
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert connection.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_tcp_connection_that_ends_in_time_is_waited_for(place: Place, connection: socket.socket) -> None:
    with ThreadPoolExecutor(1) as pool:
        draining = pool.submit(place.move, "tcp", "drained")
        wait_until(lambda: place.members("tcp")["web1"]["admin"] == "maintenance", 30, "the maintenance")
        connection.close()
        assert draining.result()["ok"]


@pytest.mark.parametrize(("soft", "survives"), [("5s", True), ("0s", False)])
def test_maintenance_that_ends_sessions_comes_after_a_soft_phase_that_is_long_enough(place: Place, soft: str, survives: bool) -> None:
    asking = place.start("/slow", front=ENDS)
    one = place.move("ends", "drained", soft=soft)
    assert (asking.result() == 200) is survives
    assert one["seconds"] < 5, "it waits no longer than the last session"


def test_who_tracks_another_goes_with_it_out_and_back(place: Place) -> None:
    """The role's own order of calls, over every pool of a host: in any other, one is found out by a person's hand, or waits for ever."""
    members = {pool: {"web1": "host"} for pool in ("api", "web", "zoo")}
    balancer = Balancer("lb", "haproxy", place.haproxy.socket, None, False, tuple(members), members)
    seen = [one for pool in members for one in members_of([balancer], "lb", pool, place.members(pool).values())]
    originals = {"host": {member.place: member.original for member in seen}}
    for call in move_calls([balancer], ["host"], {}, originals):
        one = place.move(call["pool"], "drained")
        assert one["ok"] and one["before"]["admin"] == "ready", call
    assert not any(place.members(pool)["web1"]["in_service"] for pool in members)
    for call in move_calls([balancer], ["host"], None, originals):
        assert place.move(call["pool"], "restored", before=call["before"], wait_timeout="3s")["ok"], call
    assert all(place.members(pool)["web1"]["in_service"] for pool in members)
