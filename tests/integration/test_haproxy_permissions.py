# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where HAProxy is not reached, or takes no orders: one clear error that says what to configure, and nothing changed."""

from __future__ import annotations

import os
import socket
import typing as t
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from fleet.haproxy import versions
from fleet.tiny import Place

_CONFIG = """\
backend web
    server web1 127.0.0.1:{apps[0]} check
    server web2 127.0.0.1:{apps[1]} check
"""


@pytest.fixture(scope="module", params=versions(), ids=str)
def place(request: pytest.FixtureRequest, binary_of: t.Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Place]:
    with Place(_CONFIG, binary_of(request.param), tmp_path_factory.mktemp("p")) as place:
        yield place


def refused(place: Place, address: str, **different: t.Any) -> RollingError:
    """The error of a drain; nobody was taken out."""
    with pytest.raises(RollingError) as caught:
        place.run(address=address, members=["web1", "web2"], state="drained", timeout="2s", **different)
    assert {one["admin"] for one in place.members().values()} == {"ready"}
    assert not caught.value.result.get("changed")
    assert caught.value.message.count(". ") <= 2 and caught.value.message.endswith(".")
    return caught.value


@pytest.mark.parametrize("level", ["unix operator", "tcp operator", "tcp user"])
def test_a_socket_that_may_only_look(place: Place, level: str) -> None:
    kind, _space, right = level.partition(" ")
    address = place.operator_socket if kind == "unix" else f"127.0.0.1:{place.tcp[right]}"
    error = refused(place, address)
    assert error.message.startswith(f'HAProxy at {address} refused "set server web/web1 state ')
    assert 'permission denied. Give this socket "level admin" on its "stats socket" line in haproxy.cfg.' in error.message
    assert [one["ok"] for one in error.result["members"]] == [False, False]


def test_a_socket_that_is_not_there(place: Place, tmp_path: Path) -> None:
    path = str(tmp_path / "no.sock")
    message = refused(place, path).message
    assert message.startswith(f"No HAProxy answers at {path} (No such file or directory). ")
    assert f'Correct address, or put "stats socket {path} level admin" into the global section of haproxy.cfg.' in message


def test_a_path_that_is_no_socket(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "haproxy.cfg"
    path.write_text("global\n")
    message = refused(place, str(path)).message
    assert message.startswith(f"{path} is not a socket. ") and "level admin" in message


def test_a_socket_that_nobody_serves_any_more(place: Place, tmp_path: Path) -> None:
    path = str(tmp_path / "dead.sock")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)
    assert refused(place, path).message.startswith(f"No HAProxy answers at {path} (Connection refused). Correct address")


def test_a_port_where_nothing_listens(place: Place) -> None:
    message = refused(place, "127.0.0.1:1").message
    assert message.startswith("Nothing answers at 127.0.0.1:1 (Connection refused). ")
    assert '"stats socket ipv4@127.0.0.1:1 level admin"' in message


def test_a_port_of_something_else(place: Place) -> None:
    address = f"127.0.0.1:{place.app_ports[0]}"
    message = refused(place, address).message
    assert f"{address} did not behave as a HAProxy stats socket" in message and "level admin" in message


def test_a_socket_that_this_user_may_not_open(place: Place) -> None:
    path = Path(place.operator_socket)
    path.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        with pytest.raises(RollingError) as caught:
            place.run(address=str(path), state="drained")
    finally:
        os.seteuid(user)
        path.chmod(0o600)
    assert caught.value.message.startswith(f"This user may not open {path}. Run the task with become, or give the socket a user, group")
