# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.module_utils.probes.verdicts import Answer
from ansible_collections.convoy.rolling.plugins.plugin_utils.conditions import (
    Condition,
    Finding,
    Judgment,
    judge_command,
    judge_http,
    parse_conditions,
    worst,
)

URL = "http://prometheus/api?token=topsecret"


def http(**different: t.Any) -> Condition:
    return parse_conditions([{"name": "errors", "http": {"url": URL, **different}}])[0]


def test_conditions_as_people_write_them() -> None:
    given = [
        {"name": "errors", "http": {"url": URL, "status": 204, "condition": "a == `1`", "headers": {"X": 1}, "validate_certs": "no"}},
        {"name": "smoke", "command": "smoke --fast 'a b'", "on": "after_wave", "timeout": "1m"},
    ]
    both = ("before_batch", "after_wave")
    assert parse_conditions(given) == (
        Condition("errors", "http", URL, both, 10.0, ("204",), "a == `1`", {"X": "1"}, False),
        Condition("smoke", "command", "smoke --fast 'a b'", ("after_wave",), 60.0),
    )
    assert parse_conditions([]) == parse_conditions(None) == ()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("x", "it is a list of dictionaries, each with name and one of http and command."),
        ([{"command": "x"}], "one without a name has no name; give name, http, command, on, timeout, and exactly one of http and command."),
        ([{"name": "a"}], "a has none of http and command;"),
        ([{"name": "a", "command": "x", "http": {"url": URL}}], "a has http and command of http and command;"),
        ([{"name": "a", "command": "x", "when": 1}], "a has when;"),
        ([{"name": "a", "command": "x"}] * 2, "two are called 'a';"),
        ([{"name": "a", "command": "x", "on": ["never"]}], "a: on is never; it is among before_batch, after_wave."),
        ([{"name": "a", "command": "x", "timeout": "2h"}], "a: timeout is 7200 s; give more than 0 and at most an hour."),
        ([{"name": "a", "command": "x 'y"}], "a: command is no command line;"),
        ([{"name": "a", "command": ["x"]}], "a: command is no command line;"),
        ([{"name": "a", "http": URL}], "a: http is a dictionary of url, which it needs,"),
        ([{"name": "a", "http": {"url": URL, "retries": 1}}], "a: http is a dictionary of url,"),
        ([{"name": "a", "http": {"url": "ftp://x"}}], "a: http.url: 'ftp://x' is no URL to probe;"),
        ([{"name": "a", "http": {"url": URL, "status": "9"}}], "a: http.status: '9' is no HTTP status;"),
        ([{"name": "a", "http": {"url": URL, "headers": "x"}}], "a: http.headers is no dictionary."),
        ([{"name": "a", "http": {"url": URL, "condition": "a =="}}], "a: http.condition: 'a ==' is no JMESPath expression"),
        ([{"name": "a", "http": {"url": URL, "validate_certs": "hm"}}], "a: http.validate_certs is neither yes nor no."),
    ],
)
def test_what_can_not_be_is_one_clear_sentence(given: t.Any, text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_conditions(given)
    assert caught.value.message.startswith(f"rollout_conditions: {text}")
    assert caught.value.message.endswith("Nothing was touched.") and "topsecret" not in caught.value.message


@pytest.mark.parametrize(
    ("answer", "judgment", "evidence"),
    [
        (Answer(200, '{"errors": 2}'), "pass", "errors < `5` is true"),
        (Answer(200, '{"errors": 9}'), "fail", 'errors < `5` is false in {"errors": 9}'),
        (Answer(200, '{"mistakes": 9}'), "inconclusive", "errors < `5` is null"),
        (Answer(200, "oops"), "inconclusive", "errors < `5` has nothing to look at: "),
        (Answer(200, "{}", is_cut=True), "inconclusive", "errors < `5` has nothing to look at: the body is too long"),
        (Answer(503, "down\n for  now"), "fail", "status 503 is not 200: down for now"),
        (Answer(error="no answer within 10 s"), "inconclusive", "no answer within 10 s"),
    ],
)
def test_answer_over_http(answer: Answer, judgment: str, evidence: str) -> None:
    found = judge_http(http(condition="errors < `5`"), answer)
    assert (found.condition, found.judgment) == ("errors", judgment)
    assert found.evidence.startswith(evidence)


def test_without_an_expression_the_status_is_all() -> None:
    assert judge_http(http(status=["200-299"]), Answer(204)) == Finding("errors", Judgment.PASS, "status 204")
    assert judge_http(http(status=["200-299"]), Answer(304)).judgment is Judgment.FAIL


def test_secrets_do_not_show_in_the_evidence() -> None:
    condition = http(headers={"Authorization": "Bearer abcdef"})
    for answer in (Answer(500, "you sent topsecret and abcdef"), Answer(error="topsecret? abcdef!")):
        evidence = judge_http(condition, answer).evidence
        assert "topsecret" not in evidence and "abcdef" not in evidence


@pytest.mark.parametrize(
    ("status", "output", "judgment", "evidence"),
    [
        (0, "all\nwell\n\n", "pass", "exit code 0: well"),
        (1, "", "fail", "exit code 1"),
        (2, "it hurts", "fail", "exit code 2: it hurts"),
        (75, "not yet", "inconclusive", "exit code 75: not yet"),
        (127, "sh: x: not found", "inconclusive", "exit code 127: sh: x: not found"),
        (137, "", "inconclusive", "no end within 10 s"),
    ],
)
def test_end_of_a_command(status: int, output: str, judgment: str, evidence: str) -> None:
    (condition,) = parse_conditions([{"name": "smoke", "command": "x"}])
    assert judge_command(condition, status, output) == Finding("smoke", Judgment(judgment), evidence)


_FINDINGS = st.builds(Finding, st.sampled_from("abc"), st.sampled_from(Judgment), st.just("because"))


@given(st.lists(_FINDINGS))
def test_several_answers_come_to_the_worst_of_them(findings: list[Finding]) -> None:
    judgment, bad = worst(findings)
    judgments = [found.judgment for found in findings]
    for one in (Judgment.FAIL, Judgment.INCONCLUSIVE, Judgment.PASS):
        if one in judgments or one is Judgment.PASS:
            assert judgment is one
            break
    assert bad == [found for found in findings if found.judgment is judgment and judgment is not Judgment.PASS]


def test_finding_reads_well() -> None:
    assert str(Finding("errors", Judgment.FAIL, "9 of them")) == "condition errors: fail: 9 of them"
