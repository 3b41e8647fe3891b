# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from unit.plugins.action.simulated import Host, Rollout, World, _Stub
from unit.plugins.plugin_utils.fleets import names

from ansible_collections.convoy.rolling.plugins.action import report
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError


@pytest.fixture
def world(state: Path) -> World:
    return World((("lb1", "web"),), [Host(name) for name in names(2)], state)


def reported(world: World, app: str = "web", check_mode: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
    action = _Stub.of(report.ActionModule, Rollout(world, "2.0", check_mode=check_mode))
    vars(action).update(app_of=lambda _hosts, _task_vars: app)
    return action.step({"hosts": [], "path": "", "rollout_id": "", "state_url": world.url, **arguments}, {})


def test_newest_rollout_or_the_one_that_is_named(world: World, tmp_path: Path) -> None:
    for version in ("2.0", "3.0"):
        Rollout(world, version, max_unavailable=1).go()
    assert reported(world, path=f"{tmp_path}/")["path"] == f"{tmp_path}/web-2.html"
    first = reported(world, path=f"{tmp_path}/first.html", rollout_id="1")
    assert (first["rollout"], first["state"]) == (1, "converged")
    assert first["text"] == f'rollout 1 of "web" to 2.0: converged: {tmp_path}/first.html'
    assert "web to 2.0" in (tmp_path / "first.html").read_text()


def test_check_mode_writes_nothing(world: World, tmp_path: Path) -> None:
    Rollout(world, "2.0", max_unavailable=1).go()
    assert reported(world, path=f"{tmp_path}/x.html", check_mode=True)["changed"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("different", "said"),
    [
        ({"rollout_id": "-1"}, "rollout_id: '-1' is not the number of a rollout."),
        ({"rollout_id": "9"}, "the journal has no rollout 9."),
        ({"app": "api", "rollout_id": "1"}, "app 'api': there is no rollout 1 in the journal."),
        ({"app": "api"}, "app 'api': there is no rollout in the journal."),
        ({"path": "/nowhere/x.html"}, "rollout_report_path: /nowhere/x.html can't be written: No such file or directory."),
    ],
)
def test_what_can_not_be_is_one_sentence(world: World, different: dict[str, str], said: str) -> None:
    Rollout(world, "2.0", max_unavailable=1).go()
    with pytest.raises(RollingError) as caught:
        reported(world, **different)
    assert caught.value.message.startswith(said)
