# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a host's own switch is written as an address, and what the kernel's table of connections says. Pure."""

from __future__ import annotations

import dataclasses
import typing as t
from urllib.parse import parse_qsl, urljoin, urlsplit

from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError

_COMMON = {"port": "", "interval": "2s", "fall": "3", "rise": "2", "in_flight": "", "pool": "local", "member": "self"}
_OF_FILE = {**_COMMON, "health": ""}
_OF_URL = {**_COMMON, "out": "", "in": ""}
_ESTABLISHED, _LISTEN = "01", "0A"


@dataclasses.dataclass(frozen=True)
class Switch:
    """A host's own switch, and how the load balancers in front look at it; times in seconds."""

    #: The file that is there while the host is out; None: it is switched by calls.
    file: str | None
    #: The health endpoint that the load balancers ask; None: it is not looked at.
    health: str | None
    #: What is called (POST) to go out, and to come back.
    out: str | None
    back: str | None
    #: The app's TCP port.
    port: int
    #: How long the load balancers take to notice that it is out, and that it is back.
    falls: float
    rises: float
    #: The key in the health endpoint's JSON that holds how many requests the app works on; None: the kernel's connections count.
    in_flight: str | None
    pool: str
    member: str


def switch(address: str) -> Switch:
    """Read ``file:PATH?...`` or ``http://HEALTH#out=PATH&in=PATH&...``.

    :raises InputError: says what is wrong and how it is written.
    """
    try:
        parts = urlsplit(address)
        return _of_file(parts.path, _options(parts.query, _OF_FILE)) if parts.scheme == "file" else _of_url(address)
    except ValueError as error:
        raise InputError(
            f"address: {address!r} is no readiness address ({error}); write file:/PATH?port=8080&interval=2s&fall=3, "
            "or http://127.0.0.1:8080/HEALTH#out=/PATH&in=/PATH&interval=2s&fall=3."
        ) from None


def connections(table: str, port: int) -> tuple[int, bool]:
    """How many connections to a local port are established, and whether somebody listens on it.

    :param table: the text of ``/proc/net/tcp`` or ``/proc/net/tcp6``.
    """
    states = [row[3] for row in (line.split() for line in table.splitlines()[1:]) if int(row[1].rpartition(":")[2], 16) == port]
    return states.count(_ESTABLISHED), _LISTEN in states


def _of_file(path: str, options: t.Mapping[str, str]) -> Switch:
    if not path.startswith("/") or path.endswith("/"):
        raise ValueError("the path of the file must be absolute")
    health = options["health"] or None
    if options["in_flight"] and not health:
        raise ValueError("in_flight is read from the health endpoint; give health=URL")
    return Switch(file=path, health=health, out=None, back=None, **_times(options, _port_of(health) if health else None))


def _of_url(address: str) -> Switch:
    health, _mark, fragment = address.partition("#")
    options = _options(fragment, _OF_URL)
    if not options["out"] or not options["in"]:
        raise ValueError("out and in are both needed")
    out, back = (urljoin(health, options[name]) for name in ("out", "in"))
    return Switch(file=None, health=health, out=out, back=back, **_times(options, _port_of(health)))


def _options(text: str, known: t.Mapping[str, str]) -> dict[str, str]:
    given = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
    names = [name for name, _value in given]
    for name in names:
        if name not in known or names.count(name) > 1:
            raise ValueError(f"{name} is there twice" if name in known else f"{name} is not among {', '.join(sorted(known))}")
    return {**known, **dict(given)}


def _port_of(url: str) -> int:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url} is no http or https URL")
    return parts.port or {"http": 80, "https": 443}[parts.scheme]


def _times(options: t.Mapping[str, str], port: int | None) -> dict[str, t.Any]:
    if options["port"]:
        port = int(options["port"])
    if port is None or not 0 < port < 65536:
        raise ValueError("port must be that of the app")
    counts = {name: int(options[name]) for name in ("fall", "rise")}
    if min(counts.values()) < 1:
        raise ValueError("fall and rise are at least 1")
    try:
        interval = to_seconds(options["interval"], "interval")
    except InputError as error:
        raise ValueError(error.message.rstrip(".")) from None
    if not options["pool"] or not options["member"]:
        raise ValueError("pool and member cannot be empty")
    return {
        "port": port,
        "falls": interval * counts["fall"],
        "rises": interval * counts["rise"],
        "in_flight": options["in_flight"] or None,
        "pool": options["pool"],
        "member": options["member"],
    }
