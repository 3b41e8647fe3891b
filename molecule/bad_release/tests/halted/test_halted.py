# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host is out on the bad version, the others never left the old one."""

from __future__ import annotations

import typing as t

import pytest


@pytest.mark.on("web")
def test_only_the_first_host_got_the_bad_version(host: t.Any, health: dict[str, t.Any]) -> None:
    first = host.check_output("hostname") == "web1"
    assert (health["status"], health["version"]) == (("down", "3.0.0-bad") if first else ("up", "1.0.0"))
    assert host.check_output("readlink -f /srv/web/current") == f"/srv/web/releases/{'3.0.0-bad' if first else '1.0.0'}"


@pytest.mark.on("lb")
def test_it_is_out_of_every_pool_and_the_others_serve(members: dict[str, str]) -> None:
    assert members == {f"{pool}/web{i}": "MAINT" if i == 1 else "UP" for pool in ("web", "sticky") for i in (1, 2, 3)}
