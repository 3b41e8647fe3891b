# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.plugin_utils.fleets import host_input, names, plan, probe

from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, Before, Plan
from ansible_collections.convoy.rolling.plugins.plugin_utils.probe_targets import (
    observe_targets,
    verify_targets,
    with_urls,
    without_urls,
)

FLEET = Fleet(
    "web",
    (
        host_input("web1", probe=probe(conditions=("status == 'up'",), status=("200", "204"))),
        host_input("web2", probe=probe(kind="tcp", target="web2:80", version=None)),
        host_input("web3", probe=probe(kind="command", target="check", local=False)),
        host_input("web4", probe=None),
    ),
    (),
)


def to(version: str) -> Plan:
    return dataclasses.replace(plan(4, max_unavailable=1), version=version)


def test_one_target_a_host_named_after_it() -> None:
    assert observe_targets(FLEET, local=True) == [
        {
            "name": "web1",
            "url": "http://web/health",
            "status": ["200", "204"],
            "conditions": ["status == 'up'"],
            "extract": {"version": "version"},
        },
        {"name": "web2", "tcp": "web2:80"},
    ]
    assert [target["name"] for target in observe_targets(FLEET, local=False)] == ["web3"]


def test_urls_are_not_shown_and_found_again() -> None:
    for targets in (observe_targets(FLEET, local=True), verify_targets(FLEET, names(4), to("2.0"), local=False)):
        shown = without_urls(targets)
        assert not any("url" in target for target in shown)
        assert with_urls(shown, FLEET) == targets
    given = [{"name": "web1", "tcp": "other:80"}, {"name": "stranger"}]
    assert with_urls(given, FLEET) == given


def test_target_passes_only_on_the_version_asked_for() -> None:
    local = verify_targets(FLEET, names(4), to("2.0"), local=True)
    assert [target.get("conditions") for target in local] == [["status == 'up'", 'to_string(version) == `"2.0"`'], None]
    assert verify_targets(FLEET, names(4), to("2.0"), local=False)[0]["conditions"] == ['to_string(version) == `"2.0"`']
    assert [target["name"] for target in verify_targets(FLEET, ["web2", "web9"], to("2.0"), local=True)] == ["web2"]


@pytest.mark.parametrize("body", [{"version": "2"}, {"version": 2}])
def test_version_may_be_text_or_a_number(body: object) -> None:
    (condition,) = verify_targets(Fleet("web", (host_input("web1"),), ()), ["web1"], to("2"), local=True)[0]["conditions"]
    assert jmespath.search(condition, body) is True
    assert jmespath.search(condition, {"version": "3"}) is False


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,10}", fullmatch=True))
def test_every_version_makes_an_expression(version: str) -> None:
    (condition,) = verify_targets(Fleet("web", (host_input("web1"),), ()), ["web1"], to(version), local=True)[0]["conditions"]
    assert jmespath.search(condition, {"version": version}) is True


@given(st.text(), st.text())
def test_restart_wants_the_version_that_a_host_has_and_another_process_whatever_they_are_called(version: str, started: str) -> None:
    before = {"web1": Before(version, f"said {started}"), "web2": Before(None, None)}
    restart = dataclasses.replace(to(RESTART), restarts=before)
    fleet = Fleet("web", tuple(host_input(host, probe=probe(started="pid")) for host in ("web1", "web2")), ())
    mine, other = verify_targets(fleet, ["web1", "web2"], restart, local=True)
    assert "conditions" not in other, "nothing is known of it"
    for body, good in (((version, f"{started}1"), True), ((version, started), False), ((f"{version}1", f"{started}1"), False)):
        found = [jmespath.search(condition, {"version": body[0], "pid": body[1]}) for condition in mine["conditions"]]
        assert all(found) is good
