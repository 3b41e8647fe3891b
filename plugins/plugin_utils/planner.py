# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: from what is observed to who is rolled, in which batches, and what stays in service meanwhile. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter
from itertools import chain

from ansible_collections.convoy.rolling.plugins.plugin_utils.batches import batches_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.limits import Bound, bounds_of, check_room, members_by_host
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import (
    RESTART,
    Before,
    HostSeen,
    Member,
    Observed,
    Plan,
    RolloutRecord,
    Scope,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.order import Candidate, each_with_room, in_order
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.restarts import is_new
from ansible_collections.convoy.rolling.plugins.plugin_utils.skew import check_skew, serves
from ansible_collections.convoy.rolling.plugins.plugin_utils.wave_specs import REST, WaveSpec
from ansible_collections.convoy.rolling.plugins.plugin_utils.waves import Slice, check_requests, resumed, slices_of

_EVERYBODY = (WaveSpec(REST, REST),)


def make_plan(
    app: str,
    version: str,
    observed: Observed,
    policy: Policy,
    before: t.Mapping[str, Before] | None = None,
    latest: RolloutRecord | None = None,
    checked: bool = False,
    spared: t.Mapping[str, str] | None = None,
) -> Plan:
    """Plan a rollout of ``version`` over the fleet as it is.

    Hosts at the target are skipped, hosts that a person took out are held, and the rest go in the order of `order.in_order`, wave
    after wave.

    :param before: of a restart, for which the version is ``RESTART``: what it began with on every host.
    :param latest: the newest rollout of the app; where this one goes on with it, hosts stay in their waves.
    :param checked: conditions are asked at the end of every wave.
    :param spared: host -> why it is left alone, whatever it runs.
    :raises InputError: when a limit comes to 0, when so many members are out already that nobody may leave, with the sum; when
        the version would be one too many in service.
    """
    before = before or {}
    members = members_by_host(observed.members)
    absent = {absence.host for absence in observed.absences}
    skipped: dict[str, str] = {}
    held: dict[str, str] = {}
    unreachable: dict[str, str] = {}
    candidates: list[Candidate] = []
    leave_alone = dict(spared or {})
    put_back = {record.host for record in latest.hosts if record.is_put_back} if latest and latest.version == version else ()
    serving = {seen.host: serves(seen, members[seen.host]) for seen in observed.hosts}
    for seen in observed.hosts:
        mine = members[seen.host]
        taken = [member for member in mine if member.admin != "ready"]
        if seen.host in leave_alone:
            continue
        if not seen.reachable:
            unreachable[seen.host] = seen.why or "it could not be reached"
        elif taken and seen.host not in absent:
            held[seen.host] = f"somebody put it into {taken[0].admin} on {taken[0].place}"
        elif seen.host not in absent and is_converged(seen, mine, version, before.get(seen.host)):
            skipped[seen.host] = "it was restarted already" if version == RESTART else f"it runs {version} already"
        else:
            candidates.append(Candidate(seen, mine, seen.host in absent, serving[seen.host], seen.host in put_back))
    order = in_order(candidates, _usual(serving.values(), version), policy, f"{app} {version}")
    bounds = bounds_of([one.seen.host for one in order], skipped, observed, policy)
    weighed = policy.limit_by == "weight"
    order = each_with_room(order, _rooms(bounds, observed, weighed), weighed)
    former = resumed(latest, version, policy)
    slices = slices_of(policy.waves or _EVERYBODY, order, skipped, observed, former.plan if former else None)
    waves = tuple(one.wave(checked) for one in slices) if policy.waves or checked else ()
    check_requests(waves, observed)
    of_waves = tuple(filter(None, (one.bound(policy.unavailable.at_least_one) for one in slices)))
    check_room(of_waves)
    bounds += of_waves
    limit = min(bound.room for bound in bounds if bound.kind in ("fleet", "place") and _binds_all(bound, len(order)))
    batches = _batches(slices, bounds, limit, policy)
    if batches and version != RESTART:
        check_skew(version, serving, batches[0], policy)
    return Plan(
        app=app,
        version=version,
        batches=batches,
        skipped=skipped,
        held=held,
        unreachable=unreachable,
        limit=limit,
        floors={bound.name: bound.floor for bound in bounds if bound.floor is not None},
        sums=(*(bound.sum for bound in bounds if bound.kind != "group"), *_sum_of_groups(bounds)),
        deployed=tuple(one.seen.host for one in order if is_converged(one.seen, (), version, before.get(one.seen.host))),
        scopes=tuple(_scope(bound) for bound in bounds if bound.kind in ("zone", "group", "wave") and bound.room < len(bound.takes)),
        weighed=weighed,
        window=policy.mode == "window",
        left_out=tuple(_left_out(observed)),
        restarts=dict(before),
        waves=waves,
        before={one.seen.host: one.seen.version for one in order if one.seen.version is not None},
        spared=leave_alone,
        returns=_returns([one.seen for one in order], absent, version, latest.plan.returns if latest else {}),
    )


def is_converged(seen: HostSeen, members: t.Sequence[Member], version: str, before: Before | None = None) -> bool:
    """Whether a host needs nothing: its process answers the version, and every balancer sends it traffic.

    Where the process does not say its version (no ``rollout_health.version``) the installed release stands in for it.

    :param before: of a restart, which is done where the process is a new one.
    """
    if version == RESTART:
        return seen.reachable and seen.healthy and is_new(seen, before) and all(member.in_service for member in members)
    running = seen.installed if seen.running is None else seen.running
    installed = seen.running if seen.installed is None else seen.installed
    return seen.reachable and seen.healthy and running == installed == version and all(member.in_service for member in members)


def _rooms(bounds: t.Iterable[Bound], observed: Observed, weighed: bool) -> dict[str, int]:
    """Pool -> what serves there above its floor."""
    rooms = {bound.name: -bound.floor for bound in bounds if bound.kind == "place" and bound.floor is not None}
    for member in observed.members:
        if member.in_service and member.place in rooms:
            rooms[member.place] += member.units(weighed)
    return rooms


def _batches(slices: t.Iterable[Slice], bounds: t.Sequence[Bound], limit: int, policy: Policy) -> tuple[tuple[str, ...], ...]:
    """The batches of one wave after those of another: none has hosts of two."""
    batches: list[tuple[str, ...]] = []
    for one in slices:
        through = len(list(chain(*batches))) if policy.ramp else None
        batches += batches_of(one.going, bounds, limit, policy.zone_order == "sequential", through)
    return tuple(batches)


def _returns(going: t.Iterable[HostSeen], absent: t.Collection[str], version: str, before: t.Mapping[str, str]) -> dict[str, str]:
    """What each host served with last. Who is out has not served with what it has now, nor has anybody who has the target and is
    rolled all the same.

    :param before: the same, of the rollout before. It is handed on for who is out still, whether it is rolled now or not.
    """
    served = {host: last for host, last in before.items() if host in absent}
    for seen in going:
        last = before.get(seen.host) if seen.host in absent or seen.version == version else seen.version
        if last is not None:
            served[seen.host] = last
    return served


def _left_out(observed: Observed) -> t.Iterator[str]:
    """Hosts that an earlier rollout left out, and that no pool sends anything now; other plays' hosts are known by their members' names."""
    if not observed.absences:
        return
    ours, others = members_by_host(observed.members), {(one.place, one.name): one for one in observed.members if one.host is None}
    for absence in observed.absences:
        names = [(place, had.get("name", absence.host)) for place, had in absence.original.items()]
        mine = ours.get(absence.host) or [others[name] for name in names if name in others]
        if mine and not any(member.in_service for member in mine):
            yield absence.host


def _usual(serving: t.Iterable[str | None], version: str) -> str | None:
    """The version that most of the fleet serves, but for the target."""
    counted = Counter(one for one in serving if one not in (None, version))
    return counted.most_common(1)[0][0] if counted else None


def _binds_all(bound: Bound, count: int) -> bool:
    """Whether it bounds the number of hosts, whoever they are."""
    return len(bound.takes) == count and all(units == 1 for units in bound.takes.values())


def _sum_of_groups(bounds: t.Iterable[Bound]) -> t.Iterator[str]:
    """One sentence for all of them: there may be thousands."""
    sizes = [len(bound.takes) for bound in bounds if bound.kind == "group"]
    if sizes:
        yield f"rollout_anti_affinity: 1 at a time of each of {len(sizes)} groups, of {min(sizes)} to {max(sizes)} hosts"


def _scope(bound: Bound) -> Scope:
    return Scope(bound.name, tuple(bound.takes), bound.room)
