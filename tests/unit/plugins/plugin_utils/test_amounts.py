# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.amounts import Amount


def test_every_percentage_is_the_exact_share_rounded_down() -> None:
    for total in range(1, 201):
        for percent in range(1, 101):
            assert Amount(percent, True).of(total) == Fraction(percent * total, 100).__floor__()


@pytest.mark.parametrize(("percent", "total", "share"), [(29, 100, 29), (57, 100, 57), (58, 50, 29), (10, 6, 0), (100, 7, 7)])
def test_percentages_that_floating_point_gets_wrong(percent: int, total: int, share: int) -> None:
    assert Amount.parse(f"{percent}%", "v").of(total) == share


@given(st.integers(0, 999_999_999), st.booleans(), st.integers(0, 10_000))
def test_an_amount_lies_between_nobody_and_everybody(number: int, percent: bool, total: int) -> None:
    number = number % 101 if percent else number
    assert 0 <= Amount(number, percent).of(total) <= total


@given(st.integers(0, 100), st.booleans())
def test_an_amount_reads_back_as_it_was_written(number: int, percent: bool) -> None:
    amount = Amount(number, percent)
    assert Amount.parse(str(amount), "v") == amount


@pytest.mark.parametrize("value", [2, "2", " 2 ", "2\n"])
def test_count_is_taken(value: t.Any) -> None:
    assert Amount.parse(value, "v") == Amount(2, False)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        None,
        True,
        False,
        -1,
        "-1",
        "101%",
        "100.5%",
        2.5,
        2.0,
        "1e2",
        "two",
        "%",
        "5 %%",
        "٣",
        "²",
        "9" * 10,
        [2],
        {"a": 1},
        "25% of them",
    ],
)
def test_what_is_no_amount_is_refused(value: t.Any) -> None:
    with pytest.raises(InputError, match=r"rollout_max_failures: .* is neither a count nor a percentage"):
        Amount.parse(value, "rollout_max_failures")


@pytest.mark.parametrize(
    ("amount", "total", "sum_"),
    [("25%", 6, "25% of 6 = 1 (rounded down)"), ("50%", 6, "50% of 6 = 3"), ("10%", 6, "10% of 6 = 0 (rounded down)"), ("2", 6, "2 of 6")],
)
def test_sum_is_said_in_words(amount: str, total: int, sum_: str) -> None:
    assert Amount.parse(amount, "v").explain(total) == sum_
