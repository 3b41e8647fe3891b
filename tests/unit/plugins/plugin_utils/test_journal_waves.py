# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.fleets import member, plan
from unit.plugins.plugin_utils.journals import sql

from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import LeaseLost, Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Baking, HostRecord, Step, Verdict, WaveRecord
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice

BOX = WaveRecord("box", 90.0, Baking(95.0, 7, {"lb1/web web1": 1234}, {"web1": 1}), None, None)
REST = WaveRecord("rest", None, Baking(), None, Notice("ann on ci1", "it's good", 80.0))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/j.db"


def test_waves_read_back_in_their_order_and_change_one_by_one(url: str) -> None:
    journal = Journal(url)
    made = plan(2, waves=[{"name": "rest!", "hosts": 1}], max_unavailable=1)
    ticket = journal.open(made, (), Holder.of(os.getpid()), 100.0, waves=(REST, BOX))
    assert journal.rollout(1).waves == (REST, BOX) and journal.rollout(1).plan == made
    done = WaveRecord("box", 90.0, Baking(120.0, 9), 120.0)
    bad = HostRecord("web1", Step.BACK, Verdict.FAILED, "it turned bad")
    journal.write_wave(ticket, done, 120.0, [bad])
    assert journal.rollout(1).waves == (REST, done) and journal.rollout(1).host("web1") == bad
    assert sql(url, "select detail from convoy_events where kind = 'baked'") == [('{"wave": "box", "requests": 9}',)]
    for now in (121.0, 149.0, 150.0, 179.0, 181.0):
        journal.write_wave(ticket, WaveRecord("box", baking=Baking(now)), now, (), [member("web1")])
    assert sql(url, "select at from convoy_events where kind = 'seen'") == [(150.0,), (181.0,)], "one reading in half a minute"
    journal.write_wave(ticket, done, 120.0)
    with pytest.raises(LeaseLost):
        journal.write_wave(Ticket("web", 1, 99), BOX, 130.0)
    assert journal.rollout(1).waves == (REST, done)


def test_rollout_pauses_itself_once(url: str) -> None:
    journal = Journal(url)
    ticket = journal.open(plan(2, max_unavailable=1), (), Holder.of(os.getpid()), 100.0)
    first = Notice("the rollout itself", "nobody knows", 110.0)
    journal.pause(ticket, first)
    journal.pause(ticket, Notice("the rollout itself", "still", 120.0))
    assert journal.rollout(1).paused == first
    assert sql(url, "select count(*) from convoy_events where kind = 'paused'") == [(1,)]
