# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lease of an app: the lock of its one live rollout, with a fence that grows with every holder.

Every function works on a connection of the journal's, inside its transaction. A controller that was stopped and comes back after
losing its lease has an old fence: it gets ``LeaseLost`` from whatever it does next, and moves no member any more.
"""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.convoy.rolling.plugins.module_utils.clock import Clock
from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_schema as schema
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice, moment
from ansible_collections.convoy.rolling.plugins.plugin_utils.restarts import goal
from ansible_collections.convoy.rolling.plugins.plugin_utils.typed_values import typed

if schema.MISSING is None:
    from sqlalchemy import Connection, insert, select, update

LEASE_SECONDS = to_seconds(os.environ.get("CONVOY_LEASE_SECONDS", "60s"), "CONVOY_LEASE_SECONDS")  # tests have less patience
"""How long a lease outlives its last renewal when nobody can tell whether its holder is alive."""

_POLL = 0.5

FROZEN_ID = "freeze"
"""What lifts a freeze with ``convoy.rolling.unlock``, where a rollout has its number."""


class LeaseLost(RollingError):
    """Another controller holds the app's lease now; this one must not move anything."""


class LeaseTaken(RollingError):
    """A live rollout of the app is going on."""


class Frozen(RollingError):
    """A person wants no rollout of the app."""


@dataclass(frozen=True)
class Ticket:
    """What a step shows to prove that its rollout is the live one."""

    app: str
    rollout: int
    fence: int


@dataclass(frozen=True)
class Lease:
    """Who may move the members of an app."""

    app: str
    fence: int = 0
    rollout: int | None = None  # None: nobody
    holder: Holder | None = None
    expires: float = 0.0
    frozen: Notice | None = None
    version: str = ""
    cause: str = ""
    since: float = 0.0

    def is_live(self, now: float) -> bool:
        """Whether a rollout is going on: its lease is not over, and its process not known to have ended."""
        return self.rollout is not None and self.holder is not None and self.expires > now and not self.holder.is_gone()

    def silence(self, now: float) -> str:
        """Why it is not live, as the end of a sentence; empty when it is."""
        if self.holder is not None and self.holder.is_gone():
            return ", whose controller has ended"
        return "" if self.is_live(now) else f", not heard of since {moment(self.expires - LEASE_SECONDS)}"

    def refuse(self, now: float, holder: Holder) -> None:
        """Let a new rollout of this holder pass, or not.

        :raises Frozen: a person froze the app.
        :raises LeaseTaken: another controller's rollout is live.
        """
        if self.frozen:
            raise Frozen(
                f"app {self.app!r} is frozen {self.frozen}; nothing was touched. "
                f"Lift it with `ansible-playbook convoy.rolling.unlock -e rollout_id={FROZEN_ID}`."
            )
        if self.is_live(now) and self.holder is not None and not self.holder.is_same(holder):
            raise LeaseTaken(
                f"app {self.app!r}: {self.name} is going on since {moment(self.since)}, held by {self.holder}; nothing was touched. Wait "
                "for it with rollout_lock_wait, stop it with "
                "`ansible-playbook convoy.rolling.abort`, or look with `ansible-playbook convoy.rolling.status`."
            )

    @property
    def name(self) -> str:
        """The rollout, for a person."""
        return f"rollout {self.rollout} {goal(self.version)}" + (f" ({self.cause})" if self.cause else "")

    def __str__(self) -> str:
        return f"{self.name}, held by {self.holder} since {moment(self.since)}"


def wait_for_turn(
    look: t.Callable[[], Lease], holder: Holder, patience: float, clock: Clock, now: t.Callable[[], float], say: t.Callable[[str], None]
) -> int:
    """Wait until no other rollout of the app is live.

    :param patience: how long, in seconds; 0 refuses at once. A freeze is never waited on.
    :param say: tells a person once what is waited for.
    :return: the fence then: as long as it stays, nobody has moved anything since.
    :raises Frozen: a person froze the app.
    :raises LeaseTaken: another rollout is live still.
    """
    give_up = clock.now() + patience
    told = False
    while True:
        lease = look()
        try:
            lease.refuse(now(), holder)
        except LeaseTaken:
            if clock.now() >= give_up:
                raise
            if not told:
                say(f"app {lease.app!r}: waiting up to {patience:g} s for {lease.name} to end, held by {lease.holder}")
                told = True
            clock.sleep(min(_POLL, max(0.0, give_up - clock.now())))
        else:
            return lease.fence


def read(db: Connection, app: str, for_update: bool = False) -> Lease:
    """The lease as it is; nobody's when there never was one."""
    query = select(schema.LEASES).where(schema.LEASES.c.app == app)
    row = db.execute(query.with_for_update() if for_update else query).one_or_none()
    if row is None:
        return Lease(app)
    values = {name: json.loads(getattr(row, name)) if getattr(row, name) else None for name in ("holder", "frozen")}
    values.update(app=app, fence=row.fence, rollout=row.rollout, expires=row.expires)
    if row.rollout is not None:
        rollout = db.execute(select(schema.ROLLOUTS).where(schema.ROLLOUTS.c.number == row.rollout)).one()
        values.update(version=rollout.version, cause=rollout.cause, since=rollout.started)
    lease: Lease = typed(Lease, values)
    return lease


def take(db: Connection, app: str, holder: Holder, now: float, seen: int | None = None) -> int:
    """Take the lease and return its new fence.

    :param seen: the fence when the fleet was looked at; None when nobody looked.
    :raises Frozen: a person froze the app.
    :raises LeaseTaken: another rollout is live, or came in since the fleet was looked at.
    """
    lease = read(db, app, for_update=True)
    lease.refuse(now, holder)
    if seen is not None and lease.fence != seen:
        raise LeaseTaken(f"app {app!r}: another rollout came in while this one looked at the fleet; nothing was touched. Run it again.")
    _write(db, lease, fence=lease.fence + 1, rollout=None, holder=json.dumps(holder.to_json()), expires=now + LEASE_SECONDS)
    return lease.fence + 1


def give(db: Connection, ticket: Ticket) -> None:
    """Say whose the lease is that was taken."""
    db.execute(update(schema.LEASES).where(schema.LEASES.c.app == ticket.app).values(rollout=ticket.rollout))


def hold(db: Connection, ticket: Ticket, now: float) -> None:
    """Renew the lease inside the transaction that writes, so that a lost lease writes nothing."""
    mine = (schema.LEASES.c.app == ticket.app) & (schema.LEASES.c.fence == ticket.fence) & (schema.LEASES.c.rollout == ticket.rollout)
    if db.execute(update(schema.LEASES).where(mine).values(expires=now + LEASE_SECONDS)).rowcount != 1:
        raise _lost(db, ticket)


def is_safe(db: Connection, ticket: Ticket, now: float) -> bool:
    """Whether the lease is this ticket's and lasts long enough to act on it without a renewal.

    :raises LeaseLost: it is another's.
    """
    row = db.execute(select(schema.LEASES).where(schema.LEASES.c.app == ticket.app)).one_or_none()
    if row is None or (row.fence, row.rollout) != (ticket.fence, ticket.rollout):
        raise _lost(db, ticket)
    return bool(row.expires > now + LEASE_SECONDS / 2)


def release(db: Connection, app: str) -> None:
    """Give the lease back, or take it from whoever has it."""
    db.execute(update(schema.LEASES).where(schema.LEASES.c.app == app).values(expires=0.0, rollout=None))


def freeze(db: Connection, app: str, notice: Notice | None) -> None:
    """Let no rollout of the app begin, or let them again."""
    _write(db, read(db, app, for_update=True), frozen=notice.to_text() if notice else "")


def _write(db: Connection, lease: Lease, **values: t.Any) -> None:
    mine = schema.LEASES.c.app == lease.app
    if db.execute(update(schema.LEASES).where(mine).values(**values)).rowcount == 0:
        blank = {"fence": 0, "rollout": None, "holder": "", "expires": 0.0}
        db.execute(insert(schema.LEASES).values(app=lease.app, **{**blank, **values}))


def _lost(db: Connection, ticket: Ticket) -> LeaseLost:
    why = db.execute(select(schema.ROLLOUTS.c.reason).where(schema.ROLLOUTS.c.number == ticket.rollout)).scalar()
    because = f" ({why})" if why else ""
    return LeaseLost(f"app {ticket.app!r}: rollout {ticket.rollout} has lost its lease{because}; it moves nothing any more.")
