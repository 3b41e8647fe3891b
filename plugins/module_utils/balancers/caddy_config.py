# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Upstreams in Caddy's configuration: found, taken out, and put back exactly as they were. Pure.

Caddy has no word for "out": an upstream is in the list or not. So that a member can be put back by anybody, even by another
controller, what is taken out is kept in the configuration itself: in a last route of the same server that no request matches. It
holds the order of all members, and those that are out entire. With the last member that comes back it goes.
"""

from __future__ import annotations

import copy
import dataclasses
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError

_KEPT = "convoy.rolling out of "
_NEVER = [{"not": [{"path": ["*"]}]}]


@dataclasses.dataclass(frozen=True)
class Proxy:
    """One ``reverse_proxy``, by its ``@id``, or by its path below ``apps/http/servers`` where it has none."""

    name: str
    server: str
    #: Upstreams by their ``dial``, in the order of the list.
    live: dict[str, dict[str, t.Any]]
    #: Those that are out.
    out: dict[str, dict[str, t.Any]]
    #: Every ``dial``, in the order that was there when the first one was taken out.
    order: tuple[str, ...]
    #: Why it cannot be told or changed; None: it can.
    fault: str | None


def proxies(config: t.Any) -> dict[str, Proxy]:
    """All reverse proxies of a whole configuration, by name.

    :raises RollingError: it has not the form of a configuration, or two proxies have one name.
    """
    found: dict[str, Proxy] = {}
    for server, content in _servers(config).items():
        kept = {route["@id"]: route for route in _routes(content) if _is_kept(route)}
        for path, handler in _handlers(content, (server,)):
            name = _name(path, handler)
            if name in found:
                raise RollingError(f'Two handlers of Caddy have the "@id" {name!r}; give each its own.')
            found[name] = _proxy(name, server, handler, kept.get(f"{_KEPT}{name}"))
    return found


def moved(config: t.Any, pool: str, out: t.Mapping[str, bool]) -> dict[str, t.Any] | None:
    """The whole server with these members of a pool taken out or put back; None when there is nothing to do.

    :param config: where the pool is there, without a fault. It stays as it is.
    :param out: the ``dial`` of known members -> whether it shall be out.
    """
    proxy = proxies(config)[pool]
    stays = [dial for dial in proxy.live if not out.get(dial, False)]
    returns = [dial for dial in proxy.out if not out.get(dial, True)]
    if not returns and len(stays) == len(proxy.live):
        return None
    order = list(proxy.order)
    every = {**proxy.live, **proxy.out}
    for dial in returns:
        after = set(order[order.index(dial) :])
        stays.insert(next((place for place, one in enumerate(stays) if one in after), len(stays)), dial)
    gone = {dial: every[dial] for dial in order if dial not in stays}

    server: dict[str, t.Any] = copy.deepcopy(_servers(config)[proxy.server])
    handler = next(handler for path, handler in _handlers(server, (proxy.server,)) if _name(path, handler) == pool)
    handler["upstreams"] = [copy.deepcopy(every[dial]) for dial in stays]
    routes = [route for route in _routes(server) if not (_is_kept(route) and route["@id"] == f"{_KEPT}{pool}")]
    if gone:
        routes.append(_keep(pool, order, gone))
    if routes or "routes" in server:
        server["routes"] = routes
    return server


def _servers(config: t.Any) -> dict[str, t.Any]:
    for step in ("apps", "http", "servers"):
        config = config.get(step) if isinstance(config, dict) else None
    if not isinstance(config, dict):
        raise RollingError("Caddy has no HTTP servers in its configuration, so it has no pools.")
    return config


def _routes(server: t.Any) -> list[t.Any]:
    routes = server.get("routes") if isinstance(server, dict) else None
    return routes if isinstance(routes, list) else []


def _handlers(value: t.Any, path: tuple[t.Any, ...]) -> t.Iterator[tuple[tuple[t.Any, ...], dict[str, t.Any]]]:
    """Every reverse proxy below, with its path; what is kept of those that are out is none."""
    if isinstance(value, dict):
        if value.get("handler") == "reverse_proxy":
            yield path, value
        steps: t.Iterable[tuple[t.Any, t.Any]] = value.items()
    else:
        steps = enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        if not _is_kept(inner):
            yield from _handlers(inner, (*path, step))


def _name(path: tuple[t.Any, ...], handler: dict[str, t.Any]) -> str:
    return str(handler.get("@id") or "/".join(str(step) for step in path))


def _proxy(name: str, server: str, handler: dict[str, t.Any], kept: dict[str, t.Any] | None) -> Proxy:
    upstreams = handler.get("upstreams") or []
    dials = [upstream.get("dial") for upstream in upstreams if isinstance(upstream, dict)] if isinstance(upstreams, list) else []
    fault = None
    if "dynamic_upstreams" in handler:
        fault = "its members are found by dynamic_upstreams; list them as upstreams"
    elif not isinstance(upstreams, list) or len(dials) < len(upstreams) or not all(isinstance(dial, str) for dial in dials):
        fault = "it has upstreams that are not understood"
    elif len(set(dials)) < len(dials):
        fault = "it has the same upstream twice, so one cannot be told from the other"
    try:
        roster = {upstream["dial"]: upstream for upstream in kept["handle"][0]["upstreams"]} if kept else {}
    except (KeyError, IndexError, TypeError):
        fault = f"somebody changed the route {_KEPT + name!r}, which keeps the members that are out; put them back by hand and delete it"
    if fault:
        return Proxy(name, server, {}, {}, (), fault)
    live = {upstream["dial"]: upstream for upstream in upstreams}
    order = (*roster, *(dial for dial in live if dial not in roster))
    return Proxy(name, server, live, {dial: roster[dial] for dial in roster if dial not in live}, order, None)


def _is_kept(value: t.Any) -> bool:
    return isinstance(value, dict) and str(value.get("@id", "")).startswith(_KEPT)


def _keep(pool: str, order: t.Iterable[str], gone: t.Mapping[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    # Of the others only the place: an "@id" of theirs may not be there twice.
    upstreams = [copy.deepcopy(gone[dial]) if dial in gone else {"dial": dial} for dial in order]
    return {"@id": f"{_KEPT}{pool}", "match": copy.deepcopy(_NEVER), "handle": [{"handler": "reverse_proxy", "upstreams": upstreams}]}
