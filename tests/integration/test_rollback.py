# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back: by itself, by command, after the fact; and the history that tells of it."""

from __future__ import annotations

import json
import re
import shutil
import typing as t
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils import artifacts
from fleet.fleet import POOLS, Fleet
from fleet.waiting import wait_until

Fixture = t.Callable[..., t.Any]
ROLLBACK, HISTORY, STATUS = "convoy.rolling.rollback", "convoy.rolling.history", "convoy.rolling.status"
LIMITS = {"rollout_max_unavailable": 1}


def verdicts(history: t.Any) -> list[list[str]]:
    """Revision, version and verdict of every line of a history."""
    rows = re.findall(
        r'"(\d+) +(\S+) .* on \S+ +\S+ ?(?:\d+s)? +(converged|halted|rolled back|cancelled|interrupted)(?: \(bad\))?  ', history.output
    )
    return [list(row) for row in rows]


def failures(fleet: Fleet) -> list[dict[str, t.Any]]:
    """Every request that failed under load."""
    lines = map(json.loads, (fleet.directory / "load.jsonl").read_text().splitlines())
    return [line for line in lines if line["event"] == "failed"]


@pytest.mark.parametrize("bad", ["health", pytest.param("traffic", marks=pytest.mark.exhaustive)])
def test_version_that_turns_bad_on_the_third_batch_is_rolled_back_by_itself(
    bad: str, tmp_path: Path, play: Fixture, watching: Fixture
) -> None:
    # Its health fails after two seconds; or only real traffic fails, which the balancer notices by itself.
    behaviour = {"turns_bad_after": 2} if bad == "health" else {"errors_after": 0}
    noticing = "200ms" if bad == "health" else "1s observe layer7 error-limit 1 on-error mark-down"
    patience = {"rollout_health_interval": "500ms", "rollout_min_ready_seconds": "3s", "rollout_healthy_deadline": "8s"}
    with Fleet(3, tmp_path, inter=noticing) as fleet:
        fleet.release("2.0.0", {**behaviour, "only": ["web3"]})
        roll = {"rollout_version": "2.0.0", "rollout_on_failure": "rollback", "rollout_cause": "spring", **LIMITS}
        with watching(fleet) as seen:
            run = play(fleet, {**roll, **(patience if bad == "health" else {"rollout_healthy_deadline": "5s"})})
        assert run.rc == 2
        assert set(fleet.versions().values()) == {"1.0.0"}
        wait_until(lambda: {member["status"] for member in fleet.stat()} == {"UP"}, 60, "every member to be UP")
        assert "rolls back to what ran before the first revision (1.0.0)" in run.text
        assert re.search(r'msg": "rolled back \\"web\\" to what ran before the first revision \(1.0.0\): .*web3', run.text)
        history = play(fleet, {}, playbook=HISTORY)
        assert verdicts(history) == [["1", "2.0.0", "rolled back"], ["2", "1.0.0", "converged"]]
        assert "spring" in history.text
        whole = play(fleet, {"rollout_revision": 1}, playbook=HISTORY)
        assert "rolled back by rollout 2: " in whole.text and "web3: " in whole.text and "controller " in whole.text
        again = play(fleet, {}, playbook=ROLLBACK)
        assert again.rc == 0 and "skipped rollback (fleet already runs " in again.text and again.changed == 0
        # What the bad version answered is its own doing; nothing else was lost.
        others = [one for one in failures(fleet) if (bad, one["why"], one["host"]) != ("traffic", "status 500", "web3")]
        assert not others, others
    if bad == "health":
        seen.nothing_was_lost()
        assert min(seen.lowest(pool) for pool in POOLS) == 2


def test_a_finished_rollout_goes_back_after_a_kill_and_with_hosts_in_trouble(
    tmp_path: Path, start: Fixture, play: Fixture, watching: Fixture
) -> None:
    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0")
        fleet.release("1.5.0")
        for version in ("1.5.0", "2.0.0"):
            assert play(fleet, {"rollout_version": version, "rollout_max_unavailable": 2}).rc == 0
        limits = {"rollout_rollback_max_unavailable": 1, "rollout_reason": "customers complain"}
        with watching(fleet) as seen:
            killed = start(fleet, limits, playbook=ROLLBACK)
            killed.wait_until(lambda: any(fleet.in_service(pool) < 4 for pool in POOLS), "a member is out")
            killed.kill()
            killed.end()
            # web3 has lost the old release, which nobody can fetch any more; web4 can't be reached.
            (fleet.directory / "artifacts" / "web-1.5.0.tar.gz").unlink()
            (fleet.hosts["web3"].root / "releases" / ".1.5.0.json").unlink()
            shutil.rmtree(fleet.hosts["web3"].root / "releases" / "1.5.0")
            inventory = fleet.inventory(fleet.directory / "other.yml", unreachable=["web4"])
            back = play(fleet, limits, playbook=ROLLBACK, inventory=inventory)
        assert back.rc == 2
        assert list(fleet.versions().values()) == ["1.5.0", "1.5.0", "2.0.0", "2.0.0"]
        assert {member["status"] for member in fleet.stat()} == {"UP"}
        assert "unreachable: web4: " in back.text and "failed: web3: version: 1.5.0 is not staged under" in back.text
        assert "convoy.rolling.rollback -e rollout_to_revision=1" in back.text
        # Once both are mended, the same command again finishes.
        fleet.release("1.5.0")
        assert play(fleet, limits, playbook=ROLLBACK).rc == 0
        assert set(fleet.versions().values()) == {"1.5.0"}
        history = play(fleet, {}, playbook=HISTORY)
        assert [row[2] for row in verdicts(history)] == ["converged", "rolled back", "interrupted", "halted", "converged"]
        assert "rollback of revision 2 to revision 1: customers complain" in history.text
        refused = play(fleet, {"rollout_to_revision": 2}, playbook=ROLLBACK)
        assert refused.rc == 2 and "revision 2 (2.0.0) is no good one to go back to" in refused.text
    seen.nothing_was_lost()
    assert min(seen.lowest(pool) for pool in POOLS) == 3


def test_way_back_that_is_not_whole_is_found_before_anybody_leaves(tmp_path: Path, play: Fixture, untouched: Fixture) -> None:
    with Fleet(2, tmp_path) as fleet:
        fleet.release("2.0.0")
        (fleet.hosts["web2"].root / "releases" / "1.0.0" / "app.py").write_text("patched in place")
        roll = {"rollout_version": "2.0.0", **LIMITS}
        with untouched(fleet):
            refused = play(fleet, {**roll, "rollout_way_back": "require", "rollout_on_failure": "rollback"})
        why = "no way back for web2: release 1.0.0 is not what was staged: app.py was changed"
        assert refused.rc == 2 and f"halted: {why}; rollout_way_back is require" in refused.text
        warned = play(fleet, roll)
        assert warned.rc == 0 and why in warned.text


@pytest.mark.exhaustive
def test_own_tasks_go_back_by_themselves_too(tmp_path: Path, play: Fixture) -> None:
    tasks = tmp_path / "deploy.yml"
    with Fleet(3, tmp_path / "fleet") as fleet:
        fleet.release("2.0.0", {"healthy": False, "only": ["web2"]})
        for host in fleet.hosts.values():
            artifacts.run(str(host.root), "2.0.0", "present", str(fleet.directory / "artifacts" / "web-2.0.0.tar.gz"))
        switch = "ln -sfn releases/{{ VERSION }} {{ rollout_root }}/current && {{ rollout_restart_command }}"
        roll = {
            "rollout_version": "2.0.0",
            "rollout_on_failure": "rollback",
            "rollout_healthy_deadline": "3s",
            "rollout_deploy_tasks": str(tasks),
        }
        tasks.write_text(json.dumps([{"name": "Switch", "ansible.builtin.shell": switch.replace("VERSION", "rollout_version")}]))
        refused = play(fleet, {**roll, **LIMITS})
        assert refused.rc == 2 and "write rollout_target there. Nothing was touched." in refused.text
        tasks.write_text(json.dumps([{"name": "Switch", "ansible.builtin.shell": switch.replace("VERSION", "rollout_target")}]))
        run = play(fleet, {**roll, **LIMITS})
        assert run.rc == 2 and 'rolled back \\"web\\" to what ran before the first revision (1.0.0)' in run.text
        assert set(fleet.versions().values()) == {"1.0.0"}
        assert {member["status"] for member in fleet.stat()} == {"UP"}
