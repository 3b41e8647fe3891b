# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What members get back after an absence, and what a reload of HAProxy in the middle of one does: it forgets every order."""

from __future__ import annotations

import http.client
import time
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.members import run
from fleet.haproxy import DEBIAN, find_haproxy
from fleet.ports import Ports
from fleet.tiny import App, HAProxy, agent
from fleet.waiting import wait_until

_CONFIG = """\
global
    stats socket {here}/admin.sock mode 600 level admin expose-fd listeners
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
frontend front
    bind 127.0.0.1:{port}
    default_backend web
backend web
    server web1 127.0.0.1:{app} check weight 10
backend agents
    server web1 127.0.0.1:{app} check agent-check agent-port {agent} agent-inter 100ms weight 10
backend warm
    server web1 127.0.0.1:{app} check slowstart 2s weight 100
"""


class Place:
    """HAProxy with a master, before one app."""

    def __init__(self, haproxy: HAProxy, port: int, app: App) -> None:
        self.haproxy, self.app = haproxy, app
        self._port = port
        self._clients = ThreadPoolExecutor(4)

    def run(self, state: str | None = None, pool: str = "web", **different: t.Any) -> dict[str, t.Any]:
        """The one member of a call."""
        options = {"provider": "haproxy", "address": self.haproxy.socket, "pool": pool, "members": ["web1"], "state": state}
        one: dict[str, t.Any] = run({**options, **different}, False)["members"][0]
        return one

    def start(self, path: str) -> Future[int]:
        """A request that the app has begun to answer; its status, 0 when it was cut."""
        begun = len(self.app.hits)
        request = self._clients.submit(self._get, path)
        wait_until(lambda: len(self.app.hits) > begun, 5, path)
        return request

    def status(self, pool: str = "web") -> str:
        """What the process that serves now says."""
        table = [line.split(",") for line in self.haproxy.ask("show stat -1 4 -1").splitlines()]
        (row,) = (row for row in table if row[0] == pool)
        return row[table[0].index("status")]

    def _get(self, path: str) -> int:
        client = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
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
    here = tmp_path_factory.mktemp("r")
    ports = Ports()
    port, app_port, agent_port = ports.take(), ports.take(), ports.take()
    with ExitStack() as stack:
        stack.callback(ports.release)
        app = App(app_port)
        stack.callback(app.stop)
        stack.enter_context(agent(agent_port))
        config = _CONFIG.format(here=here, port=port, app=app_port, agent=agent_port)
        haproxy = HAProxy(binary, here, config, master=True)
        stack.callback(haproxy.stop)
        yield Place(haproxy, port, app)


@pytest.fixture
def place(running: Place) -> Place:
    """As configured."""
    for pool in ("web", "agents"):
        running.haproxy.ask(f"enable agent {pool}/web1")
        running.run("ready", pool, weight="100%")
    return running


@pytest.mark.parametrize("reload", [False, True])
def test_weight_and_agent_are_given_back_as_they_were(place: Place, reload: bool) -> None:
    for command in ("set server web/web1 weight 7", "disable agent agents/web1", "set server agents/web1 weight 3"):
        assert place.haproxy.ask(command) == ""
    had = {pool: place.run("drained", pool)["before"] for pool in ("web", "agents")}
    if reload:
        place.haproxy.reload()
        assert place.status("web").startswith("UP"), "it knows nothing of the drain"
    back = {pool: place.run("restored", pool, before=[had[pool]])["after"] for pool in had}
    assert (back["web"]["weight"], back["web"]["status"]) == (7, "UP")
    time.sleep(0.3)  # the agent, were it asked, would say 100%
    now = place.run("restored", "agents", before=[had["agents"]])
    assert (now["changed"], now["after"]["weight"], now["after"]["agent"]) == (False, 3, False)


def test_an_agent_that_was_listened_to_is_listened_to_again(place: Place) -> None:
    had = place.run("drained", "agents")["before"]
    back = place.run("restored", "agents", before=[had])["after"]
    assert (back["agent"], back["admin"], back["weight"]) == (True, "ready", 10)


def test_who_was_in_drain_goes_back_into_drain(place: Place) -> None:
    place.haproxy.ask("set server web/web1 state drain")
    had = place.run("drained")["before"]
    assert place.run("restored", before=[had])["after"]["admin"] == "drain" and place.status().startswith("DRAIN")


def test_a_reload_while_a_member_is_out_is_seen_by_whoever_looks_next(place: Place) -> None:
    assert place.run("drained")["ok"]
    place.haproxy.reload()
    again = place.run("maintenance", quiet="0s")
    assert (again["changed"], again["before"]["admin"], place.status()) == (True, "ready", "MAINT")


def test_a_reload_in_the_middle_of_a_drain_is_noticed_and_the_old_process_waited_for(place: Place) -> None:
    """Our open connection leads to the old process, where the member stays out."""
    request = place.start("/slow3")
    with ThreadPoolExecutor(1) as pool:
        draining = pool.submit(place.run, "drained", master=place.haproxy.master)
        wait_until(lambda: place.status() == "MAINT", 5, "the maintenance")
        place.haproxy.reload()
        one = draining.result()
    assert (one["ok"], place.status(), one["after"]["sessions"]) == (True, "MAINT", 0)
    assert "as after a reload; it was taken out once more" in one["note"]
    assert request.done() and request.result() == 200


def test_requests_from_before_a_reload_are_waited_for_through_the_master(place: Place) -> None:
    request = place.start("/slow3")
    place.haproxy.reload()
    place.run("drained")
    assert not request.done(), "without the master nobody knows of it"
    one = place.run("drained", master=place.haproxy.master)
    assert request.done() and request.result() == 200 and one["sessions"] == 1


def test_sessions_from_before_a_reload_are_cut_too(place: Place) -> None:
    request = place.start("/slow5")
    place.haproxy.reload()
    limits = {"soft": "0.1s", "quiet": "0.1s", "wait_timeout": "0.5s"}
    one = place.run("drained", master=place.haproxy.master, on_timeout="force", **limits)
    assert (one["ok"], one["cut"]) == (True, 1) and request.result() != 200


def test_a_slow_start_is_waited_for_when_asked(place: Place) -> None:
    had = place.run("drained", "warm")["before"]
    back = place.run("restored", "warm", before=[had])
    assert back["after"]["warming"] and back["after"]["status"] == "UP"
    place.run("drained", "warm")
    back = place.run("restored", "warm", before=[had], wait_full_weight=True)
    assert (back["after"]["warming"], back["after"]["weight"]) == (False, 100) and back["seconds"] > 1


@pytest.mark.parametrize("where", ["admin.sock", "nothing.sock"])
def test_what_is_no_master(place: Place, where: str) -> None:
    path = place.haproxy.master.replace("master.sock", where)
    with pytest.raises(RollingError, match=r'Give as master what the option "-S" of haproxy says'):
        place.run("drained", master=path)
