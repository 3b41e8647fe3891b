# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moving members of a pool out of rotation and back, on any load balancer: the order, the floor and the waits.

The order out is the one that lost no request in the project's measurements: drain for a bounded while, so that bound clients
may finish; then maintenance, which also turns away sticky clients; then wait until no session is left and nothing new begins for
a quiet window (the first zero alone is a moment between two requests). All members move at once, served by one look at the pool.
"""

from __future__ import annotations

import dataclasses
import enum
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
    listed,
)
from ansible_collections.convoy.rolling.plugins.module_utils.clock import Clock
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.member_goals import Goal


class _Step(enum.Enum):
    WAIT = "wait"
    ORDER = "order"
    CUT = "cut"
    OVER = "over"


class Move:
    """One member on its way to the goal."""

    def __init__(self, goal: Goal, can: Capabilities, before: Member, now: float) -> None:
        self.before = self.member = before
        self.error: str | None = None
        self.note: str | None = None
        self.sessions = before.sessions or 0
        self.cut = 0
        self.started = self.ended = now
        self.touched = False
        self.over = False
        self._goal = goal
        self._arrived = False
        self._agent: bool | None = None
        self._deadline = now + goal.wait_timeout
        self._quiet_since: float | None = None
        self._admin = self._first_admin(can)
        self._weight: int | None = None
        if goal.state == "restored":
            self._weight = goal.before[before.name].weight_forgotten(before) if can.max_weight is not None else None
            self._agent = goal.before[before.name].agent
        if goal.weight is not None:
            try:
                self._weight = goal.weight.of(before, can.max_weight or 0)
            except RollingError as error:
                self.fail(error.message)

    def _first_admin(self, can: Capabilities) -> str | None:
        if self._goal.state is None:
            return None
        if self._goal.state == "ready":
            return READY
        if self._goal.state == "restored":
            return self._goal.before[self.before.name].admin
        soft = self._goal.state == "drained" and can.soft_drain and self._goal.soft > 0 and self.before.admin != MAINTENANCE
        return DRAIN if soft else MAINTENANCE

    def change(self) -> Change | None:
        """What still has to be ordered to get where this move is heading now; None when the member is there."""
        admin = self._admin if self._admin != self.member.admin else None
        weight = self._weight if self._weight != self.member.weight else None
        agent = self._agent
        if agent is None and admin is not None:
            # An agent may let in again whom an operator took out.
            agent = admin == READY
        agent = agent if self.member.agent is (not agent) else None
        if (admin, weight, agent) == (None, None, None):
            return None
        return Change(self.member.name, admin, weight, agent)

    def undo(self) -> Change | None:
        """What has to be ordered to make the member what it was."""
        now, was = self.member, self.before
        change = Change(
            now.name,
            was.admin if was.admin != now.admin else None,
            was.weight if self._weight is not None and was.weight != now.weight else None,
            was.agent if was.agent != now.agent else None,
        )
        return change if change != Change(now.name) else None

    @property
    def changed(self) -> bool:
        """Whether the member is other than it was, or lost sessions."""
        return self.cut > 0 or (self.touched and self.undo() is not None)

    def predict(self) -> None:
        """Check mode: the member as it would become."""
        change = self.change() or Change(self.before.name)
        out = self._goal.takes_out and self._goal.state is not None
        self.touched = True
        self.member = dataclasses.replace(
            self.before,
            admin=MAINTENANCE if out else change.admin or self.before.admin,
            weight=self.before.weight if change.weight is None else change.weight,
            agent=self.before.agent if change.agent is None else change.agent,
            in_service=self.before.in_service and not self._goal.takes_out,
        )

    def fail(self, reason: str) -> None:
        self.error = reason
        self.over = True

    def see(self, member: Member, now: float) -> None:
        """Take in what a fresh look at the pool showed; a member that was out and is let in again is under way once more."""
        if self.over and not self.error:
            self.member = member
            if self._forgotten():
                self.over = False
                self._deadline = max(self._deadline, now + self._goal.timeout)
            return
        busy = bool(member.sessions or member.queued) or member.requests != self.member.requests
        self._quiet_since = None if busy else now if self._quiet_since is None else self._quiet_since
        self.sessions = max(self.sessions, member.sessions or 0)
        self.member = member
        self.ended = now

    def _forgotten(self) -> bool:
        return self._arrived and self._admin in (DRAIN, MAINTENANCE) and self.member.admin == READY

    def step(self, now: float) -> _Step:
        """Decide on what was seen last."""
        # An agent that is listened to again may say another weight.
        weighs = self._weight in (None, self.member.weight) or self._agent is True
        there = self._admin in (None, self.member.admin) and weighs
        self._arrived = self._arrived or there
        late = now >= self._deadline
        if self._admin == DRAIN and self._goal.state == "drained" and (self._quiet(now) or late or now >= self.started + self._goal.soft):
            self._admin = MAINTENANCE
            self._quiet_since = None
            return _Step.ORDER
        if there and self._settled(now):
            self.over = True
        elif late:
            return self._too_late(now, there)
        elif self._forgotten():
            self.note = "The load balancer let it in again on the way, as after a reload; it was taken out once more."
            self._quiet_since = None
            return _Step.ORDER
        return _Step.OVER if self.over else _Step.WAIT

    def _quiet(self, now: float) -> bool:
        return self._quiet_since is not None and now - self._quiet_since >= self._goal.quiet

    def _settled(self, now: float) -> bool:
        if self._admin == READY:
            if self.member.health == "unchecked":
                self.note = "The load balancer does not check this member; only the caller's own probe vouches for it."
            return self.member.health in ("up", "unchecked") and not self._warms_up()
        return self._admin is None or self._goal.state == "restored" or (self._admin == MAINTENANCE and self._quiet(now))

    def _warms_up(self) -> bool:
        return self._goal.full_weight and bool(self.member.warming)

    def _too_late(self, now: float, there: bool) -> _Step:
        member, after = self.member, f"after {now - self.started:.1f}s"
        shown = f"{member.status}, last check {member.check}" if member.check else member.status
        if not there:
            self.fail(f"The load balancer took the order, but {after} still shows {member.admin}, weight {member.weight} ({shown}).")
            return _Step.OVER
        if self._admin == READY:
            reason = f"It is let in, but {after} {'still in its slow start' if self._warms_up() else 'not fully up'} ({shown})."
        else:
            reason = f"It still had {member.sessions or 0} sessions and {member.queued or 0} requests queued {after}."
        if self._goal.on_timeout == "continue":
            self.note, self.over = f"{reason} Taken as it is, since on_timeout is continue.", True
        elif self._goal.on_timeout == "force" and self._admin == MAINTENANCE and not self.cut and member.sessions:
            self.cut = member.sessions
            self._deadline = now + self._goal.timeout
            return _Step.CUT
        else:
            self.fail(reason)
        return _Step.OVER


class Journey:
    """All moves of one call, over one pool."""

    def __init__(self, goal: Goal, can: Capabilities, where: str, clock: Clock, allowed: t.Callable[[], None] = lambda: None) -> None:
        self.goal = goal
        self.pool = Pool(goal.pool, ())
        self.moves: list[Move] = []
        #: Asked for, and not in the pool.
        self.strangers: list[str] = []
        self._can = can
        self._where = where
        self._clock = clock
        #: Asked before every order, and raises to forbid it.
        self._allowed = allowed

    def plan(self, balancer: Balancer) -> str | None:
        """Look at the pool and start afresh.

        :return: why the floor forbids it, with the sum, or None.
        """
        self.pool = balancer.read(self.goal.pool, self.goal.members)
        known, now = self.pool.by_name(), self._clock.now()
        self.strangers = [name for name in self.goal.members if name not in known]
        self.moves = [Move(self.goal, self._can, known[name], now) for name in self.goal.members if name in known]
        leaving = self._leaving()
        left = self._in_service(but=leaving)
        if self.goal.floor is None or not leaving or left >= self.goal.floor:
            return None
        return f"{self._where}: {self._sum('')}in service, draining {listed(leaving)} would leave {left}, the floor is {self.goal.floor}"

    def go(self, balancer: Balancer) -> None:
        """Move every member: wait for the floor, order, wait for each to arrive, put back those that did not.

        :raises RollingError: the floor forbids it, or the balancer could not be talked to; then see `recover`.
        """
        self._start(balancer)
        while self._step(balancer):
            pass
        self._put_back(balancer)

    def recover(self, reopen: t.Callable[[], Balancer], reason: str) -> None:
        """After the connection, or the right to order, was lost on the way: put back, over a new one, every member that had not arrived."""
        for move in self._under_way():
            move.fail(reason)
        if not any(move.error and move.touched for move in self.moves):
            return
        try:
            self._allowed()
            with reopen() as balancer:
                self._look(balancer)
                self._put_back(balancer)
        except RollingError as error:
            for move in self.moves:
                if move.error and move.touched:
                    move.error += f" Its state is not known ({error.message}): look at it, it may be out of rotation."

    def _start(self, balancer: Balancer) -> None:
        give_up = self._clock.now() + self.goal.floor_wait
        while True:
            refusal = self.plan(balancer)
            if refusal is None:
                leaving = self._leaving()
                self._order(balancer, {move: change for move in self._under_way() for change in (move.change(),) if change})
                self._look(balancer)
                # Somebody else may have taken members out between our look and our order: of two that collide, both step back.
                if self.goal.floor is None or not leaving or self._in_service() >= self.goal.floor:
                    return
                refusal = (
                    f"{self._where}: with {listed(leaving)} draining only {self._sum('were ')}in service, "
                    f"the floor is {self.goal.floor}; others left at the same moment"
                )
                for move in self._under_way():
                    move.fail("Others left at the same moment, which broke the floor.")
                self._put_back(balancer)
                if any(move.changed for move in self.moves):
                    raise RollingError(f"{refusal}.")
            if self._clock.now() >= give_up:
                for move in self.moves:
                    move.fail(f"{refusal}.")
                raise RollingError(f"{refusal}.")
            self._clock.sleep(self.goal.poll)

    def _step(self, balancer: Balancer) -> bool:
        """One round for all members; False when none is under way any more."""
        now, moves = self._clock.now(), self._under_way()
        steps = {move: move.step(now) for move in moves}
        out = {move: change for move, step in steps.items() if step is _Step.ORDER for change in (move.change(),) if change}
        cut = [move.member.name for move, step in steps.items() if step is _Step.CUT]
        self._order(balancer, out)
        if cut:
            self._allowed()
            for move in self._refused(balancer.cut(self.goal.pool, cut)):
                move.cut = 0
        if not self._under_way():
            return False
        if not out:
            self._clock.sleep(self.goal.poll)
        self._look(balancer)
        return True

    def _order(self, balancer: Balancer, changes: t.Mapping[Move, Change]) -> None:
        if not changes:
            return
        self._allowed()
        for move in changes:
            move.touched = True
        self._refused(balancer.apply(self.goal.pool, list(changes.values())))

    def _refused(self, refused: t.Mapping[str, str]) -> list[Move]:
        moves = [move for move in self.moves if move.member.name in refused]
        for move in moves:
            move.fail(f"{refused[move.member.name]}.")
        return moves

    def _look(self, balancer: Balancer) -> None:
        self.pool = balancer.read(self.goal.pool, self.goal.members)
        known, now = self.pool.by_name(), self._clock.now()
        for move in self.moves:
            member = known.get(move.member.name)
            if member is not None:
                move.see(member, now)
            elif not move.error:
                move.fail("It vanished from the pool on the way.")

    def _put_back(self, balancer: Balancer) -> None:
        """Make every member whose move failed what it was before, and say so in its error."""
        undo = {move: change for move in self.moves if move.error and move.touched for change in (move.undo(),) if change}
        if not undo:
            return
        self._allowed()
        refused = balancer.apply(self.goal.pool, list(undo.values()))
        give_up = self._clock.now() + self.goal.timeout
        self._look(balancer)
        while any(move.undo() and move.member.name not in refused for move in undo) and self._clock.now() < give_up:
            self._clock.sleep(self.goal.poll)
            self._look(balancer)
        for move in undo:
            if move.undo() is None:
                move.error = f"{move.error} It was put back to what it was: {move.before.admin}."
            else:
                why = refused.get(move.member.name, "the load balancer does not show the change")
                move.error = f"{move.error} It could not be put back ({why}) and is left in {move.member.admin}."

    def _under_way(self) -> list[Move]:
        return [move for move in self.moves if not move.over]

    def _in_service(self, but: t.Collection[str] = ()) -> int:
        """What the floor is held against: members, or their weights."""
        serving = [member for member in self.pool.members if member.in_service and member.name not in but]
        return sum(member.weight or 0 for member in serving) if self.goal.floor_by == "weight" else len(serving)

    def _sum(self, verb: str) -> str:
        weight = f" of weight {self._in_service()}" if self.goal.floor_by == "weight" else ""
        return f"{self.pool.in_service} of {len(self.pool.members)} members{weight} {verb}"

    def _leaving(self) -> list[str]:
        return [move.before.name for move in self._under_way() if move.before.in_service and self.goal.takes_out]
