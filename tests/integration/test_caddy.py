# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The provider caddy against a real Caddy: what only Caddy has; the rest is in test_balancer_contract.py."""

from __future__ import annotations

import json
import typing as t
import urllib.request

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.members import observe
from fleet.stands import Missing, as_module
from fleet.stands.caddy import CaddyStand


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[CaddyStand]:
    try:
        stand = CaddyStand(tmp_path_factory.mktemp("c"))
    except Missing as missing:
        pytest.skip(str(missing))
    with stand:
        yield stand


def test_who_is_out_is_known_to_everybody(stand: CaddyStand) -> None:
    name = stand.members[1]
    stand.run(name, state="drained")
    seen = stand.look(name)
    assert (seen["admin"], seen["in_service"], seen["sessions"]) == ("maintenance", False, 0)
    shown = observe({"provider": "caddy", "address": stand.admin})["pools"]
    assert sorted(pool["pool"] for pool in shown) == ["front/routes/0/handle/0", "web"]
    with urllib.request.urlopen(f"{stand.admin}/id/web", timeout=5) as answer:
        assert [one["dial"] for one in json.load(answer)["upstreams"]] == [stand.members[0], stand.members[2]]
    stand.run(name, state="ready")


def test_a_pool_without_an_id(stand: CaddyStand) -> None:
    before = stand.configured()
    pool = "front/routes/0/handle/0"
    result = stand.run(stand.members[0], pool=pool, state="drained")
    assert result["view"]["in_service"] == 0 and result["view"]["pool"] == pool
    assert stand.look(stand.members[0])["in_service"], "the other pool goes on"
    stand.run(stand.members[0], pool=pool, state="ready")
    assert stand.configured() == before


def test_as_a_module(stand: CaddyStand) -> None:
    result = as_module(stand.options(stand.members[0], state="drained", floor=2))
    assert result.get("members"), result
    assert result["members"][0]["after"]["admin"] == "maintenance"
    stand.run(stand.members[0], state="ready")
