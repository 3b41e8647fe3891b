# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people mistype is one sentence before anything is touched."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from fleet.fleet import Fleet

Fixture = t.Callable[..., t.Any]
SOCKET = "{{ lb }}"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Fleet]:
    with Fleet(6, tmp_path_factory.mktemp("fleet")) as fleet:
        fleet.release("2.0.0")
        yield fleet


def balancer(**entry: t.Any) -> dict[str, t.Any]:
    return {"rollout_balancers": [{"name": "lb1", "address": SOCKET, "pools": ["web"], **entry}]}


INPUTS = [
    pytest.param({"rollout_version": ""}, "rollout_version is not set", id="no version"),
    pytest.param({"rollout_version": "../../etc"}, "rollout_version: '../../etc'", id="a path for a version"),
    pytest.param({"rollout_version": "1; reboot"}, "rollout_version: '1; reboot'", id="a command for a version"),
    pytest.param({"rollout_version": "latest"}, "rollout_version: 'latest'", id="a version that moves"),
    pytest.param({"rollout_max_unavailable": "10%"}, "10% of 6 = 0", id="nobody may leave"),
    pytest.param({"rollout_max_unavailable": "some"}, "rollout_max_unavailable: 'some'", id="no amount"),
    pytest.param({"rollout_drain_timeout": "soon"}, "rollout_drain_timeout: 'soon'", id="no duration"),
    pytest.param(balancer(pools=["shop"]), "shop", id="unknown pool"),
    pytest.param(balancer(), "pool 'sticky' on lb1 has web1 too, as member 'web1'", id="a pool that is not named"),
    pytest.param(balancer(member="nobody-{{ inventory_hostname }}"), "has no member 'nobody-web1'", id="unknown member"),
    pytest.param(balancer(pools=[]), "rollout_balancers: the entry 'lb1' of web1 lacks pools", id="no pools"),
    pytest.param(balancer(pool="web"), "rollout_balancers: the entry 'lb1' of web1 has pool, which is not among", id="unknown key"),
    pytest.param({"rollout_balancers": "lb1"}, "rollout_balancers: 'lb1' of web1 is no list", id="no list"),
    # HAProxy's runtime API takes several orders in a line, and a line after a line.
    pytest.param(balancer(pools=["web;disable server web/web2"]), "cannot be a haproxy name", id="an order in a pool"),
    pytest.param(balancer(pools=["web\ndisable server web/web2"]), "cannot be a haproxy name", id="a line in a pool"),
    pytest.param(balancer(member="web1;disable server web/web2"), "web1;disable server web/web2", id="an order in a member"),
    pytest.param(balancer(member="web1\ndisable server web/web2"), "disable server web/web2", id="a line in a member"),
    pytest.param(balancer(address="http://me:hunter2@lb1"), "rollout_balancers.address: the URL of web1", id="a password in an address"),
    pytest.param(balancer(address="/nowhere/admin.sock"), "/nowhere/admin.sock", id="no such socket"),
    pytest.param(balancer(provider="f5"), "f5", id="unknown provider"),
    pytest.param({"rollout_health": {"uri": "http://127.0.0.1"}}, "rollout_health: uri of web1 is not understood", id="unknown health key"),
    pytest.param(
        {"rollout_health": {"url": "http://127.0.0.1:{{ app_port }}/health", "conditions": ["status =="]}},
        "status ==",
        id="bad expression",
    ),
    pytest.param({"rollout_artifact": ""}, "rollout_artifact is not set for web1", id="no artifact"),
    pytest.param({"rollout_state_url": "rubbish:hunter2@nowhere"}, "rollout_state_url: this is no database URL", id="no state url"),
    pytest.param({"rollout_state_url": "sqlite:///:memory:"}, "rollout_state_url: the journal is a file", id="a journal in memory"),
    pytest.param(
        {"rollout_state_url": "postgresql://me:hunter2@127.0.0.1:1/journal"},
        "rollout_state_url",
        id="no database behind the state url",
    ),
    pytest.param({"rollout_version": "9.9.9"}, "rollout_artifact: ", id="a missing artifact"),
    pytest.param({"rollout_artifact_sha256": "abc"}, "rollout_artifact_sha256: 'abc'", id="no digest"),
    pytest.param({"rollout_keep": 0}, "rollout_keep: ", id="nothing kept"),
    pytest.param({"rollout_drain_soft": "soon"}, "rollout_drain_soft: 'soon'", id="no duration for the drain"),
    pytest.param({"rollout_drain_timeout": "100ms"}, "rollout_drain_timeout: ", id="no time to drain"),
    pytest.param({"rollout_on_drain_timeout": "maybe"}, "rollout_on_drain_timeout: 'maybe'", id="unknown choice"),
    pytest.param({"rollout_deploy_tasks": "/nowhere.yml"}, "rollout_deploy_tasks: ", id="no deploy tasks"),
    pytest.param({"rollout_hooks": {"before_drian": "/nowhere.yml"}}, "rollout_hooks: ", id="unknown hook"),
]
OFTEN = {  # one of each place where bad input is noticed
    "no version",
    "nobody may leave",
    "unknown pool",
    "a pool that is not named",
    "an order in a member",
    "a password in an address",
    "no such socket",
    "no database behind the state url",
    "a missing artifact",
    "unknown hook",
}


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [one if one.id in OFTEN else pytest.param(*one.values, id=one.id, marks=pytest.mark.exhaustive) for one in INPUTS],
)
def test_bad_input_is_one_sentence_before_anything_is_touched(
    variables: dict[str, t.Any], sentence: str, fleet: Fleet, tmp_path: Path, play: Fixture, untouched: Fixture
) -> None:
    journal, socket = tmp_path / "state.db", str(fleet.balancers[0].socket)
    asked = {"rollout_version": "2.0.0", "rollout_max_unavailable": 1, "rollout_state_url": f"sqlite:///{journal}", "lb": socket}
    with untouched(fleet):
        run = play(fleet, asked | variables)
    assert run.rc == 2
    assert sentence in run.text.replace('"', "'").replace("\\", "")
    assert len(re.findall(r"^(?:fatal|failed): ", run.output, re.MULTILINE)) == 1
    assert "Traceback" not in run.output
    assert "hunter2" not in run.output
    assert not journal.exists()
    assert not [path for host in fleet.hosts.values() for path in host.root.glob("releases/2.0.0*")]


def test_a_pool_may_be_left_out_on_purpose(fleet: Fleet, tmp_path: Path, play: Fixture, untouched: Fixture) -> None:
    asked = {"rollout_version": "2.0.0", "rollout_max_unavailable": 1, "rollout_state_url": f"sqlite:///{tmp_path}/state.db"}
    with untouched(fleet):
        run = play(fleet, {**asked, **balancer(ignore_pools=["sticky"]), "lb": str(fleet.balancers[0].socket)}, "--check")
    assert run.rc == 0 and len(run.batches) == 6
