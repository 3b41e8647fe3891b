# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan as the step shows, writes and opens it."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from unit.plugins.action.simulated import Host, Rollout, World, one_more
from unit.plugins.plugin_utils.fleets import names

from ansible_collections.convoy.rolling.plugins.action import plan
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal

AT_NOON = {"windows": [{"from": "12:00", "to": "13:00"}]}
"""The worlds' clocks start at 00:16."""


def planned(world: World, check_mode: bool = False, limits: dict[str, t.Any] | None = None, **arguments: t.Any) -> dict[str, t.Any]:
    rollout = Rollout(world, "2.0", check_mode=check_mode, **{"max_unavailable": 2, **(limits or {})})
    return rollout._do(plan, version="2.0", observed=world.look(), **arguments)


def refused(world: World, **arguments: t.Any) -> str:
    with pytest.raises(InputError) as caught:
        planned(world, **arguments)
    assert "othing was touched" in caught.value.message
    assert Journal(world.url).latest("web") is None
    return caught.value.message


@pytest.fixture
def world(state: Path) -> World:
    return World((("lb1", "web"),), [Host(name) for name in names(6)], one_more(state))


def test_plan_for_machines_has_its_hash_and_what_it_comes_to(world: World, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    shown = planned(world, plan_only=True, plan_path=str(path))
    assert json.loads(path.read_text()) == shown["plan"]
    assert shown["text"][-1] == f"hash  {shown['plan']['hash']}"
    assert shown["plan"]["forecast"]["capacity"] == [{"place": "lb1/web", "lowest": 4, "of": 6, "batch": 1}]
    assert (shown["plan"]["not_now"], shown["live"]) == ("", False)


def test_check_mode_writes_no_file(world: World, tmp_path: Path) -> None:
    planned(world, check_mode=True, plan_path=str(tmp_path / "plan.json"))
    assert not list(tmp_path.iterdir())


def test_file_that_can_not_be_written_stops_the_rollout(world: World, tmp_path: Path) -> None:
    assert "rollout_plan_path" in refused(world, plan_path=str(tmp_path / "nowhere" / "plan.json"))


def test_plan_that_was_looked_at_is_carried_out_and_another_one_is_not(world: World) -> None:
    digest = planned(world, plan_only=True)["plan"]["hash"]
    world.hosts["web2"].installed = world.hosts["web2"].running = "2.0"
    assert "the hosts, their order or their batches changed" in refused(world, plan_hash=digest)
    world.hosts["web2"].installed = world.hosts["web2"].running = "1.0"
    assert planned(world, plan_hash=digest)["live"]


def test_converged_fleet_needs_no_hash_to_stay_so(world: World) -> None:
    digest = planned(world, plan_only=True)["plan"]["hash"]
    assert Rollout(world, "2.0", max_unavailable=2).go()["verdict"] == "converged"
    assert not planned(world, plan_hash=digest)["live"]


def test_outside_its_windows_a_rollout_is_shown_and_not_started(world: World) -> None:
    shown = planned(world, plan_only=True, limits=AT_NOON)
    assert "not now  rollout_windows: none of every day 12:00-13:00 UTC is open; the next opens 1970-01-01 12:00 UTC" in shown["text"]
    message = refused(world, limits=AT_NOON)
    assert message.startswith("rollout_windows: ") and "rollout_override" in message


def test_override_is_recorded_with_its_reason(world: World) -> None:
    ticket = planned(world, limits={**AT_NOON, "override": "it burns"}, cause="fix the login")["ticket"]
    assert Journal(world.url).rollout(ticket["rollout"]).cause == "fix the login; override: it burns"


def test_window_that_closes_while_it_rolls_halts_before_the_next_batch(world: World) -> None:
    closes = {"windows": [{"from": "00:00", "to": "00:17"}]}
    end = Rollout(world, "2.0", max_unavailable=2, **closes).go()
    assert end["verdict"] == "halted" and "rollout_windows" in end["text"][0]
    assert 0 < sum(host.running == "2.0" for host in world.hosts.values()) < 6
    assert world.out() == set()
    assert Rollout(world, "2.0", max_unavailable=2, **closes, override="go on").go()["verdict"] == "converged"


def test_second_plan_knows_how_long_the_first_took(world: World) -> None:
    assert "takes  nobody knows yet: no rollout of the app has brought a host back" in planned(world, plan_only=True)["text"]
    Rollout(world, "1.9", max_unavailable=2).go()
    assert any(line.endswith("if hosts are out as long as 6 were before") for line in planned(world, plan_only=True)["text"])


def test_half_finished_rollout_is_not_started_over_with_a_third_version_by_accident(world: World) -> None:
    for name in ("web1", "web2", "web3"):
        world.hosts[name].installed = world.hosts[name].running = "1.5"
    assert "2.0 would be version number 3 in service" in refused(world)
    assert Rollout(world, "2.0", max_unavailable=2, supersede=True).go()["verdict"] == "converged"
