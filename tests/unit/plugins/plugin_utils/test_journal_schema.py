# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateTable

from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_schema


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=lambda dialect: dialect.name)
def test_tables_can_be_made_in_every_database_that_is_promised(dialect: Dialect) -> None:
    for table in journal_schema.METADATA.sorted_tables:
        assert f"CREATE TABLE {table.name} " in str(CreateTable(table).compile(dialect=dialect))


def test_every_table_is_ours_by_name() -> None:
    assert all(name.startswith("convoy_") for name in journal_schema.METADATA.tables)
