# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that fails is put back alone, after the first host has rehearsed the way back; under load, in batches and in a window."""

from __future__ import annotations

import json
import typing as t
from itertools import groupby
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils import artifacts
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from fleet.fleet import POOLS, Fleet
from fleet.waiting import wait_until

Fixture = t.Callable[..., t.Any]
ROLL = {
    "rollout_version": "2.0.0",
    "rollout_max_unavailable": 1,
    "rollout_max_failures": 1,
    "rollout_on_host_failure": "revert",
    "rollout_healthy_deadline": "6s",
}


def way_of(journal: Journal, host: str) -> list[str]:
    """The parts of a host's way, as the journal's events tell them, one after another."""
    legs = [event.detail.get("leg", "") for event in journal.events("web") if event.host == host and event.kind != "planned"]
    return [leg for leg, _events in groupby(legs)]


@pytest.mark.parametrize("mode", ["serial", "window"])
def test_first_host_rehearses_and_who_fails_is_put_back_alone(mode: str, tmp_path: Path, play: Fixture, watching: Fixture) -> None:
    with Fleet(3, tmp_path) as fleet:
        fleet.release("2.0.0", {"healthy": False, "only": ["web2"]})
        with watching(fleet) as seen:
            run = play(fleet, {**ROLL, "rollout_rehearse": True, "rollout_mode": mode}, "--forks", "4")
        assert run.rc == 2
        assert list(fleet.versions().values()) == ["2.0.0", "1.0.0", "2.0.0"]
        wait_until(lambda: {member["status"] for member in fleet.stat()} == {"UP"}, 60, "every member to be UP")
        assert "rehearsal web1: to 2.0.0, back to 1.0.0, to 2.0.0 again, before anybody else leaves" in run.text
        assert "it was put back on 1.0.0" in run.text and "out of rotation: " not in run.text
        journal = Journal(f"sqlite:///{tmp_path}/state.db")
        assert way_of(journal, "web1") == ["", "rehearsal, back", "rehearsal, again"]
        assert way_of(journal, "web2") == ["", "revert"] and way_of(journal, "web3") == [""]
        kinds = [(event.kind, event.host) for event in journal.events("web")]
        others = min(place for place, (kind, host) in enumerate(kinds) if kind == "leaving" and host != "web1")
        assert kinds.index(("back", "web1")) < others and kinds.index(("rehearsed", None)) < others
        assert journal.absences("web") == ()
    seen.nothing_was_lost()
    assert min(seen.lowest(pool) for pool in POOLS) == 2


@pytest.mark.exhaustive
def test_a_rollout_whose_hosts_were_all_put_back_is_rolled_back_all_the_same(tmp_path: Path, play: Fixture) -> None:
    """Nobody is left to roll, and its version is bad from then on."""
    with Fleet(2, tmp_path) as fleet:
        fleet.release("2.0.0", {"healthy": False})
        roll = {**ROLL, "rollout_max_failures": 0, "rollout_on_failure": "rollback"}
        run = play(fleet, roll)
        assert run.rc == 2 and 'rolled back \\"web\\" to what ran before the first revision (1.0.0)' in run.text
        assert set(fleet.versions().values()) == {"1.0.0"} and {member["status"] for member in fleet.stat()} == {"UP"}
        history = play(fleet, {}, playbook="convoy.rolling.history")
        assert "rolled back" in history.text
        refused = play(fleet, {"rollout_to_revision": 1}, playbook="convoy.rolling.rollback")
        assert refused.rc == 2 and "is no good one to go back to: rolled back by rollout 2" in refused.text


@pytest.mark.exhaustive
def test_own_tasks_rehearse_and_put_back_too(tmp_path: Path, play: Fixture, watching: Fixture) -> None:
    tasks, hook = tmp_path / "deploy.yml", tmp_path / "hook.yml"
    with Fleet(3, tmp_path / "fleet") as fleet:
        fleet.release("2.0.0")
        for host in fleet.hosts.values():
            artifacts.run(str(host.root), "2.0.0", "present", str(fleet.directory / "artifacts" / "web-2.0.0.tar.gz"))
        switch = "ln -sfn releases/{{ VERSION }} {{ rollout_root }}/current && {{ rollout_restart_command }}"
        fails = "{{ inventory_hostname != 'web2' or rollout_target != '2.0.0' }}"
        seen_by_hook = f"echo {{{{ inventory_hostname }}}} {{{{ rollout_target }}}} >> {tmp_path}/hook.log"
        hook.write_text(json.dumps([{"name": "Note", "ansible.builtin.shell": seen_by_hook}]))
        roll = {**ROLL, "rollout_rehearse": True, "rollout_deploy_tasks": str(tasks), "rollout_hooks": {"after_deploy": str(hook)}}

        def write_tasks(variable: str) -> None:
            deploy = {"name": "Switch", "ansible.builtin.shell": switch.replace("VERSION", variable)}
            tasks.write_text(json.dumps([deploy, {"name": "Fail", "ansible.builtin.assert": {"that": fails}}]))

        write_tasks("rollout_version")
        refused = play(fleet, roll)
        assert refused.rc == 2 and "when rollout_on_host_failure goes back; write rollout_target there" in refused.text
        write_tasks("rollout_target")
        with watching(fleet) as seen:
            run = play(fleet, roll)
        assert run.rc == 2 and list(fleet.versions().values()) == ["2.0.0", "1.0.0", "2.0.0"]
        assert "web2: task 'Fail' failed: " in run.text and "it was put back on 1.0.0" in run.text
        assert (tmp_path / "hook.log").read_text().splitlines() == [
            *(f"web1 {version}.0.0" for version in (2, 1, 2)),
            "web2 1.0.0",
            "web3 2.0.0",
        ]
        assert {member["status"] for member in fleet.stat()} == {"UP"}
    seen.nothing_was_lost()
