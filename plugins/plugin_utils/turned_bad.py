# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that were fine on the version, and are not any more while the rollout goes on: they count as failed."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.convoy.rolling.plugins.module_utils.members import INFO_ARGUMENT_SPEC, observe
from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import is_near, look_calls, members_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.in_process import call_module
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Member, RolloutRecord, Step, Verdict


def look_near(fleet: Fleet) -> list[Member]:
    """Every pool of the load balancers that this process can ask, as it is now; one that does not answer is the next drain's to judge."""
    found: list[Member] = []
    for call in look_calls(balancer for balancer in fleet.balancers if is_near(balancer)):
        where = {name: call[name] for name in ("provider", "address", "pools")}
        result = call_module(INFO_ARGUMENT_SPEC, lambda params, _check_mode: observe(params), where)
        for pool in result.get("pools") or ():
            found += members_of(fleet.balancers, call["name"], pool["pool"], pool["members"])
    return found


def turned_bad(rollout: RolloutRecord, members: Iterable[Member]) -> list[HostRecord]:
    """Hosts on the version that a load balancer sends nothing, by its own health check: nobody took them out.

    :param rollout: read before the members were looked at, so that whoever is back by then was seen to serve before.
    :return: their records, failed.
    """
    fine = {
        record.host: record
        for record in rollout.hosts
        if (record.verdict is Verdict.CONVERGED and record.step is Step.BACK) or record.verdict is Verdict.SKIPPED
    }
    why: dict[str, str] = {}
    for member in members:
        if member.host in fine and member.admin == "ready" and not member.in_service:
            why.setdefault(member.host, f"it was fine, and then {member.place} found it down ({member.status or 'no word'})")
    return [HostRecord(host, fine[host].step, Verdict.FAILED, said) for host, said in why.items()]
