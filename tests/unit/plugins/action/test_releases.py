# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import sys
import tarfile
import typing as t
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.fleets import fleet, plan
from unit.plugins.plugin_utils.real_action import Run

from ansible_collections.convoy.rolling.plugins.action.releases import ActionModule
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import keep_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import as_data

LOCAL = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
HOSTS = f"web1 {LOCAL}\nweb2 {LOCAL}"


@pytest.fixture
def kept(state: Path) -> str:
    """A fleet of two hosts that are directories."""
    artifact = state / "web.tar.gz"
    (state / "VERSION").write_text("2.0")
    with tarfile.open(artifact, "w:gz") as archive:
        archive.add(state / "VERSION", "VERSION")
    two = fleet(2)
    hosts = [
        dataclasses.replace(host, root=str(state / host.host), artifact=str(artifact), restart=f"touch {state / host.host}/restarted")
        for host in two.hosts
    ]
    return keep_fleet(dataclasses.replace(two, hosts=tuple(hosts)))


def do(kept: str, state: str, inventory: str = HOSTS, task: dict[str, t.Any] | None = None, **arguments: t.Any) -> dict[str, t.Any]:
    run = Run(inventory, **(task or {}))
    return run.action(ActionModule, fleet=kept, state=state, **arguments).run(task_vars=run.task_vars)


def test_release_is_staged_and_switched_to_on_every_host_at_once(kept: str, state: Path) -> None:
    assert do(kept, "observed") == {"changed": False, "hosts": {"web1": {"active": None}, "web2": {"active": None}}}
    staged = do(kept, "staged", version="2.0")
    assert staged["changed"] and all(answer["ok"] for answer in staged["hosts"].values())
    assert not do(kept, "staged", version="2.0")["changed"]
    switched = do(kept, "active", version="2.0", hosts=["web2"])
    assert list(switched["hosts"]) == ["web2"]
    assert ((state / "web2/restarted").exists(), (state / "web1/restarted").exists()) == (True, False)
    assert do(kept, "observed")["hosts"] == {"web1": {"active": None}, "web2": {"active": "2.0"}}


def test_check_mode_touches_no_host(kept: str, state: Path) -> None:
    for what in ("staged", "active"):
        assert do(kept, what, task={"check_mode": True}, version="2.0") == {"changed": True, "hosts": {}, "skipped_in_check_mode": True}
    assert do(kept, "observed", task={"check_mode": True})["hosts"]["web1"] == {"active": None}
    assert not (state / "web1").exists()


def test_host_that_is_cut_off_is_a_value_beside_the_others(kept: str) -> None:
    nowhere = "ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1"
    looked = do(kept, "observed", f"web1 {nowhere}\nweb2 {LOCAL}")["hosts"]
    assert "Connection refused" in looked["web1"]["unreachable"]
    assert looked["web2"] == {"active": None}


def test_nobody_is_nothing_to_do(kept: str) -> None:
    assert do(kept, "active", version="2.0", hosts=[]) == {"changed": False, "hosts": {}}


def test_controller_that_lost_its_lease_switches_nothing(kept: str, state: Path) -> None:
    do(kept, "staged", version="2.0")
    url = f"sqlite:///{state}/journal.db"
    ticket = Journal(url).open(plan(2, max_unavailable=1), (), Holder.of(1), 100.0)
    lease = {"run": as_data(ticket), "state_url": url}
    assert do(kept, "active", version="2.0", hosts=["web1"], lease=lease)["hosts"]["web1"]["ok"]
    Journal(url).close(ticket, Verdict.HALTED, "", 101.0)
    refused = do(kept, "active", version="2.0", hosts=["web2"], lease=lease)
    assert refused["failed"] and "has lost its lease" in refused["msg"]
    assert not (state / "web2/restarted").exists()
