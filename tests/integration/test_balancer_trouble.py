# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Load balancers that go away in the middle: nobody leaves before all answer again, and who is out stays out and is named."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from fleet.breakpoints import Breakpoints
from fleet.fleet import Fleet
from fleet.haproxy import Balancer

Fixture = t.Callable[..., t.Any]

QUICK: dict[str, t.Any] = {
    "rollout_version": "2.0.0",
    "rollout_max_unavailable": 2,
    "rollout_health_interval": "50ms",
    "rollout_healthy_deadline": "3s",
    "rollout_drain_soft": "100ms",
    "rollout_drain_quiet": "100ms",
}


def lose(balancer: Balancer) -> None:
    """Its socket is gone; it goes on serving."""
    balancer.socket.rename(balancer.socket.with_suffix(".lost"))


def find(balancer: Balancer) -> None:
    balancer.socket.with_suffix(".lost").rename(balancer.socket)


@pytest.mark.parametrize(
    ("place", "balancers", "out", "updated"),
    [
        pytest.param("Drain#1", 2, [], [], id="before the first leave", marks=pytest.mark.exhaustive),
        pytest.param("Drain#2", 1, [], ["web1", "web2"], id="before the next leave", marks=pytest.mark.exhaustive),
        pytest.param("Enable#1", 1, ["web1", "web2"], ["web1", "web2"], id="while some are out"),
        pytest.param(
            "Enable#1",
            2,
            ["web1", "web2"],
            ["web1", "web2"],
            id="one of two while some are out",
            marks=pytest.mark.exhaustive,
        ),
        pytest.param(
            "Look at the load balancers#2", 2, [], ["web1", "web2", "web3", "web4"], id="at the end", marks=pytest.mark.exhaustive
        ),
    ],
)
def test_nobody_leaves_while_a_balancer_is_silent_and_who_is_out_is_named(
    place: str, balancers: int, out: list[str], updated: list[str], tmp_path: Path, start: Fixture, play: Fixture
) -> None:
    with Fleet(4, tmp_path, balancers=balancers) as fleet:
        fleet.release("2.0.0")
        journal = Journal(f"sqlite:///{tmp_path}/state.db")
        stops = Breakpoints(tmp_path / "stops", place)
        rolling = start(fleet, QUICK, settings=stops.settings)
        rolling.wait_until(lambda: stops.reached(place), place)
        lost = fleet.balancers[-1]
        lose(lost)
        stops.go(place)
        run = rolling.end()
        again = play(fleet, QUICK)
        find(lost)

        assert run.rc == 2
        assert f"halted: load balancer {lost.name}: No HAProxy answers at {lost.socket}" in run.text
        assert f"not seen: load balancer {lost.name}: " in run.text
        assert "next: ansible-playbook " in run.text
        for host in fleet.hosts:
            assert (f"out of rotation: {host} " in run.text) is (host in out)
            words = {word for (name, _pool), word in fleet.status(host).items() if name == lost.name}
            assert words == ({"MAINT"} if host in out else {"UP"})
        assert {host for host, version in fleet.versions().items() if version == "2.0.0"} == set(updated)
        assert {absence.host for absence in journal.absences("web")} >= set(out)

        assert again.rc == 2
        assert "Nobody leaves rotation until it answers; nothing was touched." in again.text
        last = play(fleet, QUICK)
        assert last.rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"}
        assert {member["status"] for member in fleet.stat()} == {"UP"}
        assert journal.absences("web") == ()


def test_a_balancer_that_restarts_in_the_middle_of_a_batch(tmp_path: Path, start: Fixture) -> None:
    """It forgets who is out. They are taken out again, and nobody is forgotten."""
    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0")
        stops = Breakpoints(tmp_path / "stops", "Switch to the release and restart#1")
        rolling = start(fleet, QUICK, settings=stops.settings)
        rolling.wait_until(lambda: stops.reached("Switch to the release and restart#1"), "the deploy")
        fleet.restart_balancer("lb1")
        assert {word for host in fleet.hosts for word in fleet.status(host).values()} == {"UP"}
        stops.go("Switch to the release and restart#1")
        run = rolling.end()
        assert run.rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"}
        assert {member["status"] for member in fleet.stat()} == {"UP"}
        for host in ("web1", "web2"):
            assert f"note: {host}: it was let in while it was out, by somebody or by a load balancer that started anew" in run.text
