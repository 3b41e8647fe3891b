# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HAProxy 2.6 and later, through its runtime API."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import (
    DRAIN,
    MAINTENANCE,
    READY,
    Balancer,
    Capabilities,
    Change,
    Pool,
    listed,
)
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.haproxy_channel import Channel
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.haproxy_replies import backend_ids, servers
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError

_STATE_WORDS = {READY: "ready", DRAIN: "drain", MAINTENANCE: "maint"}


class HAProxy(Balancer):
    """A pool is a backend, a member a server. States and weights are lost when HAProxy reloads, unless it keeps a state file."""

    provider = "haproxy"
    capabilities = Capabilities(drains=True, soft_drain=True, cuts_sessions=True, whole_pool=True, max_weight=256)
    # What HAProxy itself allows in a name (invalid_char() in its tools.c); so none can break out of a command.
    name_pattern = re.compile(r"[A-Za-z0-9_.:-]+", re.ASCII)
    name_rule = "use letters, digits and the characters _ . : -"

    def __init__(self, address: str, channel: Channel) -> None:
        self._address = address
        self._channel = channel
        self._ids: dict[str, str] = {}

    @classmethod
    def open(cls, address: str, timeout: float) -> HAProxy:
        return cls(address, Channel(address, timeout))

    def close(self) -> None:
        self._channel.close()

    def pools(self) -> list[str]:
        self._ids = backend_ids(self._channel.ask(["show stat -1 2 -1"])[0])
        return list(self._ids)

    def read(self, pool: str, members: t.Collection[str] = ()) -> Pool:
        # By number: a frontend may have the backend's name, and a name of digits would be taken for a number.
        if pool not in self._ids and pool not in self.pools():
            raise RollingError(f"pool: there is no backend {pool!r} on the HAProxy at {self._address}; there are: {listed(self._ids)}.")
        questions = [f"show stat {self._ids[pool]} 6 -1", f"show servers state {pool}"]
        try:
            return Pool(pool, servers(pool, *self._channel.ask(questions)))
        except RollingError:
            # A server may have been added, removed or moved between the two answers; twice in a row is no accident.
            return Pool(pool, servers(pool, *self._channel.ask(questions)))

    def apply(self, pool: str, changes: t.Sequence[Change]) -> dict[str, str]:
        return self._order([(change.member, command) for change in changes for command in _commands(f"{pool}/{change.member}", change)])

    def cut(self, pool: str, members: t.Sequence[str]) -> dict[str, str]:
        return self._order([(member, f"shutdown sessions server {pool}/{member}") for member in members])

    def _order(self, orders: t.Sequence[tuple[str, str]]) -> dict[str, str]:
        """Send commands that answer nothing when they succeed; anything else is a refusal."""
        refused: dict[str, str] = {}
        for (member, command), answer in zip(orders, self._channel.ask([command for _member, command in orders])):
            if answer.startswith("Permission denied"):
                raise RollingError(
                    f'HAProxy at {self._address} refused "{command}": permission denied. '
                    'Give this socket "level admin" on its "stats socket" line in haproxy.cfg.'
                )
            if answer:
                refused.setdefault(member, f'HAProxy refused "{command}": {answer[:200]}')
        return refused


def _commands(server: str, change: Change) -> t.Iterator[str]:
    if change.agent is False:
        yield f"disable agent {server}"
    if change.weight is not None:
        yield f"set server {server} weight {change.weight}"
    if change.admin is not None:
        yield f"set server {server} state {_STATE_WORDS[change.admin]}"
    if change.agent is True:
        yield f"enable agent {server}"
