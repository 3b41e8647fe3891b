# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible import constants
from unit.plugins.plugin_utils.fleets import balancer, fleet, host_input, probe

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.conditions import parse_conditions
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import keep_fleet, load_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet


@pytest.fixture(autouse=True)
def _tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))


@pytest.mark.parametrize(
    "kept",
    [
        fleet(2, balancer(ports={"web1": 80}, ignore_pools=("old",)), balancer("lb2", ["api", "web"], host="lb.example", become=True)),
        Fleet(
            "web",
            (
                host_input("web1", probe=None, root=None, groups=("a", "b")),
                host_input("web2", probe=probe(status=("200",), conditions=("a == 'ü'",))),
            ),
            (),
            conditions=parse_conditions(
                [{"name": "a", "command": "true"}, {"name": "b", "http": {"url": "http://x/", "headers": {"A": "b"}}}]
            ),
        ),
    ],
)
def test_fleet_reads_back_as_it_was_kept(kept: Fleet) -> None:
    assert load_fleet(keep_fleet(kept)) == kept


def test_nobody_else_can_read_it() -> None:
    assert os.stat(keep_fleet(fleet())).st_mode & 0o077 == 0


@pytest.mark.parametrize("text", [None, "", "not json"])
def test_file_that_is_not_a_fleet_is_one_sentence(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "fleet.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(
        RollingError, match=r"^fleet: .*fleet.json can't be read: .*; give what convoy.rolling.fleet returned in this run\.$"
    ):
        load_fleet(str(path))
