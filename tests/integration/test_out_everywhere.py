# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host is out of every pool of every balancer, or it is where it was; and who failed stays out, whatever a balancer forgets."""

from __future__ import annotations

import typing as t
from pathlib import Path

from fleet.fleet import POOLS, Fleet

Fixture = t.Callable[..., t.Any]


def test_a_balancer_that_takes_no_orders_puts_the_host_back_on_the_other(
    tmp_path: Path, play: Fixture, watching: Fixture, words: Fixture
) -> None:
    with Fleet(3, tmp_path, balancers=2) as fleet:
        fleet.release("2.0.0")
        first, second = fleet.balancers
        first.ask("set server web/web1 weight 7")
        addresses = {first.name: first.socket, second.name: second.operator_socket}
        balancers = [{"name": name, "address": str(path), "pools": list(POOLS)} for name, path in addresses.items()]
        with watching(fleet) as seen:
            run = play(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 1, "rollout_balancers": balancers})
        assert run.rc == 2
        assert "permission denied" in run.text and '"level admin"' in run.text
        assert {member["status"] for member in fleet.stat()} == {"UP"}
        assert {member["weight"] for member in first.members() if (member["pxname"], member["svname"]) == ("web", "web1")} == {"7"}
        assert set(fleet.versions().values()) == {"1.0.0"}
        assert {absence.host for absence in seen.sampler.absences} == {"web1"}, "it was out, and came back"
    seen.nothing_was_lost()


def test_a_host_that_failed_is_taken_out_again_when_a_balancer_forgot_it(tmp_path: Path, start: Fixture, words: Fixture) -> None:
    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0", {"healthy": False})
        limits = {"rollout_max_unavailable": 2, "rollout_healthy_deadline": "3s"}
        rolling = start(fleet, {"rollout_version": "2.0.0", **limits})
        rolling.wait_until(lambda: words(fleet, "web2") == {"MAINT"}, "the drain")
        assert words(fleet, "web1") == {"MAINT"}
        # As a reload of HAProxy does.
        fleet.set_state("web1", "ready")
        run = rolling.end()
        assert run.rc == 2
        assert words(fleet, "web1") == words(fleet, "web2") == {"MAINT"}
