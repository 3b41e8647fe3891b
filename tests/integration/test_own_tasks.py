# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deploy tasks and hooks of the user's own."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from fleet.fleet import Fleet

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
    with Fleet(3, tmp_path) as fleet:
        fleet.release("2.0.0")
        fleet.release("3.0.0")
        own = write_tasks(tmp_path) | {"rollout_max_unavailable": 3}

        assert play(fleet, own | {"rollout_version": "2.0.0"}).rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"}
        expected = [*HOOKS[:3], "deployed", *HOOKS[3:]]
        assert {host: (tmp_path / "diary" / host).read_text().split() for host in fleet.hosts} == dict.fromkeys(fleet.hosts, expected)

        run = play(fleet, own | {"rollout_version": "3.0.0", "rollout_max_unavailable": 2, "broken": "web2 after_verify"})
        assert run.rc == 2
        assert "failed: web2: task 'Refuse' failed: the warm-up found a cold cache" in run.text.replace("''", "'")
        assert {host: words(fleet, host) for host in fleet.hosts} == {host: {"MAINT"} if host == "web2" else {"UP"} for host in fleet.hosts}
        assert list(fleet.versions().values()) == ["3.0.0", "3.0.0", "2.0.0"]  # the budget is 0, and web3 stays
        assert (tmp_path / "diary" / "web2").read_text().split()[-1] == "after_verify"


@pytest.mark.parametrize(
    ("tasks", "why"),
    [
        pytest.param("- name: Migrate\n  ansible.builtin.fail: {msg: no such table}\n", "task 'Migrate' failed: no such table", id="fails"),
        # Ansible takes such a host out of the play, rescue or not, and would end the run without a word about who is out.
        pytest.param(
            "- ansible.builtin.include_tasks: nowhere.yml\n",
            "failed: its tasks could not be read",
            id="can't be read",
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_a_deploy_task_that_fails_keeps_its_host_out_whatever_its_health_says(
    tasks: str, why: str, tmp_path: Path, play: Fixture, words: Fixture
) -> None:
    with Fleet(2, tmp_path) as fleet:
        mine = tmp_path / "mine.yml"
        mine.write_text("- hosts: web\n  gather_facts: false\n  serial: 1\n  roles: [convoy.rolling.rollout]\n")
        (tmp_path / "deploy.yml").write_text(tasks)
        own = {
            "rollout_version": "2.0.0",
            "rollout_max_unavailable": 1,
            "rollout_deploy_tasks": str(tmp_path / "deploy.yml"),
            # It would pass: the old version goes on answering.
            "rollout_health": {"url": "http://127.0.0.1:{{ app_port }}/health"},
        }
        run = play(fleet, own, playbook=mine)
        assert run.rc == 2
        assert [words(fleet, host) for host in fleet.hosts] == [{"MAINT"}, {"UP"}]
        assert why in run.text.replace("''", "'")
        assert "failed: web1: task " in run.text
        assert "next: ansible-playbook " in run.text
