# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changes nothing: the same command again, and check mode. What the balancer is told is read off the wire."""

from __future__ import annotations

import typing as t
from pathlib import Path

from fleet.fleet import POOLS, Fleet

Fixture = t.Callable[..., t.Any]


def test_the_same_command_again_and_check_mode_change_nothing(tmp_path: Path, play: Fixture, untouched: Fixture, wire_to: Fixture) -> None:
    journal = tmp_path / "state.db"
    with Fleet(4, tmp_path) as fleet, wire_to(fleet) as wire:
        fleet.release("2.0.0")
        fleet.release("3.0.0")
        roll = {
            "rollout_version": "2.0.0",
            "rollout_max_unavailable": 2,
            "rollout_balancers": [{"name": "lb1", "address": wire.address, "pools": list(POOLS)}],
        }

        with untouched(fleet):
            preview = play(fleet, roll, "--check")
        assert preview.rc == 0
        assert preview.batches == [["web1", "web2"], ["web3", "web4"]]
        assert not journal.exists()
        assert wire.lines and not wire.writes
        assert not list(fleet.hosts["web1"].root.glob("releases/2.0.0*"))

        assert play(fleet, roll).rc == 0
        assert len(wire.writes) >= 3 * 2 * 4  # drain, maint, ready; two pools; four hosts: the wire does tell
        assert set(fleet.versions().values()) == {"2.0.0"}

        wire.lines.clear()
        written = journal.read_bytes()
        with untouched(fleet):
            again = play(fleet, roll)
        assert (again.rc, again.changed, again.batches) == (0, 0, [])
        assert wire.lines and not wire.writes
        assert journal.read_bytes() == written
        assert 'rollout of "web" to 2.0.0: successfully rolled out' in again.output.splitlines()

        wire.lines.clear()
        with untouched(fleet):
            preview = play(fleet, roll | {"rollout_version": "3.0.0"}, "--check", "--diff")
        assert preview.rc == 0
        assert preview.batches == [["web1", "web2"], ["web3", "web4"]]
        assert wire.lines and not wire.writes
        assert journal.read_bytes() == written
