# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice, moment


@given(st.text(), st.text(), st.floats(0, 1e10))
def test_notice_reads_back(by: str, why: str, at: float) -> None:
    assert Notice.from_text(Notice(by, why, at).to_text()) == Notice(by, why, at)


def test_no_notice_is_none() -> None:
    assert Notice.from_text("") is None


def test_notice_says_who_when_and_why() -> None:
    assert str(Notice("ann on ci1", "an alarm", 0.0)) == f"by ann on ci1 at {moment(0.0)}: an alarm"
    assert str(Notice("ann on ci1", "", 0.0)) == f"by ann on ci1 at {moment(0.0)}"
