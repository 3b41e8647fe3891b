# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The provider caddy against a real Caddy: the roll under load, and what only Caddy has."""

from __future__ import annotations

import json
import typing as t
import urllib.request

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.members import observe
from fleet.stands import Missing, as_module
from fleet.stands.caddy import CaddyStand
from fleet.stands.rolls import roll


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[CaddyStand]:
    try:
        stand = CaddyStand(tmp_path_factory.mktemp("c"))
    except Missing as missing:
        pytest.skip(str(missing))
    with stand:
        yield stand


def test_a_roll_loses_no_request_that_was_under_way(stand: CaddyStand) -> None:
    before = stand.configured()
    clients = roll(stand)
    # Caddy swaps its listeners at each change of its configuration: connections that wait to be accepted are reset, idle kept ones
    # closed. Changes that have nothing to do with members cost the same, so that is Caddy's doing, and only shown.
    assert clients.failed["slow"] == 0, clients.failures
    assert not [failure for failure in clients.failures if "status" in failure], "no request reached a member that was not there"
    assert clients.sent["close"] > 100 and clients.sent["slow"] > 10
    assert stand.configured() == before, "every object as it was, and nothing more"


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
