# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an answer is worth, and what a row of answers comes to. Nothing here does I/O or looks at a clock."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.probes.options import Target


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came back from one probe: ``error`` says in words why nothing did.

    ``status`` is an HTTP status or an exit code. ``is_cut`` says that the body was longer than what was read of it.
    """

    status: int | None = None
    body: str | None = None
    error: str | None = None
    is_cut: bool = False


@dataclasses.dataclass(frozen=True)
class Outcome:
    """An answer, judged. ``failed`` says what is wrong with it, and is None for a pass.

    ``seconds`` is how long the probe took, ``at`` when it ended, in seconds from the start of the wait.
    """

    failed: str | None = None
    status: int | None = None
    body: str | None = None
    extracted: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    at: float = 0.0


@dataclasses.dataclass(frozen=True)
class State:
    """Where a target stands. It is ok as long as its last ``threshold`` probes all passed; ``at`` is when that began."""

    threshold: int
    passes: int = 0
    attempts: int = 0
    last: Outcome | None = None
    last_failure: Outcome | None = None
    at: float | None = None

    @property
    def ok(self) -> bool:
        return self.passes >= self.threshold


def judge(state: State, outcome: Outcome) -> State:
    """The state after one more outcome: a failure sets the count back to 0."""
    if outcome.failed is not None:
        return State(state.threshold, attempts=state.attempts + 1, last=outcome, last_failure=outcome)
    passes = state.passes + 1
    return dataclasses.replace(
        state,
        passes=passes,
        attempts=state.attempts + 1,
        last=outcome,
        at=outcome.at if passes == state.threshold else state.at,
    )


def assess(target: Target, answer: Answer) -> Outcome:
    """Whether the answer is what the target must give, with the values to extract (None for one that is not there)."""
    document, unreadable = None, None
    if target.conditions or target.extract:
        document, unreadable = _parse(answer)
    return Outcome(
        failed=answer.error or _wrong_status(target, answer.status) or _unmet(target, document, unreadable),
        status=answer.status,
        body=answer.body,
        extracted={name: _value(expression.of, document) for name, expression in target.extract.items()},
    )


def _wrong_status(target: Target, status: int | None) -> str | None:
    if status is None or any(low <= status <= high for low, high in target.statuses):
        return None
    if target.kind == "command":
        return f"the command exited with {status}, not 0"
    wanted = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in target.statuses)
    return f"status {status} is not {wanted}"


def _unmet(target: Target, document: t.Any, unreadable: str | None) -> str | None:
    if target.conditions and unreadable:
        return f"condition {target.conditions[0].text} has nothing to look at: {unreadable}"
    return next(filter(None, (condition.why_not(document) for condition in target.conditions)), None)


def _parse(answer: Answer) -> tuple[t.Any, str | None]:
    if answer.is_cut:
        return None, "the body is too long, over 64 KiB"
    try:
        # NaN and Infinity are no JSON and could not be returned as such.
        return json.loads(answer.body or "", parse_constant=lambda _name: None), None
    except (ValueError, RecursionError) as error:
        return None, f"the body is no JSON ({error})"


def _value(look_up: t.Callable[[t.Any], t.Any], document: t.Any) -> t.Any:
    try:
        return look_up(document)
    except ValueError:
        return None
