# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t

import pytest

from ansible_collections.convoy.rolling.plugins.plugin_utils import private_line


@pytest.fixture(autouse=True)
def no_line(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    ends: list[int] = []
    monkeypatch.setattr(private_line, "_ends", ends)
    yield
    for end in ends:
        os.close(end)


def test_main_process_hears_what_a_worker_says() -> None:
    private_line.open_line()
    private_line.open_line()
    if os.fork() == 0:
        private_line.tell({"state_url": "postgresql://ann:hunter2@db/j"})
        private_line.tell({"rollout": 7})
        os._exit(0)
    os.wait()
    assert private_line.heard() == [{"state_url": "postgresql://ann:hunter2@db/j"}, {"rollout": 7}]
    assert private_line.heard() == []


def test_nobody_waits_where_nobody_listens() -> None:
    private_line.tell({"rollout": 7})
    assert private_line.heard() == []
    private_line.open_line()
    for _time in range(5000):
        private_line.tell({"rollout": 7, "padding": "x" * 50})
    assert len(private_line.heard()) > 100
