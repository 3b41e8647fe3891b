# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A person who drains, enables or deploys by hand while a rollout goes on: noticed, shown and respected."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils import artifacts
from fleet.breakpoints import Breakpoints
from fleet.fleet import Fleet
from fleet.sampler import Sampler
from fleet.waiting import wait_until

Fixture = t.Callable[..., t.Any]

QUICK: dict[str, t.Any] = {
    "rollout_version": "2.0.0",
    "rollout_max_unavailable": 2,
    "rollout_health_interval": "50ms",
    "rollout_drain_soft": "100ms",
    "rollout_drain_quiet": "100ms",
    "rollout_floor_wait": "500ms",
}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0")
        fleet.release("9.0.0")
        yield fleet


@pytest.fixture
def meddled(fleet: Fleet, start: Fixture) -> Fixture:
    """Roll, and let a person do something by hand before the place's task begins."""

    def roll(place: str, by_hand: Callable[[], None]) -> t.Any:
        stops = Breakpoints(fleet.directory / "stops", place)
        rolling = start(fleet, QUICK, settings=stops.settings)
        rolling.wait_until(lambda: stops.reached(place), place)
        by_hand()
        stops.go(place)
        return rolling.end()

    return roll


def deploy_by_hand(fleet: Fleet, host: str, version: str) -> None:
    root = str(fleet.hosts[host].root)
    artifacts.run(root, version, "active", str(fleet.directory / "artifacts" / f"web-{version}.tar.gz"))
    fleet.control("restart", host)
    wait_until(lambda: fleet.version(host) == version, 30, f"{host} to run {version}")
    fleet.wait_up()


@pytest.mark.parametrize("place", ["Drain#2", pytest.param("Ask the gate#2", marks=pytest.mark.exhaustive)])
def test_a_host_drained_by_hand_before_its_turn_is_never_enabled(place: str, fleet: Fleet, meddled: Fixture, words: Fixture) -> None:
    with Sampler(fleet.balancers) as sampler:
        run = meddled(place, lambda: fleet.set_state("web4", "drain"))
    assert run.rc == 0
    assert "held: web4: somebody put it into drain on lb1/sticky" in run.text
    assert [words(fleet, host) for host in fleet.hosts] == [{"UP"}, {"UP"}, {"UP"}, {"DRAIN"}]
    assert list(fleet.versions().values()) == ["2.0.0"] * 3 + ["1.0.0"]
    assert "web4" not in {absence.host for absence in sampler.absences}


@pytest.mark.exhaustive
def test_a_host_drained_by_hand_after_its_turn_takes_a_place_of_the_floor(fleet: Fleet, meddled: Fixture, words: Fixture) -> None:
    with Sampler(fleet.balancers) as sampler:
        run = meddled("Ask the gate#2", lambda: fleet.set_state("web1", "maint"))
    assert run.rc == 2
    assert "2 of 4 members in service" not in run.text
    assert "3 of 4 members in service, draining web3, web4 would leave 1, the floor is 2" in run.text
    assert "held: web1: " in run.text and "out of rotation: web1 on lb1/sticky, lb1/web (not by a rollout)" in run.text
    assert [words(fleet, host) for host in fleet.hosts] == [{"MAINT"}, {"UP"}, {"UP"}, {"UP"}]
    assert sampler.minimum() == 2, "of the first batch; the second one did not begin"


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "place",
    ["Switch to the release and restart#1", pytest.param("Enable#1", marks=pytest.mark.exhaustive)],
)
def test_a_host_let_in_by_hand_while_we_have_it_out_is_named(place: str, fleet: Fleet, meddled: Fixture, words: Fixture) -> None:
    run = meddled(place, lambda: fleet.set_state("web1", "ready"))
    assert run.rc == 0
    assert "note: web1: it was let in while it was out, by somebody or by a load balancer that started anew" in run.text
    assert "note: web2" not in run.text
    assert set(fleet.versions().values()) == {"2.0.0"}
    assert {word for host in fleet.hosts for word in words(fleet, host)} == {"UP"}


def test_a_host_deployed_by_hand_after_its_turn_is_not_converged(fleet: Fleet, meddled: Fixture, play: Fixture) -> None:
    def by_hand() -> None:
        deploy_by_hand(fleet, "web1", "9.0.0")
        deploy_by_hand(fleet, "web3", "9.0.0")  # whose turn comes

    run = meddled("Ask the gate#2", by_hand)
    assert run.rc == 2
    assert fleet.versions() == {"web1": "9.0.0", "web2": "2.0.0", "web3": "2.0.0", "web4": "2.0.0"}
    assert "halted: web1: it still runs 9.0.0" in run.text or "halted: web1: it runs 9.0.0" in run.text
    assert "note: web1: this rollout had brought it to 2.0.0; somebody has installed 9.0.0 since" in run.text
    assert "note: web3" not in run.text
    again = play(fleet, QUICK)
    assert (again.rc, again.batches) == (0, [["web1"]])
    assert set(fleet.versions().values()) == {"2.0.0"}
