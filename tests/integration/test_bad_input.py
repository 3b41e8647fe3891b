# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people mistype is one sentence before anything is touched."""

from __future__ import annotations

import typing as t

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


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        pytest.param({"rollout_version": ""}, "rollout_version is not set", id="no version"),
        pytest.param({"rollout_version": "latest"}, "rollout_version: 'latest'", id="a version that moves"),
        pytest.param({"rollout_max_unavailable": "10%"}, "10% of 6 = 0", id="nobody may leave"),
        pytest.param({"rollout_max_unavailable": "some"}, "rollout_max_unavailable: 'some'", id="no amount"),
        pytest.param({"rollout_drain_timeout": "soon"}, "rollout_drain_timeout: 'soon'", id="no duration"),
        pytest.param(balancer(pools=["shop"]), "shop", id="unknown pool"),
        pytest.param(balancer(member="nobody-{{ inventory_hostname }}"), "has no member 'nobody-web1'", id="unknown member"),
        pytest.param(balancer(pools=[]), "rollout_balancers: the entry 'lb1' of web1 lacks pools", id="no pools"),
        pytest.param(balancer(pool="web"), "rollout_balancers: the entry 'lb1' of web1 has pool, which is not among", id="unknown key"),
        pytest.param({"rollout_balancers": "lb1"}, "rollout_balancers: 'lb1' of web1 is no list", id="no list"),
        pytest.param(balancer(address="/nowhere/admin.sock"), "/nowhere/admin.sock", id="no such socket"),
        pytest.param(balancer(provider="f5"), "f5", id="unknown provider"),
        pytest.param(
            {"rollout_health": {"uri": "http://127.0.0.1"}}, "rollout_health: uri of web1 is not understood", id="unknown health key"
        ),
        pytest.param(
            {"rollout_health": {"url": "http://127.0.0.1:{{ app_port }}/health", "conditions": ["status =="]}},
            "status ==",
            id="bad expression",
        ),
        pytest.param({"rollout_artifact": ""}, "rollout_artifact is not set for web1", id="no artifact"),
        pytest.param({"rollout_state_url": "rubbish:hunter2@nowhere"}, "rollout_state_url: this is no database URL", id="no state url"),
        pytest.param(
            {"rollout_state_url": "postgresql://me:hunter2@127.0.0.1:1/journal"}, "rollout_state_url", id="no database behind the state url"
        ),
    ],
)
def test_bad_input_is_one_sentence_before_anything_is_touched(
    variables: dict[str, t.Any], sentence: str, fleet: Fleet, play: Fixture, untouched: Fixture
) -> None:
    asked = {"rollout_version": "2.0.0", "rollout_max_unavailable": 1, "lb": str(fleet.balancers[0].socket), **variables}
    with untouched(fleet):
        run = play(fleet, asked)
    assert run.rc == 2
    assert sentence in run.text.replace('"', "'").replace("\\", "")
    assert run.output.count("fatal: ") == 1
    assert "Traceback" not in run.output
    assert "hunter2" not in run.output
    assert not (fleet.directory / "state.db").exists()
    assert not [path for host in fleet.hosts.values() for path in host.root.glob("releases/2.0.0*")]
