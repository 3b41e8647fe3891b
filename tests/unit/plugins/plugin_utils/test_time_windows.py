# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.time_windows import Calendar

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: t.Any = UTC, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def windows(*entries: t.Any) -> Calendar:
    return Calendar.parse(list(entries), None)


def freezes(*entries: t.Any) -> Calendar:
    return Calendar.parse(None, list(entries))


def test_without_windows_and_freezes_it_is_always_open() -> None:
    assert Calendar.parse([], None).shut(0.0) == Calendar.parse("", []).shut(1e9) == ""


@pytest.mark.parametrize(
    ("when", "open_"),
    [
        ("2026-11-23 08:59:59", False),  # a Monday
        ("2026-11-23 09:00", True),
        ("2026-11-27 16:59:59", True),
        ("2026-11-27 17:00", False),
        ("2026-11-28 12:00", False),
    ],
)
def test_window_holds_from_its_first_minute_until_before_its_last(when: str, open_: bool) -> None:
    calendar = windows({"days": "mon-fri", "from": "09:00", "to": "17:00", "timezone": "Europe/Berlin"})
    assert (calendar.shut(at(when, BERLIN)) == "") is open_


def test_window_over_midnight_belongs_to_the_day_it_opens() -> None:
    calendar = windows({"days": ["fri"], "from": "22:00", "to": "04:00"})
    assert [calendar.shut(at(when)) == "" for when in ("2026-11-27 22:00", "2026-11-28 03:59", "2026-11-28 04:00", "2026-11-27 03:00")] == [
        True,
        True,
        False,
        False,
    ]


def test_hour_that_the_clocks_show_twice_is_open_twice() -> None:
    calendar = windows({"from": "02:00", "to": "03:00", "timezone": "Europe/Berlin"})
    day = "2026-10-25 02:30"
    assert [calendar.shut(at(day, BERLIN, fold)) for fold in (0, 1)] == ["", ""]
    assert calendar.shut(at("2026-10-25 03:00", BERLIN))


def test_hour_that_the_clocks_leave_out_opens_the_day_after() -> None:
    calendar = windows({"from": "02:15", "to": "02:45", "timezone": "Europe/Berlin"})
    assert calendar.shut(at("2026-03-29 00:00", BERLIN)).endswith("the next opens 2026-03-30 02:15 Europe/Berlin")


def test_sentence_says_when_the_next_one_opens() -> None:
    calendar = windows({"days": "sat,sun", "from": "06:00", "to": "24:00"}, {"days": "wed", "from": "01:00", "to": "02:00"})
    assert calendar.shut(at("2026-11-23 12:00")) == (
        "rollout_windows: none of sat,sun 06:00-24:00 UTC; wed 01:00-02:00 UTC is open; the next opens 2026-11-25 01:00 UTC"
    )


@given(
    now=st.floats(1.7e9, 1.9e9),
    start=st.integers(0, 1439),
    length=st.integers(1, 1439),
    days=st.lists(st.sampled_from(["mon", "wed", "fri-mon"]), min_size=1),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_it_opens_when_it_says_and_not_before(now: float, start: int, length: int, days: list[str], zone: str) -> None:
    end = (start + length) % 1440 or 1440
    calendar = windows({"days": days, "from": start, "to": end, "timezone": zone})
    opening = calendar.windows[0].opens_after(now)
    if calendar.shut(now) and opening is not None:
        assert now < opening < now + 9 * 86400
        assert calendar.shut(opening) == ""
        # Quarters of an hour: no zone's clocks jump by less than half an hour.
        assert all(calendar.shut(min(opening - 1, now + minutes * 60)) for minutes in range(0, int((opening - now) // 60), 307))


def test_freeze_holds_the_whole_of_its_days() -> None:
    calendar = freezes({"from": "2026-12-20", "to": "2027-01-02", "reason": "end of year", "timezone": "Europe/Berlin"})
    assert calendar.shut(at("2026-12-19 23:59:59", BERLIN)) == calendar.shut(at("2027-01-03 00:00", BERLIN)) == ""
    sentence = "rollout_freezes: frozen until 2027-01-03 00:00 Europe/Berlin: end of year"
    assert calendar.shut(at("2026-12-20 00:00", BERLIN)) == calendar.shut(at("2027-01-02 23:59:59", BERLIN)) == sentence


def test_freeze_to_the_minute_and_over_an_open_window() -> None:
    calendar = Calendar.parse([{"from": "00:00", "to": "24:00"}], [{"from": "2026-12-20 08:00", "to": "2026-12-20T10:00+01:00"}])
    assert [bool(calendar.shut(at(f"2026-12-20 {clock}"))) for clock in ("07:59", "08:00", "08:59", "09:00")] == [False, True, True, False]


@pytest.mark.parametrize(
    ("given_windows", "given_freezes", "start"),
    [
        ("09:00-17:00", None, "rollout_windows: '09:00-17:00' is no list"),
        ([{"from": "09:00"}], None, "rollout_windows: {'from': '09:00'} is not understood"),
        ([{"from": "09:00", "to": "10:00", "day": "mon"}], None, "rollout_windows: "),
        ([{"from": "9", "to": "10:00"}], None, "rollout_windows.from: '9' is no time of the day"),
        ([{"from": "09:00", "to": "24:01"}], None, "rollout_windows.to: '24:01' is no time"),
        ([{"from": "09:00", "to": "09:00"}], None, "rollout_windows: 09:00 to 09:00 is no time of the day"),
        ([{"from": "24:00", "to": "09:00"}], None, "rollout_windows: 24:00 to 09:00"),
        ([{"from": "09:00", "to": "10:00", "days": "monday"}], None, "rollout_windows.days: 'monday' is no day"),
        ([{"from": "09:00", "to": "10:00", "days": []}], None, "rollout_windows.days: the list is empty"),
        ([{"from": "09:00", "to": "10:00", "timezone": "Europe/Bonn"}], None, "rollout_windows.timezone: 'Europe/Bonn'"),
        ([{"from": "09:00", "to": "10:00", "timezone": "../etc"}], None, "rollout_windows.timezone: "),
        (None, {"from": "2026-12-20", "to": "2026-12-21"}, "rollout_freezes: "),
        (None, [{"from": "Christmas", "to": "2026-12-21"}], "rollout_freezes.from: 'Christmas' is no date"),
        (None, [{"from": "2026-12-22", "to": "2026-12-21"}], "rollout_freezes: 2026-12-22 to 2026-12-21 ends before it begins"),
    ],
)
def test_what_is_no_time_is_one_sentence(given_windows: t.Any, given_freezes: t.Any, start: str) -> None:
    with pytest.raises(InputError) as caught:
        Calendar.parse(given_windows, given_freezes)
    assert caught.value.message.startswith(start)
    assert "\n" not in caught.value.message


def test_yaml_may_make_a_number_of_a_time() -> None:
    assert windows({"from": 1320, "to": 1440}) == windows({"from": "22:00", "to": "24:00"})
