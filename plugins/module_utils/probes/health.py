# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The health check as a whole: parameters in, result out."""

from __future__ import annotations

import shutil
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.clock import Clock, SystemClock
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.probes.options import Pace, Target, parse_pace, parse_targets
from ansible_collections.convoy.rolling.plugins.module_utils.probes.secrets import mask, secrets_in
from ansible_collections.convoy.rolling.plugins.module_utils.probes.transports import RunCommand, Wire, probe_command, probe_tcp
from ansible_collections.convoy.rolling.plugins.module_utils.probes.verdicts import Answer, State
from ansible_collections.convoy.rolling.plugins.module_utils.probes.watch import Probe, Watch

_LONGEST_BODY = 200
_LONGEST_REASON = 300
_NAMED_FAILURES = 3


def run(
    params: t.Mapping[str, t.Any],
    check_mode: bool,
    run_command: RunCommand | None = None,
    clock: Clock | None = None,
) -> dict[str, t.Any]:
    """Probe until every target is ok.

    :param params: as ``ARGUMENT_SPEC`` validates them.
    :param check_mode: makes no difference: a probe changes nothing.
    :param run_command: how to run a command here; a caller without one cannot have command targets.
    :returns: ``changed``, ``ok`` and ``targets``, as the module documents them.
    :raises InputError: for bad input, before the first probe.
    :raises RollingError: when a library is missing, or, with the same result, when a target is not ok and ``observe`` is off.
    """
    pace = parse_pace(params)
    targets = parse_targets(params)
    states = Watch(targets, pace, _prober(targets, params, run_command), clock or SystemClock()).run()
    secrets = secrets_in(params)
    rows = [_row(target, state, pace, secrets) for target, state in zip(targets, states)]
    result = {"changed": False, "ok": all(row["ok"] for row in rows), "targets": rows}
    if not result["ok"] and not pace.once:
        raise RollingError(_summary(rows, pace), result)
    return result


def _prober(targets: t.Sequence[Target], params: t.Mapping[str, t.Any], run_command: RunCommand | None) -> Probe:
    """What probes any of the targets; everything it needs is checked here, before the first probe."""
    kinds = {target.kind for target in targets}
    probes: dict[str, Probe] = {"tcp": lambda target, seconds, wire: probe_tcp(target.address, seconds)}
    if "command" in kinds:
        if run_command is None:
            raise RollingError("command: no command can be run here; run the module health_check on the host instead.")
        if shutil.which("timeout") is None:
            raise RollingError("command: the program timeout, which bounds each probe, is not on this host; install coreutils.")
        run_here = run_command
        probes["command"] = lambda target, seconds, wire: probe_command(target.address, seconds, run_here)
    if "url" in kinds:
        # Here, because requests takes longer to import than most probes take.
        from ansible_collections.convoy.rolling.plugins.module_utils.probes.over_http import HttpProbe

        probes["url"] = HttpProbe([target for target in targets if target.kind == "url"], params)

    def probe(target: Target, seconds: float, wire: Wire) -> Answer:
        return probes[target.kind](target, seconds, wire)

    return probe


def _row(target: Target, state: State, pace: Pace, secrets: t.Collection[str]) -> dict[str, t.Any]:
    last, failure = state.last, state.last_failure

    def shown(text: str | None, longest: int) -> str | None:
        # Masked before it is cut, so that no piece of a secret is left at the end.
        return None if state.ok or text is None else mask(text, secrets)[:longest]

    return {
        "name": target.name,
        "ok": state.ok,
        "passes": state.passes,
        "attempts": state.attempts,
        "seconds": round(last.seconds, 3) if last else None,
        "status": last.status if last else None,
        "failed": shown(_why(state, pace), _LONGEST_REASON),
        "body": shown(failure.body if failure else None, _LONGEST_BODY),
        "extracted": mask(dict(last.extracted), secrets) if last else {},
        "at": None if state.at is None else round(state.at, 3),
    }


def _why(state: State, pace: Pace) -> str:
    failed = state.last_failure.failed if state.last_failure else None
    if state.attempts == 0:
        return f"not probed before the deadline of {pace.deadline:g} s"
    if state.passes == 0:
        return str(failed)
    few = f"only {state.passes} of {state.threshold} passes in a row before the deadline of {pace.deadline:g} s"
    return f"{few}; before them: {failed}" if failed else few


def _summary(rows: t.Sequence[t.Mapping[str, t.Any]], pace: Pace) -> str:
    bad = [row for row in rows if not row["ok"]]
    named = [f"{row['name']}: {row['failed']}" for row in bad[:_NAMED_FAILURES]]
    more = [f"and {len(bad) - _NAMED_FAILURES} more"] if len(bad) > _NAMED_FAILURES else []
    return f"Not healthy within {pace.deadline:g} s: {len(bad)} of {len(rows)} targets. {'; '.join(named + more)}."
