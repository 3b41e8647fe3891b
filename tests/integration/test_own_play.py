# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role alone, in a play of the user's own."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from fleet.fleet import POOLS, Fleet

Fixture = t.Callable[..., t.Any]

PLAY = """\
- hosts: web
  gather_facts: false
  {serial}
  vars:
    rollout_balancers:
      - name: front
        address: {socket}
        pools: [web, sticky]
    rollout_max_unavailable: 2
    rollout_health_interval: 200ms
    rollout_healthy_deadline: 5s
  roles:
    - convoy.rolling.rollout
"""


def test_the_role_alone_rolls_with_the_play_s_serial_and_without(tmp_path: Path, play: Fixture, watching: Fixture, words: Fixture) -> None:
    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0")
        fleet.release("3.0.0", {"healthy": False})
        fleet.release("4.0.0")
        inventory = inventory_without(fleet, "rollout_balancers", "rollout_health_interval", "rollout_healthy_deadline")

        def roll(version: str, serial: str) -> t.Any:
            (tmp_path / "mine.yml").write_text(PLAY.format(serial=serial, socket=fleet.balancers[0].socket))
            return play(fleet, {"rollout_version": version}, playbook=tmp_path / "mine.yml", inventory=inventory)

        with watching(fleet) as seen:
            in_twos = roll("2.0.0", "serial: 2")
            assert in_twos.rc == 0
            assert set(fleet.versions().values()) == {"2.0.0"}
            bad = roll("3.0.0", "serial: 2")
            assert bad.rc == 2
            assert [words(fleet, host) for host in fleet.hosts] == [{"MAINT"}] * 2 + [{"UP"}] * 2
            assert list(fleet.versions().values()) == ["3.0.0"] * 2 + ["2.0.0"] * 2
            at_once = roll("4.0.0", "")
            assert at_once.rc == 0
            assert set(fleet.versions().values()) == {"4.0.0"}
            assert {member["status"] for member in fleet.stat()} == {"UP"}
    assert "failed: web1: health check: " in bad.text and "next: ansible-playbook " in bad.text
    assert 'rollout of "web" to 4.0.0: successfully rolled out' in at_once.output.splitlines()
    seen.nothing_was_lost()
    assert min(seen.lowest(pool) for pool in POOLS) == 2


def inventory_without(fleet: Fleet, *names: str) -> Path:
    """The fleet's inventory, less what the play brings itself."""
    path = fleet.inventory(fleet.directory / "less.yml")
    inventory = json.loads(path.read_text())
    for name in names:
        del inventory["web"]["vars"][name]
    path.write_text(json.dumps(inventory))
    return path
