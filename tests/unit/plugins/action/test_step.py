# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a step calls what it calls; what comes of it is in test_whole_rollout.py."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.fleets import balancer, fleet, host_input, names, observed, plan, probe
from unit.plugins.plugin_utils.real_action import Run

from ansible_collections.convoy.rolling.plugins.action import step
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import keep_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Step, Verdict

WEB = "lb1/web"
BATCH = ["web1", "web2"]
Calls = list[dict[str, t.Any]]


@pytest.fixture
def journal(state: Path) -> Journal:
    journal = Journal(f"sqlite:///{state}/journal.db")
    ticket = journal.open(plan(3, max_unavailable=2), observed(3).members, Holder.of(1), 100.0)
    journal.leave(ticket, {"web1": {WEB: {"admin": "ready", "weight": 7}}, "web2": {}}, 101.0)
    return journal


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What ``lb_member`` is asked for; every member does as it is told."""
    asked: Calls = []

    def move(params: dict[str, t.Any], check_mode: bool, allowed: t.Callable[[], None]) -> dict[str, t.Any]:
        allowed()
        asked.append({name: value for name, value in params.items() if value is not None})
        rows = [{"member": name, "ok": True, "changed": True, "error": None, "before": {"admin": "ready"}} for name in params["members"]]
        return {"members": rows, "refused": None}

    monkeypatch.setattr(step.members, "run", move)
    return asked


def take(state: Path, name: str, of: Fleet | None = None, **arguments: t.Any) -> dict[str, t.Any]:
    run = Run("\n".join(f"{host} ansible_connection=local" for host in names(3)))
    usual = {"run": {"app": "web", "rollout": 1, "fence": 1}, "fleet": keep_fleet(of or fleet(3)), "hosts": BATCH, "move_timeout": "2m"}
    action = run.action(step.ActionModule, **{**usual, "step": name, "state_url": f"sqlite:///{state}/journal.db", **arguments})
    return action.run(task_vars=run.task_vars)


def test_members_are_drained_over_the_floor_and_recorded(state: Path, journal: Journal, moves: Calls) -> None:
    result = take(state, "drained", options={"soft": "2s", "wait_timeout": "9s"})
    assert result["hosts"] == BATCH
    (move,) = moves
    assert {name: move[name] for name in ("state", "members", "floor", "soft", "wait_timeout", "before")} == {
        "state": "drained",
        "members": BATCH,
        "floor": 1,
        "soft": "2s",
        "wait_timeout": "9s",
        "before": [],
    }
    assert journal.rollout(1).host("web1").step is Step.DRAINED


def test_members_get_back_what_they_had_and_who_failed_is_kept_out(state: Path, journal: Journal, moves: Calls) -> None:
    ticket = step.Ticket("web", 1, 1)
    journal.write(ticket, [HostRecord("web1", Step.VERIFIED), HostRecord("web2", Step.DEPLOYED, Verdict.FAILED)], (), 102.0)
    result = take(state, "back", hosts=["web1"], options={"wait_full_weight": True})
    assert result["progress"]["available"] == 1
    kept, back = moves
    assert (kept["state"], kept["members"], kept["wait_full_weight"]) == ("maintenance", ["web2"], False)
    assert (back["state"], back["members"], back["wait_full_weight"]) == ("restored", ["web1"], True)
    assert back["before"] == [{"name": "web1", "admin": "ready", "weight": 7}]
    assert kept["wait_timeout"] == back["wait_timeout"] == "2m"


def test_slow_start_is_waited_for_where_there_is_one(state: Path, journal: Journal, moves: Calls) -> None:
    take(state, "back", fleet(3, balancer(provider="caddy", hosts=names(3))), options={"wait_full_weight": True})
    assert [move["wait_full_weight"] for move in moves] == [False] * len(moves)


def test_what_is_not_near_comes_as_results(state: Path, journal: Journal, moves: Calls) -> None:
    far = ("lb2", "lb3")
    three = fleet(3, balancer(hosts=names(3)), *(balancer(name, hosts=names(3), host="lb.example") for name in far))

    def result_of(name: str, bad: str = "") -> dict[str, t.Any]:
        rows = [{"member": one, "ok": one != bad, "changed": one != bad, "error": "busy", "before": {"admin": "ready"}} for one in BATCH]
        return {"item": {"name": name, "pool": "web", "members": BATCH, "near": False}, "members": rows}

    result = take(state, "drained", three, moves=[result_of("lb2"), result_of("lb3", "web2")])
    assert [(move["state"], move["address"], move["members"]) for move in moves] == [
        ("drained", "/run/lb1.sock", BATCH),
        ("restored", "/run/lb1.sock", ["web2"]),
    ]
    assert result["hosts"] == ["web1"]
    assert [call["name"] for call in result["restore"]] == ["lb2"]


def test_call_that_fails_as_a_whole_halts_and_is_recorded(state: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_params: t.Any, **_more: t.Any) -> dict[str, t.Any]:
        raise RollingError("Connection refused.")

    monkeypatch.setattr(step.members, "run", refuse)
    assert take(state, "drained")["halted"] == "load balancer lb1: Connection refused."
    assert journal.rollout(1).host("web1").step is Step.LEAVING


def test_hosts_that_need_it_switch_and_restart(state: Path, journal: Journal) -> None:
    hosts = tuple(host_input(name, root=str(state / name)) for name in names(3))
    result = take(state, "deployed", dataclasses.replace(fleet(3), hosts=hosts))
    assert result["hosts"] == []
    assert "2.0 is not staged" in journal.rollout(1).host("web1").why


def test_processes_are_asked_and_commands_were(state: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Calls = []

    def answer(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        asked.append(params)
        return {"targets": [{"name": target["name"], "ok": True} for target in params["targets"]]}

    monkeypatch.setattr(step, "run", answer)
    hosts = (host_input("web1"), host_input("web2", probe=probe(kind="command")), host_input("web3"))
    by_command = {"targets": [{"name": "web2", "ok": False, "failed": "exit 1"}]}
    result = take(state, "verified", dataclasses.replace(fleet(3), hosts=hosts), health=[by_command], options={"interval": "2s"})
    assert [[target["name"] for target in params["targets"]] for params in asked] == [["web1"]]
    assert (asked[0]["interval"], asked[0]["timeout"]) == ("2s", "5s")
    assert result["hosts"] == ["web1"]
    assert journal.rollout(1).host("web2").why == "health check: exit 1"


def test_who_is_out_is_kept_out_before_the_processes_are_asked(state: Path, journal: Journal, moves: Calls) -> None:
    journal.write(step.Ticket("web", 1, 1), [HostRecord("web1", Step.DEPLOYED), HostRecord("web2", Step.DRAINED)], (), 102.0)
    there = dataclasses.replace(fleet(3), hosts=tuple(host_input(name, probe=None) for name in names(3)))
    take(state, "verified", there, options={"interval": "2s"}, move_timeout="3s")
    (move,) = moves
    assert {name: move[name] for name in ("state", "members", "quiet", "on_timeout", "wait_timeout")} == {
        "state": "maintenance",
        "members": BATCH,
        "quiet": "0s",
        "on_timeout": "continue",
        "wait_timeout": "3s",
    }


@pytest.mark.parametrize("name", ["drained", "deployed", "verified", "back"])
def test_controller_that_lost_its_lease_moves_nothing(state: Path, journal: Journal, moves: Calls, name: str) -> None:
    result = take(state, name, hosts=[] if name == "verified" else BATCH, run={"app": "web", "rollout": 1, "fence": 0})
    assert result["failed"] and "has lost its lease" in result["msg"]
    assert moves == []
