# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal in a real PostgreSQL: every unit test of it over again, and what only a server can do."""

from __future__ import annotations

import itertools

import pytest
from unit.plugins.plugin_utils.test_journal import *  # noqa: F403

from fleet.postgres import Postgres

_NUMBERS = itertools.count()


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.make(f"journal{next(_NUMBERS)}")


@pytest.fixture
def elsewhere(postgres: Postgres) -> str:
    return postgres.make(f"elsewhere{next(_NUMBERS)}")
