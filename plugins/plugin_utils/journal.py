# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal: what happened, written before it is done. SQL is known here, in ``lease``, ``annals`` and ``interventions``.

Every write of a live rollout carries its fence, and renews its lease.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from ansible_collections.convoy.rolling.plugins.plugin_utils import annals, journal_rollouts, journal_waves, lease
from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_schema as schema
from ansible_collections.convoy.rolling.plugins.plugin_utils.events import Event, opening, serving
from ansible_collections.convoy.rolling.plugins.plugin_utils.forecast import Pace, pace_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal_store import Store
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import Lease, Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.milestones import Milestones, name_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import (
    RESTART,
    Absence,
    HostRecord,
    Leg,
    Member,
    Plan,
    Rollback,
    RolloutRecord,
    Step,
    Verdict,
    WaveRecord,
    to_json,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice
from ansible_collections.convoy.rolling.plugins.plugin_utils.typed_values import typed, typed_json

if schema.MISSING is None:
    from sqlalchemy import Connection, delete, insert, select, update

_PACE_ROLLOUTS = 10
"""How many of the newest rollouts say how long the next one may take."""

_READING = 30.0
"""Seconds between readings of a wave that bakes, which is looked at every second."""


class Journal:
    """The journal behind one URL.

    :param url: ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or any URL that SQLAlchemy knows.
    :raises InputError: when the URL is malformed; the URL itself, which may hold a password, is not repeated.
    """

    def __init__(self, url: str) -> None:
        self._store = Store(url)

    # -- reading -------------------------------------------------------------------------------------------------------

    def absences(self, app: str) -> tuple[Absence, ...]:
        """Every host of the app that our doing keeps out of rotation; none when there is no journal yet."""
        with self._store.reading() as db:
            if db is None:
                return ()
            mine = select(schema.ABSENCES).where(schema.ABSENCES.c.app == app)
            rows = db.execute(mine.order_by(schema.ABSENCES.c.since, schema.ABSENCES.c.host)).all()
            return tuple(
                typed(Absence, {"host": row.host, "rollout": row.rollout, "since": row.since, "original": json.loads(row.original)})
                for row in rows
            )

    def rollout(self, number: int) -> RolloutRecord:
        """One rollout, whole.

        :raises RollingError: there is none of this number.
        """
        with self._store.reading() as db:
            if db is None:
                raise self._store.lost()
            return journal_rollouts.read(db, number)

    def latest(self, app: str) -> RolloutRecord | None:
        """The newest rollout of an app."""
        with self._store.reading() as db:
            if db is None:
                return None
            number = db.execute(
                select(schema.ROLLOUTS.c.number).where(schema.ROLLOUTS.c.app == app).order_by(schema.ROLLOUTS.c.number.desc()).limit(1)
            ).scalar()
        return None if number is None else self.rollout(number)

    def newest_to_a_version(self, app: str) -> RolloutRecord | None:
        """The newest rollout of an app that is no restart."""
        with self._store.reading() as db:
            if db is None:
                return None
            mine = (schema.ROLLOUTS.c.app == app) & (schema.ROLLOUTS.c.version != RESTART)
            number = db.execute(select(schema.ROLLOUTS.c.number).where(mine).order_by(schema.ROLLOUTS.c.number.desc()).limit(1)).scalar()
        return None if number is None else self.rollout(number)

    def views(self, number: int) -> tuple[Member, ...]:
        """The newest view of every pool that a rollout has seen."""
        with self._store.reading() as db:
            rows = db.execute(select(schema.VIEWS.c.members).where(schema.VIEWS.c.rollout == number)).all() if db else []
            return tuple(member for row in rows for member in typed_json(tuple[Member, ...], row.members))

    def last_event(self) -> int:
        """The number of the newest event of all; 0 when there is none."""
        with self._store.reading() as db:
            newest = select(schema.EVENTS.c.number).order_by(schema.EVENTS.c.number.desc()).limit(1)
            return int(db.execute(newest).scalar() or 0) if db else 0

    def events(self, app: str, after: int = 0, rollout: int | None = None) -> tuple[Event, ...]:
        """What happened to an app, or in one rollout of it, in the order it was written.

        :param after: the number of the last event that is known already.
        """
        with self._store.reading() as db:
            if db is None:
                return ()
            events, rollouts = schema.EVENTS.c, schema.ROLLOUTS.c
            mine = (rollouts.app == app) & (events.number > after)
            if rollout is not None:
                mine &= events.rollout == rollout
            both = schema.EVENTS.join(schema.ROLLOUTS, events.rollout == rollouts.number)
            found = db.execute(select(schema.EVENTS, rollouts.version).select_from(both).where(mine).order_by(events.number)).all()
            return tuple(
                Event(row.number, row.at, app, row.rollout, row.version, row.kind, row.host, typed_json(dict[str, t.Any], row.detail))
                for row in found
            )

    def pace(self, app: str) -> Pace | None:
        """How long hosts were out in the newest rollouts of an app; None when none ever came back."""
        with self._store.reading() as db:
            if db is None:
                return None
            newest = select(schema.ROLLOUTS.c.number).where(schema.ROLLOUTS.c.app == app).order_by(schema.ROLLOUTS.c.number.desc())
            numbers = list(db.execute(newest.limit(_PACE_ROLLOUTS)).scalars())
            steps = schema.EVENTS.c.kind.in_([Step.LEAVING.value, Step.BACK.value]) & schema.EVENTS.c.rollout.in_(numbers)
            columns = schema.EVENTS.c.rollout, schema.EVENTS.c.host, schema.EVENTS.c.kind, schema.EVENTS.c.at
            return pace_of(tuple(row) for row in db.execute(select(*columns).where(steps).order_by(schema.EVENTS.c.number)).all())

    # -- the lease -----------------------------------------------------------------------------------------------------

    def open(
        self,
        plan: Plan,
        members: Sequence[Member],
        holder: Holder,
        now: float,
        digest: str | None = None,
        cause: str = "",
        seen: int | None = None,
        versions: Mapping[str, str | None] | None = None,
        reached: Milestones | None = None,
        waves: Sequence[WaveRecord] = (),
        origin: Mapping[str, str] | None = None,
        back: Rollback | None = None,
    ) -> Ticket:
        """Take the app's lease and write a new rollout.

        A rollout of the app that never ended, because its controller is gone, ends here: superseded where the version is another one.

        :param seen: the lease's fence when the fleet was looked at; see ``lease.wait_for_turn``.
        :param versions: host -> what it runs, as far as anybody says.
        :param reached: what was reached already, by an earlier rollout that this one goes on with.
        :param waves: what the plan's waves begin with.
        :param origin: where its command was typed; see ``origin.origin_of``.
        :param back: what it goes back to, if it does: what it undoes is marked bad.
        :raises LeaseTaken: when another controller's rollout is live, naming it.
        :raises Frozen: when a person froze the app.
        """
        with self._store.writing(make=True) as db:
            fence = lease.take(db, plan.app, holder, now, seen)
            row = {
                "app": plan.app,
                "version": plan.version,
                "digest": digest,
                "cause": cause,
                "by": str(holder),
                "plan": json.dumps(to_json(plan)),
                **asdict(reached or Milestones()),
                "origin": json.dumps(dict(origin or {})),
                "back": json.dumps(to_json(back)) if back else "",
            }
            written = insert(schema.ROLLOUTS).values(**row, started=now, progressed=now).returning(schema.ROLLOUTS.c.number)
            ticket = Ticket(plan.app, int(db.execute(written).scalar_one()), fence)
            lease.give(db, ticket)
            self._end_unfinished(db, ticket, plan.version, now)
            if back:
                annals.mark_bad(db, ticket.rollout, back)
            journal_rollouts.begin_hosts(db, ticket.rollout, plan, now)
            journal_waves.begin(db, ticket.rollout, waves)
            self._write_event(
                db, ticket, now, "opened", {"version": plan.version, "cause": cause, "by": row["by"], **opening(plan, versions or {})}
            )
            self._write_views(db, ticket, members, now)
        return ticket

    def _end_unfinished(self, db: Connection, ticket: Ticket, version: str, now: float) -> None:
        rollouts = schema.ROLLOUTS.c
        unfinished = rollouts.ended.is_(None) & (rollouts.app == ticket.app) & (rollouts.number != ticket.rollout)
        for mine, verdict, reason in (
            (rollouts.version == version, Verdict.INTERRUPTED, "its controller ended"),
            (rollouts.version != version, Verdict.CANCELLED, f"superseded by rollout {ticket.rollout}"),
        ):
            self._end(db, unfinished & mine, verdict, reason, now)

    def end_abandoned(self, app: str, version: str, now: float) -> None:
        """End an app's rollout whose controller is gone, when a run finds nothing left to do; without one nothing is written.

        :param version: what the whole fleet was found on.
        """
        left = self.lease(app)
        if left.rollout is None or left.is_live(now):
            return
        with self._store.writing() as db:
            if lease.read(db, app, for_update=True) == left:
                reason = f"its controller ended; a later run found the whole fleet on {version}"
                mine = (schema.ROLLOUTS.c.number == left.rollout) & schema.ROLLOUTS.c.ended.is_(None)
                self._end(db, mine, Verdict.INTERRUPTED, reason, now)
                lease.release(db, app)

    def _end(self, db: Connection, which: t.Any, verdict: Verdict, reason: str, now: float) -> None:
        """End rollouts that nobody works on any more."""
        ended = {"ended": now, "verdict": verdict.value, "reason": reason}
        for number in db.execute(update(schema.ROLLOUTS).where(which).values(**ended).returning(schema.ROLLOUTS.c.number)).scalars().all():
            self._write_event(db, number, now, "ended", {"verdict": verdict.value, "reason": reason})

    def lease(self, app: str) -> Lease:
        """Who may move the members of an app."""
        with self._store.reading() as db:
            return lease.read(db, app) if db else Lease(app)

    def prove(self, ticket: Ticket, now: float) -> None:
        """Prove that the rollout is the live one, and will be for a while: nobody can take the lease in the next moments.

        :raises LeaseLost: it is not.
        """
        with self._store.reading() as db:
            if db is not None and lease.is_safe(db, ticket, now):
                return
        self.renew(ticket, (), now)

    # -- writing -------------------------------------------------------------------------------------------------------

    def renew(self, ticket: Ticket, asked: Sequence[str], now: float) -> None:
        """Prove and renew the lease, and note which hosts the gate has been asked for."""
        with self._store.writing() as db:
            lease.hold(db, ticket, now)
            db.execute(
                update(schema.HOSTS).where((schema.HOSTS.c.rollout == ticket.rollout) & schema.HOSTS.c.host.in_(asked)).values(asked=1)
            )

    def leave(self, ticket: Ticket, originals: Mapping[str, Mapping[str, t.Any]], now: float) -> None:
        """Write down, before any balancer is touched, that these hosts leave rotation and what every balancer had for them.

        A host that is absent already keeps the state of when it first left.
        """
        with self._store.writing() as db:
            lease.hold(db, ticket, now)
            known = set(db.execute(select(schema.ABSENCES.c.host).where(schema.ABSENCES.c.app == ticket.app)).scalars())
            fresh = [host for host in originals if host not in known]
            if fresh:
                rows = [{"app": ticket.app, "host": host, "original": json.dumps(originals[host])} for host in fresh]
                db.execute(insert(schema.ABSENCES).values(rollout=ticket.rollout, since=now), rows)
            self._set_hosts(db, ticket, {host: HostRecord(host, Step.LEAVING) for host in originals}, now)
            leaving = (schema.HOSTS.c.rollout == ticket.rollout) & schema.HOSTS.c.host.in_(list(originals))
            db.execute(update(schema.HOSTS).where(leaving).values(departed=now))

    def write(
        self,
        ticket: Ticket,
        records: Iterable[HostRecord],
        members: Sequence[Member],
        now: float,
        back: Sequence[str] = (),
        halt: str = "",
        originals: Mapping[str, Mapping[str, t.Any]] | None = None,
    ) -> None:
        """Write what a step did to its hosts, together with the pools as they then were.

        :param back: hosts that are in rotation again, or never left it: their absence ends.
        :param halt: why the rollout must stop here, if it must.
        :param originals: what balancers had for hosts, where that is known better than when they were to leave.
        """
        by_host = {record.host: record for record in records}
        with self._store.writing() as db:
            lease.hold(db, ticket, now)
            self._set_hosts(db, ticket, by_host, now)
            self._write_views(db, ticket, members, now)
            self._correct_absences(db, ticket, originals or {})
            self._end_absences(db, ticket, back)
            values: dict[str, t.Any] = {}
            if any(record.verdict is Verdict.CONVERGED for record in by_host.values()):
                values["progressed"] = now
            if any(record.verdict is Verdict.CONVERGED and record.leg is Leg.AGAIN for record in by_host.values()):
                values["rehearsed_at"] = now
                self._write_event(db, ticket, now, "rehearsed", {})
            if halt:
                values["halted"] = halt
                self._write_event(db, ticket, now, "halted", {"reason": halt})
            if values:
                db.execute(update(schema.ROLLOUTS).where(schema.ROLLOUTS.c.number == ticket.rollout).values(**values))

    def reach(self, ticket: Ticket, milestone: str, now: float, why_not: str = "") -> None:
        """Write that what is done once for the fleet is done, or why it went wrong, which halts the rollout.

        :param milestone: one of ``milestones.ONCE``.
        """
        values = {"halted": f"{name_of(milestone)}: {why_not}"} if why_not else {f"{milestone}ed_at": now}
        with self._store.writing() as db:
            lease.hold(db, ticket, now)
            db.execute(update(schema.ROLLOUTS).where(schema.ROLLOUTS.c.number == ticket.rollout).values(**values))
            self._write_event(db, ticket, now, "halted" if why_not else f"{milestone}ed", {"reason": values["halted"]} if why_not else {})

    def write_wave(
        self, ticket: Ticket, wave: WaveRecord, now: float, records: Iterable[HostRecord] = (), members: Sequence[Member] = ()
    ) -> None:
        """Write what is known of a wave now; and what a look at it found of its hosts and the pools. Of looks, one in half a minute is an event.

        A person's approval is written by `Intervention.approve`, and not lost here: a wave that has begun is not approved any more.
        """
        with self._store.writing() as db:
            lease.hold(db, ticket, now)
            self._set_hosts(db, ticket, {record.host: record for record in records}, now)
            known = next((one for one in journal_waves.read(db, ticket.rollout) if one.name == wave.name), wave)
            self._write_views(db, ticket, members, now, told=now // _READING != known.baking.looked // _READING)
            journal_waves.write(db, ticket.rollout, wave)
            if wave.passed == now:
                self._write_event(db, ticket, now, "baked", {"wave": wave.name, "requests": wave.baking.requests})

    def pause(self, ticket: Ticket, notice: Notice) -> None:
        """Let the rollout wait for a person, unless it does so already."""
        with self._store.writing() as db:
            lease.hold(db, ticket, notice.at)
            mine = (schema.ROLLOUTS.c.number == ticket.rollout) & (schema.ROLLOUTS.c.paused == "")
            if db.execute(update(schema.ROLLOUTS).where(mine).values(paused=notice.to_text())).rowcount:
                self._write_event(db, ticket, notice.at, "paused", {"by": notice.by, "why": notice.why})

    def close(
        self, ticket: Ticket, verdict: Verdict, reason: str, now: float, back: Sequence[str] = (), told: Mapping[str, t.Any] | None = None
    ) -> None:
        """End the rollout, give the lease back, and end the absence of hosts that were seen to serve.

        :param told: what else a person is told at the end, for whoever reads of it later.
        """
        with self._store.writing() as db:
            lease.hold(db, ticket, now)
            self._end_absences(db, ticket, back)
            ended = {"ended": now, "verdict": verdict.value, "reason": reason}
            db.execute(update(schema.ROLLOUTS).where(schema.ROLLOUTS.c.number == ticket.rollout).values(**ended))
            if verdict is Verdict.CONVERGED:
                annals.mark_rolled_back(db, ticket.rollout)
            lease.release(db, ticket.app)
            self._write_event(db, ticket, now, "ended", {"verdict": verdict.value, "reason": reason, **(told or {})})

    def _correct_absences(self, db: Connection, ticket: Ticket, originals: Mapping[str, Mapping[str, t.Any]]) -> None:
        """Only of hosts that left in this rollout: of the others, a balancer has what an earlier one made of them."""
        mine = (schema.ABSENCES.c.app == ticket.app) & (schema.ABSENCES.c.rollout == ticket.rollout)
        rows = db.execute(select(schema.ABSENCES.c.host, schema.ABSENCES.c.original).where(mine)).all() if originals else []
        for row in rows:
            known = json.loads(row.original)
            better = {**known, **originals.get(row.host, {})}
            if better != known:
                db.execute(update(schema.ABSENCES).where(mine & (schema.ABSENCES.c.host == row.host)).values(original=json.dumps(better)))

    def _end_absences(self, db: Connection, ticket: Ticket, back: Sequence[str]) -> None:
        if back:
            db.execute(delete(schema.ABSENCES).where((schema.ABSENCES.c.app == ticket.app) & schema.ABSENCES.c.host.in_(back)))

    def _set_hosts(self, db: Connection, ticket: Ticket, records: Mapping[str, HostRecord], now: float) -> None:
        for host, record in records.items():
            mine = (schema.HOSTS.c.rollout == ticket.rollout) & (schema.HOSTS.c.host == host)
            verdict = record.verdict.value if record.verdict else None
            leg = {"leg": record.leg.value, "toward": record.toward}
            values = {"step": record.step.value, "verdict": verdict, "why": record.why, "changed": now, **leg}
            db.execute(update(schema.HOSTS).where(mine).values(**values))
            detail = {"verdict": verdict, "why": record.why, **({name: value for name, value in leg.items() if value})}
            self._write_event(db, ticket, now, record.step.value, detail, host)

    def _write_views(self, db: Connection, ticket: Ticket, members: Sequence[Member], now: float, told: bool = True) -> None:
        pools: dict[str, list[dict[str, t.Any]]] = {}
        for member in members:
            pools.setdefault(member.place, []).append(asdict(member))
        if pools:
            db.execute(delete(schema.VIEWS).where((schema.VIEWS.c.rollout == ticket.rollout) & schema.VIEWS.c.place.in_(list(pools))))
            rows = [{"rollout": ticket.rollout, "place": place, "seen": now, "members": json.dumps(pool)} for place, pool in pools.items()]
            db.execute(insert(schema.VIEWS), rows)
            if told:
                self._write_event(db, ticket, now, "seen", {"places": serving(members)})

    def _write_event(
        self, db: Connection, ticket: Ticket | int, now: float, kind: str, detail: Mapping[str, t.Any], host: str | None = None
    ) -> None:
        rollout = ticket if isinstance(ticket, int) else ticket.rollout
        db.execute(insert(schema.EVENTS).values(rollout=rollout, at=now, host=host, kind=kind, detail=json.dumps(detail)))
