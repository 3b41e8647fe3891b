# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rollout in numbers, in the text that OpenMetrics and Prometheus both read. Pure.

Only counters, gauges and histograms: node_exporter's textfile collector takes no file with a type that Prometheus' older format lacks.
"""

from __future__ import annotations

import typing as t
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping

from ansible_collections.convoy.rolling.plugins.plugin_utils.history import OUT, Picture, paused_spans, phases_of, readings_of, standing
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Leg, Verdict

BUCKETS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
"""Upper ends of the histogram of steps, in seconds."""

STATES = ("progressing", "paused", "converged", "halted", "cancelled", "interrupted")

Samples = Iterable[tuple[str, Mapping[str, t.Any], float]]


def state_of_rollout(picture: Picture) -> str:
    """What the rollout is doing, or how it ended."""
    rollout = picture.rollout
    if rollout.ended is not None:
        return rollout.verdict.value if rollout.verdict else "interrupted"
    return "paused" if rollout.paused else "progressing"


def metrics_text(picture: Picture, now: float) -> str:
    """:param now: seconds since the epoch."""
    rollout = picture.rollout
    app = {"app": rollout.app}
    end = rollout.ended or now
    paused = sum(till - since for since, till in paused_spans(picture, end))
    counts, state = standing(rollout), state_of_rollout(picture)
    rolled = sum(counts.values()) - counts["held"]
    readings = readings_of(picture)
    families: list[tuple[str, str, str, Samples]] = [
        (
            "convoy_rollout_info",
            "gauge",
            "The newest rollout of an app; the value is always 1.",
            [("", {**app, "rollout": rollout.number, "version": rollout.version, "cause": rollout.cause}, 1)],
        ),
        (
            "convoy_rollout_state",
            "gauge",
            "1 for the state that the rollout is in, 0 for the others.",
            [("", {**app, "state": one}, one == state) for one in dict.fromkeys((*STATES, state))],
        ),
        ("convoy_rollout_started_timestamp_seconds", "gauge", "When it was opened.", [("", app, rollout.started)]),
        ("convoy_rollout_progress_timestamp_seconds", "gauge", "When a host last became available.", [("", app, rollout.progressed)]),
        (
            "convoy_rollout_active_seconds",
            "gauge",
            "How long it took so far, without the time it was paused.",
            [("", app, end - rollout.started - paused)],
        ),
        ("convoy_rollout_paused_seconds", "gauge", "How long it was paused so far.", [("", app, paused)]),
        (
            "convoy_rollout_hosts",
            "gauge",
            "Hosts by where they stand.",
            [("", {**app, "state": one}, count) for one, count in counts.items()],
        ),
        (
            "convoy_rollout_convergence_ratio",
            "gauge",
            "Hosts on the version, of those that are not held.",
            [("", app, counts["new"] / rolled if rolled else 1)],
        ),
        ("convoy_rollout_failures", "counter", "Hosts that failed or could not be reached, in this rollout.", _failures(picture)),
        ("convoy_rollout_step_duration_seconds", "histogram", "How long hosts took for a step, in this rollout.", _durations(picture, end)),
        (
            "convoy_pool_floor",
            "gauge",
            "What must stay in service.",
            [("", {**app, "pool": place}, floor) for place, floor in rollout.plan.floors.items()],
        ),
        (
            "convoy_pool_serving",
            "gauge",
            "What was in service at the last look.",
            [("", {**app, "pool": place}, seen[-1].serving) for place, seen in readings.items()],
        ),
        (
            "convoy_pool_size",
            "gauge",
            "What is in the pool.",
            [("", {**app, "pool": place}, seen[-1].members) for place, seen in readings.items()],
        ),
    ]
    return "".join(_family(*family) for family in families) + "# EOF\n"


def _failures(picture: Picture) -> Samples:
    # Who is put back failed once, before.
    mine = [event for event in picture.mine if event.host is not None and event.detail.get("leg") not in (Leg.REVERT, Leg.STUCK)]
    failed = Counter(str(event.detail.get("verdict")) for event in mine)
    return [("_total", {"app": picture.rollout.app, "verdict": verdict}, failed[verdict]) for verdict in ("failed", "unreachable")]


def _durations(picture: Picture, until: float) -> Samples:
    spans: dict[str, list[float]] = {}
    for phases in phases_of(picture, until).values():
        for phase in phases:
            if phase.name != OUT and not phase.going_on and phase.verdict in ("", Verdict.CONVERGED):
                spans.setdefault(phase.name, []).append(phase.seconds)
    samples: list[tuple[str, Mapping[str, t.Any], float]] = []
    for step, seconds in sorted(spans.items()):
        labels = {"app": picture.rollout.app, "step": step}
        counts = Counter(bisect_left(BUCKETS, one) for one in seconds)
        total = 0
        for place, bucket in enumerate((*BUCKETS, float("inf"))):
            total += counts[place]
            samples.append(("_bucket", {**labels, "le": "+Inf" if bucket == float("inf") else repr(bucket)}, total))
        samples += [("_sum", labels, sum(seconds)), ("_count", labels, total)]
    return samples


def _family(name: str, kind: str, text: str, samples: Samples) -> str:
    lines = [f"# TYPE {name} {kind}", f"# HELP {name} {text}"]
    for suffix, labels, value in samples:
        said = ",".join(f'{label}="{_escaped(str(given))}"' for label, given in labels.items())
        lines.append(f"{name}{suffix}{{{said}}} {value if isinstance(value, float) else int(value)}")
    return "\n".join(lines) + "\n" if len(lines) > 2 else ""


def _escaped(text: str) -> str:
    return text.encode(errors="replace").decode().replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
