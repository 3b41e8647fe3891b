# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import tarfile
import time
from pathlib import Path

import pytest

from fleet.app import make_release, sha256


def test_the_same_release_has_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_release(tmp_path / "a", "2.0.0", {"unready": 1}, size=1000)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    second = make_release(tmp_path / "b", "2.0.0", {"unready": 1}, size=1000)
    assert first.name == "web-2.0.0.tar.gz"
    assert sha256(first) == sha256(second)
    assert sha256(first) != sha256(make_release(tmp_path / "c", "2.0.0", {"unready": 2}, size=1000))


def test_a_release_says_what_it_is(tmp_path: Path) -> None:
    with tarfile.open(make_release(tmp_path, "2.0.0", {"healthy": False})) as archive:
        assert sorted(archive.getnames()) == ["app.py", "release.json"]
        file = archive.extractfile("release.json")
        assert file and json.load(file) == {"version": "2.0.0", "behaviour": {"healthy": False}}
