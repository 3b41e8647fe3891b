# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``lb_member`` and ``lb_member_info`` do, for the modules and for action plugins: options in, result out."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import Balancer, Location, Pool, listed
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.providers import PROVIDERS
from ansible_collections.convoy.rolling.plugins.module_utils.clock import Clock, SystemClock
from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.lease_argument import LEASE_ARGUMENT
from ansible_collections.convoy.rolling.plugins.module_utils.member_goals import Goal, Weight, originals
from ansible_collections.convoy.rolling.plugins.module_utils.member_moves import Journey, Move

_CONNECTION: dict[str, t.Any] = {
    "provider": {"type": "str", "required": True, "choices": sorted(PROVIDERS)},
    "address": {"type": "str", "required": True},
    "master": {"type": "str"},
    "timeout": {"type": "str", "default": "5s"},
}

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_CONNECTION,
    "pool": {"type": "str", "required": True},
    "members": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["drained", "ready", "maintenance", "restored"]},
    "before": {"type": "list", "elements": "dict", "default": []},
    "weight": {"type": "str"},
    "floor": {"type": "int"},
    "floor_by": {"type": "str", "choices": ["members", "weight"], "default": "members"},
    "floor_wait": {"type": "str", "default": "0s"},
    "soft": {"type": "str", "default": "0.5s"},
    "quiet": {"type": "str", "default": "0.3s"},
    "wait_timeout": {"type": "str", "default": "60s"},
    "on_timeout": {"type": "str", "default": "fail", "choices": ["fail", "force", "continue"]},
    "wait_full_weight": {"type": "bool", "default": False},
    "poll": {"type": "str", "default": "0.1s"},
    # For the action plugin alone: nothing below knows of rollouts.
    "lease": LEASE_ARGUMENT,
}

INFO_ARGUMENT_SPEC: dict[str, t.Any] = {
    **_CONNECTION,
    "pools": {"type": "list", "elements": "str", "default": []},
    "elsewhere": {"type": "bool", "default": False},
}

_WEIGHT = re.compile(r"([0-9]{1,6})(%?)", re.ASCII)
_LONGEST_POLL = 5.0  # HAProxy hangs up a control connection that is silent for 10s ("stats timeout")


def run(
    params: t.Mapping[str, t.Any],
    check_mode: bool,
    clock: Clock | None = None,
    providers: t.Mapping[str, type[Balancer]] = PROVIDERS,
    allowed: t.Callable[[], None] = lambda: None,
) -> dict[str, t.Any]:
    """Bring the members to the state and weight asked for.

    :param params: the options of ``lb_member``; what is missing or None has its default.
    :param check_mode: only read, and say what would change.
    :param allowed: asked before every order; what it raises ends the call at once, and nothing is put back.
    :return: the module's result.
    :raises RollingError: bad options, an unreachable balancer, a floor that forbids it, or at least one member that failed; once
        the pool was seen, the error carries the same result.
    """
    options = _with_defaults(params, ARGUMENT_SPEC)
    provider = _provider(options, providers)
    goal = _goal(options, provider)
    where = f"pool {goal.pool} on {options['address']}"
    journey = Journey(goal, provider.capabilities, where, clock or SystemClock(), allowed)

    def connect() -> Balancer:
        balancer = _open(provider, options, goal.timeout)
        balancer.allowed = allowed
        return balancer

    failure = None
    try:
        with connect() as balancer:
            if check_mode:
                _preview(journey, balancer)
            else:
                journey.go(balancer)
    except RollingError as error:
        if not journey.moves:
            raise
        failure = error.message
        if not check_mode:
            journey.recover(connect, failure)
    result = {**_result(options, journey), "refused": failure}
    bad = [member for member in result["members"] if not member["ok"]]
    if failure or bad:
        raise RollingError(failure or _blame(where, bad, len(goal.members)), result)
    return result


def observe(params: t.Mapping[str, t.Any], providers: t.Mapping[str, type[Balancer]] = PROVIDERS) -> dict[str, t.Any]:
    """What the balancer says of the pools asked for, or of all.

    :param params: the options of ``lb_member_info``; what is missing or None has its default.
    :return: the module's result.
    :raises RollingError: bad options, an unreachable balancer, an unknown pool.
    """
    options = _with_defaults(params, INFO_ARGUMENT_SPEC)
    provider = _provider(options, providers)
    provider.check_names("pools", options["pools"])
    with _open(provider, options, _positive(options, "timeout")) as balancer:
        pools = [balancer.read(pool) for pool in options["pools"] or balancer.pools()]
        elsewhere = _elsewhere(pools, balancer.locations()) if options["elsewhere"] else []
    views = [pool.view() for pool in pools]
    return {"changed": False, "provider": provider.provider, "address": options["address"], "pools": views, "elsewhere": elsewhere}


def _elsewhere(pools: t.Sequence[Pool], locations: t.Iterable[Location]) -> list[dict[str, t.Any]]:
    """The members of other pools where a member of these ones is."""
    looked_at = {pool.name for pool in pools}
    here = {(member.address, member.port) for pool in pools for member in pool.members}
    return [dataclasses.asdict(one) for one in locations if one.pool not in looked_at and (one.address, one.port) in here]


def _open(provider: type[Balancer], options: t.Mapping[str, t.Any], timeout: float) -> Balancer:
    balancer = provider.open(options["address"], timeout)
    if options["master"] is not None:
        try:
            balancer.include_old_workers(options["master"])
        except RollingError:
            balancer.close()
            raise
    return balancer


def _with_defaults(params: t.Mapping[str, t.Any], spec: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    given = {name: params.get(name) for name in spec}
    missing = [name for name, option in spec.items() if given[name] is None and option.get("required")]
    if missing:
        raise InputError(f"{missing[0]}: this option is needed and was not given.")
    return {name: option.get("default") if given[name] is None else given[name] for name, option in spec.items()}


def _provider(options: t.Mapping[str, t.Any], providers: t.Mapping[str, type[Balancer]]) -> type[Balancer]:
    if options["provider"] not in providers:
        raise InputError(f"provider: {options['provider']!r} is not known; there are: {listed(sorted(providers))}.")
    provider = providers[options["provider"]]
    if options["master"] is not None and not provider.capabilities.old_workers:
        raise InputError(f"master: {provider.provider} has no processes from before a reload to ask; leave it out.")
    return provider


def _goal(options: t.Mapping[str, t.Any], provider: type[Balancer]) -> Goal:
    members = tuple(options["members"])
    if not members:
        raise InputError("members: the list is empty; name at least one member.")
    twice = sorted({name for name in members if members.count(name) > 1}) if len(set(members)) != len(members) else []
    if twice:
        raise InputError(f"members: {listed(twice)} is in the list twice; name each member once.")
    provider.check_names("pool", [options["pool"]])
    provider.check_names("members", members)
    goal = Goal(
        pool=options["pool"],
        members=members,
        state=options["state"],
        weight=_weight(options["weight"]),
        floor=options["floor"],
        floor_by=options["floor_by"],
        on_timeout=options["on_timeout"],
        floor_wait=to_seconds(options["floor_wait"], "floor_wait"),
        soft=to_seconds(options["soft"], "soft"),
        quiet=to_seconds(options["quiet"], "quiet"),
        wait_timeout=to_seconds(options["wait_timeout"], "wait_timeout"),
        poll=_positive(options, "poll"),
        timeout=_positive(options, "timeout"),
        before=originals(options["before"]),
        full_weight=bool(options["wait_full_weight"]),
    )
    _check_sense(goal)
    _check_capable(goal, provider)
    return goal


def _check_sense(goal: Goal) -> None:
    out = goal.state in ("drained", "maintenance")
    back = goal.state in ("ready", None)
    if goal.state is None and goal.weight is None:
        raise InputError("state: neither a state nor a weight was given; give one of them or both.")
    if goal.weight is not None and not back:
        raise InputError(f"weight: a weight cannot be given with state={goal.state}; give it with state=ready or alone.")
    if bool(goal.before) is not (goal.state == "restored"):
        raise InputError("before: what members had before is for state=restored, which needs it; give both or neither.")
    unknown = [name for name in goal.members if goal.state == "restored" and name not in goal.before]
    if unknown:
        raise InputError(f"before: it says nothing of {listed(unknown)}; give what each member had, as members[].before returned it.")
    if goal.full_weight and goal.state not in ("ready", "restored"):
        raise InputError("wait_full_weight: it is for members that come back, with state=ready or state=restored; leave it out here.")
    if goal.floor is not None and not goal.takes_out:
        raise InputError("floor: it is for members that leave, with state=drained, state=maintenance or weight=0; leave it out here.")
    if goal.floor is not None and goal.floor < 0:
        raise InputError(f"floor: {goal.floor} is negative; give how many members must stay in service.")
    if out and goal.quiet + (goal.soft if goal.state == "drained" else 0) >= goal.wait_timeout:
        raise InputError(f"wait_timeout: {goal.wait_timeout:g}s leaves no time to wait after soft and quiet; make it longer than the two.")
    if goal.poll > _LONGEST_POLL:
        raise InputError(f"poll: {goal.poll:g}s is too long; at most {_LONGEST_POLL:g}s, or the load balancer hangs up in between.")


def _check_capable(goal: Goal, provider: type[Balancer]) -> None:
    can = provider.capabilities
    lacking = (
        (goal.state == "drained" and not can.drains, "state=drained", "cannot tell when a member has no work left; use state=maintenance"),
        (goal.weight is not None and can.max_weight is None, "weight", "has no weights; leave it out"),
        (goal.floor is not None and not can.whole_pool, "floor", "does not see the whole pool; leave it out"),
        (goal.floor_by == "weight" and can.max_weight is None, "floor_by=weight", "has no weights; use floor_by=members"),
        (goal.full_weight and not can.warms_up, "wait_full_weight", "has no slow start that can be seen; leave it out"),
        (goal.on_timeout == "force" and not can.cuts_sessions, "on_timeout=force", "cannot end sessions; use fail or continue"),
    )
    for asked, option, why in lacking:
        if asked:
            raise InputError(f"{option}: {provider.provider} {why}.")


def _weight(text: str | None) -> Weight | None:
    if text is None:
        return None
    match = _WEIGHT.fullmatch(str(text).strip())
    if match is None:
        raise InputError(f"weight: {text!r} is no weight; give a whole number such as 10, or percent of the initial weight such as 50%.")
    return Weight(int(match.group(1)), bool(match.group(2)))


def _positive(options: t.Mapping[str, t.Any], name: str) -> float:
    seconds = to_seconds(options[name], name)
    if seconds <= 0:
        raise InputError(f"{name}: {options[name]!r} is no time at all; give more than 0.")
    return seconds


def _preview(journey: Journey, balancer: Balancer) -> None:
    refusal = journey.plan(balancer)
    for move in journey.moves:
        if refusal:
            move.fail(f"{refusal}.")
        elif not move.error:
            move.predict()
    if refusal:
        raise RollingError(f"{refusal}.")


def _result(options: t.Mapping[str, t.Any], journey: Journey) -> dict[str, t.Any]:
    moves = {move.before.name: move for move in journey.moves}
    members = [_outcome(moves[name]) if name in moves else _stranger(name, journey) for name in journey.goal.members]
    return {
        "changed": any(move.changed for move in journey.moves),
        "provider": options["provider"],
        "address": options["address"],
        "pool": journey.goal.pool,
        "members": members,
        "view": journey.pool.view(),
        "diff": {
            "before": {name: {"admin": move.before.admin, "weight": move.before.weight} for name, move in moves.items()},
            "after": {name: {"admin": move.member.admin, "weight": move.member.weight} for name, move in moves.items()},
        },
    }


def _outcome(move: Move) -> dict[str, t.Any]:
    return {
        "member": move.before.name,
        "ok": move.error is None,
        "changed": move.changed,
        "error": move.error,
        "note": move.note,
        "before": move.before.view(),
        "after": move.member.view(),
        "sessions": move.sessions,
        "cut": move.cut,
        "seconds": round(move.ended - move.started, 3),
    }


def _stranger(name: str, journey: Journey) -> dict[str, t.Any]:
    there = listed(member.name for member in journey.pool.members)
    error = f"There is no member {name!r} in pool {journey.goal.pool}; there are: {there}."
    return {
        "member": name,
        "ok": False,
        "changed": False,
        "error": error,
        "note": None,
        "before": None,
        "after": None,
        "sessions": 0,
        "cut": 0,
        "seconds": 0.0,
    }


def _blame(where: str, bad: t.Sequence[t.Mapping[str, t.Any]], asked: int) -> str:
    reasons = " ".join(f"{member['member']}: {member['error']}" for member in bad[:3])
    more = f" More that failed: {listed(member['member'] for member in bad[3:])}." if len(bad) > 3 else ""
    return f"{where}: {len(bad)} of {asked} members failed. {reasons}{more}"
