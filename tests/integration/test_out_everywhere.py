# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host is out of every pool of every balancer, or it is where it was; and who failed stays out, whatever a balancer forgets."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest

from fleet.fleet import POOLS, Fleet

Fixture = t.Callable[..., t.Any]


@pytest.mark.parametrize(
    "by_task", [("lb1",), pytest.param((), marks=pytest.mark.exhaustive), pytest.param(("lb1", "lb2"), marks=pytest.mark.exhaustive)]
)
def test_a_balancer_that_takes_no_orders_puts_the_host_back_on_the_other(
    tmp_path: Path, play: Fixture, watching: Fixture, by_task: tuple[str, ...]
) -> None:
    """Whether the step calls them by itself, or tasks do because they are reached from a host that is named."""
    with Fleet(3, tmp_path, balancers=2) as fleet:
        fleet.release("2.0.0")
        first, second = fleet.balancers
        first.ask("set server web/web1 weight 7")
        addresses = {first.name: first.socket, second.name: second.operator_socket}
        balancers = [
            {"name": name, "address": str(path), "pools": list(POOLS), **({"host": "localhost"} if name in by_task else {})}
            for name, path in addresses.items()
        ]
        with watching(fleet) as seen:
            run = play(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 1, "rollout_balancers": balancers})
        assert run.rc == 2
        assert "permission denied" in run.text and '"level admin"' in run.text
        assert {member["status"] for member in fleet.stat()} == {"UP"}
        assert {member["weight"] for member in first.members() if (member["pxname"], member["svname"]) == ("web", "web1")} == {"7"}
        assert set(fleet.versions().values()) == {"1.0.0"}
        assert {absence.host for absence in seen.sampler.absences} == {"web1"}, "it was out, and came back"
    seen.nothing_was_lost()


@pytest.mark.exhaustive
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


def order_by_hand(fleet: Fleet, *commands: str) -> str:
    """A task file that gives the first balancer these orders, from whatever host it runs on."""
    script = fleet.directory / "order.py"
    script.write_text(
        "import socket\n"
        f"for command in {commands!r}:\n"
        "    api = socket.socket(socket.AF_UNIX)\n"
        f"    api.connect({str(fleet.balancers[0].socket)!r})\n"
        "    api.sendall(command.encode() + b'\\n')\n"
        "    assert api.recv(1000).strip() == b'', command\n"
    )
    tasks = fleet.directory / "order.yml"
    tasks.write_text(f"- name: Order\n  ansible.builtin.command: {sys.executable} {script}\n  changed_when: true\n")
    return str(tasks)


def test_what_a_reload_forgets_is_taken_out_again_before_anything_is_restarted(
    tmp_path: Path, play: Fixture, watching: Fixture, words: Fixture
) -> None:
    """In each batch, after the drain: hosts of the batch, and one of a bad version that an earlier rollout left out, unreachable now."""
    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0", {"healthy": False})
        fleet.release("3.0.0")
        assert play(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 1, "rollout_healthy_deadline": "2s"}).rc == 2
        assert words(fleet, "web1") == {"MAINT"}
        forget = order_by_hand(fleet, *(f"set server {pool}/{host} state ready" for pool in POOLS for host in fleet.hosts))
        limits = {"rollout_max_unavailable": 2, "rollout_max_unreachable": 1, "rollout_hooks": {"after_drain": forget}}
        inventory = fleet.inventory(unreachable=["web1"])
        with watching(fleet) as seen:
            run = play(fleet, {"rollout_version": "3.0.0", **limits}, inventory=inventory)
        assert run.rc == 2 and "unreachable: web1" in run.text
        assert list(fleet.versions().values()) == ["2.0.0", "3.0.0", "3.0.0", "3.0.0"]
        assert [words(fleet, host) for host in fleet.hosts] == [{"MAINT"}, {"UP"}, {"UP"}, {"UP"}]
    seen.nothing_was_lost()


def test_a_weight_that_was_set_a_moment_before_the_drain_is_the_one_that_is_kept(tmp_path: Path, play: Fixture) -> None:
    """By a hook, after the gate wrote down what the pools looked like when the rollout was planned: 7."""
    with Fleet(2, tmp_path) as fleet:
        fleet.release("2.0.0")
        (balancer,) = fleet.balancers
        balancer.ask("set server web/web1 weight 7")
        hooks = {"before_drain": order_by_hand(fleet, "set server web/web1 weight 100%")}
        assert play(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 2, "rollout_hooks": hooks}).rc == 0
        assert {member["weight"] for member in balancer.members()} == {"1"}
        assert set(fleet.versions().values()) == {"2.0.0"}
