# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The provider readiness on real apps behind a real HAProxy that knows nothing of it."""

from __future__ import annotations

import socket
import threading
import time
import typing as t

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from fleet.stands import Missing, as_module
from fleet.stands.haproxy import INTERVAL, RISE, ReadinessStand


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[ReadinessStand]:
    try:
        stand = ReadinessStand(tmp_path_factory.mktemp("r"))
    except Missing as missing:
        pytest.skip(str(missing))
    with stand:
        yield stand


def test_it_is_out_only_when_the_balancer_had_the_time_to_notice(stand: ReadinessStand) -> None:
    name = stand.members[0]
    address = stand.address(name).replace(f"interval={INTERVAL}", "interval=1s").replace(f"rise={RISE}", "rise=1")
    result = stand.run(name, address=address, state="drained", quiet="0s")["members"][0]
    assert result["seconds"] >= 1.9
    haproxy = {one["svname"]: one["status"] for one in t.cast(t.Any, stand).haproxy.members() if one["pxname"] == "web"}
    assert haproxy[name] == "DOWN"
    back = stand.run(name, address=address, state="ready")["members"][0]
    assert back["seconds"] >= 0.9 and back["after"]["health"] == "up"


def test_connections_that_the_kernel_knows_are_waited_for(stand: ReadinessStand) -> None:
    app = stand.apps[stand.members[0]]
    address = f"file:{app.out_file}?port={app.port}&interval=50ms&fall=1"
    options = {"address": address, "members": ["self"], "quiet": "0.1s"}
    stand.run(stand.members[0], state="maintenance")
    app.restart()  # it ends the idle connections that HAProxy keeps
    client = socket.create_connection(("127.0.0.1", app.port))
    with pytest.raises(RollingError, match=r"still had \d sessions"):
        stand.run("self", **{**options, "state": "drained", "wait_timeout": "0.5s", "soft": "0s"})
    threading.Timer(0.5, client.close).start()
    started = time.monotonic()
    result = stand.run("self", **{**options, "state": "drained"})["members"][0]
    assert result["sessions"] >= 1 and result["after"]["sessions"] == 0 and time.monotonic() - started > 0.5
    app.out_file.unlink()
    stand.run(stand.members[0], state="ready")


def test_an_app_that_is_not_there_is_no_success(stand: ReadinessStand) -> None:
    name = stand.members[2]
    stand.apps[name].kill()
    with pytest.raises(RollingError, match=r"not fully up .*nothing listens on port"):
        stand.run(name, state="ready", wait_timeout="1s")
    seen = stand.look(name)
    assert (seen["health"], seen["in_service"]) == ("down", False)
    stand.apps[name].restart()


def test_a_floor_cannot_be_seen(stand: ReadinessStand) -> None:
    with pytest.raises(RollingError, match="floor: readiness does not see the whole pool; leave it out"):
        stand.run(stand.members[0], state="drained", floor=1)
    assert stand.look(stand.members[0])["in_service"]


def test_as_a_module(stand: ReadinessStand) -> None:
    result = as_module(stand.options(stand.members[0], state="drained"))
    assert result.get("members"), result
    assert result["members"][0]["after"]["admin"] == "maintenance"
    assert as_module(stand.options(stand.members[0], state="ready"))["changed"]
