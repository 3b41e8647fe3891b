# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must be true for a rollout to go on: conditions as they were asked for, and what an answer to one is worth. Pure.

Every kind of condition answers the same three words with its evidence, so that the gate needs to know of no kind.
"""

from __future__ import annotations

import json
import shlex
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.module_utils.probes.expressions import Expression
from ansible_collections.convoy.rolling.plugins.module_utils.probes.options import Target, parse_targets
from ansible_collections.convoy.rolling.plugins.module_utils.probes.secrets import mask, secrets_in
from ansible_collections.convoy.rolling.plugins.module_utils.probes.verdicts import Answer, assess

_KEYS = ("name", "http", "command", "on", "timeout")
_HTTP_KEYS = ("url", "status", "condition", "headers", "validate_certs")
_TRY_LATER = 75  # EX_TEMPFAIL of sysexits.h
_NOT_STARTED = (125, 126, 127)  # of coreutils' timeout and the shell
_KILLED = 137  # by that timeout
_LONGEST = 200


class Moment(StrEnum):
    """When a condition is asked."""

    BEFORE_BATCH = "before_batch"
    AFTER_WAVE = "after_wave"


class Judgment(StrEnum):
    """What a condition answers."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Finding:
    """A condition's answer."""

    condition: str
    judgment: Judgment
    evidence: str

    def __str__(self) -> str:
        return f"condition {self.condition}: {self.judgment.value}: {self.evidence}"


@dataclass(frozen=True)
class Condition:
    """One condition as it was asked for."""

    name: str
    kind: str  # http or command
    target: str  # the URL, or the command
    moments: tuple[str, ...]
    timeout: float  # seconds
    status: tuple[str, ...] = ("200",)
    expression: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    validate_certs: bool = True

    @property
    def probe(self) -> dict[str, t.Any]:
        """An http condition as `parse_targets` and ``HttpProbe`` take it."""
        return {
            "targets": None,
            "url": self.target,
            "tcp": None,
            "command": None,
            "status": list(self.status),
            "conditions": [],
            "extract": {},
            "method": "GET",
            "headers": self.headers,
            "host_header": None,
            "validate_certs": self.validate_certs,
            "ca_path": None,
            "client_cert": None,
            "client_key": None,
        }

    def http_target(self) -> Target:
        """What ``HttpProbe`` asks.

        :raises InputError: the URL or a status is none.
        """
        return parse_targets(self.probe)[0]


def parse_conditions(given: t.Any) -> tuple[Condition, ...]:
    """The conditions in ``rollout_conditions``.

    :raises InputError: one sentence that names the condition, what was given and what is allowed.
    """
    if given in (None, "", []):
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str) or not all(isinstance(one, Mapping) for one in given):
        raise InputError(
            "rollout_conditions: it is a list of dictionaries, each with name and one of http and command. Nothing was touched."
        )
    conditions = [_parse(one) for one in given]
    names = [one.name for one in conditions]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(f"rollout_conditions: two are called {twice!r}; give each its own name. Nothing was touched.")
    return tuple(conditions)


def judge_http(condition: Condition, answer: Answer) -> Finding:
    """What an answer over HTTP is worth.

    Without an answer, or with one that the expression can make nothing of, nobody knows: that is no failure.
    """
    target = condition.http_target()
    secrets = secrets_in(condition.probe)

    def found(judgment: Judgment, evidence: str) -> Finding:
        return Finding(condition.name, judgment, mask(evidence, secrets))

    if answer.error:
        return found(Judgment.INCONCLUSIVE, answer.error)
    wrong = assess(target, answer).failed
    said = " ".join((answer.body or "").split())
    if wrong:
        return found(Judgment.FAIL, f"{wrong}: {mask(said, secrets)[:_LONGEST]}" if said else wrong)
    if condition.expression is None:
        return found(Judgment.PASS, f"status {answer.status}")
    text = condition.expression
    try:
        if answer.is_cut:
            raise ValueError("the body is too long")
        value = Expression.parse(text, "condition").of(json.loads(answer.body or ""))
    except (ValueError, RecursionError) as error:
        return found(Judgment.INCONCLUSIVE, f"{text} has nothing to look at: {str(error) or type(error).__name__}")
    judgment = Judgment.PASS if value is True else Judgment.FAIL if value is False else Judgment.INCONCLUSIVE
    return found(
        judgment, f"{text} is {json.dumps(value)[:_LONGEST]}" + (f" in {mask(said, secrets)[:_LONGEST]}" if value is False else "")
    )


def judge_command(condition: Condition, status: int, output: str) -> Finding:
    """What a command's end is worth. Its last line is the evidence."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = f": {lines[-1][:_LONGEST]}" if lines else ""
    if status == 0:
        return Finding(condition.name, Judgment.PASS, f"exit code 0{said}")
    if status == _KILLED:
        return Finding(condition.name, Judgment.INCONCLUSIVE, f"no end within {condition.timeout:g} s")
    unknown = status == _TRY_LATER or status in _NOT_STARTED
    return Finding(condition.name, Judgment.INCONCLUSIVE if unknown else Judgment.FAIL, f"exit code {status}{said}")


def worst(findings: Iterable[Finding]) -> tuple[Judgment, list[Finding]]:
    """What several answers come to: the worst of them, and which those are."""
    found = list(findings)
    for judgment in (Judgment.FAIL, Judgment.INCONCLUSIVE):
        bad = [one for one in found if one.judgment is judgment]
        if bad:
            return judgment, bad
    return Judgment.PASS, []


def _parse(given: Mapping[str, t.Any]) -> Condition:
    name = str(given.get("name") or "").strip()
    where = f"rollout_conditions: {name or 'one without a name'}"
    unknown = sorted(str(key) for key in set(given) - set(_KEYS))
    kinds = [kind for kind in ("http", "command") if given.get(kind)]
    if not name or unknown or len(kinds) != 1:
        fault = (
            "has no name"
            if not name
            else f"has {', '.join(unknown)}"
            if unknown
            else f"has {' and '.join(kinds) or 'none'} of http and command"
        )
        raise InputError(f"{where} {fault}; give {', '.join(_KEYS)}, and exactly one of http and command. Nothing was touched.")
    moments = given.get("on") or list(Moment)
    moments = [moments] if isinstance(moments, str) else moments
    wrong = [str(one) for one in moments if one not in list(Moment)]
    if wrong:
        raise InputError(f"{where}: on is {', '.join(wrong)}; it is among {', '.join(Moment)}. Nothing was touched.")
    timeout = to_seconds(given.get("timeout") or "10s", f"{where}, timeout")
    if not 0 < timeout <= 3600:
        raise InputError(f"{where}: timeout is {timeout:g} s; give more than 0 and at most an hour. Nothing was touched.")
    usual: dict[str, t.Any] = {"name": name, "kind": kinds[0], "moments": tuple(str(one) for one in moments), "timeout": timeout}
    if kinds[0] == "command":
        return Condition(target=_command(given["command"], where), **usual)
    return _http(given["http"], where, usual)


def _command(given: t.Any, where: str) -> str:
    try:
        words = shlex.split(given) if isinstance(given, str) else []
    except ValueError:
        words = []
    if not words:
        raise InputError(f"{where}: command is no command line; give a program and its arguments, quotes closed. Nothing was touched.")
    return str(given)


def _http(given: t.Any, where: str, usual: Mapping[str, t.Any]) -> Condition:
    if not isinstance(given, Mapping) or not given.get("url") or set(given) - set(_HTTP_KEYS):
        raise InputError(f"{where}: http is a dictionary of url, which it needs, and {', '.join(_HTTP_KEYS[1:])}. Nothing was touched.")
    statuses = given.get("status") or ["200"]
    headers = given.get("headers") or {}
    if not isinstance(headers, Mapping):
        raise InputError(f"{where}: http.headers is no dictionary. Nothing was touched.")
    try:
        condition = Condition(
            target=str(given["url"]),
            status=tuple(str(one) for one in ([statuses] if isinstance(statuses, str | int) else statuses)),
            expression=str(given["condition"]) if given.get("condition") else None,
            headers={str(key): str(value) for key, value in headers.items()},
            validate_certs=bool(boolean(given.get("validate_certs", True))),
            **usual,
        )
        condition.http_target()
        if condition.expression is not None:
            Expression.parse(condition.expression, "condition")
    except TypeError:
        raise InputError(f"{where}: http.validate_certs is neither yes nor no. Nothing was touched.") from None
    except InputError as error:
        raise InputError(f"{where}: http.{error.message} Nothing was touched.") from error
    return condition
