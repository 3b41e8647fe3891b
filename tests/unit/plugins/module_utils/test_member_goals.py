# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.module_utils.fake_balancer import member

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.member_goals import Original, Weight, originals


@given(st.integers(0, 1000), st.integers(1, 256))
def test_percentages_are_whole_numbers_rounded_down(percent: int, initial: int) -> None:
    exact = initial * percent
    try:
        weight = Weight(percent, True).of(member("web1", initial_weight=initial), 256)
    except RollingError:
        assert exact >= 25700 or 0 < exact < 100
    else:
        assert weight * 100 <= exact < weight * 100 + 100


def test_what_members_had_comes_from_their_views() -> None:
    views = [member("web1", weight=3, agent=False).view(), {"name": "web2", "weight": None}]
    assert originals(views) == {"web1": Original("ready", 3, 10, False), "web2": Original()}


@pytest.mark.parametrize(
    "view",
    [
        {},
        {"admin": "ready"},
        {"name": "a", "admin": "out"},
        {"name": "a", "weight": "3"},
        {"name": "a", "weight": True},
        {"name": "a", "agent": 1},
    ],
)
def test_what_is_no_view_of_a_member(view: dict[str, t.Any]) -> None:
    with pytest.raises(InputError, match=r"before: .* is not what a member had; give it as members\[\].before returned it"):
        originals([view])
