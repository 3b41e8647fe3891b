# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waves and conditions in whole rollouts: the real steps and a real journal, over hosts in memory."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest
from unit.plugins.action.simulated import Host, Killed, Rollout, World
from unit.plugins.plugin_utils.fleets import names

from ansible_collections.convoy.rolling.plugins.action import plan
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.conditions import parse_conditions
from ansible_collections.convoy.rolling.plugins.plugin_utils.interventions import Intervention
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice

WAVES = {
    "waves": [{"name": "one-box", "hosts": 1, "bake": {"time": 100, "requests": 50}}, {"hosts": "50%", "bake": 10}],
    "max_unavailable": 2,
}


@pytest.fixture
def world(state: Path) -> World:
    world = World((("lb1", "web"),), [Host(name) for name in names(6)], state)
    world.load = 1.0
    return world


def person(world: World) -> Intervention:
    return Intervention(world.url, "web", Notice("ann on ci1", "looks good", world.now), str)


def updated(world: World) -> list[str]:
    return [host.name for host in world.hosts.values() if host.running == "2.0"]


def with_conditions(world: World, *conditions: dict[str, t.Any]) -> None:
    world.fleet = dataclasses.replace(world.fleet, conditions=parse_conditions(list(conditions)))


def test_each_wave_bakes_before_the_next_begins_and_the_last_before_the_end(world: World) -> None:
    rollout = Rollout(world, "2.0", **WAVES)
    end = rollout.go()
    assert rollout.planned["batches"] == [1, 2, 1, 2]
    assert end["verdict"] == "converged"
    record = Journal(world.url).rollout(1)
    box, half, rest = record.waves
    left = {host.host: host.left for host in record.hosts}
    back = {host.host: host.changed for host in record.hosts}
    assert left["web2"] >= back["web1"] + 100 and box.baking.requests >= 50
    assert left["web5"] >= max(back[host] for host in ("web2", "web3", "web4")) + 10
    assert box.passed and half.passed and rest.passed is None, "nothing is asked of the last one"
    assert any("wave one-box bakes for " in line for line in rollout.said)


def test_last_wave_bakes_too(world: World) -> None:
    rollout = Rollout(world, "2.0", waves=[{"hosts": "rest", "bake": 500}], max_unavailable=3)
    began = world.now
    assert rollout.go()["verdict"] == "converged"
    assert world.now >= began + 500
    assert Journal(world.url).rollout(1).waves[0].passed


def test_resume_bakes_only_what_is_left(world: World) -> None:
    first = Rollout(world, "2.0", **WAVES)

    def die() -> None:
        raise Killed

    world.later[1090.0] = die
    with pytest.raises(Killed):
        first.go()
    assert updated(world) == ["web1"]
    ended = next(host.changed for host in Journal(world.url).rollout(1).hosts if host.host == "web1")
    seen = Journal(world.url).rollout(1).waves[0].baking.requests
    assert 0 < seen < 100
    world.now += 5
    Journal(world.url)  # the lease of the dead one is broken by a person, whose word is quicker than a minute
    person(world).unlock("1")
    again = Rollout(world, "2.0", **WAVES)
    assert again.go()["verdict"] == "converged"
    record = Journal(world.url).rollout(2)
    assert record.plan.waves[0].hosts == ("web1",) and record.waves[0].ended == ended
    assert ended + 100 <= min(host.left for host in record.hosts if host.left) < ended + 170, "and not 100 s once more"
    assert record.waves[0].baking.requests > seen


def test_host_that_turns_bad_in_the_bake_is_a_failure(world: World) -> None:
    world.later[1050.0] = lambda: world.bad.add("2.0")
    rollout = Rollout(world, "2.0", **WAVES)
    end = rollout.go()
    assert end["verdict"] == "halted" and updated(world) == ["web1"]
    assert "1 host failed (web1), rollout_max_failures is 0 of 6" in end["progress"]["halted"]
    assert "it turned bad while wave one-box baked: status 503" in end["progress"]["trouble"]["web1"]


def test_one_bad_look_is_no_failure(world: World) -> None:
    world.later[1050.0] = lambda: world.bad.add("2.0")
    world.later[1075.0] = world.bad.clear
    assert Rollout(world, "2.0", **WAVES).go()["verdict"] == "converged"


def test_wave_without_the_requests_it_needs_halts_in_the_end(world: World) -> None:
    world.load = 0.0
    end = Rollout(world, "2.0", **WAVES).go()
    assert end["verdict"] == "halted"
    assert "wave one-box has not baked 6" in end["progress"]["halted"]
    assert "s after its time: 0 of 50 requests; rollout_progress_deadline is 600 s" in end["progress"]["halted"]
    assert updated(world) == ["web1"]


def test_wave_waits_for_approval_as_long_as_it_takes(world: World) -> None:
    waves = [{"name": "box", "hosts": 1}, {"name": "rest", "hosts": "rest", "approve": True}]
    outcomes = []
    world.later[3000.0] = lambda: outcomes.append(person(world).approve(""))
    rollout = Rollout(world, "2.0", waves=waves, max_unavailable=5)
    assert rollout.go()["verdict"] == "converged"
    assert outcomes[0].changed and "wave rest is approved" in outcomes[0].text
    record = Journal(world.url).rollout(1)
    assert str(record.waves[1].approved).startswith("by ann on ci1 at ")
    assert 3000 <= min(host.left for host in record.hosts if host.host != "web1") < 3030
    assert any("wave rest waits for approval" in line and "convoy.rolling.approve" in line for line in rollout.said)


def test_wave_may_be_approved_with_the_command(world: World) -> None:
    waves = [{"name": "box", "hosts": 1}, {"name": "rest", "hosts": "rest", "approve": True}]
    with pytest.raises(InputError, match="rollout_approve: 'other' is no wave that waits for approval; there are rest"):
        Rollout(world, "2.0", waves=waves)._do(plan, version="2.0", observed=world.look(), approve=["other"])
    rollout = Rollout(world, "2.0", waves=waves, max_unavailable=5)
    rollout.approve = " rest,"
    began = world.now
    assert rollout.go()["verdict"] == "converged" and world.now < began + 60
    assert Journal(world.url).rollout(1).waves[1].approved is not None


def test_condition_that_fails_after_the_first_wave_halts_there(world: World) -> None:
    with_conditions(world, {"name": "errors", "http": {"url": "http://x/"}})
    world.answers["errors"] = ["pass", "pass", "fail"]  # before all, before the first batch, after the first wave
    end = Rollout(world, "2.0", **WAVES).go()
    assert end["verdict"] == "halted" and "condition errors: fail: somebody looked" in end["progress"]["halted"]
    assert updated(world) == ["web1"]


def test_inconclusive_condition_waits_for_a_person_and_is_accepted_then(world: World) -> None:
    with_conditions(world, {"name": "errors", "http": {"url": "http://x/"}, "on": "before_batch"})
    world.answers["errors"] = ["pass", "inconclusive", "inconclusive"]
    world.later[3000.0] = lambda: None if person(world).resume().changed else pytest.fail("it was not paused")
    rollout = Rollout(world, "2.0", max_unavailable=6)
    assert rollout.go()["verdict"] == "converged"
    assert world.now >= 3000 and world.answers["errors"] == []
    assert any("condition errors: inconclusive: somebody looked; look into it and go on with" in line for line in rollout.said)


def test_condition_that_fails_beforehand_refuses_unless_overridden(world: World) -> None:
    with_conditions(world, {"name": "errors", "http": {"url": "http://x/"}}, {"name": "other", "command": "true"})
    world.answers["errors"] = ["fail"] * 2
    with pytest.raises(InputError, match=r"condition errors: fail: somebody looked\. .* Nothing was touched"):
        Rollout(world, "2.0").go()
    assert Journal(world.url).latest("web") is None
    assert Rollout(world, "2.0", override="they are known").go()["verdict"] == "converged"
    record = Journal(world.url).rollout(1)
    assert record.plan.overridden == ("errors",)
    assert record.cause == "override: they are known; in spite of condition errors: fail: somebody looked"
