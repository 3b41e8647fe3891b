# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

import pytest
from ansible import constants
from sqlalchemy import URL, Engine, QueuePool, create_engine

from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_store


@pytest.fixture(scope="session")
def _journals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Engine]]:
    """A directory that is always the same, so that SQLAlchemy compiles what is asked of a journal there once, and the engines of it."""
    return tmp_path_factory.mktemp("state"), []


@pytest.fixture(autouse=True)
def state(_journals: tuple[Path, list[Engine]], monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Path]:
    """An empty directory for journals and fleets. Connections to journals are kept: a run has a process for each step, a test has one."""
    path, engines = _journals

    def engine(url: URL, **how: t.Any) -> Engine:
        engines.append(create_engine(url, **{**how, "poolclass": QueuePool}))
        return engines[-1]

    path.mkdir(exist_ok=True)
    monkeypatch.setattr(journal_store, "create_engine", engine)
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(path))
    yield path
    for one in engines:
        one.dispose()
    shutil.rmtree(path)
