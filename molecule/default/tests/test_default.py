# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everybody runs the new version and serves, and no client noticed."""

from __future__ import annotations

import typing as t

import pytest

on_app_hosts = pytest.mark.on("web")
on_balancers = pytest.mark.on("lb")


@on_app_hosts
def test_the_process_runs_the_new_version(health: dict[str, t.Any]) -> None:
    assert (health["status"], health["version"]) == ("up", "2.0.0")


@on_app_hosts
def test_the_link_points_to_the_new_release_and_the_old_one_is_kept(host: t.Any) -> None:
    assert host.check_output("readlink -f /srv/web/current") == "/srv/web/releases/2.0.0"
    assert host.file("/srv/web/releases/1.0.0").is_directory


@on_app_hosts
def test_the_unit_runs_as_its_own_user_and_was_started_twice(host: t.Any) -> None:
    unit = host.service("web").systemd_properties
    assert (unit["ActiveState"], unit["SubState"], unit["UnitFileState"]) == ("active", "running", "enabled")
    assert host.process.get(pid=unit["MainPID"]).user == "www-data"
    assert (
        host.check_output("sudo journalctl --unit web --output cat --grep ^Started").splitlines()
        == ["Started web.service - The app of the scenarios."] * 2
    )


@on_balancers
def test_every_balancer_has_every_host_in_service(members: dict[str, str]) -> None:
    assert members == {f"{pool}/web{i}": "UP" for pool in ("web", "sticky") for i in (1, 2, 3)}


def test_no_request_was_lost(load: dict[str, t.Any]) -> None:
    assert load["failures"] == []
    assert {kind: counts["failed"] for kind, counts in load["by_kind"].items()} == {"keep-alive": 0, "close": 0, "slow": 0, "sticky": 0}
    assert min(load["versions"]["1.0.0"], load["versions"]["2.0.0"]) > 100
