# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `ansible-test units` does not take from pyproject.toml."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if (tests := str(Path(__file__).parents[1])) not in sys.path:
    sys.path.insert(0, tests)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "exhaustive: as in pyproject.toml")
