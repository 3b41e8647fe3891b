# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One page about one rollout that needs nothing else: no network, no script, no font. The template is the role's."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ansible_collections.convoy.rolling.plugins.plugin_utils import charts
from ansible_collections.convoy.rolling.plugins.plugin_utils.events import iso
from ansible_collections.convoy.rolling.plugins.plugin_utils.history import (
    OUT,
    Phase,
    Picture,
    Reading,
    clock,
    paused_spans,
    phases_of,
    rates_of,
    readings_of,
    standing,
    state_of,
    versions_over_time,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.metrics import state_of_rollout
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, RolloutRecord, Verdict

_TEMPLATES = Path(__file__).parents[2] / "roles" / "rollout" / "templates"

_OUT_OF_ROTATION = "out of rotation"
_PLACES = 4
"""Pools that have a chart; those with the least room to their floor."""

_OPEN_UP_TO = 60
"""Hosts of a timeline that is shown unfolded."""

_VERSION_COLOURS = ("var(--old)", "var(--third)", "var(--fourth)", "var(--fifth)")
_PLACE_COLOURS = ("var(--new)", "var(--third)", "var(--fourth)", "var(--fifth)")


def report_html(picture: Picture, now: float) -> str:
    """The page.

    :param now: seconds since the epoch; when a rollout that has not ended is looked at.
    """
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(clock=clock, moment=lambda at: iso(at)[:19].replace("T", " ") + " UTC")
    return environment.get_template("report.html.j2").render(_context(picture, now))


def _context(picture: Picture, now: float) -> dict[str, t.Any]:
    rollout = picture.rollout
    last = picture.mine[-1].at if picture.mine else rollout.started
    # One whose controller was killed has no end, and nobody knows for how long it did nothing.
    until = max(rollout.ended or (now if rollout.paused else max(last, rollout.started)), rollout.started + 1)
    readings = readings_of(picture)
    ended = next((event.detail for event in reversed(picture.mine) if event.kind == "ended"), {})
    counts = standing(rollout)
    pauses = paused_spans(picture, until)
    phases = phases_of(picture, until)
    return {
        "rollout": rollout,
        "plan": rollout.plan,
        "state": state_of_rollout(picture),
        "reason": rollout.reason or rollout.halted or (f"paused {rollout.paused}" if rollout.paused else ""),
        "until": until,
        "seconds": until - rollout.started,
        "paused": sum(till - since for since, till in pauses),
        "counts": counts,
        "rolled": len(rollout.hosts) - counts["held"],
        "tightest": _tightest(picture, readings),
        "commands": _commands(picture, str(ended.get("next") or "")),
        "told": ended.get("text") or [],
        "failures": _failures(rollout),
        "charts": _charts(picture, readings, until),
        "charts_missing": charts.MISSING,
        "timeline": list(_timeline(picture, phases, until)),
        "unfold": len(rollout.plan.order) <= _OPEN_UP_TO,
        "pauses": [_span(since, till, rollout.started, until) for since, till in pauses],
        "happened": [event for event in picture.mine if event.host is None and event.kind != "seen"],
        "style": Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),
    }


def _failures(rollout: RolloutRecord) -> list[tuple[str, str, list[str]]]:
    """What failed after which step, and on which hosts."""
    groups: dict[tuple[str, str], list[str]] = {}
    for record in rollout.hosts:
        if record.verdict in (Verdict.FAILED, Verdict.UNREACHABLE):
            groups.setdefault(("put back" if record.is_put_back else record.step.value, record.why), []).append(record.host)
    return [(*what, hosts) for what, hosts in groups.items()]


def _commands(picture: Picture, again: str) -> list[tuple[str, str]]:
    """What to type next, and what it does."""
    rollout = picture.rollout
    look = ("see how the fleet is now", "ansible-playbook -i INVENTORY convoy.rolling.status")
    if rollout.ended is None:
        word = ("let it go on", "resume") if rollout.paused else ("let it wait", "pause")
        return [(word[0], f"ansible-playbook -i INVENTORY convoy.rolling.{word[1]}"), look]
    if again:
        return [("go on from here", again), look]
    if state_of_rollout(picture) == "converged":
        return [look]
    words = "restart" if rollout.version == RESTART else f"rolling -e rollout_version={rollout.version}"
    return [("go on from here", f"ansible-playbook -i INVENTORY convoy.rolling.{words}"), look]


def _tightest(picture: Picture, readings: dict[str, list[Reading]]) -> tuple[str, int, int, int] | None:
    """The place that came closest to its floor: its name, the least that served, of how many, and the floor."""
    floors = picture.rollout.plan.floors
    seen = [
        (place, min(one.serving for one in mine), mine[-1].members, floors[place]) for place, mine in readings.items() if place in floors
    ]
    return min(seen, key=lambda one: (one[1] - one[3], one[0]), default=None)


def _charts(picture: Picture, readings: dict[str, list[Reading]], until: float) -> dict[str, t.Any]:
    if charts.MISSING:
        return {}
    began = picture.rollout.started
    return {
        "versions": _versions_chart(picture, began, until),
        "capacity": _capacity_chart(picture, readings, began, until),
        "traffic": _traffic_chart(readings, began, until),
    }


def _chart(series: dict[str, list[tuple[float, float]]], colours: Sequence[str], drawing: str, more: int = 0) -> dict[str, t.Any]:
    return {"legend": list(zip(series, colours, strict=False)), "svg": Markup(drawing), "more": more}


def _versions_chart(picture: Picture, began: float, until: float) -> dict[str, t.Any] | None:
    over_time = versions_over_time(picture)
    target = picture.rollout.version
    names = dict.fromkeys(name for _at, counts in over_time for name in counts)
    others = [name for name in names if name not in (target, _OUT_OF_ROTATION)]
    ordered = [*([target] if target in names else []), *([_OUT_OF_ROTATION] if _OUT_OF_ROTATION in names else []), *others]
    if not ordered:
        return None
    colour = {target: "var(--new)", _OUT_OF_ROTATION: "var(--out)", **dict(zip(others, _cycle(_VERSION_COLOURS, len(others)), strict=True))}
    series = {name: [(at, float(counts.get(name, 0))) for at, counts in over_time] for name in ordered}
    colours = [colour[name] for name in ordered]
    return _chart(series, colours, charts.stacked("versions", series, colours, began, until))


def _capacity_chart(picture: Picture, readings: dict[str, list[Reading]], began: float, until: float) -> dict[str, t.Any] | None:
    floors = picture.rollout.plan.floors
    places = sorted(readings, key=lambda place: (min(one.serving for one in readings[place]) - floors.get(place, 0), place))
    shown = places[:_PLACES]
    if not shown:
        return None
    series: dict[str, list[tuple[float, float]]] = {}
    colours: list[str] = []
    limits = set()
    for place, colour in zip(shown, _PLACE_COLOURS, strict=False):
        series[place] = [(one.at, float(one.serving)) for one in readings[place]]
        colours.append(colour)
        if place in floors:
            limit = f"floor of {place}"
            series[limit] = [(began, float(floors[place]))]
            colours.append("var(--failed)" if len(shown) == 1 else colour)
            limits.add(limit)
    return _chart(series, colours, charts.lines("capacity", series, colours, began, until, limits), len(places) - len(shown))


def _traffic_chart(readings: dict[str, list[Reading]], began: float, until: float) -> dict[str, t.Any] | None:
    rates = {place: rate for place, seen in readings.items() if (rate := rates_of(seen))}
    if not rates:
        return None
    busiest = sorted(rates, key=lambda place: (-sum(requests for _at, requests, _errors in rates[place]), place))[: _PLACES - 1]
    series: dict[str, list[tuple[float, float]]] = {}
    colours = []
    for place, colour in zip(busiest, _PLACE_COLOURS, strict=False):
        series[f"requests/s, {place}"] = [(at, requests) for at, requests, _errors in rates[place]]
        colours.append(colour)
    moments = sorted({at for rate in rates.values() for at, *_rates in rate})
    errors = dict.fromkeys(moments, 0.0)
    for rate in rates.values():
        for at, _requests, failed in rate:
            errors[at] += failed
    series["errors/s, all pools"] = sorted(errors.items())
    colours.append("var(--failed)")
    return _chart(series, colours, charts.lines("traffic", series, colours, began, until, steps=False), len(rates) - len(busiest))


def _timeline(picture: Picture, phases: Mapping[str, Sequence[Phase]], until: float) -> Iterator[dict[str, t.Any]]:
    """Batch after batch, and then who was in none of them and yet was touched."""
    began = picture.rollout.started
    records = {record.host: record for record in picture.rollout.hosts}
    running = picture.running
    batches: list[Sequence[str]] = [*picture.rollout.plan.batches]
    planned = set(picture.rollout.plan.order)
    others = [host for host in records if host not in planned]
    for number, hosts in enumerate([*batches, others], 1):
        rows: list[dict[str, t.Any]] = []
        for host in hosts:
            record = records.get(host)
            rows.append(
                {
                    "host": host,
                    "running": running.get(host, ""),
                    "state": state_of(record.step, record.verdict) if record else "old",
                    "why": record.why if record else "",
                    "phases": [
                        {**_span(one.began, one.ended, began, until), "name": one.name, "seconds": one.seconds}
                        for one in phases.get(host, ())
                    ],
                }
            )
        if rows:
            moments = [one for host in hosts for one in phases.get(host, ())]
            busy = [one for one in moments if one.name != OUT] or moments
            whole = (min(one.began for one in busy), max(one.ended for one in busy)) if busy else None
            yield {
                "name": f"Batch {number}" if number <= len(batches) else "Not rolled",
                "rows": rows,
                "states": _tally(str(row["state"]) for row in rows),
                "span": _span(*whole, began, until) if whole else None,
                "seconds": whole[1] - whole[0] if whole else None,
                "trouble": any(row["state"] in ("failed", "unreachable", "out") for row in rows),
            }


def _tally(states: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for state in states:
        counts[state] = counts.get(state, 0) + 1
    return counts


def _span(since: float, till: float, began: float, until: float) -> dict[str, float]:
    """Where something is on an axis, in percent."""
    whole = until - began
    left = min(max((since - began) / whole, 0), 1) * 100
    return {"left": round(left, 3), "width": round(max(min((till - began) / whole, 1) * 100 - left, 0.15), 3)}


def _cycle(colours: Sequence[str], count: int) -> list[str]:
    return [colours[number % len(colours)] for number in range(count)]
