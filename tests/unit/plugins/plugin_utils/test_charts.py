# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.convoy.rolling.plugins.plugin_utils import charts


@pytest.mark.parametrize("top", [0, 0.3, 1, 7, 1000, 12345.6])
def test_scale_ends_at_or_near_what_is_at_the_top_in_few_round_steps(top: float) -> None:
    axes = charts._axes(top, [0.0, 1.0])
    assert 2 <= len(axes["y_labels"]) <= 7
    assert axes["y_labels"][0] == 0 and axes["range"][1] >= top


def test_names_are_text_in_the_drawing() -> None:
    drawn = charts.lines("x", {"<script>1</script>": [(0.0, 1.0)]}, ["red"], 0.0, 9.0)
    assert "<script" not in drawn and drawn.startswith("<svg")


def test_nothing_is_drawn_before_it_is_known() -> None:
    assert charts._held([(5.0, 1.0), (7.0, 2.0)], [4.0, 5.0, 6.0, 8.0]) == [None, 1.0, 1.0, 2.0]
    assert charts._between([(5.0, 1.0), (7.0, 2.0)], [4.0, 6.0, 7.0, 8.0]) == [None, 1.5, 2.0, None]
