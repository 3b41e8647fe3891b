# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml
from unit.plugins.modules.called import patch_module_args

from ansible_collections.convoy.rolling.plugins.module_utils.artifacts import run
from ansible_collections.convoy.rolling.plugins.modules import release_info


def look(capsys: pytest.CaptureFixture[str], root: Path) -> dict[str, t.Any]:
    with patch_module_args({"root": str(root)}), pytest.raises(SystemExit):
        release_info.main()
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer, dict)
    return answer


def test_shows_what_is_there_as_documented(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app").touch()
    run(str(tmp_path / "root"), "1.0", "active", str(tmp_path / "src"), by="alice", cause="CHG-1")
    answer = look(capsys, tmp_path / "root")
    assert (answer["active"], answer["previous"], answer["broken"], answer["changed"]) == ("1.0", None, [], False)
    documented = yaml.safe_load(release_info.RETURN)
    assert set(answer) - {"changed", "invocation"} == set(documented)  # some versions of ansible-core add the invocation
    assert set(answer["releases"][0]) == set(documented["releases"]["contains"])


def test_dangling_link_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "current").symlink_to("releases/2.4.2")
    answer = look(capsys, tmp_path)
    assert answer["broken"] == [{"path": str(tmp_path / "current"), "problem": "points to releases/2.4.2, which is not there"}]


def test_error_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "releases").touch()
    answer = look(capsys, tmp_path)
    assert answer["failed"]
    assert answer["msg"] == f"root: {tmp_path} cannot be read: Not a directory: {tmp_path}/releases."
