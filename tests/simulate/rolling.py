# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rolling a fleet of values: the plan and the gate are the real ones, hosts are random durations and faults.

Two ways through the same plan: serial, where a batch is over when its last host is, and window, where the next host starts as
soon as the gate has a place for it.
"""

from __future__ import annotations

import heapq
import random
import time
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.convoy.rolling.plugins.plugin_utils.gate import decide_on
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import (
    Answer,
    Baking,
    Decision,
    HostRecord,
    HostSeen,
    Member,
    Observed,
    Plan,
    RolloutRecord,
    Stage,
    Step,
    Verdict,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice
from ansible_collections.convoy.rolling.plugins.plugin_utils.planner import make_plan
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.standing import Standing

OLD, NEW = "1.0", "2.0"


@dataclass(frozen=True)
class Chances:
    """What hosts are like: seconds that one is out, how many are slow and how slow, how many fail."""

    seconds: float = 30.0
    spread: float = 0.3
    slow: float = 0.02
    slowness: float = 10.0
    fails: float = 0.001


@dataclass
class Result:
    """How a simulated rollout went."""

    seconds: float  # of the simulated clock
    done: int
    failed: int
    reason: str  # why it was halted, if it was
    most_out: int
    decisions: list[float] = field(default_factory=list)  # seconds that each took, of the real clock


def fleet(hosts: int, zones: int, pools: int = 2, racks: int = 0) -> Observed:
    """A fleet that runs the old version, every host a member of every pool.

    :param racks: anti-affinity groups; none when 0.
    """
    names = [f"web{number}" for number in range(hosts)]
    return Observed(
        tuple(
            HostSeen(name, installed=OLD, running=OLD, zone=f"z{number % zones}", apart=(f"r{number % racks}",) if racks else ())
            for number, name in enumerate(names)
        ),
        tuple(Member("lb1", f"pool{pool}", name, host=name, weight=10, requests=0) for pool in range(pools) for name in names),
    )


class Rolling:
    """One rollout over one fleet.

    :param seed: the same seed is the same rollout.
    """

    def __init__(self, look: Observed, plan: Plan, policy: Policy, chances: Chances, seed: int) -> None:
        dice = random.Random(seed)
        self.plan, self._policy = plan, policy
        # Drawn in the order of the plan, so that serial and window meet the same hosts.
        self._lasts = {host: dice.lognormvariate(0, chances.spread) * chances.seconds for host in plan.order}
        for host in plan.order:
            self._lasts[host] *= chances.slowness if dice.random() < chances.slow else 1
        self._fails = {host for host in plan.order if dice.random() < chances.fails}
        self._members: dict[str, list[Member]] = {}
        for member in look.members:
            self._members.setdefault(str(member.host), []).append(member)
        hosts = tuple(HostRecord(host) for host in plan.order)
        self.standing = Standing(RolloutRecord(1, "web", NEW, plan, hosts, 0.0, 0.0), look.members)
        self.result = Result(0.0, 0, 0, "", 0)
        self._out = 0
        self._left: dict[str, float] = {}

    def serial(self) -> Result:
        """Batch after batch."""
        now = 0.0
        for batch in self.plan.batches:
            left: t.Sequence[str] = batch
            while left:
                decision = self._ask(left, now)
                if decision.answer is Answer.WAIT and decision.stage:
                    now = self._tend(decision, now)
                    continue
                if decision.answer is not Answer.ADMIT:
                    return self._ended(now, decision.reason)
                for host in decision.admitted:
                    self._leave(host, now)
                now += max((self._lasts[host] for host in decision.admitted), default=0.0)
                for host in decision.admitted:
                    self._come_back(host, now)
                left = decision.later
        return self._ended(now, "")

    def window(self, forks: int) -> Result:
        """Host after host: ``forks`` hosts are held by Ansible at a time, and each asks by itself until it may go."""
        now, queue, asking = 0.0, iter(self.plan.order), []
        going: list[tuple[float, str]] = []
        while True:
            while len(asking) + len(going) < forks and (host := next(queue, None)) is not None:
                asking.append(host)
                self.standing.note(HostRecord(host, asked=True))
            waiting = []
            for number, host in enumerate(asking):
                decision = self._ask([host], now)
                while decision.answer is Answer.WAIT and decision.stage not in (None, Stage.TURN):
                    now = self._tend(decision, now)
                    decision = self._ask([host], now)
                if decision.answer is Answer.HALT:
                    return self._ended(now, decision.reason)
                if decision.admitted:
                    self._leave(host, now)
                    heapq.heappush(going, (now + self._lasts[host], host))
                    continue
                waiting.append(host)
                if self._out >= self.plan.limit or decision.stage is Stage.TURN:
                    waiting += asking[number + 1 :]  # they would ask as well, and hear the same
                    break
            asking = waiting
            if not going:
                return self._ended(now, "" if not asking else "nobody is under way")
            now, host = heapq.heappop(going)
            self._come_back(host, now)

    def _ask(self, hosts: t.Sequence[str], now: float) -> Decision:
        start = time.perf_counter()
        decision = decide_on(self.standing, hosts, self._policy, now)
        self.result.decisions.append(time.perf_counter() - start)
        return decision

    def _tend(self, decision: Decision, now: float) -> float:
        """What a wave waits for: requests come and persons approve as soon as they are asked, so it is the bake's time that passes."""
        rollout = self.standing.rollout
        wave = next(wave for wave in rollout.plan.waves if wave.name == decision.wave)
        known = rollout.wave(wave.name)
        if decision.stage is Stage.BAKE:
            now = max(now, self.standing.wave_ended(rollout.plan.waves.index(wave)) + wave.bake_time)
            known = replace(known, baking=Baking(now, wave.bake_requests))
        elif decision.stage is Stage.CHECK:
            known = replace(known, passed=now)
        else:
            known = replace(known, approved=Notice("a person", "", now))
        self.standing.rollout = replace(rollout, waves=(*(one for one in rollout.waves if one.name != known.name), known))
        return now

    def _leave(self, host: str, now: float) -> None:
        self.standing.leave(host)
        self._left[host] = now
        self._set(host, False, HostRecord(host, Step.LEAVING))
        self._out += 1
        self.result.most_out = max(self.result.most_out, self._out)

    def _come_back(self, host: str, now: float) -> None:
        if host in self._fails:
            self.standing.note(HostRecord(host, Step.DEPLOYED, Verdict.FAILED, "it did not come up", changed=now))
            self.result.failed += 1
            return
        self.standing.back(host)
        self._set(host, True, HostRecord(host, Step.BACK, Verdict.CONVERGED, changed=now, left=self._left[host]))
        self.standing.progress(now)
        self.result.done += 1
        self._out -= 1

    def _set(self, host: str, in_service: bool, record: HostRecord) -> None:
        for member in self._members[host]:
            self.standing.see(replace(member, in_service=in_service, admin="ready" if in_service else "maintenance"))
        self.standing.note(record)

    def _ended(self, now: float, reason: str) -> Result:
        self.result.seconds, self.result.reason = now, reason
        return self.result


def planned(look: Observed, policy: Policy) -> tuple[Plan, float]:
    """The plan, and the seconds of CPU it took."""
    start = time.process_time()
    plan = make_plan("web", NEW, look, policy)
    return plan, time.process_time() - start
