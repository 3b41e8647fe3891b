# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person wrote in ``rollout_waves``, checked. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.amounts import Amount

REST = "rest"
"""Whoever is in no other wave; a last wave of them is there whether it is written or not."""

_ONE_BOX = "one-box"
_KEYS = ("name", "hosts", "max_unavailable", "bake", "approve")
_BAKE_KEYS = ("time", "requests")
_LONGEST = 1e9  # seconds


@dataclass(frozen=True)
class WaveSpec:
    """One wave as it was asked for."""

    name: str
    hosts: Amount | str  # so many, a zone or group of the inventory, or `REST`
    max_unavailable: Amount | None = None  # of the wave's own hosts
    bake_time: float = 0.0  # seconds
    bake_requests: int = 0
    approve: bool = False


def parse_waves(given: t.Any) -> tuple[WaveSpec, ...]:
    """The waves in their order, the one of the rest at their end; none when nothing was given.

    :raises InputError: one sentence that names the wave, what was given and what is allowed.
    """
    if given in (None, "", []):
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise InputError(f"rollout_waves: {_shown(given)} is no list of waves; write a dash before each.")
    specs = [_parse(entry, number) for number, entry in enumerate(given, 1)]
    names = [spec.name for spec in specs]
    for number, spec in enumerate(specs):
        if spec.name in names[:number]:
            raise InputError(f"rollout_waves: two waves are called {spec.name!r}; give each its own name.")
        if spec.hosts == REST and number < len(specs) - 1:
            raise InputError(
                f"rollout_waves: wave {spec.name!r} takes all the rest, so nobody is left for the waves after it; put it last."
            )
    if specs[-1].hosts != REST:
        if REST in names:
            raise InputError(f"rollout_waves: {REST!r} is the name of the wave of all that are left; give wave {REST!r} another name.")
        specs.append(WaveSpec(REST, REST))
    return tuple(specs)


def names_in(given: t.Any) -> list[str]:
    """The names in ``rollout_approve``: a list, or a text with commas.

    :raises InputError: it is neither.
    """
    if given in (None, ""):
        return []
    if isinstance(given, Mapping | bool) or not isinstance(given, Sequence | int):
        raise InputError(f"rollout_approve: {_shown(given)} is neither a list of waves nor names with commas between them.")
    listed = given if isinstance(given, Sequence) and not isinstance(given, str) else str(given).split(",")
    return [str(name).strip() for name in listed if str(name).strip()]


def _parse(entry: t.Any, number: int) -> WaveSpec:
    given = entry if isinstance(entry, Mapping) else {"hosts": entry}
    where = f"rollout_waves: wave {number}"
    unknown = sorted(str(key) for key in set(given) - set(_KEYS))
    if unknown:
        raise InputError(f"{where} has {', '.join(unknown)}, which is not among {', '.join(_KEYS)}.")
    hosts = given.get("hosts")
    if isinstance(hosts, bool | Mapping) or (isinstance(hosts, Sequence) and not isinstance(hosts, str)) or hosts in (None, ""):
        raise InputError(f"{where}: hosts is {_shown(hosts)}; give a count, a percentage, the name of a zone or group, or {REST}.")
    text = str(hosts).strip()
    name = str(given.get("name") or text).strip()
    if not re.fullmatch(r"[^,\x00-\x1f]{1,64}", name):
        raise InputError(f"{where}: {_shown(name)} is no name; give up to 64 characters without commas.")
    where = f"rollout_waves: wave {name!r}"
    time, requests = _bake(given.get("bake"), where)
    return WaveSpec(
        name=name,
        hosts=_hosts(text, where),
        max_unavailable=None
        if given.get("max_unavailable") in (None, "")
        else Amount.parse(given["max_unavailable"], f"{where}, max_unavailable"),
        bake_time=time,
        bake_requests=requests,
        approve=_yes(given.get("approve"), where),
    )


def _hosts(text: str, where: str) -> Amount | str:
    if text == _ONE_BOX:
        return Amount(1, False)
    if not re.match("[0-9+-]+ *%?$", text):
        return text
    amount = Amount.parse(text, f"{where}, hosts")
    if not amount.number:
        raise InputError(f"{where}: {text} of the fleet is nobody; give at least 1 or 1%.")
    return amount


def _bake(given: t.Any, where: str) -> tuple[float, int]:
    if given in (None, ""):
        return 0.0, 0
    bake = given if isinstance(given, Mapping) else {"time": given}
    unknown = sorted(str(key) for key in set(bake) - set(_BAKE_KEYS))
    if unknown:
        raise InputError(f"{where}: bake has {', '.join(unknown)}, which is not among {', '.join(_BAKE_KEYS)}.")
    seconds = to_seconds(bake.get("time") or 0, f"{where}, bake.time")
    if seconds > _LONGEST:
        raise InputError(f"{where}, bake.time: {_shown(bake['time'])} is no time to wait; give at most {_LONGEST:g} s.")
    requests = str(bake.get("requests") or 0)
    if not re.fullmatch("[0-9]{1,12}", requests, re.ASCII):
        raise InputError(f"{where}, bake.requests: {_shown(requests)} is no whole number of 0 or more.")
    return seconds, int(requests)


def _yes(given: t.Any, where: str) -> bool:
    try:
        return bool(boolean(given or False))
    except TypeError:
        raise InputError(f"{where}: approve is {_shown(given)}, which is neither yes nor no.") from None


def _shown(value: t.Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
