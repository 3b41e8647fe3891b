# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The charts of a report, as SVG that stands in a page: its colours are the page's, so that light and dark are one drawing."""

from __future__ import annotations

import re
import sys
import typing as t
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from ansible_collections.convoy.rolling.plugins.plugin_utils.history import clock

try:
    import pygal
    from pygal.style import Style
except ImportError:
    MISSING = f"The charts need pygal, which {sys.executable} can't import; install it there: pip install 'pygal>=3'."
else:
    MISSING = ""

_SAMPLES = 160
"""Moments of a chart: more than that nobody can tell apart."""

_USUAL: dict[str, t.Any] = {
    "width": 860,
    "height": 260,
    "margin": 6,
    "js": [],  # its tooltips would be fetched from the network
    "show_legend": False,
    "disable_xml_declaration": True,
    "show_dots": False,
    "include_x_axis": False,
    "show_minor_x_labels": False,
    "truncate_label": -1,
    "no_data_text": "",
}


def _style(colours: Sequence[str], opacity: str) -> t.Any:
    return Style(
        background="transparent",
        plot_background="transparent",
        foreground="var(--quiet)",
        foreground_strong="var(--quiet)",
        foreground_subtle="var(--line)",
        guide_stroke_color="var(--line)",
        major_guide_stroke_color="var(--line)",
        guide_stroke_dasharray="none",
        major_guide_stroke_dasharray="none",
        opacity=opacity,
        opacity_hover=opacity,
        colors=tuple(colours),
        font_family="inherit",
        label_font_size=13,
        major_label_font_size=13,
        value_font_size=1,
        tooltip_font_size=1,
    )


def stacked(name: str, series: Mapping[str, Sequence[tuple[float, float]]], colours: Sequence[str], began: float, until: float) -> str:
    """Amounts that make up a whole, over time.

    :param name: one word that no other chart of the page has.
    :param series: name -> when it became how much, in order.
    :param colours: of the series, as CSS knows them.
    """
    moments = _moments(began, until)
    values = {name: _held(points, moments) for name, points in series.items()}
    top = max((sum(amount or 0 for amount in column) for column in zip(*values.values(), strict=True)), default=0)
    chart = pygal.StackedLine(**_USUAL, fill=True, style=_style(colours, ".85"), stroke_style={"width": 0}, **_axes(top, moments))
    chart.uuid = name
    for title, amounts in values.items():
        chart.add(title, amounts)
    return _drawn(chart)


def lines(
    name: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    colours: Sequence[str],
    began: float,
    until: float,
    dashed: t.Container[str] = (),
    steps: bool = True,
) -> str:
    """Amounts beside each other, over time.

    :param dashed: the series that are limits.
    :param steps: an amount holds until the next one, and is not on its way there.
    """
    moments = _moments(began, until)
    top = max((amount for points in series.values() for _at, amount in points), default=0)
    chart = pygal.Line(**_USUAL, style=_style(colours, "1"), **_axes(top, moments))
    chart.uuid = name
    for title, points in series.items():
        values = _held(points, moments) if steps else _between(points, moments)
        chart.add(title, values, stroke_style={"width": 3, **({"dasharray": "6, 5"} if title in dashed else {})})
    return _drawn(chart)


def _drawn(chart: t.Any) -> str:
    """Without the scripts that it would take on a page of its own."""
    return re.sub(r"<script.*?</script>|<!--.*?-->", "", chart.render(is_unicode=True), flags=re.DOTALL)


def _moments(began: float, until: float) -> list[float]:
    return [began + (until - began) * number / (_SAMPLES - 1) for number in range(_SAMPLES)]


def _axes(top: float, moments: Sequence[float]) -> dict[str, t.Any]:
    """The scales: from 0 to what is at the top, in round numbers; and the time since it began at seven moments."""
    step = next(step for step in _round_numbers() if step * 6 >= top)
    last = len(moments) - 1
    named = {round(number * last / 6) for number in range(7)}
    labels = [clock(moment - moments[0]) if place in named else "" for place, moment in enumerate(moments)]
    return {
        "range": (0, max(top, step) * 1.02),
        "y_labels": [step * number for number in range(int(max(top, step) / step + 0.001) + 1)],
        "x_labels": labels,
        "x_labels_major": [label for label in labels if label],
        "value_formatter": _whole,
    }


def _round_numbers() -> t.Iterator[float]:
    size = 1
    while True:
        yield from (size, 2 * size, 5 * size)
        size *= 10


def _held(points: Sequence[tuple[float, float]], moments: Sequence[float]) -> list[float | None]:
    """What holds at each moment; nothing before the first point."""
    times = [at for at, _amount in points]
    places = [bisect_right(times, moment + 1e-6) - 1 for moment in moments]
    return [points[place][1] if place >= 0 else None for place in places]


def _between(points: Sequence[tuple[float, float]], moments: Sequence[float]) -> list[float | None]:
    """The amounts on straight lines from point to point."""
    values: list[float | None] = []
    times = [at for at, _amount in points]
    for moment in moments:
        place = bisect_right(times, moment)
        if not 0 < place < len(points):
            values.append(points[-1][1] if points and place and moment - times[-1] < 1e-6 else None)
            continue
        (before, low), (after, high) = points[place - 1], points[place]
        values.append(low + (high - low) * (moment - before) / (after - before) if after > before else high)
    return values


def _whole(amount: float) -> str:
    return f"{amount:.1f}".removesuffix(".0")
