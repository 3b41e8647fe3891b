# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every host went through the window, and no client noticed."""

from __future__ import annotations

import typing as t

import pytest


@pytest.mark.on("web")
def test_everybody_runs_the_new_version(host: t.Any, health: dict[str, t.Any]) -> None:
    assert (health["status"], health["version"]) == ("up", "2.0.0")
    assert host.check_output("readlink -f /srv/web/current") == "/srv/web/releases/2.0.0"


@pytest.mark.on("lb")
def test_every_balancer_has_every_host_in_service(members: dict[str, str]) -> None:
    assert members == {f"{pool}/web{i}": "UP" for pool in ("web", "sticky") for i in (1, 2, 3)}


def test_no_request_was_lost(load: dict[str, t.Any]) -> None:
    assert load["failures"] == []
    assert set(load["versions"]) == {"1.0.0", "2.0.0"}
