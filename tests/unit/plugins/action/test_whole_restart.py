# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole restarts, over the real steps and a real journal: who was started anew, and who was not."""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

import pytest
from unit.plugins.action.simulated import Host, Killed, Rollout, World, absent
from unit.plugins.plugin_utils.fleets import names

from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART


def world(state: Path, count: int = 4, tells: bool = True, **different: Host) -> World:
    return World((("lb1", "web"),), [different.get(name, Host(name, tells=tells)) for name in names(count)], state)


def restart(fleet: World, **different: t.Any) -> Rollout:
    return Rollout(fleet, RESTART, **{"max_unavailable": 1, **different})


def starts(fleet: World) -> list[int]:
    return [host.starts for host in fleet.hosts.values()]


@pytest.mark.parametrize("tells", [True, False])
def test_every_process_is_started_anew_each_time_and_keeps_its_version(state: Path, tells: bool) -> None:
    fleet = world(state, 2, tells, web2=Host("web2", "2.0", "2.0", "2.0", tells=tells))
    for time in (2, 3):
        end = restart(fleet).go()
        assert end["text"] == ['rollout of "web" (restart): converged: 2 of 2 hosts were restarted and serve']
        assert starts(fleet) == [time] * 2
    assert [host.running for host in fleet.hosts.values()] == ["1.0", "2.0"]
    assert (fleet.out(), absent(fleet)) == (set(), set())
    shown = Rollout(fleet, "").status()
    assert (shown["version"], "newest rollout: 2 (restart): converged" in shown["text"]) == ("1.0", True)


@pytest.mark.parametrize(("moves", "tells"), [(5, False), (10, True)])
def test_killed_restart_goes_on_with_who_is_left(state: Path, moves: int, tells: bool) -> None:
    fleet = world(state, 2, tells)
    fleet.dies = 3 + moves
    with contextlib.suppress(Killed):
        restart(fleet).go()
    done, fleet.dies = starts(fleet), None
    again = restart(fleet)
    assert again.go()["verdict"] == "converged"
    # Where nothing tells, whoever was restarted and not recorded is so twice.
    assert all(now == 2 or (not tells and then == 2 and now == 3) for then, now in zip(done, starts(fleet), strict=True))
    assert sum(starts(fleet)) <= 5
    assert (fleet.out(), absent(fleet)) == (set(), set())
    assert any("goes on with rollout 1, which began to restart at " in line for line in again.planned["text"])
    assert restart(fleet).go()["verdict"] == "converged"
    assert min(starts(fleet)) == 3, "that one is over, and the next begins anew"


def test_restart_that_was_killed_after_its_last_host_is_closed_by_the_next_run(state: Path) -> None:
    fleet = world(state, 2)

    def kill_at_the_end() -> None:
        if starts(fleet) == [2, 2] and not absent(fleet):
            fleet.dies = 0

    with pytest.raises(Killed):
        restart(fleet, watch=kill_at_the_end).go()
    fleet.dies = None
    again = restart(fleet)
    assert (again.go()["verdict"], again.planned["order"], starts(fleet)) == ("converged", [], [2, 2])
    assert (restart(fleet).go()["verdict"], starts(fleet)) == ("converged", [3, 3]), "or nobody would ever be restarted again"


def test_restart_that_halted_goes_on_or_begins_anew(state: Path) -> None:
    fleet = world(state, 3, web2=Host("web2", restarts=False))
    end = restart(fleet).go()
    assert (end["verdict"], starts(fleet), fleet.out()) == ("halted", [2, 1, 1], {"web2"})
    assert "rollout_version" not in end["next"]
    fleet.hosts["web2"].restarts = True
    shown = restart(fleet, check_mode=True).go()
    assert shown["plan"]["skipped"] == {"web1": "it was restarted already"}
    assert restart(fleet, check_mode=True, anew=True).go()["order"] == ["web2", "web1", "web3"]
    assert restart(fleet).go()["verdict"] == "converged"
    assert starts(fleet) == [2] * 3


def test_process_that_survived_what_should_have_restarted_it_stops_the_restart(state: Path) -> None:
    fleet = world(state, 2)

    def nothing(hosts: t.Iterable[str], *_more: t.Any, **_named: t.Any) -> dict[str, t.Any]:
        return {name: {"ok": True, **fleet.hosts[name].mark} for name in hosts}

    vars(fleet).update(release=nothing)
    end = restart(fleet).go()
    assert end["verdict"] == "halted" and "web1: it was not started anew: its process" in " ".join(end["text"])
    assert fleet.out() == {"web1"}


def test_rollout_in_between_ends_what_there_was_to_go_on_with(state: Path) -> None:
    fleet = world(state, 2)
    fleet.dies = 10
    with contextlib.suppress(Killed):
        restart(fleet).go()
    fleet.dies = None
    assert Rollout(fleet, "2.0", max_unavailable=1).go()["verdict"] == "converged"
    assert Journal(fleet.url).rollout(1).reason == "superseded by rollout 2"
    assert len(restart(fleet, check_mode=True).go()["order"]) == 2
