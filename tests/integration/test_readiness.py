# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The provider readiness on real apps behind a real HAProxy that knows nothing of it: what only it has, and a fleet rolled by the role."""

from __future__ import annotations

import socket
import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from fleet.fleet import Fleet
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


def test_the_role_rolls_a_fleet_with_it_and_loses_nothing(
    tmp_path: Path, play: t.Callable[..., t.Any], watching: t.Callable[..., t.Any], words: t.Callable[..., t.Any]
) -> None:
    """No load balancer is asked: each host is its own, and HAProxy sees what the app's health endpoint says."""
    switched = {"out_file": "out"}
    with Fleet(4, tmp_path, behaviour=switched) as fleet:
        fleet.release("2.0.0", {**switched, "listen_delay": 0.5, "unready": 0.5})
        health = "http://127.0.0.1:{{ app_port }}/health&interval=200ms&fall=2&rise=2"
        out_file = f"{fleet.directory}/hosts/{{{{ inventory_hostname }}}}/out"
        variables = {
            "rollout_max_unavailable": 2,
            "rollout_balancers": [
                {
                    "name": "ready-{{ inventory_hostname }}",
                    "provider": "readiness",
                    "host": "{{ inventory_hostname }}",
                    "address": f"file:{out_file}?port={{{{ app_port }}}}&health={health}&in_flight=in_flight",
                    "pools": ["local"],
                    "member": "self",
                }
            ],
            # HAProxy has to notice meanwhile, so the role's defaults.
            "rollout_drain_soft": "500ms",
            "rollout_drain_quiet": "300ms",
            # Not the endpoint that is switched: that one says 503 as long as the host is out.
            "rollout_health": {"url": "http://127.0.0.1:{{ app_port }}/", "version": "version"},
        }
        with watching(fleet) as seen:
            run = play(fleet, {"rollout_version": "2.0.0"}, inventory=fleet.inventory(**variables))
        assert run.rc == 0, run.text
        assert set(fleet.versions().values()) == {"2.0.0"}
        assert {absence.host for absence in seen.sampler.absences} == set(fleet.hosts)
        assert seen.sampler.minimum() >= 2
        assert all(words(fleet, host) == {"UP"} for host in fleet.hosts)
        assert not list(fleet.directory.glob("hosts/*/out"))
    seen.nothing_was_lost()
