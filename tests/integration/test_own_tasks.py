# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deploy tasks and hooks of the user's own."""

from __future__ import annotations

import typing as t
from pathlib import Path

from fleet.fleet import Fleet
from fleet.play import ROLLING

Fixture = t.Callable[..., t.Any]
HOOKS = [f"{when}_{step}" for step in ("drain", "deploy", "verify", "enable") for when in ("before", "after")]

DEPLOY = """\
- name: Bring the release in
  convoy.rolling.release:
    root: "{{ rollout_root }}"
    version: "{{ rollout_version }}"
    src: "{{ rollout_artifact }}"
    state: active
- name: Restart by hand
  ansible.builtin.command: "{{ rollout_restart_command }}"
  changed_when: true
- name: Tell
  ansible.builtin.shell: echo deployed >>{{ diary }}/{{ inventory_hostname }}
"""

HOOK = """\
- name: Tell
  ansible.builtin.shell: echo HOOK >>{{ diary }}/{{ inventory_hostname }}
- name: Refuse
  ansible.builtin.fail:
    msg: the warm-up found a cold cache
  when: broken | default('') == inventory_hostname ~ ' HOOK'
"""


def write_tasks(directory: Path) -> dict[str, t.Any]:
    """Task files that keep a diary for each host; returns the variables that name them."""
    (directory / "diary").mkdir()
    (directory / "deploy.yml").write_text(DEPLOY)
    hooks = {}
    for hook in HOOKS:
        path = directory / f"{hook}.yml"
        path.write_text(HOOK.replace("HOOK", hook))
        hooks[hook] = str(path)
    return {"rollout_deploy_tasks": str(directory / "deploy.yml"), "rollout_hooks": hooks, "diary": str(directory / "diary")}


def test_own_tasks_and_hooks_run_in_order_and_a_failing_one_keeps_its_host_out(tmp_path: Path, play: Fixture, words: Fixture) -> None:
    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0")
        fleet.release("3.0.0")
        own = write_tasks(tmp_path) | {"rollout_max_unavailable": 2}

        assert play(fleet, own | {"rollout_version": "2.0.0"}).rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"}
        expected = [*HOOKS[:3], "deployed", *HOOKS[3:]]
        assert {host: (tmp_path / "diary" / host).read_text().split() for host in fleet.hosts} == dict.fromkeys(fleet.hosts, expected)

        run = play(fleet, own | {"rollout_version": "3.0.0", "broken": "web2 after_verify"})
        assert run.rc == 2
        assert "failed: web2: task 'Refuse' failed: the warm-up found a cold cache" in run.text.replace("''", "'")
        assert {host: words(fleet, host) for host in fleet.hosts} == {
            host: {"MAINT"} if host == "web2" else {"UP"} for host in fleet.hosts
        }
        assert list(fleet.versions().values()) == ["3.0.0", "3.0.0", "2.0.0", "2.0.0"]
        assert (tmp_path / "diary" / "web2").read_text().split()[-1] == "after_verify"


def test_own_tasks_without_hooks_in_a_play_of_ones_own(tmp_path: Path, play: Fixture) -> None:
    assert ROLLING.exists()
    with Fleet(2, tmp_path) as fleet:
        fleet.release("2.0.0")
        own = write_tasks(tmp_path) | {"rollout_max_unavailable": 1, "rollout_hooks": {}, "rollout_version": "2.0.0"}
        mine = tmp_path / "mine.yml"
        mine.write_text("- hosts: web\n  gather_facts: false\n  serial: 1\n  roles: [convoy.rolling.rollout]\n")
        assert play(fleet, own, playbook=mine).rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"}
