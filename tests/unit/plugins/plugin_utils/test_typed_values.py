# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.plugin_utils.any_fleet import records
from unit.plugins.plugin_utils.fleets import member, plan

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Absence, HostRecord, Member, Plan, RolloutRecord, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.typed_values import typed, typed_json


@pytest.mark.parametrize(
    "value",
    [
        plan(4),
        member("web1", weight=None, follows="b/web1"),
        Absence("web1", 2, 3.5, {"lb1/web": {"admin": "ready", "weight": 10}}),
        RolloutRecord(1, "web", "2.0", plan(4), (HostRecord("web1", Step.BACK, Verdict.FAILED, "no", True),), 1.0, 2.0, ended=3.0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_asdict_and_json_made_is_made_again(value: t.Any) -> None:
    assert typed_json(type(value), json.dumps(dataclasses.asdict(value))) == value


@given(records("web1"))
def test_any_record_is_made_again(record: HostRecord) -> None:
    assert typed(HostRecord, json.loads(json.dumps(dataclasses.asdict(record)))) == record


def test_whole_number_is_a_number_too() -> None:
    assert typed(Absence, {"host": "web1", "rollout": 1, "since": 2}).since == 2.0


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        (str, 1, "1 is no str"),
        (int, True, "True is no int"),
        (int, 1.0, "1.0 is no int"),
        (bool, 1, "1 is no bool"),
        (float, "1", "'1' is no float"),
        (float, float("nan"), "nan is no float"),
        (float, float("inf"), "inf is no float"),
        (str | None, 1, "1 is no str"),
        (Verdict, "fine", "'fine' is not a valid Verdict"),
        (Verdict, None, "None is no str"),
        (tuple[str, ...], "web1", "'web1' is no list"),
        (tuple[str, ...], [1], "1 is no str"),
        (dict[str, int], {1: 1}, "1 is no str"),
        (dict[str, int], [], "[] is no dict"),
        (Member, {"balancer": "lb1"}, "{'balancer': 'lb1'} is no Member"),
        (Member, {"mood": "good"}, "{'mood': 'good'} is no Member"),
        (Plan, None, "None is no dict"),
        (str, list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1... is no str"),
    ],
)
def test_anything_else_is_refused(kind: t.Any, value: t.Any, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        typed(kind, value)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("text", [None, 1, b"{}", "", "{", "NaN", "[" * 100_000])
def test_what_is_no_json_is_refused(text: t.Any) -> None:
    with pytest.raises((ValueError, RecursionError)):
        typed_json(float, text)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([Plan, Member, Absence, HostRecord, RolloutRecord]), ANYTHING, st.data())
def test_nothing_else_than_a_refusal_comes_of_rubbish(kind: t.Any, rubbish: t.Any, data: st.DataObject) -> None:
    names = [field.name for field in dataclasses.fields(kind)]
    partly = data.draw(st.dictionaries(st.sampled_from(names), ANYTHING, max_size=3))
    for value in (rubbish, partly):
        try:
            made = typed(kind, value)
        except ValueError:
            continue
        assert isinstance(made, kind)
