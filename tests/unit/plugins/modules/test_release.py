# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest
import yaml
from unit.plugins.modules.called import patch_module_args

from ansible_collections.convoy.rolling.plugins.modules import release


def play(capsys: pytest.CaptureFixture[str], check_mode: bool = False, **arguments: object) -> dict[str, t.Any]:
    """The module's answer, as Ansible would read it."""
    with patch_module_args({**arguments, "_ansible_check_mode": check_mode}), pytest.raises(SystemExit):
        release.main()
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer, dict)
    return answer


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app").write_text("hello")
    return str(tmp_path / "src")


def test_stage_activate_remove(tmp_path: Path, source: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(tmp_path / "root")
    staged = play(capsys, root=root, version="2.4.1", src=source, by="alice")
    assert (staged["changed"], staged["active"]) == (True, None)
    active = play(capsys, root=root, version="2.4.1", state="active")
    assert active["diff"] == {"before": {"active": None, "releases": ["2.4.1"]}, "after": {"active": "2.4.1", "releases": ["2.4.1"]}}
    assert not play(capsys, root=root, version="2.4.1", state="active", src=source)["changed"]
    refused = play(capsys, root=root, version="2.4.1", state="absent")
    assert refused["failed"]
    assert "is the active release" in refused["msg"]


def test_check_mode_changes_nothing(tmp_path: Path, source: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = play(capsys, check_mode=True, root=str(tmp_path / "root"), version="1.0", src=source, state="active")
    assert (answer["changed"], answer["active"], answer["digest"]) == (True, "1.0", None)
    assert not os.path.exists(tmp_path / "root")


def test_error_is_one_sentence(tmp_path: Path, source: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = play(capsys, root=str(tmp_path), version="latest", src=source)
    assert answer["failed"]
    assert answer["msg"].startswith("version: 'latest' is a name that moves")


def test_result_is_as_documented(tmp_path: Path, source: str) -> None:
    result = release.run(str(tmp_path / "root"), "1.0", src=source)
    assert set(result) - {"changed"} == set(yaml.safe_load(release.RETURN))
