# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.artifacts import prune, run
from ansible_collections.convoy.rolling.plugins.module_utils.proof import prove


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host that has 1.0 active, with a file, a file in a directory and two links, and 2.0 staged."""
    source = tmp_path / "source"
    (source / "bin").mkdir(parents=True)
    (source / "app.py").write_text("1.0")
    (source / "bin/run").write_text("#!/bin/sh")
    (source / "link").symlink_to("app.py")
    (source / "to_bin").symlink_to("bin")
    root = tmp_path / "srv"
    run(str(root), "1.0", "active", str(source), shared=["log"])
    run(str(root), "2.0", "present", str(source))
    return root


def test_whole_release_is_a_way_back_whatever_the_app_wrote_beside_it(root: Path) -> None:
    whole = {"version": "1.0", "fault": ""}
    assert prove(str(root), "2.0") == prove(str(root), "2.0", to="1.0") == whole
    (root / "releases/1.0/__pycache__").mkdir()
    (root / "releases/1.0/__pycache__/app.pyc").write_text("cache")
    (root / "releases/1.0/log/today").write_text("in the shared directory")
    assert prove(str(root), "2.0") == whole
    run(str(root), "2.0", "active")
    assert prove(str(root), "2.0") == whole, "half-done: the way back is the previous release"
    assert run(str(root), "2.0", way_back={"to": "1.0"})["way_back"] == whole


def change(tree: Path) -> None:
    (tree / "app.py").write_text("patched in place")


def lose(tree: Path) -> None:
    (tree / "bin/run").unlink()


def bend(tree: Path) -> None:
    (tree / "to_bin").unlink()
    (tree / "to_bin").symlink_to("/elsewhere")


def forget(tree: Path) -> None:
    tree.with_name(".1.0.json").unlink()


def scribble(tree: Path) -> None:
    tree.with_name(".1.0.sums").write_text("[]")


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (change, "release 1.0 is not what was staged: app.py was changed"),
        (lose, "release 1.0 has lost bin/run"),
        (bend, "release 1.0 is not what was staged: to_bin was changed"),
        (shutil.rmtree, "release 1.0 is not there"),
        (forget, "release 1.0 is not there"),
        (scribble, "release 1.0 can't be read: 'list' object has no attribute 'items'"),
    ],
)
def test_what_is_not_whole_is_no_way_back(harm: t.Callable[[Path], None], fault: str, root: Path) -> None:
    harm(root / "releases/1.0")
    assert prove(str(root), "2.0", to="1.0") == {"version": "1.0", "fault": fault}


def test_what_can_be_fetched_once_more_is_one(root: Path, tmp_path: Path) -> None:
    lose(root / "releases/1.0")
    (tmp_path / "web.tar").write_text("x")
    assert prove(str(root), "2.0", to="1.0", url=f"file://{tmp_path}/web.tar")["fault"] == ""
    fault = prove(str(root), "2.0", to="1.0", url=f"file://{tmp_path}/none.tar")["fault"]
    assert fault.startswith("release 1.0 has lost bin/run, and it can't be fetched: ")
    (tmp_path / "web.tar").write_text("")
    assert prove(str(root), "2.0", to="1.0", url=f"file://{tmp_path}/web.tar")["fault"].endswith("there is nothing at its URL")


def test_release_of_before_there_were_sums_is_taken_as_it_is(root: Path) -> None:
    (root / "releases/.1.0.sums").unlink()
    assert prove(str(root), "2.0")["fault"] == ""


def test_first_release_has_no_way_back(tmp_path: Path) -> None:
    assert prove(str(tmp_path), "1.0") == {"version": None, "fault": "it has no release to go back to"}


def test_pruning_spares_the_way_back_and_takes_the_sums_along(root: Path) -> None:
    source = str(root.parent / "source")
    for version in ("2.0", "3.0"):
        run(str(root), version, "active", source)
    assert run(str(root), "4.0", "present", source, keep=1, way_back={"to": "1.0"})["pruned"] == []
    assert prune(str(root), 1)["pruned"] == ["1.0", "4.0"]
    assert sorted(path.name for path in (root / "releases").iterdir() if path.suffix == ".sums") == [".2.0.sums", ".3.0.sums"]
