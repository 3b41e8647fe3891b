# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that Ansible can't reach is a verdict, with a budget of its own."""

from __future__ import annotations

import typing as t
from pathlib import Path

from fleet.fleet import Fleet

Fixture = t.Callable[..., t.Any]


def test_an_unreachable_host_is_named_and_the_policy_decides_about_the_others(tmp_path: Path, play: Fixture, untouched: Fixture) -> None:
    with Fleet(6, tmp_path) as fleet:
        fleet.release("2.0.0")
        roll = {"rollout_version": "2.0.0", "rollout_max_unavailable": 5}
        cut_off = fleet.inventory(tmp_path / "cut_off.yml", unreachable=["web3"])

        with untouched(fleet):
            strict = play(fleet, roll, inventory=cut_off)
        assert strict.rc not in (0, 250)
        assert "rollout_max_unreachable" in strict.text
        assert "unreachable: web3: " in strict.text
        assert "next: ansible-playbook " in strict.text

        tolerant = play(fleet, roll | {"rollout_max_unreachable": 1}, inventory=cut_off)
        assert tolerant.rc not in (0, 250)
        assert [host for host, version in fleet.versions().items() if version != "2.0.0"] == ["web3"]
        assert {member["status"] for member in fleet.stat()} == {"UP"}
        assert "unreachable: web3: " in tolerant.text
        assert "5 of 6 hosts run 2.0.0 and serve" in tolerant.text

        rest = play(fleet, roll)
        assert (rest.rc, rest.batches) == (0, [["web3"]])
        assert set(fleet.versions().values()) == {"2.0.0"}
