# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.convoy.rolling.plugins.module_utils.probes.expressions import Expression
from ansible_collections.convoy.rolling.plugins.module_utils.probes.options import Target
from ansible_collections.convoy.rolling.plugins.module_utils.probes.verdicts import Answer, Outcome, State, assess, judge

PASS = Outcome()
FAIL = Outcome(failed="no")


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 6))
def test_a_target_is_ok_if_and_only_if_its_last_probes_all_passed(passes, threshold):
    state = State(threshold)
    for at, passed in enumerate(passes):
        state = judge(state, dataclasses.replace(PASS if passed else FAIL, at=float(at)))
    in_a_row = next((count for count, passed in enumerate(reversed(passes)) if not passed), len(passes))
    assert state.ok == (len(passes) >= threshold and all(passes[-threshold:]))
    assert state.passes == in_a_row
    assert state.attempts == len(passes)
    assert state.at == (len(passes) - in_a_row + threshold - 1 if state.ok else None)


def test_a_failure_is_remembered_through_the_passes_after_it():
    state = judge(judge(State(3), FAIL), PASS)
    assert (state.passes, state.last, state.last_failure) == (1, PASS, FAIL)


def target(kind="url", statuses=((200, 200),), conditions=(), **extract):
    return Target(
        "web1",
        kind,
        "http://a",
        statuses,
        tuple(Expression.parse(text, "conditions") for text in conditions),
        {name: Expression.parse(text, "extract") for name, text in extract.items()},
    )


@pytest.mark.parametrize(
    ("asked", "answer", "failed"),
    [
        (target(), Answer(200, "anything"), None),
        (target(), Answer(302), "status 302 is not 200"),
        (target(statuses=((200, 299), (304, 304))), Answer(304), None),
        (target(statuses=((200, 299), (304, 304))), Answer(500), "status 500 is not 200-299, 304"),
        (target(kind="tcp"), Answer(), None),
        (target(), Answer(error="Connection refused"), "Connection refused"),
        (target(kind="command", statuses=((0, 0),)), Answer(3), "the command exited with 3, not 0"),
        (target(conditions=["a", "b"]), Answer(200, '{"a": true, "b": false}'), "condition b came out false, not true"),
        (target(conditions=["a"]), Answer(503, '{"a": false}'), "status 503 is not 200"),
    ],
)
def test_what_an_answer_is_worth(asked, answer, failed):
    assert assess(asked, answer).failed == failed


@pytest.mark.parametrize("body", [None, "", "<html>", '{"a": tru', "[" * 60_000])
def test_conditions_on_what_is_no_json_fail(body):
    assert "condition a has nothing to look at: the body is no JSON" in str(assess(target(conditions=["a"]), Answer(200, body)).failed)


def test_a_body_that_was_not_read_to_its_end_meets_no_condition():
    assert "over 64 KiB" in str(assess(target(conditions=["a"]), Answer(200, '{"a": true}', is_cut=True)).failed)


def test_values_are_extracted_from_a_failing_answer_too():
    outcome = assess(target(version="version", deep="a.b", bad="length(version.x)"), Answer(503, '{"version": "2.4.1", "n": NaN}'))
    assert outcome.failed
    assert outcome.extracted == {"version": "2.4.1", "deep": None, "bad": None}


def test_values_that_no_body_holds_are_null():
    assert assess(target(version="version"), Answer(error="Connection refused")).extracted == {"version": None}
