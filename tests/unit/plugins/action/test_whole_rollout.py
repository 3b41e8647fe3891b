# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole rollouts with everything that can go wrong, over the real steps and a real journal."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from unit.plugins.action.simulated import Host, Killed, Place, Rollout, World, absent, one_more
from unit.plugins.plugin_utils.fleets import host_input, names

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.interventions import Intervention
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice

ONE: tuple[Place, ...] = (("lb1", "web"),)
TWO: tuple[Place, ...] = (("lb1", "web"), ("lb2", "web"))
LAYOUTS: tuple[tuple[Place, ...], ...] = (ONE, TWO, (("lb1", "api"), ("lb1", "web")))


def world(state: Path, count: int = 6, places: tuple[Place, ...] = ONE, **different: Host) -> World:
    return World(places, [different.get(name, Host(name)) for name in names(count)], one_more(state))


def verdict_of(result: dict[str, t.Any], host: str) -> str:
    return next(str(one["verdict"]) for one in result["hosts"] if one["host"] == host)


def test_fleet_converges_and_the_same_command_again_changes_nothing(state: Path) -> None:
    fleet = world(state, places=TWO)
    rollout = Rollout(fleet, "2.0", max_unavailable=2)
    end = rollout.go()
    assert rollout.planned["batches"] == [2, 2, 2]
    assert (end["verdict"], end["next"], fleet.out(), absent(fleet)) == ("converged", "", set(), set())
    assert end["progress"]["available"] == end["progress"]["total"] == 6
    assert "failed" not in Rollout(fleet, "2.0").status()
    before = fleet.changes
    again = Rollout(fleet, "2.0", max_unavailable=2).go()
    assert (again["live"], again["changed"], fleet.changes) == (False, False, before)
    assert again["progress"]["verdict"] == "converged"


def test_names_of_every_kind_are_carried_through(state: Path) -> None:
    hostile = ["a b", 'it\'s "x"', "a\nline", "a;b", "../x", "x" * 300, "\u043a\u043b\u044e\u0447", "{{ 1 + 1 }}", "%s"]
    fleet = World((("lb 1;", "a\npool"),), [Host(name) for name in hostile], state)
    fleet.fleet = dataclasses.replace(fleet.fleet, hosts=tuple(host_input(name) for name in hostile))
    end = Rollout(fleet, "2.0", max_unavailable=2).go()
    assert (end["verdict"], fleet.out(), absent(fleet)) == ("converged", set(), set())
    assert sorted(one["host"] for one in end["hosts"]) == sorted(hostile)
    assert {host.running for host in fleet.hosts.values()} == {"2.0"}


def test_check_mode_shows_the_batches_and_changes_nothing(state: Path) -> None:
    fleet = world(state)
    shown = Rollout(fleet, "2.0", check_mode=True, max_unavailable=2).go()
    assert (shown["live"], shown["batches"], shown["changed"]) == (False, [2, 2, 2], True)
    assert fleet.changes == 0
    assert not Path(fleet.url.removeprefix("sqlite:///")).exists()


def test_bad_version_halts_in_the_first_batch_and_a_good_one_starts_with_who_is_out(state: Path) -> None:
    fleet = world(state)
    fleet.bad = {"2.0"}
    end = Rollout(fleet, "2.0", max_unavailable=1).go()
    assert (end["verdict"], fleet.out(), absent(fleet)) == ("halted", {"web1"}, {"web1"})
    assert [host.running for host in fleet.hosts.values()] == ["2.0", *["1.0"] * 5]
    assert any("out of rotation: web1" in line for line in end["text"])
    assert end["text"][-1].endswith("-e rollout_version=A_GOOD_VERSION")
    good = Rollout(fleet, "2.1", max_unavailable=1)
    assert good.go()["verdict"] == "converged"
    assert good.planned["order"][0] == "web1"
    assert (fleet.out(), absent(fleet)) == (set(), set())


def test_who_is_out_stays_out_though_a_reload_forgets_it_at_any_time(state: Path) -> None:
    """Hosts of a bad version, and one that an earlier rollout left out and that can't be reached now."""
    fleet = world(state, 4, TWO)
    fleet.bad = {"2.0"}
    Rollout(fleet, "2.0", max_unavailable=1).go()
    fleet.hosts["web1"].reachable, fleet.bad, out = False, {"3.0"}, []
    release, verify = fleet.release, fleet.verify

    def release_and_reload(*arguments: t.Any, **different: t.Any) -> t.Any:
        fleet.reload()
        return release(*arguments, **different)

    def verify_and_reload(*arguments: t.Any) -> t.Any:
        out.append(fleet.out())
        fleet.reload()
        return verify(*arguments)

    vars(fleet).update(release=release_and_reload, verify=verify_and_reload)
    rollout = Rollout(fleet, "3.0", max_unavailable=3, max_unreachable=1, max_failures=4)
    end = rollout.go()
    assert (rollout.planned["order"], rollout.planned["plan"]["left_out"]) == (["web2", "web3", "web4"], ["web1"])
    mine = {"web1", "web2", "web3"}
    assert (end["verdict"], out, fleet.out(), absent(fleet)) == ("halted", [mine], mine, mine)


def test_last_host_failing_is_a_failure(state: Path) -> None:
    fleet = world(state, web6=Host("web6", restarts=False))
    end = Rollout(fleet, "2.0", max_unavailable=1, max_failures=5).go()
    assert (end["verdict"], verdict_of(end, "web6"), fleet.out()) == ("halted", "failed", {"web6"})
    assert sum(host.running == "2.0" for host in fleet.hosts.values()) == 5


def test_process_that_still_runs_the_old_version_has_not_converged(state: Path) -> None:
    fleet = world(state, web1=Host("web1", installed="2.0", running="1.0"), web2=Host("web2", installed="2.0", running="2.0"))
    assert Rollout(fleet, "2.0").status()["failed"]
    rollout = Rollout(fleet, "2.0", max_unavailable=1)
    assert rollout.go()["verdict"] == "converged"
    assert "web1" in rollout.planned["order"] and "web2" not in rollout.planned["order"]


@pytest.mark.parametrize(("budget", "updated"), [(0, 0), (1, 5)])
def test_unreachable_host_is_named_and_the_others_go_as_the_policy_says(state: Path, budget: int, updated: int) -> None:
    fleet = world(state, web3=Host("web3", reachable=False))
    end = Rollout(fleet, "2.0", max_unavailable=1, max_unreachable=budget).go()
    assert (end["verdict"], verdict_of(end, "web3")) == ("halted", "unreachable")
    assert any("unreachable: web3: No route" in line for line in end["text"])
    assert sum(host.running == "2.0" for host in fleet.hosts.values()) == updated


def test_host_that_a_person_took_out_is_held_and_shown_and_fails_nothing(state: Path) -> None:
    fleet = world(state, web2=Host("web2", held=True))
    end = Rollout(fleet, "2.0", max_unavailable=2).go()
    assert (end["verdict"], verdict_of(end, "web2")) == ("converged", "held")
    assert fleet.pools[ONE[0]]["web2"] == "maintenance"
    assert fleet.hosts["web2"].running == "1.0"


def test_host_that_turns_bad_after_it_came_back_counts_as_failed(state: Path) -> None:
    fleet = world(state)

    def sicken() -> None:
        if fleet.hosts["web2"].running == "2.0" and not fleet.out():
            fleet.sick = {"web1"}

    end = Rollout(fleet, "2.0", sicken, max_unavailable=1).go()
    assert (end["verdict"], verdict_of(end, "web1"), absent(fleet)) == ("halted", "failed", set())
    assert end["text"][0].endswith("halted: 1 host failed (web1), rollout_max_failures is 0 of 6")
    assert any("failed: web1: it was fine, and then lb1/web found it down" in line for line in end["text"])
    assert sum(host.running == "2.0" for host in fleet.hosts.values()) == 2


def test_zones_and_groups_hold_all_the_way(state: Path) -> None:
    fleet = world(state, places=TWO)
    zones = {name: "ab"[number % 2] for number, name in enumerate(fleet.hosts)}
    racks = {name: ("r1",) if name in ("web1", "web2") else () for name in fleet.hosts}
    hosts = tuple(dataclasses.replace(host, zone=zones[host.host], apart=racks[host.host]) for host in fleet.fleet.hosts)
    fleet.fleet = dataclasses.replace(fleet.fleet, hosts=hosts)
    most = 0

    def watch() -> None:
        nonlocal most
        out = fleet.out()
        most = max(most, len(out))
        assert max(Counter(zones[name] for name in out).values(), default=0) <= 1
        assert not {"web1", "web2"} <= out

    end = Rollout(fleet, "2.0", watch, max_unavailable=4, max_unavailable_per_zone=1).go()
    assert (end["verdict"], most) == ("converged", 2)


def test_half_drained_host_goes_back_where_it_was(state: Path) -> None:
    fleet = world(state, places=TWO)
    fleet.silent = {"lb2"}
    end = Rollout(fleet, "2.0", max_unavailable=1).go()
    assert fleet.out() == set()
    assert absent(fleet) == set(), "it is seen to serve, so it is back"
    assert (end["verdict"], end["text"][0]) == ("halted", 'rollout of "web" to 2.0: halted: load balancer lb2: Connection refused')
    assert {host.running for host in fleet.hosts.values()} == {"1.0"}


def test_no_room_over_the_floor_halts_and_blames_nobody(state: Path) -> None:
    """Somebody takes members out while the rollout runs."""
    fleet = world(state)
    taken = False

    def meddle() -> None:
        nonlocal taken
        if fleet.changes > 6 and not taken:
            taken = True
            for name in ("web4", "web5", "web6"):
                fleet.hosts[name].held = True
                fleet.pools[ONE[0]][name] = "maintenance"

    end = Rollout(fleet, "2.0", meddle, max_unavailable=2).go()
    assert "the floor" in end["text"][0]
    assert not [one for one in end["hosts"] if one["verdict"] == "failed"]
    assert (fleet.out(), absent(fleet)) == (set(), set())


def test_host_that_a_person_takes_out_while_it_rolls_is_held(state: Path) -> None:
    fleet = world(state, places=TWO)

    def meddle() -> None:
        if fleet.hosts["web1"].running == "2.0":
            fleet.hosts["web4"].held = True
            for pool in fleet.pools.values():
                pool["web4"] = "maintenance"

    end = Rollout(fleet, "2.0", meddle, max_unavailable=2).go()
    assert (end["verdict"], verdict_of(end, "web4"), fleet.hosts["web4"].running) == ("converged", "held", "1.0")
    assert {pool["web4"] for pool in fleet.pools.values()} == {"maintenance"}
    assert (fleet.out(), absent(fleet)) == (set(), set())
    assert end["progress"]["total"] == end["progress"]["available"] == 5


MOMENTS = [*((True, moves) for moves in range(14)), *((False, moves) for moves in range(0, 12, 3))]
OFTEN = {(True, moves) for moves in (1, 3, 5, 7, 10, 12)} | {(False, 3), (False, 9)}


@pytest.mark.parametrize(
    ("near", "moves"), [moment if moment in OFTEN else pytest.param(*moment, marks=pytest.mark.exhaustive) for moment in MOMENTS]
)
def test_controller_that_is_killed_anywhere_leaves_nobody_unknown_and_the_next_one_finishes(state: Path, moves: int, near: bool) -> None:
    fleet = world(state, 2, TWO)
    fleet.dies = 3 + moves
    with contextlib.suppress(Killed):
        Rollout(fleet, "2.0", near=near, max_unavailable=1).go()
    assert fleet.out() <= absent(fleet)
    fleet.dies = None
    again = Rollout(fleet, "2.0", max_unavailable=1)
    end = again.go()
    assert end.get("verdict", "converged") == "converged"
    assert (fleet.out(), absent(fleet)) == (set(), set())
    assert {host.running for host in fleet.hosts.values()} == {"2.0"}
    first = Journal(fleet.url).rollout(1)
    assert first.verdict in (Verdict.INTERRUPTED, Verdict.CONVERGED)


# Not shrunk: an example is up to three rollouts, and minutes would pass.
@settings(
    max_examples=settings.default.max_examples // 5,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_whatever_goes_wrong_the_floor_holds_and_nobody_is_forgotten(state: Path, data: st.DataObject) -> None:
    """Two rollouts with faults anywhere, and a third one without."""
    places = data.draw(st.sampled_from(LAYOUTS))
    chance = st.integers(0, 7).map(bool)
    hosts = [
        Host(name, reachable=data.draw(chance), restarts=data.draw(chance), leaves=data.draw(chance), returns=data.draw(chance))
        for name in names(5)
    ]
    hosts[4].held = data.draw(st.booleans())
    fleet = World(places, hosts, one_more(state))
    limit = data.draw(st.integers(1, 3))

    def watch() -> None:
        for place in places:
            out = {name for name, admin in fleet.pools[place].items() if admin != "ready"}
            assert len(out) <= max(limit, hosts[4].held), f"{out} are out of {place}"
        assert fleet.out() <= absent(fleet)

    limits = {
        "supersede": True,
        "max_unavailable": limit,
        "max_failures": data.draw(st.integers(0, 2)),
        "max_unreachable": data.draw(st.integers(0, 1)),
    }
    near = data.draw(st.booleans())
    for version in ("2.0", "3.0"):
        fleet.bad = data.draw(st.sampled_from([set(), set(), {version}]))
        fleet.silent = data.draw(st.sampled_from([set(), set(), {places[-1][0]}]))
        fleet.hangs_up = data.draw(st.none() | st.integers(0, 6))
        fleet.dies = data.draw(st.none() | st.integers(0, 30))
        with contextlib.suppress(Killed, InputError):
            end = Rollout(fleet, version, watch, near=near, **limits).go()
            if "verdict" in end:
                short = {host.name for host in hosts if not host.held and (not host.reachable or host.running != version)} | fleet.out()
                assert not (short and end["verdict"] == "converged")
                assert fleet.out() == absent(fleet)
                assert all(any(f"out of rotation: {name} " in line for line in end["text"]) for name in fleet.out())
        watch()

    fleet.bad, fleet.silent, fleet.hangs_up, fleet.dies = set(), set(), None, None
    for host in hosts:
        host.reachable = host.restarts = host.leaves = host.returns = True
    if limit > hosts[4].held:
        for _attempt in range(2):
            end = Rollout(fleet, "4.0", watch, **limits).go()
        assert not end["live"], "the same command again changes nothing"
        assert (fleet.out(), absent(fleet)) == (set(), set())
        assert all(host.held or host.running == "4.0" for host in hosts)


def test_second_controller_is_turned_away_and_the_first_goes_on(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = world(state, 2)
    seen = []

    def second() -> None:
        if fleet.changes == 3 and not seen:
            with monkeypatch.context() as patch:
                patch.setattr("os.getppid", lambda: 1)
                with pytest.raises(RollingError) as caught:
                    Rollout(fleet, "3.0", max_unavailable=1).go()
            seen.append(caught.value.message)

    assert Rollout(fleet, "2.0", second, max_unavailable=1).go()["verdict"] == "converged"
    assert "rollout 1 to 2.0 is going on" in seen[0]


def test_person_pauses_and_aborts_and_who_is_out_comes_back_first(state: Path) -> None:
    fleet = world(state)
    told: list[str] = []

    def meddle() -> None:
        person = Intervention(fleet.url, "web", Notice("ann on ci1", "wrong build", fleet.now), str)
        if fleet.changes > 6 and not told:  # the first batch leaves
            told.append(person.pause().text)
            told.append(person.abort().text)

    rollout = Rollout(fleet, "2.0", meddle, max_unavailable=2)
    end = rollout.go()
    assert len(told) == 2
    assert (end["verdict"], fleet.out(), absent(fleet)) == ("cancelled", set(), set())
    assert end["text"][0].startswith('rollout of "web" to 2.0: cancelled: aborted by ann on ci1 at ')
    assert end["text"][-1].endswith("-e rollout_version=2.0"), "it did not fail, so the same command goes on"
    assert sum(host.running == "2.0" for host in fleet.hosts.values()) == 2
    assert Journal(fleet.url).rollout(1).verdict is Verdict.CANCELLED
    assert Rollout(fleet, "2.0", max_unavailable=2).go()["verdict"] == "converged"


def test_other_version_supersedes_a_killed_rollout_and_begins_with_its_half_done_hosts(state: Path) -> None:
    fleet = world(state)
    fleet.dies = 12
    with contextlib.suppress(Killed):
        Rollout(fleet, "2.0", max_unavailable=1).go()
    half_done = absent(fleet)
    assert half_done
    fleet.dies = None
    other = Rollout(fleet, "3.0", max_unavailable=1)
    assert other.go()["verdict"] == "converged"
    assert other.planned["order"][0] in half_done
    old = Journal(fleet.url).rollout(1)
    assert (old.verdict, old.reason) == (Verdict.CANCELLED, "superseded by rollout 2")
