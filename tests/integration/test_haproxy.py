# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""lb_member and lb_member_info against a real HAProxy with retries off, and tiny apps behind it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from fleet.haproxy import versions
from fleet.tiny import Place
from fleet.waiting import wait_until

# The backend web has the frontend's name, as many have: only its number tells them apart.
_CONFIG = """\
frontend web
    bind 127.0.0.1:{fronts[0]}
    use_backend sticky if {{ path_beg /sticky }}
    default_backend web
backend web
    server web1 127.0.0.1:{apps[0]} check
    server web2 127.0.0.1:{apps[1]} check
    server web3 127.0.0.1:{apps[2]} check
backend sticky
    cookie MEMBER insert indirect nocache
    server web1 127.0.0.1:{apps[0]} check cookie web1
    server web2 127.0.0.1:{apps[1]} check cookie web2
backend agents
    server web1 127.0.0.1:{apps[0]} check agent-check agent-port {agent} agent-inter 100ms weight 10
backend plain
    server web1 127.0.0.1:{apps[0]}
backend static
    balance source
    server web1 127.0.0.1:{apps[0]} check weight 10
backend tracked
    server web1 127.0.0.1:{apps[0]} track web/web1
backend crowd
    server-template c 1-1000 127.0.0.1:{apps[0]}
"""


@pytest.fixture(scope="module", params=versions(), ids=str)
def running(request: pytest.FixtureRequest, binary_of: t.Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Place]:
    with Place(_CONFIG, binary_of(request.param), tmp_path_factory.mktemp("h")) as place:
        yield place


def fail(place: Place, **different: t.Any) -> RollingError:
    with pytest.raises(RollingError) as caught:
        place.run(**different)
    return caught.value


@pytest.fixture
def place(running: Place) -> Place:
    """Everything running and let in."""
    for app in running.apps:
        app.healthy = True
    for pool in ("web", "sticky", "agents", "static"):
        running.run(pool=pool, members=sorted(running.members(pool)), state="ready", weight="100%")
    for app in running.apps:
        app.hits.clear()
    return running


@pytest.mark.parametrize("by", ["unix", "tcp"])
def test_out_and_back_and_nothing_more_the_second_time(place: Place, by: str) -> None:
    address = place.haproxy.socket if by == "unix" else f"127.0.0.1:{place.tcp['admin']}"
    out = place.run(address=address, members=["web1", "web2"], state="drained", floor=1)
    assert out["changed"] and out["view"]["in_service"] == 1
    assert [(one["ok"], one["before"]["admin"], one["after"]["admin"]) for one in out["members"]] == [(True, "ready", "maintenance")] * 2
    assert all(0.6 <= one["seconds"] < 10 for one in out["members"])
    # The operator level may only read: an order would be refused.
    assert not place.run(address=place.operator_socket, members=["web1", "web2"], state="drained", floor=1)["changed"]
    back = place.run(address=address, members=["web1", "web2"], state="ready")
    assert back["changed"] and back["view"]["in_service"] == 3
    assert all((one["after"]["health"], one["after"]["status"]) == ("up", "UP") for one in back["members"])
    assert not place.run(address=place.operator_socket, members=["web1", "web2"], state="ready")["changed"]


def test_no_request_is_lost_and_requests_under_way_are_waited_for(place: Place) -> None:
    stop = threading.Event()

    def ask(path: str) -> list[int]:
        statuses: list[int] = []
        while not stop.is_set():
            statuses.append(place.get(path))
        return statuses

    with ThreadPoolExecutor(9) as pool:
        asking = [pool.submit(ask, path) for path in ["/slow"] * 6 + ["/quick"] * 3]
        wait_until(lambda: place.members()["web1"]["sessions"] > 0, 30, "slow requests")
        for name, app in zip(("web1", "web2", "web3"), place.apps, strict=True):
            result = place.run(members=[name], state="drained", floor=2)["members"][0]
            assert result["sessions"] > 0 and result["seconds"] > 0.6
            before = len(app.hits)
            time.sleep(0.2)
            assert len(app.hits) == before and place.members()[name]["sessions"] == 0
            place.run(members=[name], state="ready")
        stop.set()
        statuses = [status for answers in asking for status in answers.result()]
    assert set(statuses) == {200}


def test_sticky_clients_leave(place: Place) -> None:
    stop, statuses = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            statuses.append(place.get("/sticky", cookie="web1"))
            time.sleep(0.005)

    client = threading.Thread(target=ask)
    client.start()
    wait_until(lambda: len(place.apps[0].hits) > 10, 30, "sticky requests")
    result = place.run(pool="sticky", state="drained")["members"][0]
    hits = len(place.apps[0].hits)
    time.sleep(0.2)
    stop.set()
    client.join()
    assert len(place.apps[0].hits) == hits and place.apps[1].hits and set(statuses) == {200}
    assert result["seconds"] >= 0.8, "they come until the soft phase is over"


def test_too_late_is_put_back_forced_or_continued(place: Place) -> None:
    def late(**options: t.Any) -> tuple[t.Any, int]:
        asking = place.start("/sticky/slow", cookie="web1")
        try:
            outcome: t.Any = place.run(pool="sticky", state="drained", soft="0.1s", quiet="0.1s", wait_timeout="0.4s", **options)
        except RollingError as error:
            outcome = error
        return outcome, asking.result()

    error, status = late()
    assert "It still had 1 sessions" in error.message and "put back to what it was: ready" in error.message
    assert status == 200 and error.result["changed"] is False and place.members("sticky")["web1"]["admin"] == "ready"
    result, status = late(on_timeout="force")
    assert result["members"][0]["cut"] == 1 and status != 200
    place.run(pool="sticky", state="ready")
    result, status = late(on_timeout="continue")
    assert "1 sessions" in result["members"][0]["note"] and status == 200


def test_the_floor_and_the_unknown(place: Place) -> None:
    place.run(members=["web3"], state="maintenance")
    refused = fail(place, members=["web1", "web2"], state="drained", floor=1)
    assert refused.message == (
        f"pool web on {place.haproxy.socket}: 2 of 3 members in service, draining web1, web2 would leave 0, the floor is 1."
    )
    assert place.members()["web1"]["admin"] == place.members()["web2"]["admin"] == "ready"
    unknown = fail(place, members=["web9", "web1"], state="drained")
    assert "There is no member 'web9' in pool web; there are: web1, web2, web3." in unknown.message
    assert [one["ok"] for one in unknown.result["members"]] == [False, True]
    assert "there are: web, sticky, agents, plain, static, tracked, crowd." in fail(place, pool="nope", state="drained").message


def test_of_two_controllers_only_one_gets_the_last_place(place: Place) -> None:
    def leave(name: str) -> bool:
        try:
            return bool(place.run(members=[name], state="drained", floor=2)["changed"])
        except RollingError as error:
            assert "the floor is 2" in error.message
            return False

    with ThreadPoolExecutor(2) as pool:
        for _round in range(3):
            gone = list(pool.map(leave, ["web1", "web2"]))
            assert sum(one["in_service"] for one in place.members().values()) >= 2
            assert [name for name, one in place.members().items() if one["admin"] != "ready"] == [
                name for name, left in zip(["web1", "web2"], gone, strict=True) if left
            ]
            place.run(members=["web1", "web2"], state="ready")


def test_check_mode_only_reads(place: Place) -> None:
    result = place.run(check_mode=True, address=place.operator_socket, members=["web1", "web2"], state="drained", floor=1)
    assert result["changed"] and result["diff"]["after"]["web1"] == {"admin": "maintenance", "weight": 1}
    assert place.members()["web1"]["admin"] == "ready"


def test_ready_waits_for_the_balancers_own_checks(place: Place) -> None:
    place.run(state="maintenance")
    place.apps[0].healthy = False
    error = fail(place, state="ready", wait_timeout="1s")
    assert "not fully up (DOWN, last check" in error.message and "L7STS" in error.message
    assert "put back to what it was: maintenance" in error.message
    threading.Timer(0.5, lambda: setattr(place.apps[0], "healthy", True)).start()
    result = place.run(state="ready", wait_timeout="5s")["members"][0]
    assert result["after"]["status"] == "UP" and "L7OK" in result["after"]["check"]
    assert "does not check" in place.run(pool="plain", state="ready")["members"][0]["note"]


def test_an_agent_cannot_let_a_member_in_again(place: Place) -> None:
    assert place.members("agents")["web1"]["agent"] is True
    out = place.run(pool="agents", state="drained")["members"][0]
    time.sleep(0.5)
    assert (out["before"]["agent"], out["after"]["agent"], place.members("agents")["web1"]["admin"]) == (True, False, "maintenance")
    assert place.run(pool="agents", state="ready")["members"][0]["after"]["agent"] is True


def test_weights(place: Place) -> None:
    place.run(pool="agents", state="maintenance")  # or the agent sets it to 100% again
    assert place.run(pool="agents", weight="50%")["members"][0]["after"]["weight"] == 5
    place.run(weight="7")
    assert place.members()["web1"]["weight"] == 7
    assert "50% of the initial weight 1 is 0" in fail(place, weight="50%").message
    assert "300, the most is 256" in fail(place, weight="300").message
    assert "static LB algorithm" in fail(place, pool="static", weight="50%").message
    assert not place.run(pool="static", weight="100%")["changed"]
    result = place.run(pool="static", weight="0", floor=0)
    assert result["members"][0]["after"]["status"] == "UP" and result["view"]["in_service"] == 0


def test_a_member_that_tracks_another_cannot_be_let_in_alone(place: Place) -> None:
    place.run(state="maintenance")
    error = fail(place, pool="tracked", state="ready", wait_timeout="0.5s")
    assert "still shows maintenance" in error.message and "MAINT (via web/web1)" in error.message


def test_a_thousand_members_in_one_call(place: Place) -> None:
    names = [f"c{number}" for number in range(1, 1001)]
    started = time.monotonic()
    out = place.run(pool="crowd", members=names, state="drained")
    assert out["view"]["in_service"] == 0 and all(one["ok"] for one in out["members"])
    back = place.run(pool="crowd", members=names, state="ready")
    assert back["view"]["in_service"] == 1000
    assert time.monotonic() - started < 60


def test_as_a_module(place: Place) -> None:
    def ansible(**options: t.Any) -> dict[str, t.Any]:
        command = [sys.executable, "-m", "ansible", "adhoc", "localhost", "-c", "local", "-m", "convoy.rolling.lb_member"]
        arguments = ["-a", json.dumps(place.options(**options)), "-e", f"ansible_python_interpreter={sys.executable}"]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        result: dict[str, t.Any] = json.loads(re.split(r"^localhost \| \w+!? => ", done.stdout, maxsplit=1, flags=re.MULTILINE)[1])
        return result

    assert ansible(state="drained", floor=2)["members"][0]["after"]["status"] == "MAINT"
    refused = ansible(members=["web2"], state="drained", floor=2)
    assert "would leave 1, the floor is 2" in refused["msg"] and refused["members"][0]["ok"] is False
