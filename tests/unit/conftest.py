# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `ansible-test units` does not take from pyproject.toml."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

if (tests := str(Path(__file__).parents[1])) not in sys.path:
    sys.path.insert(0, tests)

# Where it has room, temporary directories are in memory: every write of a journal waits for its disk.
_MEMORY = Path("/dev/shm")
if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > 1 << 28:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "exhaustive: as in pyproject.toml")
