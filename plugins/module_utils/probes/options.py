# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a health check can be told, and what is made of it before the first probe."""

from __future__ import annotations

import dataclasses
import re
import shlex
import typing as t
from urllib.parse import urlsplit

from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.module_utils.probes.expressions import Expression
from ansible_collections.convoy.rolling.plugins.module_utils.probes.secrets import shown_url

KINDS = ("url", "tcp", "command")

_TARGET_SPEC: dict[str, t.Any] = {
    "url": {"type": "str"},
    "tcp": {"type": "str"},
    "command": {"type": "str"},
}

ARGUMENT_SPEC: dict[str, t.Any] = {
    "fleet": {"type": "path"},
    "targets": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str"},
            **_TARGET_SPEC,
            "status": {"type": "list", "elements": "str"},
            "conditions": {"type": "list", "elements": "str"},
            "extract": {"type": "dict"},
        },
    },
    **_TARGET_SPEC,
    "status": {"type": "list", "elements": "str", "default": ["200"]},
    "conditions": {"type": "list", "elements": "str", "default": []},
    "extract": {"type": "dict", "default": {}},
    "method": {"type": "str", "choices": ["GET", "HEAD"], "default": "GET"},
    "headers": {"type": "dict", "no_log": True, "default": {}},
    "host_header": {"type": "str"},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "success_threshold": {"type": "int", "default": 3},
    "interval": {"type": "str", "default": "1s"},
    "timeout": {"type": "str", "default": "5s"},
    "deadline": {"type": "str", "default": "60s"},
    "initial_delay": {"type": "str", "default": "0"},
    "concurrency": {"type": "int", "default": 50},
    "observe": {"type": "bool", "default": False},
}

_SUCCESS = ((0, 0),)
"""What a command must exit with."""


@dataclasses.dataclass(frozen=True)
class Target:
    """One thing to probe, and what its answer must be.

    ``statuses`` are inclusive ranges of HTTP status codes, or of exit codes for a command.
    """

    name: str
    kind: str
    address: str
    statuses: tuple[tuple[int, int], ...] = ()
    conditions: tuple[Expression, ...] = ()
    extract: t.Mapping[str, Expression] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Pace:
    """How often and how long to probe. Times are in seconds; ``deadline`` counts from the start, ``initial_delay`` included."""

    threshold: int = 3
    interval: float = 1.0
    timeout: float = 5.0
    deadline: float = 60.0
    initial_delay: float = 0.0
    concurrency: int = 50
    once: bool = False


def parse_pace(params: t.Mapping[str, t.Any]) -> Pace:
    """The pace that was asked for.

    :raises InputError: also for a deadline that is over before the probes could have passed often enough.
    """
    once: bool = params["observe"]
    for option in ("success_threshold", "concurrency"):
        if params[option] < 1:
            raise InputError(f"{option}: {params[option]} is too low; give 1 or more.")
    seconds = {option: to_seconds(params[option], option) for option in ("interval", "timeout", "deadline", "initial_delay")}
    for option in ("interval", "timeout", "deadline"):
        if seconds[option] <= 0:
            raise InputError(f"{option}: {params[option]!r} is too short; give more than 0 seconds.")
    pace = Pace(
        threshold=1 if once else params["success_threshold"],
        interval=seconds["interval"],
        timeout=seconds["timeout"],
        deadline=seconds["deadline"],
        initial_delay=0.0 if once else seconds["initial_delay"],
        concurrency=params["concurrency"],
        once=once,
    )
    soonest = pace.initial_delay + (pace.threshold - 1) * pace.interval
    if soonest >= pace.deadline:
        raise InputError(
            f"deadline: {pace.deadline:g} s is too short for success_threshold {pace.threshold}: initial_delay {pace.initial_delay:g} s"
            f" + {pace.threshold - 1} x interval {pace.interval:g} s = {soonest:g} s before the last probe starts; give a longer deadline."
        )
    return pace


def parse_targets(params: t.Mapping[str, t.Any]) -> list[Target]:
    """The targets, each with what it is given and what it takes over from the top level.

    :raises InputError: for the first target that is not well-formed, by its name.
    :raises RollingError: when an expression is given and jmespath is not installed.
    """
    alone = {kind: params[kind] for kind in KINDS if params[kind] is not None}
    if params["targets"] is not None and alone:
        raise InputError(f"targets: given together with {' and '.join(alone)}; give either targets or one of url, tcp and command.")
    entries = [alone] if params["targets"] is None else params["targets"]
    if not entries:
        raise InputError("targets: the list is empty; give at least one target.")
    targets: dict[str, Target] = {}
    for number, entry in enumerate(entries, start=1):
        target = _parse_target(entry, params, where=f"targets[{number}]" if params["targets"] is not None else "")
        if target.name in targets:
            raise InputError(f"targets: {target.name!r} is there twice; give each target its own name.")
        targets[target.name] = target
    return list(targets.values())


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of an address.

    :param address: ``host:port`` or ``[IPv6 address]:port``.
    :raises ValueError: for anything else.
    """
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:\[\]/@]+)):([0-9]{1,5})", address, re.ASCII)
    if match is None or not 1 <= int(match.group(3)) <= 65535:
        raise ValueError(address)
    return match.group(1) or match.group(2), int(match.group(3))


def _parse_target(entry: t.Mapping[str, t.Any], params: t.Mapping[str, t.Any], where: str) -> Target:
    given = [kind for kind in KINDS if entry.get(kind) is not None]
    label = " ".join(filter(None, [where, f"({entry['name']})" if entry.get("name") else ""]))
    if len(given) != 1:
        raise InputError(f"{label or 'targets'}: {' and '.join(given) or 'nothing to probe'} given; give one of url, tcp and command.")
    kind = given[0]
    address: str = entry[kind]
    name = entry.get("name") or (shown_url(address) if kind == "url" else address)
    _CHECKS[kind](address, f"{kind} of {name!r}" if where else kind)

    def own(option: str) -> t.Any:
        return params[option] if entry.get(option) is None else entry[option]

    def named(option: str) -> str:
        return f"{option} of {name!r}" if where else option

    conditions, extract = own("conditions"), own("extract")
    if (conditions or extract) and (kind == "tcp" or (kind == "url" and params["method"] == "HEAD")):
        how = "a TCP probe" if kind == "tcp" else "method HEAD"
        raise InputError(
            f"{named('conditions' if conditions else 'extract')}: {how} brings no body to look at; leave it out or probe another way."
        )
    if kind != "url" and entry.get("status") is not None:
        raise InputError(f"{named('status')}: only a url probe has a status; leave it out.")
    return Target(
        name=name,
        kind=kind,
        address=address,
        statuses=_parse_statuses(own("status"), named("status")) if kind == "url" else _SUCCESS,
        conditions=tuple(Expression.parse(text, named("conditions")) for text in conditions),
        extract={str(key): Expression.parse(str(text), f"{named('extract')}, {key}") for key, text in extract.items()},
    )


def _parse_statuses(values: t.Sequence[t.Any], option: str) -> tuple[tuple[int, int], ...]:
    ranges = []
    for value in values:
        match = re.fullmatch(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?", str(value).replace(" ", ""), re.ASCII)
        low, high = (int(match.group(1)), int(match.group(2) or match.group(1))) if match else (1, 0)
        if low > high:
            raise InputError(f"{option}: {value!r} is no HTTP status; give a code or a range from 100 to 599, such as 200 or 200-299.")
        ranges.append((low, high))
    if not ranges:
        raise InputError(f"{option}: the list is empty, so nothing could pass; give at least one code, such as 200.")
    return tuple(ranges)


def _check_url(address: str, option: str) -> None:
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s\x00-\x1f]", address)
    except ValueError:
        good = False
    if not good:
        raise InputError(
            f"{option}: {shown_url(address)!r} is no URL to probe; give http:// or https:// with a host, such as http://web1:8080/health."
        )


def _check_tcp(address: str, option: str) -> None:
    try:
        host_and_port(address)
    except ValueError:
        raise InputError(f"{option}: {address!r} is no address; give host:port or [IPv6 address]:port, port 1 to 65535.") from None


def _check_command(address: str, option: str) -> None:
    try:
        words = shlex.split(address)
    except ValueError as error:
        raise InputError(f"{option}: {address!r} cannot be split into words ({error}); close its quotes.") from error
    if not words:
        raise InputError(f"{option}: the command is empty; give a program and its arguments.")


_CHECKS: dict[str, t.Callable[[str, str], None]] = {"url": _check_url, "tcp": _check_tcp, "command": _check_command}
