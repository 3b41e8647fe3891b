# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.probes import expressions
from ansible_collections.convoy.rolling.plugins.module_utils.probes.expressions import Expression

BODY = {"status": "up", "version": "2.4.1", "checks": [{"name": "a", "ok": True}, {"name": "b", "ok": False}], "ready": 1, "text": "true"}


@pytest.mark.parametrize(
    "text",
    ["", "a[", "a ==", "'", "nosuch(a)", "a && nosuch(b)", "[?nosuch(a)]", "length(a, b)", "length()", "a = 'b'"],
)
def test_an_expression_that_can_never_work_is_refused(text):
    with pytest.raises(InputError) as error:
        Expression.parse(text, "conditions")
    assert error.value.message.startswith(f"conditions: {text!r}")
    assert "\n" not in error.value.message


@pytest.mark.parametrize(
    "text",
    ["status == 'up' && version == '2.4.1'", "checks[0].ok", "contains(version, '2.4')", "sort_by(checks, &name)[0].ok", "!nothing"],
)
def test_a_condition_holds_when_it_comes_out_true(text):
    assert Expression.parse(text, "conditions").why_not(BODY) is None


@pytest.mark.parametrize(
    ("text", "came_out"),
    [("status == 'down'", "false"), ("nothing", "null"), ("ready", "1"), ("text", '"true"'), ("checks[*].ok", "[true, false]")],
)
def test_only_true_is_true(text, came_out):
    assert Expression.parse(text, "conditions").why_not(BODY) == f"condition {text} came out {came_out}, not true"


def test_a_string_in_double_quotes_gets_a_hint():
    assert "'so'" in str(Expression.parse('status == "up"', "conditions").why_not(BODY))


def test_a_function_that_does_not_fit_the_body_fails_the_condition():
    assert "could not be evaluated" in str(Expression.parse("length(nothing) > `1`", "conditions").why_not(BODY))


def test_jmespath_is_asked_for_when_it_is_missing(monkeypatch):
    monkeypatch.setattr(expressions, "JMESPATH_TRACEBACK", "Traceback")
    with pytest.raises(RollingError, match="jmespath"):
        Expression.parse("a", "conditions")
