# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.origin import git_commit, origin_of

COMMIT, OTHER = "a" * 40, "b" * 40


def repository(place: Path, head: str, **files: str) -> Path:
    git = place / ".git"
    (git / "refs/heads").mkdir(parents=True)
    (git / "HEAD").write_text(f"{head}\n")
    for name, text in files.items():
        (git / name.replace("_", "-")).write_text(text)
    (place / "inventories").mkdir()
    return place


def test_commit_is_read_from_a_branch_packed_or_not_and_from_a_detached_head(tmp_path: Path) -> None:
    loose = repository(tmp_path / "loose", "ref: refs/heads/main")
    (loose / ".git/refs/heads/main").write_text(f"{COMMIT}\n")
    assert git_commit(str(loose / "inventories")) == COMMIT
    packed = f"# pack-refs with: peeled\n{OTHER} refs/heads/other\n{COMMIT} refs/heads/main\n"
    assert git_commit(str(repository(tmp_path / "packed", "ref: refs/heads/main", packed_refs=packed))) == COMMIT
    assert git_commit(str(repository(tmp_path / "detached", COMMIT))) == COMMIT


def test_commit_of_a_worktree(tmp_path: Path) -> None:
    main = repository(tmp_path / "main", "ref: refs/heads/main")
    (main / ".git/refs/heads/side").write_text(COMMIT)
    mine = main / ".git/worktrees/side"
    mine.mkdir(parents=True)
    (mine / "HEAD").write_text("ref: refs/heads/side\n")
    (mine / "commondir").write_text("../..\n")
    (tmp_path / "side").mkdir()
    (tmp_path / "side/.git").write_text(f"gitdir: {mine}\n")
    assert git_commit(str(tmp_path / "side")) == COMMIT


@pytest.mark.parametrize("head", ["ref: refs/heads/unborn", "nonsense", ""])
def test_no_commit_where_none_can_be_read(head: str, tmp_path: Path) -> None:
    assert git_commit(str(repository(tmp_path / "odd", head))) == ""
    assert git_commit("") == git_commit(str(tmp_path / "not there")) == ""


def test_awx_says_its_job_and_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    holder = Holder("ada", "ops1", 1, "")
    assert origin_of(holder, {}) == {"user": "ada", "controller": "ops1"}
    assert origin_of(holder, {"awx_job_id": 42, "awx_project_revision": COMMIT}) == {
        "user": "ada",
        "controller": "ops1",
        "awx_job": "42",
        "git_commit": COMMIT,
    }
