# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a rollout may go on: windows of the week, and freezes. Pure; a time zone gives the time of its own clocks, DST included."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_MIDNIGHT = 24 * 60
_CLOCK = re.compile(r"([0-9]{1,2}):([0-5][0-9])", re.ASCII)


@dataclass(frozen=True)
class Window:
    """A time of the day on some days of the week. One that ends before it starts ends on the next day."""

    days: tuple[int, ...]  # 0 is Monday
    start: int  # minutes since midnight
    end: int  # minutes since midnight, up to 1440
    zone: ZoneInfo

    def holds(self, now: float) -> bool:
        """Whether it is open, going by what the clocks of its zone show; an hour that they show twice is open twice."""
        local = datetime.fromtimestamp(now, self.zone)
        minute = local.hour * 60 + local.minute
        if self.start < self.end:
            return local.weekday() in self.days and self.start <= minute < self.end
        return (local.weekday() in self.days and minute >= self.start) or ((local.weekday() - 1) % 7 in self.days and minute < self.end)

    def opens_after(self, now: float) -> float | None:
        """When it opens next; None when it does not within eight days, as in an hour that the clocks leave out."""
        today = datetime.fromtimestamp(now, self.zone).date()
        start = time(self.start // 60, self.start % 60, tzinfo=self.zone)
        openings = (datetime.combine(today + timedelta(days), start).timestamp() for days in range(9))
        return next((opening for opening in openings if opening > now and self.holds(opening)), None)

    def __str__(self) -> str:
        days = ",".join(DAYS[day] for day in self.days) if len(self.days) < 7 else "every day"
        return f"{days} {_clock(self.start)}-{_clock(self.end)} {self.zone.key}"


@dataclass(frozen=True)
class Freeze:
    """A time in which nothing is rolled, in seconds since the epoch; its end is not part of it."""

    start: float
    end: float
    reason: str
    until: str  # the end as a person reads it


@dataclass(frozen=True)
class Calendar:
    """All windows, of which one must be open if there are any, and all freezes."""

    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()

    @classmethod
    def parse(cls, windows: t.Any, freezes: t.Any) -> Calendar:
        """From ``rollout_windows`` and ``rollout_freezes``.

        :raises InputError: naming the variable and the entry that is wrong.
        """
        return cls(
            tuple(_window(entry) for entry in _entries(windows, "rollout_windows", {"days", "from", "to", "timezone"})),
            tuple(_freeze(entry) for entry in _entries(freezes, "rollout_freezes", {"from", "to", "reason", "timezone"})),
        )

    def shut(self, now: float) -> str:
        """Why nothing may start now; empty when it may."""
        for freeze in self.freezes:
            if freeze.start <= now < freeze.end:
                return f"rollout_freezes: frozen until {freeze.until}: {freeze.reason}"
        if not self.windows or any(window.holds(now) for window in self.windows):
            return ""
        openings = [(opening, window) for window in self.windows if (opening := window.opens_after(now)) is not None]
        if not openings:
            return f"rollout_windows: none of {'; '.join(map(str, self.windows))} is open"
        opening, window = min(openings, key=lambda pair: pair[0])
        when = datetime.fromtimestamp(opening, window.zone)
        return f"rollout_windows: none of {'; '.join(map(str, self.windows))} is open; the next opens {_shown(when)}"


def _entries(value: t.Any, variable: str, keys: set[str]) -> list[Mapping[str, t.Any]]:
    entries = value or []
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise InputError(f"{variable}: {value!r} is no list; give a list of dictionaries with {', '.join(sorted(keys))}.")
    for entry in entries:
        if not isinstance(entry, Mapping) or set(entry) - keys or {"from", "to"} - set(entry):
            raise InputError(f"{variable}: {entry!r} is not understood; give from and to, and some of {', '.join(sorted(keys))}.")
    return list(entries)


def _window(entry: Mapping[str, t.Any]) -> Window:
    start, end = _minutes(entry["from"], "from"), _minutes(entry["to"], "to")
    if start in (end, _MIDNIGHT):
        raise InputError(f"rollout_windows: {entry['from']} to {entry['to']} is no time of the day; a whole day is from 00:00 to 24:00.")
    return Window(_days(entry.get("days")), start, end, _zone(entry, "rollout_windows"))


def _days(value: t.Any) -> tuple[int, ...]:
    """``mon-fri``, ``sat,sun``, ``fri-mon``, a list of such; every day when nothing is given."""
    if value is None:
        return tuple(range(7))
    found: set[int] = set()
    for part in value if isinstance(value, Sequence) and not isinstance(value, str) else str(value).split(","):
        first, dash, last = (word.strip() for word in str(part).lower().partition("-"))
        if first not in DAYS or (dash and last not in DAYS):
            raise InputError(f"rollout_windows.days: {part!r} is no day; give some of {', '.join(DAYS)}, or a range such as mon-fri.")
        day, stop = DAYS.index(first), DAYS.index(last if dash else first)
        found |= {(day + more) % 7 for more in range((stop - day) % 7 + 1)}
    if not found:
        raise InputError("rollout_windows.days: the list is empty; leave it out for every day.")
    return tuple(sorted(found))


def _minutes(value: t.Any, key: str) -> int:
    match = _CLOCK.fullmatch(str(value).strip())
    minutes = int(match.group(1)) * 60 + int(match.group(2)) if match else -1
    if isinstance(value, int) and not isinstance(value, bool):
        minutes = value  # YAML reads 22:00 without quotes as 1320
    if not 0 <= minutes <= _MIDNIGHT:
        raise InputError(f"rollout_windows.{key}: {value!r} is no time of the day; write it as 09:00, up to 24:00.")
    return minutes


def _freeze(entry: Mapping[str, t.Any]) -> Freeze:
    zone = _zone(entry, "rollout_freezes")
    start, end = _moment(entry["from"], "from", zone, 0), _moment(entry["to"], "to", zone, 1)
    if start >= end:
        raise InputError(f"rollout_freezes: {entry['from']} to {entry['to']} ends before it begins.")
    return Freeze(start.timestamp(), end.timestamp(), str(entry.get("reason") or "no reason given"), _shown(end))


def _moment(value: t.Any, key: str, zone: ZoneInfo, days: int) -> datetime:
    """A date and time as given, or the midnight ``days`` after the start of a date: a date that ends a freeze is part of it."""
    text = str(value).strip()
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
            return datetime.combine(date.fromisoformat(text) + timedelta(days), time(0), zone)
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        moment.timestamp()
    except (ValueError, OverflowError):
        raise InputError(
            f"rollout_freezes.{key}: {value!r} is no date; write 2026-12-20, which is the whole day, or 2026-12-20 18:00."
        ) from None
    return moment


def _zone(entry: Mapping[str, t.Any], variable: str) -> ZoneInfo:
    name = str(entry.get("timezone") or "UTC")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError(
            f"{variable}.timezone: {name!r} is no time zone that the controller knows; give an IANA name such as Europe/Berlin."
        ) from None


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _shown(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} {when.tzinfo.key if isinstance(when.tzinfo, ZoneInfo) else when.tzname()}"
