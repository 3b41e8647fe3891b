# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Caddy 2.6 and later, through its admin API."""

from __future__ import annotations

import re
import time
import typing as t
from urllib.parse import quote, urlsplit

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import (
    MAINTENANCE,
    READY,
    Balancer,
    Capabilities,
    Change,
    Member,
    Pool,
    listed,
)
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.caddy_config import Proxy, moved, proxies
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.http_calls import HttpCalls, NoReply, Reply
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.probes.secrets import shown_url

_PAUSE = 0.02
_SERVERS = "/config/apps/http/servers"
_HOST_PORT = re.compile(r"(?:tcp/)?(\[[^\]]+\]|[^:/\[\]]+):([0-9]{1,5})", re.ASCII)


class Caddy(Balancer):
    """A pool is a ``reverse_proxy``, a member an upstream by its ``dial``. One that is out is taken from the list."""

    provider = "caddy"
    capabilities = Capabilities(drains=True, soft_drain=False, cuts_sessions=False, whole_pool=True, max_weight=None)
    name_pattern = re.compile(r"[A-Za-z0-9_.:/@~\[\]-]+", re.ASCII)
    name_rule = "use letters, digits and the characters _ . : / @ ~ [ ] -"

    def __init__(self, address: str, calls: HttpCalls, timeout: float) -> None:
        self._address = address
        self._calls = calls
        self._timeout = timeout

    @classmethod
    def open(cls, address: str, timeout: float) -> Caddy:
        try:
            parts = urlsplit(address)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good or parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
            raise InputError(
                f"address: {shown_url(address)!r} is no Caddy address; give the URL of its admin API, such as http://127.0.0.1:2019."
            )
        caddy = cls(address.rstrip("/"), HttpCalls(timeout), timeout)
        try:
            caddy._config()
        except RollingError:
            caddy.close()
            raise
        return caddy

    def close(self) -> None:
        self._calls.close()

    def pools(self) -> list[str]:
        return list(proxies(self._config()[0]))

    def read(self, pool: str, members: t.Collection[str] = ()) -> Pool:
        proxy = self._proxy(self._config()[0], pool)
        counts = self._counts()
        unseen = [dial for dial in proxy.out if dial not in counts]
        if unseen:
            raise RollingError(f"Caddy at {self._address} does not say whether {listed(unseen)} still works; look at it by hand.")
        return Pool(pool, tuple(_member(dial, dial in proxy.live, counts.get(dial)) for dial in proxy.order))

    def apply(self, pool: str, changes: t.Sequence[Change]) -> dict[str, str]:
        deadline = time.monotonic() + self._timeout
        while True:
            config, tag = self._config()
            proxy = self._proxy(config, pool)
            refused = {change.member: refusal for change in changes for refusal in [_refusal(change, proxy)] if refusal}
            server = moved(config, pool, {change.member: change.admin != READY for change in changes if change.member not in refused})
            if server is None:
                return refused
            reply = self._send("PATCH", f"{_SERVERS}/{quote(proxy.server, safe='')}", server, {"If-Match": tag})
            if reply.status == 200:
                return refused
            # 412: somebody else changed the configuration since we read it.
            if reply.status != 412:
                raise self._error("refused to change the members", reply)
            if time.monotonic() >= deadline:
                raise RollingError(f"Caddy at {self._address}: others changed its configuration again and again for {self._timeout:g}s.")

    def _proxy(self, config: t.Any, pool: str) -> Proxy:
        found = proxies(config)
        if pool not in found:
            raise RollingError(f"pool: there is no reverse_proxy {pool!r} on the Caddy at {self._address}; there are: {listed(found)}.")
        fault = found[pool].fault
        if fault:
            raise RollingError(f"pool: reverse_proxy {pool!r} of Caddy cannot be worked with: {fault}.")
        return found[pool]

    def _config(self) -> tuple[t.Any, str]:
        """The whole configuration, and what proves later that it is still the same."""
        reply = self._send("GET", "/config/")
        tag = reply.headers.get("Etag")
        if reply.status != 200 or not tag or not isinstance(reply.value(), dict):
            raise self._error("shows no configuration with an Etag", reply)
        return reply.value(), tag

    def _counts(self) -> dict[str, dict[str, t.Any]]:
        """What Caddy counts for each upstream that is in use, or kept; the same in all pools."""
        reply = self._send("GET", "/reverse_proxy/upstreams")
        value = reply.value()
        try:
            return {one["address"]: {"num_requests": int(one["num_requests"]), "fails": int(one["fails"])} for one in value}
        except (TypeError, KeyError, ValueError):
            raise self._error("does not say what its upstreams do", reply) from None

    def _send(self, method: str, path: str, body: t.Any = None, headers: t.Mapping[str, str] | None = None) -> Reply:
        """One call. Caddy swaps its admin listener at each change, whoever makes it, and cuts the calls that wait there.

        Those are sent again. That is safe for a change too: if it was made after all, its ``If-Match`` holds no more.
        """
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                return self._calls.send(method, f"{self._address}{path}", body, headers)
            except NoReply as error:
                if not error.is_cut or time.monotonic() >= deadline:
                    raise RollingError(
                        f"No Caddy answers at {self._address} ({error.message.rstrip('.')}); give the URL of its admin API, seen from this "
                        'host, and let Caddy listen there ("admin" in its configuration).'
                    ) from error
                time.sleep(_PAUSE)

    def _error(self, what: str, reply: Reply) -> RollingError:
        value = reply.value()
        said = value.get("error") if isinstance(value, dict) else None
        hint = ' Add this address to "origins" of "admin" in its configuration.' if reply.status == 403 else ""
        return RollingError(f"What answers at {self._address} {what} (status {reply.status}, {str(said or reply.text)[:300]!r}).{hint}")


def _member(dial: str, is_live: bool, counts: t.Mapping[str, t.Any] | None) -> Member:
    address = _HOST_PORT.fullmatch(dial)
    return Member(
        name=dial,
        admin=READY if is_live else MAINTENANCE,
        # Caddy may check it, but does not tell.
        health="unchecked" if is_live else "unknown",
        in_service=is_live,
        status="in the list" if is_live else "taken from the list",
        check=f"{counts['fails']} fails" if counts else None,
        address=address.group(1).strip("[]") if address else None,
        port=int(address.group(2)) if address else None,
        sessions=counts["num_requests"] if counts else None,
    )


def _refusal(change: Change, proxy: Proxy) -> str | None:
    if change.member not in proxy.order:
        return f"there is no upstream {change.member}"
    if change.admin is None or change.weight is not None or change.agent is not None:
        return "Caddy can only take members out and let them in"
    return None
