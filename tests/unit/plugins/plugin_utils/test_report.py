# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from unit.plugins.action.recorded_runs import recorded
from unit.plugins.plugin_utils.fleets import names
from unit.plugins.plugin_utils.pictures import big_picture

from ansible_collections.convoy.rolling.plugins.plugin_utils import charts
from ansible_collections.convoy.rolling.plugins.plugin_utils.history import Picture
from ansible_collections.convoy.rolling.plugins.plugin_utils.report import report_html

HOSTILE = """</title></style><script>alert("x")</script>"'<b>{{ 1 + 1 }}"""


class _Page(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def words(html: str) -> str:
    return " ".join(_Page(html).text.split())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "success",
            ["converged", "6 of 6", "of it paused 1:00", "2 hosts out at most", "why: an alarm", "lb1/web, its floor is 4"],
        ),
        (
            "halt",
            [
                "halted",
                "1 host failed (web1)",
                "-e rollout_version=A_GOOD_VERSION",
                "health check: status 503",
                "No route",
                "held by a person",
            ],
        ),
        ("resume", ["rollout 2", "converged", "convoy.rolling.status"]),
    ],
)
def test_page_says_it_all_in_text(name: str, said: list[str]) -> None:
    text = words(report_html(recorded(name).picture(), 5000.0))
    assert [one for one in said if one not in text] == []


def test_page_of_a_rollout_that_is_killed_or_waits_says_so() -> None:
    killed = words(report_html(recorded("resume").picture(1), 5000.0))
    assert "interrupted its controller ended" in killed.replace("web to 2.0 ", "")
    assert "took 0:13" in killed, "nobody knows for how long it did nothing"


def test_whatever_people_and_hosts_say_is_text() -> None:
    picture = big_picture(30, failed=["web1"], why=HOSTILE, rename=lambda host: f"{host}{HOSTILE}")
    page = _Page(report_html(picture, 2e9))
    assert {tag for tag, _attributes in page.tags}.isdisjoint({"script", "iframe", "object", "img", "link", "a", "form"})
    assert "b" not in {tag for tag, attributes in page.tags if attributes}, "none of theirs"
    assert page.text.count(f"web1{HOSTILE}") >= 2
    assert not [name for _tag, attributes in page.tags for name in attributes if name.startswith("on")]


def test_page_needs_nothing_from_anywhere() -> None:
    html = report_html(recorded("success").picture(), 5000.0)
    assert "default-src 'none'" in html
    assert re.findall(r"(?:src|href)=|url\(|@import", html) == []
    assert html.count("<svg") == 3


def test_thousand_hosts_are_groups() -> None:
    html = report_html(big_picture(1000, failed=names(1000)[230:290]), 2e9)
    page = _Page(html)
    batches = [attributes for tag, attributes in page.tags if tag == "details" and attributes.get("class") == "batch"]
    assert [("open" in attributes) for attributes in batches] == [False, False, True, *[False] * 7]
    assert "and 52 more" in words(html)
    assert html.count("health check: status 503") == 61, "once for all of them, and once a host in the timeline"
    assert len(html) < 1_000_000


def test_without_what_draws_it_the_text_is_there_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "MISSING", "The charts need pygal.")
    html = report_html(big_picture(6), 2e9)
    assert html.count("The charts need pygal.") == 3
    assert "6 of 6 hosts" in words(html)


def test_without_load_balancers_it_says_what_is_not_known() -> None:
    picture = big_picture(6)
    picture = Picture(picture.rollout, tuple(event for event in picture.events if event.kind != "seen"))
    text = words(report_html(picture, 2e9))
    assert "There is no load balancer that says who serves." in text
    assert "The load balancers do not count requests" in text
