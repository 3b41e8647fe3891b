# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rollout is as rows; that all of it reads back, on both databases, is in ``test_journal``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.fleets import plan
from unit.plugins.plugin_utils.journals import sql

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal


def test_hosts_keep_the_order_of_their_plan(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/j.db"
    Journal(url).open(plan(12, max_unavailable=1), (), Holder.of(os.getpid()), 100.0)
    assert sql(url, "select host, step from convoy_hosts order by place")[9:] == [(f"web{number}", "planned") for number in (10, 11, 12)]
    assert [record.host for record in Journal(url).rollout(1).hosts][-1] == "web12"


def test_rollout_that_is_not_there_is_said_to_be_none(tmp_path: Path) -> None:
    journal = Journal(f"sqlite:///{tmp_path}/j.db")
    journal.open(plan(1, max_unavailable=1), (), Holder.of(os.getpid()), 100.0)
    with pytest.raises(RollingError, match=r"the journal has no rollout 7\."):
        journal.rollout(7)
