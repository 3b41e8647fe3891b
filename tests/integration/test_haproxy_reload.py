# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What members get back after an absence, and what a reload of HAProxy in the middle of one does: it forgets every order."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from fleet.haproxy import versions
from fleet.tiny import Place
from fleet.waiting import wait_until

_CONFIG = """\
frontend front
    bind 127.0.0.1:{fronts[0]}
    default_backend web
backend web
    server web1 127.0.0.1:{apps[0]} check weight 10
backend agents
    server web1 127.0.0.1:{apps[0]} check agent-check agent-port {agent} agent-inter 100ms weight 10
backend warm
    server web1 127.0.0.1:{apps[0]} check slowstart 2s weight 100
"""


@pytest.fixture(scope="module", params=versions(differs=True), ids=str)
def running(request: pytest.FixtureRequest, binary_of: t.Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Place]:
    with Place(_CONFIG, binary_of(request.param), tmp_path_factory.mktemp("r"), master=True) as place:
        yield place


@pytest.fixture
def place(running: Place) -> Place:
    """As configured."""
    for pool in ("web", "agents"):
        running.haproxy.ask(f"enable agent {pool}/web1")
        running.move(pool, "ready", weight="100%")
    return running


@pytest.mark.parametrize("reload", [False, True])
def test_weight_and_agent_are_given_back_as_they_were(place: Place, reload: bool) -> None:
    for command in ("set server web/web1 weight 7", "disable agent agents/web1", "set server agents/web1 weight 3"):
        assert place.haproxy.ask(command) == ""
    had = {pool: place.move(pool, "drained")["before"] for pool in ("web", "agents")}
    if reload:
        place.haproxy.reload()
        assert place.status("web").startswith("UP"), "it knows nothing of the drain"
    back = {pool: place.move(pool, "restored", before=[had[pool]])["after"] for pool in had}
    assert (back["web"]["weight"], back["web"]["status"]) == (7, "UP")
    time.sleep(0.3)  # the agent, were it asked, would say 100%
    now = place.move("agents", "restored", before=[had["agents"]])
    assert (now["changed"], now["after"]["weight"], now["after"]["agent"]) == (False, 3, False)


def test_an_agent_that_was_listened_to_is_listened_to_again(place: Place) -> None:
    had = place.move("agents", "drained")["before"]
    back = place.move("agents", "restored", before=[had])["after"]
    assert (back["agent"], back["admin"], back["weight"]) == (True, "ready", 10)


def test_who_was_in_drain_goes_back_into_drain(place: Place) -> None:
    place.haproxy.ask("set server web/web1 state drain")
    had = place.move("web", "drained")["before"]
    assert place.move("web", "restored", before=[had])["after"]["admin"] == "drain" and place.status().startswith("DRAIN")


def test_a_reload_while_a_member_is_out_is_seen_by_whoever_looks_next(place: Place) -> None:
    assert place.move("web", "drained")["ok"]
    place.haproxy.reload()
    again = place.move("web", "maintenance", quiet="0s")
    assert (again["changed"], again["before"]["admin"], place.status()) == (True, "ready", "MAINT")


def test_a_reload_in_the_middle_of_a_drain_is_noticed_and_the_old_process_waited_for(place: Place) -> None:
    """Our open connection leads to the old process, where the member stays out."""
    request = place.start("/slow3")
    with ThreadPoolExecutor(1) as pool:
        draining = pool.submit(place.move, "web", "drained", master=place.haproxy.master)
        wait_until(lambda: place.status() == "MAINT", 30, "the maintenance")
        place.haproxy.reload()
        one = draining.result()
    assert (one["ok"], place.status(), one["after"]["sessions"]) == (True, "MAINT", 0)
    assert "as after a reload; it was taken out once more" in one["note"]
    assert request.done() and request.result() == 200


def test_requests_from_before_a_reload_are_waited_for_through_the_master(place: Place) -> None:
    request = place.start("/slow3")
    place.haproxy.reload()
    place.move("web", "drained")
    assert not request.done(), "without the master nobody knows of it"
    one = place.move("web", "drained", master=place.haproxy.master)
    assert request.done() and request.result() == 200 and one["sessions"] == 1


def test_sessions_from_before_a_reload_are_cut_too(place: Place) -> None:
    request = place.start("/slow5")
    place.haproxy.reload()
    limits = {"soft": "0.1s", "quiet": "0.1s", "wait_timeout": "0.5s"}
    one = place.move("web", "drained", master=place.haproxy.master, on_timeout="force", **limits)
    assert (one["ok"], one["cut"]) == (True, 1) and request.result() != 200


def test_a_slow_start_is_waited_for_when_asked(place: Place) -> None:
    had = place.move("warm", "drained")["before"]
    back = place.move("warm", "restored", before=[had])
    assert back["after"]["warming"] and back["after"]["status"] == "UP"
    place.move("warm", "drained")
    back = place.move("warm", "restored", before=[had], wait_full_weight=True)
    assert (back["after"]["warming"], back["after"]["weight"]) == (False, 100) and back["seconds"] > 1


@pytest.mark.parametrize("where", ["admin.sock", "nothing.sock"])
def test_what_is_no_master(place: Place, where: str) -> None:
    path = place.haproxy.master.replace("master.sock", where)
    with pytest.raises(RollingError, match=r'Give as master what the option "-S" of haproxy says'):
        place.move("web", "drained", master=path)
