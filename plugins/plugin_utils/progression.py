# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what a step's tasks returned to what it means for each host. Pure.

A failed or unreachable host is a value here, never an exception: it is recorded, left out of rotation, and the gate decides.
"""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import host_of, members_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Balancer
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Member, Step, Verdict, original_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.wording import listed

LET_IN = "it was let in while it was out, by somebody or by a load balancer that started anew"


@dataclass(frozen=True)
class Progression:
    """What a step did to its hosts."""

    records: tuple[HostRecord, ...]
    going_on: tuple[str, ...] = ()  # the hosts that the next step has
    back: tuple[str, ...] = ()  # the hosts that are in rotation again, or never left it
    restore: tuple[dict[str, t.Any], ...] = ()  # calls that put back what must not stay half out
    members: tuple[Member, ...] = ()  # the pools as they then were
    halt: str = ""
    originals: dict[str, dict[str, dict[str, t.Any]]] = field(default_factory=dict)  # host -> place -> what its member had


def after_drain(
    balancers: Sequence[Balancer], hosts: Sequence[str], results: Sequence[Mapping[str, t.Any]], out_before: Collection[str] = ()
) -> Progression:
    """A host is out only when it is out of every pool of every balancer; otherwise it goes back to where it was.

    A call that failed as a whole (the floor, a balancer that hung up) is nobody's fault among the hosts: it halts the rollout.
    Nobody can say what came of it, so its hosts stay in the journal until they are seen to serve. A member that would not drain
    is its host's failure. A host of which a member was out already was taken out by a person since the plan: it is held.

    :param out_before: hosts that an earlier rollout left out of rotation: no probe speaks for them, so they are not put back.
    """
    moved = _moves(balancers, results)
    records, restore, stayed = [], [], set()
    for host in hosts:
        trouble = [error for error in moved.errors.get(host, []) if error]
        if host in moved.refused:
            records.append(HostRecord(host, Step.LEAVING, None, "; ".join(trouble) or moved.halt))
        elif host in moved.taken and host not in out_before:
            records.append(HostRecord(host, Step.LEAVING, Verdict.HELD, moved.taken[host]))
        elif trouble:
            records.append(HostRecord(host, Step.LEAVING, Verdict.FAILED, "; ".join(trouble)))
        else:
            records.append(HostRecord(host, Step.DRAINED))
            continue
        stayed.add(host)
    # The other way round: a member that follows another leaves before it and comes back after it.
    for result in reversed(results):
        half_out = [name for name in moved.done.get(_key(result), []) if _host(balancers, result, name) in stayed.difference(out_before)]
        if half_out:
            before = [{**one["before"], "name": one["member"]} for one in result["members"] if one["member"] in half_out]
            restore.append({**result["item"], "members": half_out, "floor": None, "before": before})
    touched = {host_of(balancers, call["name"], call["pool"], name) for call in restore for name in call["members"]}
    # All that we moved is seen to be where it was: their absence ends at once.
    away = {member.host for member in moved.members if not member.in_service} - moved.taken.keys()
    back = tuple(host for host in hosts if host in stayed - touched - moved.refused - set(out_before) - away)
    return Progression(
        tuple(_planned_again(record) if record.host in back else record for record in records),
        going_on=tuple(host for host in hosts if host not in stayed),
        back=back,
        restore=tuple(restore),
        members=moved.members,
        halt=moved.halt,
        # What was seen in the connection that drained, where the gate could only write down what was seen before.
        originals={host: had for host, had in moved.had.items() if host in hosts and host not in out_before},
    )


def after_restore(
    balancers: Sequence[Balancer], records: Sequence[HostRecord], results: Sequence[Mapping[str, t.Any]], views: Sequence[Member]
) -> Progression:
    """Hosts that could not leave whole: those back everywhere are where they were, the others are out and named.

    :param views: every pool as it was before; the results have newer ones of some.
    """
    moved = _moves(balancers, results)
    touched = {host for result in results for host in (_host(balancers, result, name) for name in result["item"]["members"]) if host}
    restored = touched - moved.refused - {host for host, errors in moved.errors.items() if any(errors)}
    newer = {member.place for member in moved.members}
    newest = [*moved.members, *(member for member in views if member.place not in newer)]
    away = {member.host for member in newest if not member.in_service}
    # A held host has what it had. No verdict: a drain failed as a whole, and nobody can say what came of it.
    back = tuple(
        record.host
        for record in records
        if record.host in restored and (record.verdict is Verdict.HELD or (record.verdict is not None and record.host not in away))
    )
    changed = []
    for record in records:
        if record.host in back:
            changed.append(_planned_again(record))
        elif record.host in touched - restored:
            why = f"{record.why}; it could not be put back: {'; '.join(filter(None, moved.errors.get(record.host, []))) or moved.halt}"
            changed.append(HostRecord(record.host, Step.LEAVING, Verdict.FAILED, why))
    return Progression(tuple(changed), back=back, members=moved.members)


def after_release(hosts: Sequence[str], results: Mapping[str, Mapping[str, t.Any]], staged: bool = False) -> Progression:
    """A release was staged beside the active one, or switched to.

    :param results: host -> ``unreachable`` or ``error`` with why, or neither.
    :param staged: it was only staged, on hosts that are in rotation all the while.
    """
    before, after = (Step.PLANNED, Step.PLANNED) if staged else (Step.DRAINED, Step.DEPLOYED)
    records = []
    for host in hosts:
        mine = results.get(host, {})
        if mine.get("unreachable"):
            records.append(HostRecord(host, before, Verdict.UNREACHABLE, str(mine["unreachable"])))
        elif mine.get("error"):
            records.append(HostRecord(host, before, Verdict.FAILED, str(mine["error"])))
        else:
            records.append(HostRecord(host, after))
    return _those_without_verdict(records)


def no_way_back(results: Mapping[str, Mapping[str, t.Any]]) -> str:
    """Who could not go back once it is rolled, and why; empty when everybody can. See ``proof.prove``."""
    faults: dict[str, list[str]] = {}
    for host, answer in results.items():
        fault = (answer.get("way_back") or {}).get("fault")
        if fault:
            faults.setdefault(fault, []).append(host)
    whys = [f"{listed(hosts, len(hosts))}: {fault}" for fault, hosts in faults.items()]
    return f"no way back for {'; '.join(whys)}" if whys else ""


def after_verify(
    balancers: Sequence[Balancer],
    hosts: Sequence[str],
    health: Mapping[str, Mapping[str, t.Any]],
    results: Sequence[Mapping[str, t.Any]] = (),
) -> Progression:
    """What the probes said.

    :param health: host -> its target's result; a host without one has no probe, and nothing speaks against it.
    :param results: of the calls that kept out, meanwhile, who is out: whoever was found let in is noted.
    """
    ready = _moves(balancers, results).ready
    records = []
    for host in hosts:
        target = health.get(host, {"ok": True})
        if target["ok"]:
            records.append(HostRecord(host, Step.VERIFIED, None, LET_IN if host in ready else ""))
        else:
            body = f"; it answered {target['body']!r}" if target.get("body") else ""
            records.append(HostRecord(host, Step.DEPLOYED, Verdict.FAILED, f"health check: {target.get('failed') or 'failed'}{body}"))
    return _those_without_verdict(records)


def after_enable(
    balancers: Sequence[Balancer], hosts: Sequence[str], results: Sequence[Mapping[str, t.Any]], noted: Collection[str] = ()
) -> Progression:
    """A host is back only when every pool of every balancer has it in service again.

    :param noted: hosts that were found let in before.
    """
    moved = _moves(balancers, results)
    records = []
    for host in hosts:
        trouble = [error for error in moved.errors.get(host, []) if error]
        if trouble or host in moved.refused:
            records.append(HostRecord(host, Step.VERIFIED, Verdict.FAILED, "; ".join(trouble) or moved.halt))
        else:
            # It had been out everywhere, and nobody of ours lets it in before this step.
            records.append(HostRecord(host, Step.BACK, Verdict.CONVERGED, LET_IN if host in moved.ready or host in noted else ""))
    back = tuple(record.host for record in records if record.step is Step.BACK)
    return Progression(tuple(records), going_on=back, back=back, members=moved.members, halt=moved.halt)


def after_tasks(records: Sequence[HostRecord], failures: Mapping[str, str], lost: Mapping[str, str]) -> Progression:
    """A person's own tasks ran: ``failures`` says for whom they failed and why, ``lost`` who could not be reached after them.

    Ansible runs no rescue for a host that it can't reach, so that nothing but another try tells of it. The others stand where they stood.
    """
    ended = []
    for record in records:
        if record.host in failures:
            record = replace(record, verdict=Verdict.FAILED, why=failures[record.host])
        elif record.host in lost:
            record = replace(record, verdict=Verdict.UNREACHABLE, why=lost[record.host])
        ended.append(record)
    return _those_without_verdict(ended)


@dataclass(frozen=True)
class _Moves:
    errors: dict[str, list[str]]  # host -> one entry a member that was attempted; empty text when it went well
    refused: set[str]  # hosts of calls that failed as a whole
    taken: dict[str, str]  # host -> which of its members was out before we came
    ready: set[str]  # hosts of which a member was in before we came
    done: dict[tuple[str, str], list[str]]  # call -> members that are other than they were
    had: dict[str, dict[str, dict[str, t.Any]]]  # host -> place -> what its member had before we came
    members: tuple[Member, ...]
    halt: str


def _moves(balancers: Sequence[Balancer], results: Sequence[Mapping[str, t.Any]]) -> _Moves:
    errors: dict[str, list[str]] = {}
    refused: set[str] = set()
    taken: dict[str, str] = {}
    ready: set[str] = set()
    done: dict[tuple[str, str], list[str]] = {}
    had: dict[str, dict[str, dict[str, t.Any]]] = {}
    views: dict[str, list[Member]] = {}  # place -> the newest
    halt = ""
    for result in results:
        call = result["item"]
        whole = "members" in result and not result.get("refused")
        if not whole:
            halt = halt or f"load balancer {call['name']}: {result.get('refused') or result.get('msg') or 'it did not answer'}"
            refused |= {host for host in (_host(balancers, result, name) for name in call["members"]) if host}
        for member in result.get("members") or ():
            host = _host(balancers, result, member["member"])
            if host is not None and whole:
                errors.setdefault(host, []).append("" if member["ok"] else f"{call['name']}/{call['pool']}: {member['error']}")
            before = member.get("before") or {}
            if host is not None and before.get("admin", "ready") != "ready":
                taken.setdefault(host, f"somebody put it into {before['admin']} on {call['name']}/{call['pool']}")
            if host is not None and before.get("admin") == "ready":
                ready.add(host)
            if host is not None and before:
                had.setdefault(host, {})[f"{call['name']}/{call['pool']}"] = original_of({"name": member["member"], **before})
            if member["ok"] and member["changed"]:
                done.setdefault(_key(result), []).append(member["member"])
        if result.get("view"):
            views[f"{call['name']}/{call['pool']}"] = members_of(balancers, call["name"], call["pool"], result["view"]["members"])
    return _Moves(errors, refused, taken, ready, done, had, tuple(member for view in views.values() for member in view), halt)


def _host(balancers: Sequence[Balancer], result: Mapping[str, t.Any], member: str) -> str | None:
    return host_of(balancers, result["item"]["name"], result["item"]["pool"], member)


def _key(result: Mapping[str, t.Any]) -> tuple[str, str]:
    return result["item"]["name"], result["item"]["pool"]


def _planned_again(record: HostRecord) -> HostRecord:
    return HostRecord(record.host, Step.PLANNED, record.verdict, record.why)


def _those_without_verdict(records: Collection[HostRecord]) -> Progression:
    return Progression(tuple(records), going_on=tuple(record.host for record in records if record.verdict is None))
