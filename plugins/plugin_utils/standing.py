# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a rollout stands, kept so that a decision costs what is asked for and not what the fleet has. No I/O.

It is made from values and then told of changes, one host or member at a time. `gate.decide` makes one for every question; whoever
asks for one host at a time, of ten thousand, keeps it and asks `gate.decide_on`.
"""

from __future__ import annotations

import typing as t
from collections import Counter, defaultdict
from dataclasses import replace

from ansible_collections.convoy.rolling.plugins.plugin_utils.batches import ramp
from ansible_collections.convoy.rolling.plugins.plugin_utils.legs import is_rehearsing, is_under_way
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Member, RolloutRecord, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.wording import listed


class Standing:
    """Counts over a rollout's hosts and over the pools in front of them.

    :param members: the newest view of every pool.
    :param absent: every host of the app that our doing keeps out of rotation, of whatever rollout.
    """

    def __init__(self, rollout: RolloutRecord, members: t.Iterable[Member] = (), absent: t.Iterable[str] = ()) -> None:
        plan = rollout.plan
        self.rollout = rollout
        self.total = len(plan.order) + len(plan.skipped) + len(plan.held) + len(plan.unreachable)
        self._order = frozenset(plan.order)
        self._records: dict[str, HostRecord] = {}
        # Dictionaries without values are sets that keep their order, for the sentences.
        self._with: dict[Verdict | None, dict[str, None]] = defaultdict(dict)  # verdict -> hosts
        self._absent: dict[str, None] = {}
        self._moving: dict[str, None] = {}  # absent, and under way in this rollout
        self._leaving: dict[str, None] = {}  # absent, and serving in the view
        self._members: dict[tuple[str, str], Member] = {}
        self._serving: Counter[str] = Counter()  # host -> members in service
        self._takes: dict[str, Counter[str]] = defaultdict(Counter)  # host -> place with a floor -> what leaves with the host
        self._rooms: Counter[str] = Counter({place: -floor for place, floor in plan.floors.items()})
        self._scopes: dict[str, list[str]] = defaultdict(list)  # host -> scopes
        self._out_of: dict[str, dict[str, None]] = {scope.name: {} for scope in plan.scopes}  # scope -> its hosts that are out
        for scope in plan.scopes:
            self._rooms[scope.name] = scope.room
            for host in scope.hosts:
                self._scopes[host].append(scope.name)
        self._wave_of = {host: number for number, wave in enumerate(plan.waves) for host in wave.hosts if host in self._order}
        self._undone = Counter(self._wave_of.values())  # wave -> its hosts that are not through
        self._asked: dict[int, dict[str, None]] = defaultdict(
            dict
        )  # wave -> its hosts that the gate was asked for and that are not through
        self._ended: dict[int, float] = defaultdict(float)  # wave -> when a host of it was through last
        self._current = 0
        self._failed_at = float("-inf")
        self._well = 0  # hosts in a row that came back well
        # A ramp counts them in the order they came back.
        for record in (
            sorted(rollout.hosts, key=lambda record: record.changed) if any(one.changed for one in rollout.hosts) else rollout.hosts
        ):
            self.note(record)
        for host in absent:
            self.leave(host)
        for member in members:
            self.see(member)

    # -- being told ----------------------------------------------------------------------------------------------------

    def note(self, record: HostRecord) -> None:
        """A host stands elsewhere now."""
        old = self._records.get(record.host)
        if old is not None:
            self._with[old.verdict].pop(record.host)
        self._with[record.verdict][record.host] = None
        self._records[record.host] = record
        self._recount(record.host)
        if record.host in self._wave_of:
            self._note_in_wave(self._wave_of[record.host], record, old)
        if record.verdict in (Verdict.FAILED, Verdict.UNREACHABLE) and (old is None or old.verdict is not record.verdict):
            self._failed_at, self._well = max(self._failed_at, record.changed), 0
        elif record.verdict is Verdict.CONVERGED and record.left > self._failed_at:
            self._well += 1

    def _note_in_wave(self, wave: int, record: HostRecord, old: HostRecord | None) -> None:
        was_through, is_through = old is not None and old.verdict is not None, record.verdict is not None
        self._undone[wave] += was_through - is_through
        self._asked[wave].pop(record.host, None)
        if is_through:
            self._ended[wave] = max(self._ended[wave], record.changed)
        elif record.asked or record.out:
            self._asked[wave][record.host] = None
        if was_through and not is_through:
            self._current = min(self._current, wave)

    def leave(self, host: str) -> None:
        """A host leaves rotation, or is out of it, by our doing."""
        if host not in self._order:
            return  # the plan counts it among those that are out already
        self._absent[host] = None
        self._recount(host)

    def back(self, host: str) -> None:
        """A host is in rotation again."""
        self._absent.pop(host, None)
        self._recount(host)

    def see(self, member: Member) -> None:
        """A member of a pool was looked at."""
        old = self._members.get((member.place, member.name))
        self._members[member.place, member.name] = member
        for one, sign in ((old, -1), (member, 1)):
            if one is not None and one.in_service:
                self._count(one, sign)
        if member.host is not None:
            self._see_leaving(member.host)

    def progress(self, now: float) -> None:
        """A host became available."""
        self.rollout = replace(self.rollout, progressed=now)

    def _count(self, member: Member, sign: int) -> None:
        units = sign * member.units(self.rollout.plan.weighed) if member.place in self.rollout.plan.floors else 0
        self._rooms[member.place] += units
        if member.host is not None:
            self._serving[member.host] += sign
            self._takes[member.host][member.place] += units

    def _is_out(self, host: str) -> bool:
        """Whether it takes a place in its zone and groups: it is out by our doing, or a person took it meanwhile."""
        return host in self._absent or host in self._with[Verdict.HELD]

    def _see_leaving(self, host: str) -> None:
        self._leaving.pop(host, None)
        if host in self._absent and self._serving[host]:
            self._leaving[host] = None

    def _recount(self, host: str) -> None:
        record = self._records.get(host)
        self._see_leaving(host)
        self._moving.pop(host, None)
        if host in self._absent and record is not None and record.out and is_under_way(record, self.rollout.plan):
            self._moving[host] = None
        for scope in self._scopes.get(host, ()):
            out = self._out_of[scope]
            self._rooms[scope] += host in out
            out.pop(host, None)
            if self._is_out(host):
                out[host] = None
                self._rooms[scope] -= 1

    # -- being asked ---------------------------------------------------------------------------------------------------

    def is_due(self, host: str) -> bool:
        """Whether the plan has it and nothing came of it yet."""
        record = self._records.get(host)
        return host in self._order and (record is None or record.verdict is None)

    def is_absent(self, host: str) -> bool:
        """Whether our doing keeps it out, or was about to."""
        return host in self._absent

    def is_out_already(self, host: str) -> bool:
        """Whether we took it out and it leaves nothing. An absence alone does not mean that: it is written before the drain, and a
        run that was killed in between left the host where it was.
        """
        return host in self._absent and not self._serving[host]

    def rehearsal(self) -> HostRecord | None:
        """The host that has to show the way back before anybody else leaves; None when nobody has to, any more."""
        record = self._records.get(self.rollout.plan.rehearsal)
        return record if record is not None and is_rehearsing(record, self.rollout) else None

    def current_wave(self) -> int | None:
        """The number of the first wave with a host that is not through; how many there are when all are; None without waves."""
        waves = self.rollout.plan.waves
        while self._current < len(waves) and not self._undone[self._current]:
            self._current += 1
        return self._current if waves else None

    def undone(self, wave: int) -> int:
        """How many hosts of a wave are not through."""
        return self._undone[wave]

    def wave_number(self, host: str) -> int | None:
        """The number of a host's wave; None where nobody waits for one."""
        return self._wave_of.get(host)

    def wave_ended(self, number: int) -> float:
        """When the last host of a wave was through."""
        known = self.rollout.wave(self.rollout.plan.waves[number].name).ended
        return max(self._ended[number], known or 0.0)

    def somebody_asked(self, wave: int) -> bool:
        """Whether the gate was asked for a host of a wave that is not through, or it is under way."""
        return bool(self._asked[wave])

    def ramp(self) -> int:
        """How many may be out together with a ramp: hosts that left before the last failure do not count."""
        return ramp(self._well)

    def absent(self, but: t.Collection[str]) -> int:
        """How many hosts our doing keeps out, but for some."""
        return len(self._absent) - sum(host in self._absent for host in but)

    def absent_names(self, but: t.Collection[str]) -> str:
        """The first of them, for a sentence."""
        return listed((host for host in self._absent if host not in but), self.absent(but)) or "nobody of ours"

    def moving(self, but: t.Collection[str]) -> int:
        """How many hosts are under way, other than some: their places will come free."""
        return len(self._moving) - sum(host in self._moving for host in but)

    def with_verdict(self, verdict: Verdict) -> t.Collection[str]:
        """The hosts that ended so."""
        return self._with[verdict]

    def fitting(self, hosts: t.Sequence[str]) -> list[str]:
        """Those of the hosts that may leave together: in each of its places, zone and groups there is room for a host and for all
        that asked before it. So nobody overtakes, and less room never lets more go.

        :param hosts: in the order they ask, none of them out already.
        """
        left = self._with_askers(hosts)
        fitting = []
        for host in hosts:
            fits = True
            for name, units in self._needs(host):
                left[name] -= units
                fits = fits and left[name] >= 0
            if fits:
                fitting.append(host)
        return fitting

    def full_scope(self, asking: t.Sequence[str]) -> str:
        """The zone, group or wave that has no room for the first of these hosts, in words; empty when each has. Who asks as well, and is
        in rotation though absent, is not in its way.
        """
        left = self._with_askers(asking)
        full = next((name for name in self._scopes.get(asking[0], ()) if left[name] < 1), "")
        if not full:
            return ""
        out = self._out_of[full]
        others = [other for other in out if other not in asking]
        shown = listed(others, len(others))
        return f"{full}: {shown} out of rotation, {self._rooms[full] + len(out)} at a time"

    def may_go_alone(self, host: str, limit: int) -> bool:
        """Whether a host that is absent, and serves somewhere still, may leave while nobody is under way.

        It is among those that are out already, and so are others that a killed run left by halves: asked for one place each, they
        would keep each other from ever coming back. So each counts for what the view shows of it.
        """
        if host not in self._leaving or len(self._absent.keys() - self._leaving.keys()) >= limit:
            return False
        for scope in self._scopes.get(host, ()):
            others = self._out_of[scope].keys() - self._leaving.keys()
            if len(others) >= self._rooms[scope] + len(self._out_of[scope]):
                return False
        return all(self._rooms[place] >= units for place, units in self._takes[host].items() if units > 0)

    def _with_askers(self, hosts: t.Iterable[str]) -> Counter[str]:
        """The rooms that these hosts touch, as they are when those of them that are absent, though serving, do not count yet."""
        left = Counter({name: self._rooms[name] for host in hosts for name, _units in self._needs(host)})
        for host in self._leaving.keys() - set(hosts):
            # The view is older than its leave: what it takes from its pools is as good as gone.
            left.subtract({place: units for place, units in self._takes[host].items() if place in left and units > 0})
        for host in hosts:
            if self._is_out(host):
                left.update(self._scopes.get(host, ()))
        return left

    def _needs(self, host: str) -> list[tuple[str, int]]:
        scopes = [(scope, 1) for scope in self._scopes.get(host, ())]
        return scopes + [(place, units) for place, units in self._takes[host].items() if units > 0]
