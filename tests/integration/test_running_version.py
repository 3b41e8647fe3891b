# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host runs is what its process answers, whatever its link says."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.convoy.rolling.plugins.module_utils import artifacts
from fleet.fleet import Fleet
from fleet.play import CHECKOUT
from fleet.waiting import wait_until

STATUS = CHECKOUT / "playbooks" / "status.yml"
Fixture = t.Callable[..., t.Any]


def test_a_host_whose_link_is_switched_but_not_its_process_is_not_converged(tmp_path: Path, play: Fixture) -> None:
    asked = {"rollout_version": "2.0.0", "rollout_require_converged": True}
    with Fleet(3, tmp_path, version="2.0.0") as fleet:
        # web2 runs 1.0.0, and then somebody switches its link by hand.
        root = str(fleet.hosts["web2"].root)
        artifacts.run(root, "1.0.0", "active", str(fleet.release("1.0.0")))
        fleet.control("restart", "web2")
        wait_until(lambda: fleet.version("web2") == "1.0.0", 30, "web2 to run 1.0.0")
        artifacts.run(root, "2.0.0", "active", str(fleet.directory / "artifacts" / "web-2.0.0.tar.gz"))
        fleet.wait_up()
        before = {host: fleet.health(host)[1]["pid"] for host in fleet.hosts}

        status = play(fleet, asked, playbook=STATUS)
        assert status.rc == 2
        assert "web2 2.0.0 1.0.0" in status.text  # installed, running

        run = play(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 1})
        assert run.rc == 0
        assert run.batches == [["web2"]]
        assert set(fleet.versions().values()) == {"2.0.0"}
        assert [host for host in fleet.hosts if fleet.health(host)[1]["pid"] != before[host]] == ["web2"]

        status = play(fleet, asked, playbook=STATUS)
        assert status.rc == 0
        assert "web2 2.0.0 2.0.0" in status.text
