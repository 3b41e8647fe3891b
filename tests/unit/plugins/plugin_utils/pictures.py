# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pictures of rollouts that were never rolled, of any size."""

from __future__ import annotations

import dataclasses
import typing as t

from unit.plugins.plugin_utils.fleets import NEW, OLD, WEB, names, plan, rollout

from ansible_collections.convoy.rolling.plugins.plugin_utils.events import Event, opening
from ansible_collections.convoy.rolling.plugins.plugin_utils.history import Picture
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Step, Verdict

BEGAN = 1_790_000_000.0


def big_picture(
    count: int = 1000, failed: t.Collection[str] = (), why: str = "health check: status 503", rename: t.Callable[[str], str] = str
) -> Picture:
    """A tenth of the hosts at a time, each step as long as it is; who fails stays out, and halts it after its batch."""
    planned = plan(count, max_unavailable="10%", at_least_one=True)
    batches = tuple(tuple(rename(host) for host in batch) for batch in planned.batches)
    planned = dataclasses.replace(planned, batches=batches)
    failed = {rename(host) for host in failed}
    events: list[Event] = []
    records: list[HostRecord] = []
    served, requests = count, 0
    at = BEGAN

    def tell(kind: str, host: str | None = None, **detail: t.Any) -> None:
        events.append(Event(len(events) + 1, at, "web", 1, NEW, kind, host, detail))

    def look() -> None:
        nonlocal requests
        requests += served * 40
        seen = {
            "serving": served,
            "members": count,
            "serving_weight": served,
            "weight": count,
            "requests": requests,
            "errors": len(records) // 90,
        }
        tell("seen", places={WEB: seen})

    tell("opened", version=NEW, cause="a reason", by="ann on ci1", **opening(planned, {rename(host): OLD for host in names(count)}))
    look()
    halted = ""
    for number, batch in enumerate(batches):
        for kind, seconds in (("leaving", 1), ("drained", 3), ("deployed", 4 + number % 3), ("verified", 5), ("back", 2)):
            at += seconds
            for host in batch:
                if kind == "verified" and host in failed:
                    tell("deployed", host, verdict="failed", why=why)
                    records.append(HostRecord(host, Step.DEPLOYED, Verdict.FAILED, why, asked=True))
                elif kind not in ("verified", "back") or host not in failed:
                    tell(kind, host, verdict="converged" if kind == "back" else None, why="")
            if kind == "drained":
                served -= len(batch)
            if kind == "back":
                served += len(set(batch) - failed)
                records += [HostRecord(host, Step.BACK, Verdict.CONVERGED, asked=True) for host in batch if host not in failed]
            look()
        if failed.intersection(batch):
            halted = f"{len(failed.intersection(batch))} hosts failed"
            tell("halted", reason=halted)
            break
    at += 1
    verdict = Verdict.HALTED if halted else Verdict.CONVERGED
    reason = halted or f"{count} of {count} hosts run {NEW} and serve"
    tell("ended", verdict=verdict.value, reason=reason, next="ansible-playbook site.yml" if halted else "", text=[reason])
    done = rollout(
        planned, *records, started=BEGAN, progressed=at, ended=at, verdict=verdict, reason=reason, halted=halted, by="ann on ci1"
    )
    return Picture(done, tuple(events))
