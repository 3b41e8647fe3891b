# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole rollouts in values: the controller's own steps and journal, around hosts and load balancers that exist in memory only.

``Rollout.go`` does what playbooks/rolling.yml and the role do, task by task.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from unit.plugins.plugin_utils.fleets import DEFAULTS, balancer, host_input

from ansible_collections.convoy.rolling.plugins.action import gate, plan, record, settle, status, step
from ansible_collections.convoy.rolling.plugins.plugin_utils.annals import Annals
from ansible_collections.convoy.rolling.plugins.plugin_utils.baking import Look, look_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import look_calls, members_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.conditions import Condition, Finding, Judgment
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import ControllerStep
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import keep_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, Member
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import as_data
from ansible_collections.convoy.rolling.plugins.plugin_utils.revisions import Wanted, target_of

_STEPS = {"drain": "drained", "deploy": "deployed", "verify": "verified", "enable": "back"}

Place = tuple[str, str]  # balancer, pool


class Killed(Exception):
    """The controller was killed with -9."""


@dataclasses.dataclass
class Host:
    """One host: what its link points to, what its process runs, and what a person or a fault does to it."""

    name: str
    installed: str = "1.0"
    running: str = "1.0"
    proven: str = "1.0"  # the version that it was last seen healthy on
    starts: int = 1  # of its process
    tells: bool = True  # something has another mark for each of its processes
    reachable: bool = True
    restarts: bool = True
    leaves: bool = True  # its members let themselves be drained
    returns: bool = True  # its members come up again
    held: bool = False
    gone: tuple[str, ...] = ()  # releases that are there no more, and can't be fetched
    unfit: tuple[str, ...] = ()  # versions that never come up healthy on it

    @property
    def mark(self) -> dict[str, str]:
        return {"mark": f"unit {self.starts}"} if self.tells else {}


class World:
    """Hosts, and the pools of their load balancers; who breaks a rule is found out on the spot."""

    def __init__(self, places: t.Sequence[Place], hosts: t.Sequence[Host], state: Path) -> None:
        self.hosts = {host.name: host for host in hosts}
        self.pools = {place: {host.name: ("maintenance" if host.held else "ready") for host in hosts} for place in places}
        self.url = f"sqlite:///{state}/journal.db"
        self.now = 1000.0
        self.bad: set[str] = set()  # versions that never come up healthy
        self.sick: set[str] = set()  # hosts that the balancers' own health checks find down
        self.silent: set[str] = set()  # balancers that do not answer any more
        self.hangs_up: int | None = None  # moves until a balancer hangs up after having done what it was told
        self.dies: int | None = None  # moves and tasks until the controller is killed
        self.changes = 0
        self.served = {host.name: 0 for host in hosts}  # what balancers count of each
        self.load = 0.0  # requests a second to each host, while the gate waits
        self.traffic = 0.0  # and all the time, whoever is out
        self.later: dict[float, t.Callable[[], None]] = {}
        self.answers: dict[str, list[str]] = {}  # condition -> what it answers, in turn
        self.refit()

    def refit(self) -> None:
        """Write the fleet down as it is: hosts came."""
        names, places = {name for name, _pool in self.pools}, list(self.pools)
        balancers = [balancer(name, [pool for one, pool in places if one == name], self.hosts) for name in sorted(names)]
        self.fleet = Fleet("web", tuple(map(host_input, self.hosts)), tuple(balancers))
        self.served = {name: self.served.get(name, 0) for name in self.hosts}

    def healthy(self, host: Host) -> bool:
        return host.running not in (*self.bad, *host.unfit)

    def out(self) -> set[str]:
        """Hosts that some pool sends nothing, but for those that a person took out."""
        return {name for pool in self.pools.values() for name, admin in pool.items() if admin != "ready" and not self.hosts[name].held}

    def reload(self) -> None:
        """What a reload makes of every pool: nobody was ever taken out."""
        for pool in self.pools.values():
            pool.update(dict.fromkeys(pool, "ready"))

    def tick(self) -> None:
        """Between any two things, the controller may be killed."""
        self.now += 1
        if self.dies is not None:
            self.dies -= 1
            if self.dies < 0:
                raise Killed

    def found(self, of: Fleet) -> list[Member]:
        """What the gate finds, of the balancers that it can ask."""
        places = [place for place in self.pools if place[0] not in self.silent]
        return [one for name, pool in places for one in members_of(of.balancers, name, pool, self.members((name, pool)))]

    def members(self, place: Place) -> list[dict[str, t.Any]]:
        return [
            {
                "name": name,
                "admin": admin,
                "in_service": admin == "ready" and name not in self.sick,
                "weight": 10,
                "requests": self.served[name] + int(self.now * self.traffic),
                "errors": int(self.now) // 100,
            }
            for name, admin in self.pools[place].items()
        ]

    def pass_time(self, seconds: float) -> None:
        """What goes on while the gate waits: clients ask, and whatever a test has planned happens."""
        for host in self.served:
            self.served[host] += round(seconds * self.load)
        for moment in [moment for moment in self.later if moment <= self.now]:
            self.later.pop(moment)()

    def glance(self) -> Look:
        look = self.look()
        return look_of(self.fleet, look["pools"], look["health"], list(self.hosts))

    def finding(self, condition: Condition) -> Finding:
        """The next answer of a condition; it passes when there is none left."""
        answers = self.answers.get(condition.name, [])
        judgment = Judgment(answers.pop(0) if answers else "pass")
        return Finding(condition.name, judgment, "somebody looked")

    # -- what the modules do -------------------------------------------------------------------------------------------

    def look(self) -> dict[str, t.Any]:
        pools = [
            {"item": call, "pools": [{"pool": pool, "members": self.members((call["name"], pool))} for pool in call["pools"]]}
            for call in look_calls(self.fleet.balancers)
        ]
        releases = {
            host.name: {"active": host.installed, **host.mark} if host.reachable else {"unreachable": "No route"}
            for host in self.hosts.values()
        }
        targets = [self._probe(host) for host in self.hosts.values()]
        return {"pools": pools, "releases": releases, "health": [{"targets": targets}]}

    def move(self, call: dict[str, t.Any], state: str) -> dict[str, t.Any]:
        """``lb_member``: the floor is its own to hold, whatever the gate thinks."""
        self.tick()
        if call["name"] in self.silent:
            return {"item": call, "msg": "Connection refused"}
        place = call["name"], call["pool"]
        pool = self.pools[place]
        before = dict(pool)
        leaving = [name for name in call["members"] if pool[name] == "ready" and state != "ready"]
        left = sum(admin == "ready" for admin in pool.values()) - len(leaving)
        if call.get("floor") is not None and leaving and left < call["floor"]:
            return self._moved(call, dict.fromkeys(call["members"], "the floor"), before, refused="the floor")
        errors = {}
        for name in call["members"]:
            host = self.hosts[name]
            self.changes += pool[name] != ("ready" if state == "ready" else "maintenance")
            if state == "ready":
                # Whoever is let in runs what was proven, or what it ran when it was taken out.
                if pool[name] != "ready" and (host.held or host.proven != host.running):
                    raise AssertionError(f"{name} is let in, held {host.held}, running {host.running}, proven {host.proven}")
                if host.returns:
                    pool[name] = "ready"
                else:
                    errors[name] = "not fully up"
            elif host.leaves or host.held:
                pool[name] = "maintenance"
            else:
                errors[name] = "3 sessions. It was put back."
        if self.hangs_up is not None:
            self.hangs_up -= 1
            if self.hangs_up < 0:
                self.hangs_up = None
                return self._moved(call, dict.fromkeys(call["members"][1:], "hung up"), before, refused="hung up")
        return self._moved(call, errors, before)

    def _moved(
        self, call: dict[str, t.Any], errors: dict[str, str], before: dict[str, str], refused: str | None = None
    ) -> dict[str, t.Any]:
        pool = self.pools[call["name"], call["pool"]]
        members = [
            {
                "member": name,
                "ok": name not in errors,
                "changed": pool[name] != before[name],
                "error": errors.get(name),
                "before": {"admin": before[name]},
            }
            for name in call["members"]
        ]
        return {"item": call, "members": members, "refused": refused, "view": {"members": self.members((call["name"], call["pool"]))}}

    def release(self, versions: t.Mapping[str, str], switch: bool) -> dict[str, dict[str, t.Any]]:
        self.tick()
        answers = {}
        for host, version in ((self.hosts[name], version) for name, version in versions.items()):
            if not host.reachable:
                answers[host.name] = {"unreachable": "No route"}
                continue
            if version in host.gone:
                answers[host.name] = {"error": f"version: {version} is not staged"}
                continue
            self.changes += 1
            answers[host.name] = {"ok": True, "changed": True}
            if switch:
                host.installed = host.installed if version == RESTART else version
                if host.restarts:
                    host.running = host.installed
                    host.starts += 1
                    answers[host.name].update(host.mark)
                else:
                    answers[host.name]["error"] = "the restart failed"
        return answers

    def verify(self, targets: t.Iterable[dict[str, t.Any]], version: str) -> dict[str, t.Any]:
        self.tick()
        results = []
        for target in targets:
            host = self.hosts[target["name"]]
            asked = re.search(r"to_string\(version\) == `\"(.*)\"`", " ".join(target.get("conditions", ())))
            wanted = host.installed if version == RESTART else asked.group(1) if asked else version
            ok = self.healthy(host) and host.running == wanted
            if ok:
                host.proven = host.running
            results.append({**self._probe(host), "ok": ok, "failed": None if ok else "status 503"})
        return {"targets": results}

    def _probe(self, host: Host) -> dict[str, t.Any]:
        ok = self.healthy(host)
        return {"name": host.name, "ok": ok, "failed": None if ok else "status 503", "extracted": {"version": host.running}, "body": None}


class Rollout:
    """One run of the playbook.

    :param watch: called between any two tasks.
    :param near: what the controller can do by itself is done by the steps, and not by tasks before them.
    """

    def __init__(
        self,
        world: World,
        version: str,
        watch: t.Callable[[], None] = lambda: None,
        check_mode: bool = False,
        near: bool = True,
        anew: bool = False,
        **limits: t.Any,
    ) -> None:
        self.world = world
        self.version = version
        self.watch = watch
        self.check_mode = check_mode
        self.near = near
        self.anew = anew
        self.policy = dict(DEFAULTS.items()) | {f"rollout_{name}": value for name, value in limits.items()}
        self.fleet = keep_fleet(world.fleet)
        self.planned: dict[str, t.Any] = {}
        self.approve = ""
        self.halted = ""
        self.said: list[str] = []
        self.reasons: list[str] = []  # of the gate

    def go(self) -> dict[str, t.Any]:
        """Plan, stage, roll the batches, settle; the result of the last step that ran."""
        world = self.world
        self.planned = self._plan()
        if not self.planned["live"]:
            return self.planned
        order = self.planned["order"]
        if self.version != RESTART:
            self._record("staged", order, releases=world.release(dict.fromkeys(order, self.version), switch=False))
        for size in self.planned["batches"]:
            batch, order = order[:size], order[size:]
            while True:
                now = self._do(gate, hosts=batch)
                self.reasons.append(now["reason"])
                if now["hosts"]:
                    now = self._take_steps(now) if self.near else self._roll(now)
                self.halted = now["halted"]
                if not now["again"] and not set(now["waiting"]) & set(batch):
                    break
        return self._do(settle, observed=world.look())

    def _plan(self) -> dict[str, t.Any]:
        return self._do(plan, version=self.version, observed=self.world.look(), anew=self.anew, approve=self.approve)

    def status(self, **different: t.Any) -> dict[str, t.Any]:
        return self._do(status, **{"observed": self.world.look(), "version": self.version, "converged": True, **different})

    def _take_steps(self, now: dict[str, t.Any]) -> dict[str, t.Any]:
        for name in [_STEPS[one["tasks"]] for one in now["steps"] if one["tasks"] in _STEPS]:
            now = self._do(step, hosts=now["hosts"], step=name)
        return now

    def _roll(self, now: dict[str, t.Any]) -> dict[str, t.Any]:
        world = self.world
        tasks = [one["tasks"] for one in now["steps"]]
        if "drain" in tasks:
            now = self._record("drained", now["hosts"], moves=[world.move(call, "drained") for call in now["drain"]])
        if now.get("restore"):
            self._record("restored", [], moves=[world.move(call, "ready") for call in now["restore"]])
        versions = {host: now["toward"].get(host, self.version) for host in now["deploy"]}
        now = self._record("deployed", now["hosts"], releases=world.release(versions, switch=True))
        for call in now["keep_out"]:
            world.move(call, "maintenance")
        now = self._record("verified", now["hosts"], health=[world.verify(now["targets"], self.version)])
        if "enable" not in tasks:
            return now
        kept_out = [world.move(call, "maintenance") for call in now["keep_out"]]
        return self._record("back", now["hosts"], moves=kept_out + [world.move(call, "ready") for call in now["enable"]])

    def _record(self, what: str, hosts: list[str], **different: t.Any) -> dict[str, t.Any]:
        return self._do(record, hosts=hosts, step=what, **different)

    def _do(self, module: t.Any, **arguments: t.Any) -> dict[str, t.Any]:
        self.watch()
        self.world.tick()
        action = _Stub.of(module.ActionModule, self)
        usual = {name: option.get("default") for name, option in action.ARGUMENTS.items()}
        given = {"fleet": self.fleet, "policy": self.policy, "state_url": self.world.url, "run": self.planned.get("ticket")}
        result: dict[str, t.Any] = action.step({**usual, **given, **arguments}, {})
        self.watch()
        return result


class _WorldClock:
    """Waiting takes no time but the world's, and somewhat more of that than asked for: each look into the journal costs real time."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> float:
        return self._world.now

    def sleep(self, seconds: float) -> None:
        seconds *= 40
        self._world.now += seconds
        self._world.pass_time(seconds)


class Rollback(Rollout):
    """One run of the playbook that goes back, or of what a rollout that failed begins by itself.

    :param undo: the rollout that failed.
    :param scope: touched or fleet.
    :param wanted: the rest of what a person types.
    """

    def __init__(self, world: World, undo: int | None = None, scope: str = "touched", why: str = "", **wanted: t.Any) -> None:
        annals = Annals(world.url)
        self.scope = scope
        self.target = target_of(annals.revisions("web"), annals.versions_before, Wanted(undo=undo, **wanted), why, undo is not None)
        limits = {"max_failures": "100%", "max_unreachable": "100%", "supersede": True, "success_threshold": 1, "max_unavailable": 2}
        super().__init__(world, self.target.version, **limits)

    def _plan(self) -> dict[str, t.Any]:
        look = self.world.look()
        return self._do(plan, version=self.version, observed=look, back=as_data(self.target), scope=self.scope)


class _Stub:
    """An action that knows the time of the world, and of ansible-core only what a step asks for."""

    @classmethod
    def of(cls, kind: type[ControllerStep], rollout: Rollout) -> ControllerStep:
        action = object.__new__(kind)
        action._task = SimpleNamespace(check_mode=rollout.check_mode)
        vars(action).update(
            now=lambda: rollout.world.now,
            variables_of=lambda hosts, _task_vars: {},
            say=rollout.said.append,
            keep_lease=lambda *_which: None,
        )
        if isinstance(action, gate.ActionModule):
            vars(action).update(
                clock=lambda: _WorldClock(rollout.world),
                look=lambda *_which: rollout.world.glance(),
                pools_now=rollout.world.found,
            )
        if isinstance(action, gate.ActionModule | plan.ActionModule):
            vars(action).update(findings=lambda conditions: [rollout.world.finding(one) for one in conditions])
        if isinstance(action, step.ActionModule):
            cls._act_upon(action, rollout)
        return action

    @staticmethod
    def _act_upon(action: step.ActionModule, rollout: Rollout) -> None:
        """What a step does by itself, it does to the world."""
        world, write = rollout.world, action.record
        states = {"restored": "ready"}

        def record_it(*arguments: t.Any) -> dict[str, t.Any]:
            rollout.watch()
            world.tick()
            return write(*arguments)

        vars(action).update(
            record=record_it,
            _move=lambda _journal, _ticket, calls, _arguments, state, **_how: [
                world.move(call, states.get(state, state)) for call in calls
            ],
            _switch=lambda _fleet, versions, _patience, _task_vars: world.release(versions, switch=True),
            _probe=lambda targets, _options: [world.verify(targets, rollout.version)],
        )


def one_more(state: Path) -> Path:
    """A directory for the next world of a test. It is called the same in every test, so that its SQL is compiled already."""
    path = state / str(sum(1 for _one in state.iterdir()))
    path.mkdir()
    return path


def absent(world: World) -> set[str]:
    return {absence.host for absence in _journal(world.url).absences("web")}


@cache
def _journal(url: str) -> Journal:
    """One to look through; the steps open their own."""
    return Journal(url)
