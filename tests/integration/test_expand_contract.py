# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs once for the fleet: before anybody is drained, and after all have converged; killed, failed and gone on with."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from fleet.breakpoints import Breakpoints
from fleet.fleet import Fleet

Fixture = t.Callable[..., t.Any]

HOOK = """\
- name: Refuse
  ansible.builtin.fail:
    msg: the table is locked
  when: broken | default('') == 'HOOK'
- name: Tell
  ansible.builtin.shell: echo HOOK >>{{ diary }}
"""


def test_each_runs_once_whatever_happens_in_between(tmp_path: Path, start: Fixture, play: Fixture, untouched: Fixture) -> None:
    diary = tmp_path / "diary"
    for hook in ("expand", "contract"):
        (tmp_path / f"{hook}.yml").write_text(HOOK.replace("HOOK", hook))
    with Fleet(2, tmp_path) as fleet:
        fleet.release("2.0.0")
        fleet.release("3.0.0")
        roll = {
            "rollout_version": "2.0.0",
            "rollout_max_unavailable": 2,
            "rollout_hooks": {hook: str(tmp_path / f"{hook}.yml") for hook in ("expand", "contract")},
            "diary": str(diary),
        }
        journal = Journal(f"sqlite:///{tmp_path}/state.db")

        stops = Breakpoints(tmp_path / "stops", "Switch to the release and restart#1")
        killed = start(fleet, roll, settings=stops.settings)
        killed.wait_until(lambda: stops.reached("Switch to the release and restart#1"), "the restart")
        killed.kill()
        killed.end()
        assert diary.read_text().split() == ["expand"]

        # All converge, and then the contract fails.
        failed = play(fleet, roll | {"broken": "contract"})
        assert failed.rc == 2 and set(fleet.versions().values()) == {"2.0.0"}
        assert "halted: rollout_hooks.contract: task 'Refuse' failed: the table is locked" in failed.text.replace("''", "'")
        assert diary.read_text().split() == ["expand"], "a rollout that is gone on with does not expand again"
        assert journal.rollout(2).contracted_at is None

        with untouched(fleet):
            left = play(fleet, roll)
            assert left.rc == 0 and "the tasks of rollout_hooks.contract are left" in left.text
            assert diary.read_text().split() == ["expand", "contract"]
            assert journal.rollout(3).contracted_at is not None
            nothing = play(fleet, roll)
            assert (nothing.rc, nothing.changed) == (0, 0)
            assert diary.read_text().split() == ["expand", "contract"]

            refused = play(fleet, roll | {"rollout_version": "3.0.0", "broken": "expand"})
            assert refused.rc == 2
            assert "halted: rollout_hooks.expand: task 'Refuse' failed: the table is locked" in refused.text.replace("''", "'")
            assert diary.read_text().split() == ["expand", "contract"]
