# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person does from elsewhere: pause, resume, approve and abort a live rollout, freeze an app, and break a lease.

It is a mark in the journal that the rollout finds at its next gate. Here and in ``journal``, ``annals`` and ``lease`` SQL is known.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, replace

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_schema as schema
from ansible_collections.convoy.rolling.plugins.plugin_utils import journal_waves
from ansible_collections.convoy.rolling.plugins.plugin_utils import lease as leases
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal_store import Store
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import FROZEN_ID, Lease
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Plan, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice
from ansible_collections.convoy.rolling.plugins.plugin_utils.typed_values import typed_json

if schema.MISSING is None:
    from sqlalchemy import Connection, insert, select, update


@dataclass(frozen=True)
class Outcome:
    """What came of it, in one sentence."""

    changed: bool
    text: str


class Intervention:
    """A person at the journal behind one URL, who means one app.

    :param notice: who, why and when.
    :param command: the command that names a playbook of ours, for what to type next.
    """

    def __init__(self, url: str, app: str, notice: Notice, command: Callable[[str], str]) -> None:
        self._store = Store(url)
        self._app = app
        self._notice = notice
        self._command = command

    def pause(self) -> Outcome:
        """Let the live rollout finish the hosts it has out, and then wait."""
        return self._tell("pause", self._pause)

    def _pause(self, db: Connection, row: t.Any, lease: Lease) -> Outcome:
        paused, aborted = Notice.from_text(row.paused), Notice.from_text(row.aborted)
        if aborted:
            raise RollingError(f"app {self._app!r}: rollout {row.number} is being aborted {aborted}; there is nothing to pause.")
        if paused:
            return Outcome(False, f"app {self._app!r}: rollout {row.number} is paused already, {paused}.")
        self._mark(db, row, "paused", paused=self._notice.to_text())
        return Outcome(
            True, f"app {self._app!r}: {lease.name}{self._silence(lease)} pauses at its next gate; go on with `{self._command('resume')}`."
        )

    def resume(self) -> Outcome:
        """Let the live rollout go on. The time it was paused does not count for its progress deadline."""
        return self._tell("resume", self._resume)

    def _resume(self, db: Connection, row: t.Any, lease: Lease) -> Outcome:
        paused = Notice.from_text(row.paused)
        if not paused:
            return Outcome(False, f"app {self._app!r}: rollout {row.number} is not paused.")
        idle = max(0.0, paused.at - row.progressed)
        self._mark(db, row, "resumed", paused="", progressed=max(row.progressed, self._notice.at - idle))
        return Outcome(True, f"app {self._app!r}: {lease.name}{self._silence(lease)} goes on.")

    def approve(self, name: str) -> Outcome:
        """Let a wave of the live rollout begin.

        :param name: of the wave; the next one that waits, or will, when it is empty.
        :raises RollingError: there is none, or none of that name.
        """
        return self._tell("approve", lambda db, row, lease: self._approve(db, row, lease, name))

    def _approve(self, db: Connection, row: t.Any, lease: Lease, name: str) -> Outcome:
        asking = {wave.name for wave in typed_json(Plan, row.plan).waves if wave.approve}
        waves = [wave for wave in journal_waves.read(db, row.number) if wave.name in asking]
        where = f"app {self._app!r}: {lease.name}"
        if not waves or (name and name not in asking):
            said = ", ".join(wave.name for wave in waves) or "none"
            raise RollingError(
                f"rollout_approve: {where} has no wave {name or 'that waits for approval'}; those that do are {said}. Nothing was changed."
            )
        mine = next((wave for wave in waves if (wave.name == name if name else wave.approved is None)), waves[-1])
        if mine.approved is not None:
            return Outcome(False, f"{where}: wave {mine.name} is approved already, {mine.approved}.")
        journal_waves.write(db, row.number, replace(mine, approved=self._notice))
        self._write_event(db, row.number, "approved", wave=mine.name)
        return Outcome(True, f"{where}{self._silence(lease)}: wave {mine.name} is approved.")

    def abort(self) -> Outcome:
        """Let the live rollout finish the hosts it has out, and then end."""
        return self._tell("abort", self._abort)

    def _abort(self, db: Connection, row: t.Any, lease: Lease) -> Outcome:
        aborted = Notice.from_text(row.aborted)
        if aborted:
            return Outcome(False, f"app {self._app!r}: rollout {row.number} is being aborted already, {aborted}.")
        self._mark(db, row, "aborted", aborted=self._notice.to_text())
        return Outcome(True, f"app {self._app!r}: {lease.name}{self._silence(lease)} ends at its next gate.")

    def lock(self) -> Outcome:
        """Freeze the app: no rollout of it begins until the freeze is lifted. One that is going on goes on.

        :raises InputError: no reason was given.
        """
        if not self._notice.why:
            raise InputError(
                "rollout_reason: a freeze needs a reason, for whoever meets it; write -e \"rollout_reason='why it is'\". Nothing was changed."
            )
        with self._store.writing(make=True) as db:
            lease = leases.read(db, self._app, for_update=True)
            if lease.frozen:
                return Outcome(False, f"app {self._app!r} is frozen already, {lease.frozen}.")
            leases.freeze(db, self._app, self._notice)
            live = lease.rollout is not None and not lease.silence(self._notice.at)
            going_on = f" It does not touch {lease.name}, which is going on; stop that with `{self._command('abort')}`." if live else ""
        return Outcome(True, f"app {self._app!r} is frozen; lift it with `{self._unlock(FROZEN_ID)}`.{going_on}")

    def unlock(self, which: str) -> Outcome:
        """Lift a freeze, or break the lease of a rollout: its controller moves nothing any more.

        :param which: the number of the rollout, or ``freeze``; it must be what is there.
        :raises RollingError: it is not, or nothing was given: says who holds what, and what to type.
        """
        free = Outcome(False, f"app {self._app!r} is not locked by anybody.")
        if self._is_blank():
            return free
        with self._store.writing() as db:
            lease = leases.read(db, self._app, for_update=True)
            holds = {}
            if lease.rollout is not None:
                holds[str(lease.rollout)] = f"{lease}{lease.silence(self._notice.at)}"
            if lease.frozen:
                holds[FROZEN_ID] = f"a freeze {lease.frozen}"
            if not holds:
                return free
            if which not in holds:
                given = f"rollout_id: {which!r} holds nothing here. " if which else ""
                said = "; ".join(f"{what} (`{self._unlock(name)}` breaks it)" for name, what in holds.items())
                raise RollingError(f"{given}app {self._app!r} is locked by {said}. Nothing was changed.")
            if which == FROZEN_ID:
                leases.freeze(db, self._app, None)
                return Outcome(True, f"app {self._app!r} is not frozen any more; it was {lease.frozen}.")
            self._end(db, lease)
        return Outcome(
            True, f"app {self._app!r}: the lease is free; it was that of {holds[which]}. The next rollout begins with what it left."
        )

    def _tell(self, what: str, mark: Callable[[Connection, t.Any, Lease], Outcome]) -> Outcome:
        """Mark the live rollout, given its row and its lease. One that is silent may come back, and finds the mark then.

        :raises RollingError: there is none.
        """
        nobody = RollingError(f"app {self._app!r}: no rollout is going on; there is nothing to {what}.")
        if self._is_blank():
            raise nobody
        with self._store.writing() as db:
            lease = leases.read(db, self._app, for_update=True)
            if lease.rollout is None:
                raise nobody
            if lease.holder is None or lease.holder.is_gone():
                raise RollingError(
                    f"app {self._app!r}: {lease.name} is not going on, its controller has ended; there is nothing to {what}. Type its command "
                    "again to finish what it left."
                )
            return mark(db, db.execute(select(schema.ROLLOUTS).where(schema.ROLLOUTS.c.number == lease.rollout)).one(), lease)

    def _is_blank(self) -> bool:
        """Whether there never was a rollout or a freeze of any app here."""
        with self._store.reading() as db:
            return db is None

    def _mark(self, db: Connection, row: t.Any, kind: str, **values: t.Any) -> None:
        db.execute(update(schema.ROLLOUTS).where(schema.ROLLOUTS.c.number == row.number).values(**values))
        self._write_event(db, row.number, kind)

    def _end(self, db: Connection, lease: Lease) -> None:
        why = f"unlocked by {self._notice.by}" + (f": {self._notice.why}" if self._notice.why else "")
        ended = {"ended": self._notice.at, "verdict": Verdict.INTERRUPTED.value, "reason": why}
        unfinished = (schema.ROLLOUTS.c.number == lease.rollout) & schema.ROLLOUTS.c.ended.is_(None)
        db.execute(update(schema.ROLLOUTS).where(unfinished).values(**ended))
        leases.release(db, self._app)
        self._write_event(db, lease.rollout, "unlocked")

    def _write_event(self, db: Connection, rollout: int | None, kind: str, **more: str) -> None:
        detail = json.dumps({"by": self._notice.by, "why": self._notice.why, **more})
        db.execute(insert(schema.EVENTS).values(rollout=rollout, at=self._notice.at, host=None, kind=kind, detail=detail))

    def _silence(self, lease: Lease) -> str:
        silence = lease.silence(self._notice.at)
        return f"{silence}," if silence else ""

    def _unlock(self, which: str) -> str:
        return f"{self._command('unlock')} -e rollout_id={which}"
