# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest
from unit.plugins.plugin_utils.fleets import plan, rollout

from ansible_collections.convoy.rolling.plugins.plugin_utils.history_lines import history_lines, revision_lines
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Rollback, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.revisions import Revision

FIRST = Revision(1, "1.0", 0.0, 65.0, Verdict.CONVERGED, cause="CVE\n2026", by="ada on ops1, process 7")
BAD = Revision(
    2,
    "2.0",
    3600.0,
    None,
    Verdict.HALTED,
    "web1 failed",
    by="x",
    origin={"user": "bob", "controller": "ops2", "awx_job": "42", "git_commit": "abc"},
    back=Rollback(1, (), "slow"),
    bad="slow",
)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_table_has_the_newest_last_and_nothing_runs_over() -> None:
    assert history_lines("web", [FIRST, BAD]) == [
        "REVISION  VERSION  WHEN                     BY                        DURATION  VERDICT       CHANGE-CAUSE",
        "1         1.0      1970-01-01 00:00:00 UTC  ada on ops1, process 7    1m 05s    converged     CVE 2026",
        "2         2.0      1970-01-01 01:00:00 UTC  bob on ops2 (AWX job 42)  -         halted (bad)  <none>",
    ]
    assert history_lines("web", []) == ['"web" has no history: no rollout of it is in the journal']


def test_one_revision_in_full() -> None:
    record = rollout(plan(2, max_unavailable=1), HostRecord("web1", Step.DEPLOYED, Verdict.FAILED, "no answer"))
    lines = revision_lines("web", BAD, record)
    assert lines[0] == 'revision 2 of "web"'
    assert [line.split(None, 1) for line in lines[1:4]] == [["version", "2.0"], ["verdict", "halted: web1 failed"], ["bad", "slow"]]
    text = "\n".join(lines)
    assert "to revision 1: slow" in text and "git commit  abc" in text and "ended" not in text
    assert lines[-3:] == ["hosts:", "  web1: failed: no answer", "  web2: planned"]
