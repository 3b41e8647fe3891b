# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole rollbacks over the real steps and a real journal."""

from __future__ import annotations

import dataclasses
import os
import typing as t
from pathlib import Path

import pytest
from unit.plugins.action.simulated import Host, Killed, Rollback, Rollout, World, absent
from unit.plugins.plugin_utils.fleets import names, plan

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.annals import Annals
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.revisions import Revision

PLACES = (("lb1", "web"),)


@pytest.fixture
def world(state: Path) -> World:
    """Four hosts on 1.0, which is revision 1."""
    made = World(PLACES, [Host(name) for name in names(4)], state)
    journal = Journal(made.url)
    ticket = journal.open(dataclasses.replace(plan(4), version="1.0"), (), Holder.of(os.getpid()), 10.0)
    journal.close(ticket, Verdict.CONVERGED, "", 20.0)
    return made


def history(world: World) -> list[Revision]:
    return list(Annals(world.url).revisions("web"))


def verdicts(world: World) -> list[tuple[str, str]]:
    return [(one.version, str(one.verdict)) for one in history(world)]


def running(world: World) -> list[str]:
    return [host.running for host in world.hosts.values()]


def test_what_failed_goes_back_by_itself_and_the_run_fails_all_the_same(world: World) -> None:
    world.bad = {"2.0"}
    end = Rollout(world, "2.0", max_unavailable=2, on_failure="rollback").go()
    assert (end["verdict"], end["undo"]["rollout"], end["next"]) == ("halted", 2, "")
    assert end["undo"]["why"].startswith("2 hosts failed (web1, web2)")
    assert "  rolls back to revision 1 (1.0)" in end["text"]
    back = Rollback(world, undo=2, why=end["undo"]["why"])
    after = back.go()
    assert (back.planned["order"], running(world), world.out(), absent(world)) == (["web1", "web2"], ["1.0"] * 4, set(), set())
    assert after["complaint"].startswith('rolled back "web" to revision 1 (1.0): 2 hosts failed')
    assert verdicts(world) == [("1.0", "converged"), ("2.0", "rolled back"), ("1.0", "converged")]
    assert history(world)[1].bad.startswith("rolled back by rollout 3: 2 hosts failed")
    assert history(world)[2].cause.startswith("rollback of revision 2 to revision 1: 2 hosts failed")
    # The same by command changes nothing.
    before, again = world.changes, Rollback(world).go()
    assert (again["live"], again["text"][0], world.changes) == (False, "skipped rollback (fleet already runs revision 1)", before)


def test_by_command_hours_later_with_hosts_that_came_since(world: World) -> None:
    assert Rollout(world, "2.0", max_unavailable=2).go()["verdict"] == "converged"
    world.now += 10_000
    for name, version in (("web5", "2.0"), ("web6", "0.7")):
        world.hosts[name] = Host(name, version, version, version)
        world.pools[PLACES[0]][name] = "ready"
    world.refit()
    back = Rollback(world, why="customers complain")
    end = back.go()
    assert (end["verdict"], end["complaint"]) == ("converged", "")
    assert any(line.startswith("undoes  revision 2 (2.0), converged, begun ") for line in back.planned["text"])
    assert running(world) == ["1.0"] * 5 + ["0.7"]
    assert any("web6: not there when it was rolled out, on 0.7" in line for line in back.planned["text"])
    assert "1 left alone" in end["text"][0]
    assert verdicts(world)[1:] == [("2.0", "rolled back"), ("1.0", "converged")]
    with pytest.raises(RollingError, match=r"revision 2 \(2.0\) is no good one"):
        Rollback(world, revision=2)


def test_the_rest_are_back_though_some_can_not_go(world: World) -> None:
    """One never came up and still does not, one is unreachable, one has lost its old release: each is named."""
    world.hosts["web1"].restarts = False
    Rollout(world, "2.0", max_unavailable=2, max_failures=1).go()
    assert (running(world), world.out()) == (["1.0", *["2.0"] * 3], {"web1"})
    world.hosts["web1"].returns = False
    world.hosts["web2"].reachable = False
    world.hosts["web3"].gone = ("1.0",)
    back = Rollback(world)
    end = back.go()
    assert end["verdict"] == "halted" and back.planned["order"][0] == "web1"
    assert running(world) == ["1.0", "2.0", "2.0", "1.0"]
    assert world.out() == {"web1"}, "who has lost the old release serves on"
    for line in ("unreachable: web2: No route", "failed: web3: version: 1.0 is not staged", "failed: web1: "):
        assert any(line in one for one in end["text"])
    assert end["next"].endswith("convoy.rolling.rollback -e rollout_to_revision=1")
    assert verdicts(world)[1:] == [("2.0", "halted"), ("1.0", "halted")]
    assert history(world)[1].bad, "nobody goes back to it"


def test_killed_at_any_moment_the_same_command_again_finishes(world: World) -> None:
    killed = 0
    for moment in (5, 9, 12):
        Rollout(world, f"2.{moment}", max_unavailable=2).go()
        world.dies = moment
        try:
            Rollback(world).go()
        except Killed:
            killed += 1
        world.dies = None
        end = Rollback(world).go()
        assert end.get("verdict", "converged") == "converged"
        assert (set(running(world)), world.out(), absent(world)) == ({"1.0"}, set(), set())
        assert next(one for one in history(world) if one.version == f"2.{moment}").bad
    assert killed == 3


@pytest.mark.parametrize(
    ("limits", "trouble"),
    [
        pytest.param({"max_failures": 2}, {"web1": Host("web1", "1.0", "1.0", "1.0", restarts=False)}, id="within the budget"),
        pytest.param({"on_failure": "halt"}, {}, id="not wanted"),
        pytest.param({"max_unreachable": 0}, {"web1": Host("web1", "1.0", "1.0", "1.0", reachable=False)}, id="nobody was touched"),
    ],
)
def test_does_not_go_back(world: World, limits: dict[str, t.Any], trouble: dict[str, Host]) -> None:
    world.hosts.update(trouble)
    world.bad = set() if trouble else {"2.0"}
    end = Rollout(world, "2.0", **{"max_unavailable": 2, "on_failure": "rollback", **limits}).go()
    assert (end["verdict"], end["undo"]) == ("halted", {})


def test_last_host_failing_goes_back_too(world: World) -> None:
    world.hosts["web4"].restarts = False
    end = Rollout(world, "2.0", max_unavailable=2, on_failure="rollback").go()
    assert end["undo"]["why"] == "1 host failed (web4), rollout_max_failures is 0 of 4"


def test_no_revision_to_go_back_to_is_said_and_the_healthy_ones_serve(state: Path) -> None:
    hosts = [Host(name, version, version, version) for name, version in zip(names(4), ("1.0", "1.1", "1.0", "1.0"), strict=True)]
    world = World(PLACES, hosts, state)
    hosts[3].restarts = False
    end = Rollout(world, "2.0", max_unavailable=1, supersede=True, on_failure="rollback").go()
    assert (end["verdict"], end["undo"], world.out()) == ("halted", {}, {"web4"})
    assert any("not rolled back: no revision to go back to: none converged" in line for line in end["text"])


def test_whole_fleet_when_that_is_wanted(world: World) -> None:
    world.hosts["web4"] = Host("web4", "2.0", "2.0", "2.0")
    world.hosts["web1"].restarts = False
    Rollout(world, "2.0", max_unavailable=1).go()
    touched, fleet = Rollback(world), Rollback(world, scope="fleet")
    assert (touched._plan()["order"], sorted(fleet._plan()["order"])) == (["web1"], ["web1", "web4"])
