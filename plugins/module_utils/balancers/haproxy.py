# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HAProxy 2.6 and later, through its runtime API."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import (
    DRAIN,
    MAINTENANCE,
    READY,
    Balancer,
    Capabilities,
    Change,
    Location,
    Member,
    Pool,
    listed,
)
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.haproxy_channel import Channel
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.haproxy_master import Master
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.haproxy_replies import (
    Work,
    backend_ids,
    is_stopping,
    locations,
    servers,
    session_ids,
    work_of,
)
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError

_STATE_WORDS = {READY: "ready", DRAIN: "drain", MAINTENANCE: "maint"}


class HAProxy(Balancer):
    """A pool is a backend, a member a server. States and weights are lost when HAProxy reloads, unless it keeps a state file."""

    provider = "haproxy"
    capabilities = Capabilities(
        drains=True, soft_drain=True, cuts_sessions=True, whole_pool=True, max_weight=256, warms_up=True, old_workers=True
    )
    # What HAProxy itself allows in a name (invalid_char() in its tools.c); so none can break out of a command.
    name_pattern = re.compile(r"[A-Za-z0-9_.:-]+", re.ASCII)
    name_rule = "use letters, digits and the characters _ . : -"

    def __init__(self, address: str, connect: t.Callable[[], Channel], connect_master: t.Callable[[str], Master]) -> None:
        self._address = address
        self._connect = connect
        self._connect_master = connect_master
        self._channel = connect()
        self._master: Master | None = None
        self._ids: dict[str, str] = {}

    @classmethod
    def open(cls, address: str, timeout: float) -> HAProxy:
        return cls(address, lambda: Channel(address, timeout), lambda master: Master(master, timeout))

    def include_old_workers(self, address: str) -> None:
        self._master = self._connect_master(address)

    def close(self) -> None:
        self._channel.close()

    def pools(self) -> list[str]:
        self._ids = backend_ids(self._ask(["show stat -1 2 -1"])[0])
        return list(self._ids)

    def read(self, pool: str, members: t.Collection[str] = ()) -> Pool:
        try:
            return self._read(pool)
        except RollingError:
            # A reload, or a server added, removed or moved between two answers; twice in a row is no accident.
            self._reopen()
            return self._read(pool)

    def _read(self, pool: str) -> Pool:
        # By number: a frontend may have the backend's name, and a name of digits would be taken for a number.
        if pool not in self._ids and pool not in self.pools():
            raise RollingError(f"pool: there is no backend {pool!r} on the HAProxy at {self._address}; there are: {listed(self._ids)}.")
        found = servers(pool, *self._ask([f"show stat {self._ids[pool]} 6 -1", f"show servers state {pool}"]))
        old = self._old_work(pool)
        return Pool(pool, tuple(_with_work(member, old[member.name]) if member.name in old else member for member in found))

    def locations(self) -> list[Location]:
        return locations(self._ask(["show servers state"])[0])

    def _old_work(self, pool: str) -> dict[str, Work]:
        total: dict[str, Work] = {}
        for (stat,) in self._master.ask_old_workers(["show stat -1 4 -1"]).values() if self._master else ():
            for name, work in work_of(pool, stat).items():
                total[name] = total.get(name, Work()) + work
        return total

    def apply(self, pool: str, changes: t.Sequence[Change]) -> dict[str, str]:
        return self._order([(change.member, command) for change in changes for command in _commands(f"{pool}/{change.member}", change)])

    def cut(self, pool: str, members: t.Sequence[str]) -> dict[str, str]:
        orders = [(member, f"shutdown sessions server {pool}/{member}") for member in members]
        if self._master:
            # They refuse the command for a whole server. Whether the sessions are gone shows in the next read.
            for pid, (sessions,) in self._master.ask_old_workers(["show sess"]).items():
                self._master.ask_worker(pid, [f"shutdown session {session}" for session in session_ids(pool, members, sessions)])
        return self._order(orders)

    def _order(self, orders: t.Sequence[tuple[str, str]]) -> dict[str, str]:
        """Send commands that answer nothing when they succeed; anything else is a refusal."""
        commands = [command for _member, command in orders]
        try:
            answers = self._ask(commands)
        except RollingError:
            # Each of them may be given twice.
            self._reopen()
            if self.allowed:
                self.allowed()
            answers = self._ask(commands)
        refused: dict[str, str] = {}
        for (member, command), answer in zip(orders, answers):
            if answer.startswith("Permission denied"):
                raise RollingError(
                    f'HAProxy at {self._address} refused "{command}": permission denied. '
                    'Give this socket "level admin" on its "stats socket" line in haproxy.cfg.'
                )
            if answer:
                refused.setdefault(member, f'HAProxy refused "{command}": {answer[:200]}')
        return refused

    def _ask(self, commands: t.Sequence[str]) -> list[str]:
        """The answers of the process that serves now: after a reload, a connection from before still leads to the old one."""
        *answers, info = self._channel.ask([*commands, "show info"])
        if is_stopping(info):
            raise RollingError(f"The HAProxy at {self._address} is stopping.")
        return answers

    def _reopen(self) -> None:
        self._channel.close()
        self._channel = self._connect()
        self._ids = {}


def _with_work(member: Member, old: Work) -> Member:
    mine = Work(member.sessions or 0, member.queued or 0, member.requests or 0) + old
    return dataclasses.replace(member, sessions=mine.sessions, queued=mine.queued, requests=mine.requests)


def _commands(server: str, change: Change) -> t.Iterator[str]:
    if change.agent is False:
        yield f"disable agent {server}"
    if change.weight is not None:
        yield f"set server {server} weight {change.weight}"
    if change.admin is not None:
        yield f"set server {server} state {_STATE_WORDS[change.admin]}"
    if change.agent is True:
        yield f"enable agent {server}"
