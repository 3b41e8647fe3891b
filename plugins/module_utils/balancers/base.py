# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every load balancer must be able to say and do; one file beside this one for each provider.

A provider knows one balancer and nothing of rollouts: no floor, no waits, no order of drain. Those are in ``members.py`` and
are the same for all. To add a provider, write one file with a subclass of `Balancer` and add its line to ``providers.py``.
"""

from __future__ import annotations

import abc
import dataclasses
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError

READY = "ready"
DRAIN = "drain"
MAINTENANCE = "maintenance"

_NAMES_SHOWN = 20


def listed(names: t.Iterable[str]) -> str:
    """The names with commas, cut to 20, for an error that says what exists."""
    every = list(names)
    shown = ", ".join(every[:_NAMES_SHOWN]) or "none"
    return shown if len(every) <= _NAMES_SHOWN else f"{shown} and {len(every) - _NAMES_SHOWN} more"


@dataclasses.dataclass(frozen=True)
class Member:
    """One host's entry in a pool, as the balancer shows it. ``None`` is "this balancer does not say"."""

    name: str
    #: What an operator wants: ready (takes traffic), drain (no new clients, bound ones may come back), maintenance (none at all).
    admin: str
    #: up (checks all good), falling (in use, last checks not all good), rising (not in use, last checks good), down,
    #: unchecked (the balancer does not check it), unknown (checks rest, or a word this collection does not know).
    health: str
    #: It is given new clients now.
    in_service: bool
    #: The balancer's own word for the state.
    status: str
    #: The last health check in the balancer's own words.
    check: str | None = None
    address: str | None = None
    port: int | None = None
    #: What an operator set, not what a slow start makes of it.
    weight: int | None = None
    initial_weight: int | None = None
    #: Requests or connections it is working on now; idle connections kept open by the balancer do not count.
    sessions: int | None = None
    #: Requests that wait for it in the balancer.
    queued: int | None = None
    #: Requests or connections it was ever given; only ever grows.
    requests: int | None = None
    #: Requests that it failed: answers of 500 and above, connections refused or cut; only ever grows.
    errors: int | None = None
    #: Whether an agent (a second voice that may overrule the operator) is listened to; None where there is none.
    agent: bool | None = None
    #: A slow start still keeps it from its whole share; None: the balancer has no such thing.
    warming: bool | None = None
    #: ``pool/member`` that it tracks: out while that one is out, whatever it is ordered itself.
    follows: str | None = None

    def view(self) -> dict[str, t.Any]:
        """The member as results and the journal carry it."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Pool:
    """All members of a pool at one moment."""

    name: str
    members: tuple[Member, ...]

    @property
    def in_service(self) -> int:
        """How many members are given new clients now."""
        return sum(member.in_service for member in self.members)

    def by_name(self) -> dict[str, Member]:
        return {member.name: member for member in self.members}

    def view(self) -> dict[str, t.Any]:
        """The pool as results and the journal carry it."""
        return {"pool": self.name, "members": [member.view() for member in self.members], "in_service": self.in_service}


@dataclasses.dataclass(frozen=True)
class Change:
    """What shall be different of one member; ``None`` leaves a thing as it is."""

    member: str
    admin: str | None = None
    weight: int | None = None
    agent: bool | None = None


@dataclasses.dataclass(frozen=True)
class Capabilities:
    """What a provider can do; asking for what it cannot is an error, never a silent skip."""

    #: It shows when a member has no work left: by `Member.sessions`, or by showing maintenance only then.
    drains: bool
    #: It has the state `DRAIN`, apart from `MAINTENANCE`.
    soft_drain: bool
    #: `Balancer.cut` works.
    cuts_sessions: bool
    #: `Balancer.read` shows every member of the pool, so a floor can be counted.
    whole_pool: bool
    #: The largest weight a member can have; None: no weights.
    max_weight: int | None
    #: It says of a member whether it is `Member.warming`.
    warms_up: bool = False
    #: `Balancer.include_old_workers` works.
    old_workers: bool = False


@dataclasses.dataclass(frozen=True)
class Location:
    """Where a member of a pool is."""

    pool: str
    name: str
    address: str
    port: int


_Self = t.TypeVar("_Self", bound="Balancer")


class Balancer(abc.ABC):
    """One conversation with one load balancer, over one connection; closed by ``with``.

    Every method raises `RollingError` when the balancer cannot be reached or answers anything unforeseen: an answer that is
    not understood is never taken for a yes. No method waits for traffic; none takes longer than ``timeout`` seconds for an answer.
    """

    #: The name people type.
    provider: t.ClassVar[str]
    capabilities: t.ClassVar[Capabilities]
    #: What a name of a pool or member may look like (matched whole), and the same in words: nothing else is ever sent.
    name_pattern: t.ClassVar[t.Pattern[str]]
    name_rule: t.ClassVar[str]
    #: Asked before an order that failed is given once more; raises to forbid it.
    allowed: t.Callable[[], None] | None = None

    @classmethod
    @abc.abstractmethod
    def open(cls: type[_Self], address: str, timeout: float) -> _Self:
        """Connect.

        :param address: where the control interface is, in the provider's own form.
        :param timeout: seconds for connecting, and again for each answer.
        :raises InputError: the address has not the provider's form.
        :raises RollingError: nothing there that talks the right language; says what to configure.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of the connection; never raises."""

    @abc.abstractmethod
    def pools(self) -> list[str]:
        """The names of all pools."""

    @abc.abstractmethod
    def read(self, pool: str, members: t.Collection[str] = ()) -> Pool:
        """The pool as it is now, never from a cache, at a cost that does not grow with the number of ``members``.

        :param members: names the caller asks about. A balancer that forgets members while they are out must show these as out;
            one that lists all its members has no use for it. A name that cannot exist is left out of the result.
        :raises RollingError: no such pool; the message lists those that exist.
        """

    @abc.abstractmethod
    def apply(self, pool: str, changes: t.Sequence[Change]) -> dict[str, str]:
        """Ask for the changes, all in one go. That they took effect shows only in the next `read`.

        Where a member has an agent that may overrule the operator, ``agent=False`` acts before and ``agent=True`` after the rest.

        :return: member name -> what the balancer said, for the refused ones.
        :raises RollingError: what concerns all of them, such as a missing permission.
        """

    def locations(self) -> list[Location]:
        """Where every member of every pool is, for one more answer; nothing where that is not to be had so cheaply."""
        return []

    def cut(self, pool: str, members: t.Sequence[str]) -> dict[str, str]:
        """End the members' open sessions at once; same result as `apply`. Only with `Capabilities.cuts_sessions`."""
        raise NotImplementedError

    def include_old_workers(self, address: str) -> None:
        """From now on, count and cut the sessions of processes from before a reload, too. Only with `Capabilities.old_workers`.

        :param address: where those are reached, in the provider's own form.
        :raises RollingError: as `open`.
        """
        raise NotImplementedError

    @classmethod
    def check_names(cls, option: str, names: t.Iterable[str]) -> None:
        """Refuse names that could be taken for something else, before anything is sent.

        :raises InputError: names the first bad one.
        """
        for name in names:
            if not cls.name_pattern.fullmatch(name):
                raise InputError(f"{option}: {name!r} cannot be a {cls.provider} name; {cls.name_rule}.")

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
