# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any load balancer that checks health over HTTP, through the checked app's own health endpoint.

It runs on the app's host. A file there, or a call, makes the endpoint answer 404 or 503. The load balancers are not asked: they
notice after their interval x fall at the latest, and only then does it count as out.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import (
    DRAIN,
    MAINTENANCE,
    READY,
    Balancer,
    Capabilities,
    Change,
    Member,
    Pool,
)
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.http_calls import HttpCalls, NoReply
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.readiness_address import Switch, connections, switch
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError

_REFUSES = (404, 503)
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


class Readiness(Balancer):
    """One pool of one member: this host. The load balancers themselves are not seen."""

    provider = "readiness"
    capabilities = Capabilities(drains=True, soft_drain=False, cuts_sessions=False, whole_pool=False, max_weight=None)
    name_pattern = re.compile(r"[A-Za-z0-9_.:-]+", re.ASCII)
    name_rule = "use letters, digits and the characters _ . : -"

    def __init__(self, way: Switch, calls: HttpCalls | None, tables: t.Sequence[str] = _TABLES) -> None:
        self._way = way
        self._calls = calls
        self._tables = tables
        # When it was last seen the other way round, on the monotonic clock: from then on the load balancers' checks count.
        self._last_in: float | None = None
        self._last_out: float | None = None

    @classmethod
    def open(cls, address: str, timeout: float) -> Readiness:
        way = switch(address)
        cls.check_names("address", (way.pool, way.member))
        return cls(way, HttpCalls(timeout) if way.health else None)

    def close(self) -> None:
        if self._calls:
            self._calls.close()

    def pools(self) -> list[str]:
        return [self._way.pool]

    def read(self, pool: str, members: t.Collection[str] = ()) -> Pool:
        if pool != self._way.pool:
            raise RollingError(f"pool: there is no pool {pool!r}; this address has the pool {self._way.pool}, change that with pool=.")
        established, listening = self._connections()
        status, in_flight, answer = self._ask()
        now = time.monotonic()
        since = self._out_since(status)
        if since is None:
            self._last_in = now
            health = self._health(listening, status, now)
        else:
            self._last_out = now
            health = "unknown"
            if status is not None and status < 400:
                self._last_in = now  # the app has not seen the file yet
        out = since is not None and self._noticed(since, now)
        words = [answer] if answer else []
        words.append("in" if since is None else "out" if out else "the load balancers may not have noticed yet")
        words += [] if listening else [f"nothing listens on port {self._way.port}"]
        member = Member(
            name=self._way.member,
            admin=READY if since is None else MAINTENANCE if out else DRAIN,
            health=health,
            in_service=not out if since is not None else health in ("up", "unchecked"),
            status=", ".join(words),
            port=self._way.port,
            sessions=established if in_flight is None else in_flight,
        )
        return Pool(pool, (member,))

    def apply(self, pool: str, changes: t.Sequence[Change]) -> dict[str, str]:
        return {change.member: refusal for change in changes for refusal in [self._order(change)] if refusal}

    def _order(self, change: Change) -> str | None:
        if change.member != self._way.member:
            return f"there is no member {change.member}; this address has {self._way.member}, change that with member="
        if change.admin is None or change.weight is not None or change.agent is not None:
            return "a host's own health endpoint can only be taken out and let in"
        out = change.admin != READY
        refusal = self._call(out) if self._way.file is None else _set(self._way.file, out)
        if refusal is None and not out:
            self._last_out = time.monotonic()
        elif refusal is None and self._way.file is None:
            self._last_in = time.monotonic()
        return refusal

    def _call(self, out: bool) -> str | None:
        url = (self._way.out if out else self._way.back) or ""
        try:
            status = self._send("POST", url)[0]
        except NoReply as error:
            return f"POST {url} was not answered: {error.message.rstrip('.')}"
        return None if 200 <= status < 300 else f"POST {url} was answered with status {status}"

    def _send(self, method: str, url: str) -> tuple[int, t.Any]:
        if self._calls is None:
            raise NoReply("no URL is known")
        reply = self._calls.send(method, url)
        return reply.status, reply.value()

    def _out_since(self, status: int | None) -> float | None:
        """For how many seconds it has been out by the file or the endpoint; None: it is in."""
        if self._way.file is None:
            return float("inf") if status in _REFUSES else None
        try:
            return max(0.0, time.time() - os.stat(self._way.file).st_mtime)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RollingError(f"address: {self._way.file} cannot be looked at ({error.strerror}).") from error

    def _health(self, listening: bool, status: int | None, now: float) -> str:
        """How well it is, being in."""
        if not listening or (self._way.health and (status is None or status >= 400)):
            return "down"
        if self._last_out is not None and now - self._last_out < self._way.rises:
            return "rising"
        return "up" if self._way.health else "unchecked"

    def _noticed(self, since: float, now: float) -> bool:
        if self._last_in is not None:
            since = min(since, now - self._last_in)
        return since >= self._way.falls

    def _ask(self) -> tuple[int | None, int | None, str]:
        """The endpoint's status, the requests under way by its own word, and what to tell of it."""
        if self._way.health is None:
            return None, None, ""
        try:
            status, value = self._send("GET", self._way.health)
        except NoReply as error:
            return None, None, f"the health endpoint does not answer ({error.message.rstrip('.')})"
        count = value.get(self._way.in_flight) if isinstance(value, dict) and self._way.in_flight else None
        if self._way.in_flight and (isinstance(count, bool) or not isinstance(count, int)):
            raise RollingError(f"address: {self._way.health} answers without a whole number in {self._way.in_flight!r}; correct in_flight.")
        return status, count, f"the health endpoint answers {status}"

    def _connections(self) -> tuple[int, bool]:
        established, listening = 0, False
        for name in self._tables:
            try:
                with open(name, encoding="ascii") as file:
                    count, is_open = connections(file.read(), self._way.port)
            except FileNotFoundError:
                continue  # no IPv6
            except (OSError, ValueError, IndexError) as error:
                raise RollingError(f"{name} cannot be read ({error}); this needs Linux.") from error
            established, listening = established + count, listening or is_open
        return established, listening


def _set(path: str, out: bool) -> str | None:
    """Have the file there or not; one that is there keeps its time, which says since when the host is out."""
    try:
        if out:
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
    except OSError as error:
        return f"{path} cannot be {'made' if out else 'removed'}: {error.strerror}"
    return None
