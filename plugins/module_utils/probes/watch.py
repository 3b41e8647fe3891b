# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When each target is probed, and until when: many at once, each at its own pace."""

from __future__ import annotations

import contextlib
import dataclasses
import heapq
import queue
import threading
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.clock import Clock
from ansible_collections.convoy.rolling.plugins.module_utils.probes.options import Pace, Target
from ansible_collections.convoy.rolling.plugins.module_utils.probes.transports import Wire, too_slow
from ansible_collections.convoy.rolling.plugins.module_utils.probes.verdicts import Answer, State, assess, judge

Probe = t.Callable[[Target, float, Wire], Answer]
"""Probes a target once within so many seconds, over a connection that the wire can cut."""


@dataclasses.dataclass(frozen=True, eq=False)
class _Flight:
    """A probe under way. ``until`` is when it is given up, on the clock that ``started`` is on."""

    number: int
    started: float
    until: float
    wire: Wire = dataclasses.field(default_factory=Wire)


class Watch:
    """Probes every target until it is ok or the deadline is over.

    A url or tcp probe has a thread of its own, as only that lets a probe that hangs where nothing can end it (a name
    look-up) be left behind without taking a place. A command runs in the calling thread, because run_command is not
    made for several: commands run one after another, and meanwhile no other probe starts.
    """

    def __init__(self, targets: t.Sequence[Target], pace: Pace, probe: Probe, clock: Clock) -> None:
        self._targets = targets
        self._pace = pace
        self._probe = probe
        self._clock = clock
        self._started = clock.now()
        self._deadline = self._started + pace.deadline
        self._states = [State(pace.threshold) for _target in targets]
        self._due = [(self._started + pace.initial_delay, number) for number in range(len(targets))]  # sorted, so a heap
        self._flights: dict[int, _Flight] = {}  # in order of start and therefore of `until`
        self._landed: queue.SimpleQueue[tuple[_Flight, Answer, float]] = queue.SimpleQueue()

    def run(self) -> list[State]:
        """The states of the targets, in their order, when all is over."""
        while True:
            while not self._landed.empty():
                self._land(*self._landed.get())
            now = self._clock.now()
            self._give_up_overdue(now)
            if now >= self._deadline or not (self._due or self._flights):
                return self._states
            if self._has_room() and self._due and self._due[0][0] <= now:
                self._start(heapq.heappop(self._due)[1], now)
            else:
                self._wait(now)

    def _has_room(self) -> bool:
        return len(self._flights) < self._pace.concurrency

    def _start(self, number: int, now: float) -> None:
        flight = self._flights[number] = _Flight(number, now, min(now + self._pace.timeout, self._deadline))
        if self._targets[number].kind == "command":
            self._fly(flight)
        else:
            threading.Thread(target=self._fly, args=(flight,), daemon=True).start()

    def _fly(self, flight: _Flight) -> None:
        try:
            answer = self._probe(self._targets[flight.number], flight.until - flight.started, flight.wire)
        except Exception as error:  # whatever a library makes of an answer, only this probe failed
            answer = Answer(error=f"the probe broke: {type(error).__name__}: {error}")
        self._landed.put((flight, answer, self._clock.now()))

    def _give_up_overdue(self, now: float) -> None:
        for flight in list(self._flights.values()):
            if flight.until > now:
                break
            flight.wire.cut()
            self._land(flight, too_slow(flight.until - flight.started), now)

    def _land(self, flight: _Flight, answer: Answer, now: float) -> None:
        if self._flights.get(flight.number) is not flight:
            return  # given up before
        del self._flights[flight.number]
        outcome = dataclasses.replace(
            assess(self._targets[flight.number], answer),
            seconds=now - flight.started,
            at=now - self._started,
        )
        state = self._states[flight.number] = judge(self._states[flight.number], outcome)
        again = flight.started + self._pace.interval
        if not state.ok and not self._pace.once and again < self._deadline:
            heapq.heappush(self._due, (again, flight.number))

    def _wait(self, now: float) -> None:
        """Sleep until something lands or becomes due."""
        until = self._deadline
        if self._due and self._has_room():
            until = min(until, self._due[0][0])
        if not self._flights:
            self._clock.sleep(until - now)
            return
        until = min(until, next(iter(self._flights.values())).until)
        with contextlib.suppress(queue.Empty):
            self._land(*self._landed.get(timeout=max(0.0, until - now)))
