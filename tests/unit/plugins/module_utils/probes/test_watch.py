# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import time

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.clock import SystemClock
from ansible_collections.convoy.rolling.plugins.module_utils.probes.options import Pace, Target
from ansible_collections.convoy.rolling.plugins.module_utils.probes.verdicts import Answer
from ansible_collections.convoy.rolling.plugins.module_utils.probes.watch import Watch

UP = Answer()
DOWN = Answer(error="down")


def commands(count=1):
    """Commands run in the calling thread, so that with a clock of ours nothing is left to chance."""
    return [Target(f"t{number}", "command", "true", ((0, 0),)) for number in range(count)]


def ports(count):
    return [Target(f"t{number}", "tcp", f"t{number}:1") for number in range(count)]


class Probe:
    """Answers by the number of the probe, takes so long, and remembers when each started and what time it had."""

    def __init__(self, clock, *answers, takes=0.0):
        self.clock = clock
        self.answers = answers
        self.takes = takes
        self.started = []
        self.seconds = []

    def __call__(self, target, seconds, wire):
        self.started.append(self.clock.now() - 1000)
        self.seconds.append(seconds)
        self.clock.sleep(self.takes)
        return self.answers[min(len(self.started), len(self.answers)) - 1]


def test_it_ends_with_the_pass_that_completes_the_row(clock):
    probe = Probe(clock, DOWN, UP, UP, DOWN, UP)
    (state,) = Watch(commands(), Pace(threshold=3, interval=2), probe, clock).run()
    assert probe.started == [0, 2, 4, 6, 8, 10, 12]
    assert (state.ok, state.passes, state.attempts, state.at) == (True, 3, 7, 12)


def test_the_interval_counts_from_start_to_start(clock):
    probe = Probe(clock, UP, takes=0.4)
    (state,) = Watch(commands(), Pace(interval=1), probe, clock).run()
    assert probe.started == [0, 1, 2]
    assert state.at == pytest.approx(2.4)
    assert state.last.seconds == pytest.approx(0.4)


def test_a_probe_that_takes_longer_than_the_interval_is_followed_at_once(clock):
    probe = Probe(clock, UP, takes=1.5)
    Watch(commands(), Pace(interval=1), probe, clock).run()
    assert probe.started == [0, 1.5, 3]


def test_no_probe_starts_at_the_deadline_or_later_and_the_last_is_cut_to_it(clock):
    probe = Probe(clock, DOWN)
    (state,) = Watch(commands(), Pace(interval=4, timeout=3, deadline=10, initial_delay=1), probe, clock).run()
    assert probe.started == [1, 5, 9]
    assert probe.seconds == [3, 3, 1]
    assert (state.ok, state.passes, state.attempts) == (False, 0, 3)


def test_it_does_not_sit_out_a_deadline_before_which_no_probe_can_start(clock):
    probe = Probe(clock, DOWN)
    Watch(commands(), Pace(interval=4, deadline=10), probe, clock).run()
    assert probe.started == [0, 4, 8]
    assert clock.now() == 1008


def test_one_look_is_one_probe_of_each(clock):
    probe = Probe(clock, UP, DOWN)
    states = Watch(commands(3), Pace(threshold=1, once=True), probe, clock).run()
    assert [(state.ok, state.attempts) for state in states] == [(True, 1), (False, 1), (False, 1)]
    assert clock.now() == 1000


def test_targets_that_the_deadline_leaves_unprobed_have_no_attempt(clock):
    states = Watch(commands(3), Pace(threshold=1, deadline=2, once=True), Probe(clock, UP, takes=1.5), clock).run()
    assert [state.attempts for state in states] == [1, 1, 0]


def test_each_target_has_its_own_row_and_is_left_alone_when_ok(clock):
    starts = []

    def probe(target, seconds, wire):
        starts.append(target.name)
        return DOWN if target.name == "t0" and len(starts) < 3 else UP

    states = Watch(commands(2), Pace(threshold=2), probe, clock).run()
    assert [state.ok for state in states] == [True, True]
    assert (starts.count("t0"), starts.count("t1")) == (3, 2)


def test_many_are_under_way_at_once_but_no_more_than_allowed():
    lock = threading.Lock()
    flying, most, done = 0, 0, []

    def probe(target, seconds, wire):
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        time.sleep(0.02)
        with lock:
            flying -= 1
            done.append(target.name)
        return UP

    states = Watch(ports(30), Pace(threshold=1, concurrency=10), probe, SystemClock()).run()
    assert all(state.ok for state in states)
    assert most == 10
    assert len(done) == 30


def test_a_probe_that_hangs_is_cut_and_left_behind_without_taking_a_place():
    release = threading.Event()
    cut = []

    def probe(target, seconds, wire):
        if target.name == "t0":
            cut.append(wire)
            release.wait(5)
        return UP

    started = time.monotonic()
    states = Watch(ports(3), Pace(threshold=2, interval=0.02, timeout=0.1, deadline=0.5, concurrency=1), probe, SystemClock()).run()
    took = time.monotonic() - started
    release.set()
    assert [state.ok for state in states] == [False, True, True]
    assert states[0].last.failed.startswith("no answer within 0.")
    assert 0.49 < took < 1.5
    assert all(wire._is_cut for wire in cut)


def test_an_answer_that_comes_after_its_time_counts_no_more():
    late = threading.Event()
    calls = []

    def probe(target, seconds, wire):
        calls.append(target)
        if len(calls) == 1:
            late.wait(5)
            return UP
        late.set()
        time.sleep(0.03)
        return DOWN

    (state,) = Watch(ports(1), Pace(threshold=1, interval=0.05, timeout=0.1, deadline=0.3), probe, SystemClock()).run()
    assert not state.ok
    assert state.attempts == len(calls) > 1


def test_a_probe_that_breaks_is_a_failed_probe(clock):
    def probe(target, seconds, wire):
        raise ValueError("odd answer")

    (state,) = Watch(commands(), Pace(threshold=1, once=True), probe, clock).run()
    assert state.last.failed == "the probe broke: ValueError: odd answer"
