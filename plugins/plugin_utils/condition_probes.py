# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking conditions, from the controller."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterable

from ansible.plugins.action import ActionBase

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.probes.over_http import HttpProbe
from ansible_collections.convoy.rolling.plugins.module_utils.probes.transports import Wire, too_slow
from ansible_collections.convoy.rolling.plugins.module_utils.probes.verdicts import Answer
from ansible_collections.convoy.rolling.plugins.plugin_utils.conditions import Condition, Finding, Judgment, judge_command, judge_http
from ansible_collections.convoy.rolling.plugins.plugin_utils.fanout import Command, run_on_hosts

_HERE = {"ansible_connection": "local", "ansible_become": False}


def ask(action: ActionBase, conditions: Iterable[Condition]) -> list[Finding]:
    """Ask conditions, one after another. One that could not be asked is inconclusive."""
    findings = []
    for condition in conditions:
        try:
            findings.append(_ask_http(condition) if condition.kind == "http" else _ask_command(action, condition))
        except RollingError as error:
            findings.append(Finding(condition.name, Judgment.INCONCLUSIVE, error.message))
    return findings


def _ask_http(condition: Condition) -> Finding:
    target, wire = condition.http_target(), Wire()
    probe = HttpProbe([target], condition.probe)
    answers: list[Answer] = []

    def run() -> None:
        try:
            answers.append(probe(target, condition.timeout, wire))
        except Exception as error:  # whatever a library makes of an answer, only this question failed
            answers.append(Answer(error=f"the question broke: {type(error).__name__}"))

    # An answer that drips in byte by byte never runs into a timeout of its own.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(condition.timeout)
    if not answers:
        wire.cut()
    return judge_http(condition, answers[0] if answers else too_slow(condition.timeout))


def _ask_command(action: ActionBase, condition: Condition) -> Finding:
    line = f"timeout -s KILL {condition.timeout:.3f} {shlex.join(shlex.split(condition.target))}"
    outcome = run_on_hosts(action, {"localhost": _HERE}, {"localhost": Command(line)}, 1, condition.timeout + 5)["localhost"]
    if outcome.unreachable:
        return Finding(condition.name, Judgment.INCONCLUSIVE, outcome.unreachable)
    return judge_command(condition, outcome.status, outcome.stdout + outcome.stderr)
