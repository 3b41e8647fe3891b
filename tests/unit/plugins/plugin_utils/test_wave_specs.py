# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.amounts import Amount
from ansible_collections.convoy.rolling.plugins.plugin_utils.wave_specs import WaveSpec, names_in, parse_waves

REST = WaveSpec("rest", "rest")


def test_nothing_is_no_wave() -> None:
    assert parse_waves([]) == parse_waves("") == parse_waves(None) == ()


def test_waves_as_people_write_them() -> None:
    given = [
        "one-box",
        {"hosts": "10%", "bake": "10m"},
        {"name": "west", "hosts": "eu-west", "max_unavailable": "50%", "bake": {"time": "1h", "requests": "1000"}, "approve": "yes"},
    ]
    assert parse_waves(given) == (
        WaveSpec("one-box", Amount(1, False)),
        WaveSpec("10%", Amount(10, True), bake_time=600.0),
        WaveSpec("west", "eu-west", Amount(50, True), 3600.0, 1000, True),
        REST,
    )


def test_rest_is_the_last_whether_it_is_written_or_not() -> None:
    assert parse_waves([1]) == parse_waves([1, "rest"]) == (WaveSpec("1", Amount(1, False)), REST)
    assert parse_waves([{"hosts": "rest", "name": "all"}]) == (WaveSpec("all", "rest"),)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("one-box", "'one-box' is no list of waves; write a dash before each."),
        ({"hosts": 1}, "{'hosts': 1} is no list of waves"),
        (
            [{"hosts": 1, "baking": 2, "host": 1}],
            "wave 1 has baking, host, which is not among name, hosts, max_unavailable, bake, approve.",
        ),
        ([1, {"name": "x"}], "wave 2: hosts is None; give a count, a percentage, the name of a zone or group, or rest."),
        ([True], "wave 1: hosts is True; give a count"),
        ([{"hosts": ["web1"]}], "wave 1: hosts is ['web1']; give a count"),
        ([0], "wave '0': 0 of the fleet is nobody; give at least 1 or 1%."),
        (["0%"], "wave '0%': 0% of the fleet is nobody"),
        (["101%"], "wave '101%', hosts: '101%' is neither a count nor a percentage"),
        (["-1"], "wave '-1', hosts: '-1' is neither a count nor a percentage"),
        ([{"hosts": 1, "name": "a,b"}], "wave 1: 'a,b' is no name; give up to 64 characters without commas."),
        ([1, {"hosts": 2, "name": "1"}], "two waves are called '1'; give each its own name."),
        (["rest", 1], "wave 'rest' takes all the rest, so nobody is left for the waves after it; put it last."),
        ([{"hosts": 1, "name": "rest"}], "'rest' is the name of the wave of all that are left; give wave 'rest' another name."),
        ([{"hosts": 1, "max_unavailable": "x"}], "wave '1', max_unavailable: 'x' is neither a count nor a percentage"),
        ([{"hosts": 1, "bake": {"times": 1}}], "wave '1': bake has times, which is not among time, requests."),
        ([{"hosts": 1, "bake": "soon"}], "wave '1', bake.time: 'soon' "),
        ([{"hosts": 1, "bake": 1e10}], "wave '1', bake.time: 10000000000.0 is no time to wait; give at most 1e+09 s."),
        ([{"hosts": 1, "bake": {"requests": "many"}}], "wave '1', bake.requests: 'many' is no whole number of 0 or more."),
        ([{"hosts": 1, "bake": {"requests": -1}}], "wave '1', bake.requests: '-1' is no whole number"),
        ([{"hosts": 1, "approve": "perhaps"}], "wave '1': approve is 'perhaps', which is neither yes nor no."),
    ],
)
def test_what_can_not_be_is_one_clear_sentence(given: t.Any, text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_waves(given)
    assert caught.value.message.startswith(f"rollout_waves: {text}") and "\n" not in caught.value.message


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "hosts", "bake", "time", "requests", "approve", "max_unavailable", "x"]), inner, max_size=4
        )
    ),
    max_leaves=6,
)


@given(_ANYTHING)
def test_anything_at_all_is_waves_or_one_sentence(given: t.Any) -> None:
    for parse in (parse_waves, names_in):
        try:
            parse(given)
        except InputError as error:
            assert "\n" not in error.message


def test_approved_names_are_a_list_or_have_commas() -> None:
    assert names_in(" a, b b ,") == names_in(["a", "b b"]) == ["a", "b b"]
    assert (names_in(""), names_in([]), names_in(None), names_in(1)) == ([], [], [], ["1"])
    with pytest.raises(InputError, match="rollout_approve: True is neither a list of waves nor names with commas between them"):
        names_in(True)
