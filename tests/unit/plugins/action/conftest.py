# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible import constants


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Path]:
    """A directory for journals and fleets; in memory where that is possible, for every write of a journal waits for its disk."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as path:
        monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", path)
        yield Path(path)
