# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller is gone; the first host is done, the second is out, the third was not touched."""

from __future__ import annotations

import typing as t

import pytest


@pytest.mark.on("web1", "web3")
def test_the_first_is_done_and_the_third_untouched(host: t.Any, health: dict[str, t.Any]) -> None:
    version = {"web1": "2.0.0", "web3": "1.0.0"}[host.check_output("hostname")]
    assert (health["status"], health["version"]) == ("up", version)


@pytest.mark.on("lb")
def test_the_second_is_out_of_every_pool(members: dict[str, str]) -> None:
    assert members == {f"{pool}/web{i}": "MAINT" if i == 2 else "UP" for pool in ("web", "sticky") for i in (1, 2, 3)}
