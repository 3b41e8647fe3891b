# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role's next task needs, for the hosts that go on: the same shape after the gate and after every record. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Sequence

from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import keep_out_calls, move_calls
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.legs import due, is_under_way
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Absence, RolloutRecord, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.probe_targets import verify_targets, without_urls


def next_step(fleet: Fleet, rollout: RolloutRecord, hosts: Sequence[str], absences: Sequence[Absence] = ()) -> dict[str, t.Any]:
    """The hosts that go on, and the arguments of whatever may be done with them next.

    ``again``: hosts the gate was asked for still wait for a place, or everybody is through and the last wave is not over yet; the batch
    goes round once more.
    ``keep_out``: the calls that take out again who is out everywhere and not proven, should a balancer have forgotten it.
    ``waiting``: in a window these hosts, for each of which the host itself asks; and who is to begin another part of its way.
    ``legs``, ``toward``: which part of their way these hosts are on, and to which version, where that is not the rollout's.
    ``asked_all``: the gate has been asked for every host, so that the role, used alone, knows its last batch.
    """
    # A host that this rollout already failed has a verdict; one that was put back for want of room has none.
    order = set(rollout.plan.order)
    waiting = [record for record in rollout.hosts if record.asked and record.verdict is None and record.host in order]
    originals = {absence.host: absence.original for absence in absences}
    on = {record.host: record for record in rollout.hosts if record.leg and record.host in set(hosts)}
    toward = {host: record.toward for host, record in on.items() if record.toward}
    turning = [record.host for record in due(rollout, rollout.hosts)]
    return {
        "hosts": list(hosts),
        "legs": {host: record.leg.value for host, record in on.items()},
        "toward": toward,
        "drain": move_calls(
            fleet.balancers, hosts, rollout.plan.floors, originals, floor_by="weight" if rollout.plan.weighed else "members"
        ),
        "deploy": [host for host in hosts if host not in rollout.plan.deployed or host in on],
        "targets": without_urls(verify_targets(fleet, hosts, rollout.plan, local=True, toward=toward)),
        "targets_on_hosts": without_urls(verify_targets(fleet, hosts, rollout.plan, local=False, toward=toward)),
        "enable": move_calls(fleet.balancers, hosts, originals=originals),
        "keep_out": keep_out_calls(fleet.balancers, _out_everywhere(rollout, originals, hosts), originals),
        "halted": rollout.halted,
        "again": ((bool(waiting) and not rollout.plan.window) or _is_last_wave_pending(rollout)) and not rollout.halted,
        "waiting": turning
        + ([record.host for record in waiting if record.step is Step.PLANNED] if rollout.plan.window and not rollout.halted else []),
        "asked_all": all(record.asked for record in rollout.hosts),
    }


def _is_last_wave_pending(rollout: RolloutRecord) -> bool:
    """Whether nothing is left but to watch the last wave."""
    waves, order = rollout.plan.waves, set(rollout.plan.order)
    if not waves or not waves[-1].is_watched or rollout.wave(waves[-1].name).passed is not None:
        return False
    return all(record.verdict is not None for record in rollout.hosts if record.host in order)


def _out_everywhere(rollout: RolloutRecord, absent: Collection[str], mine: Collection[str]) -> list[str]:
    """Hosts that no pool sends anything by our doing, and that are not proven: of this rollout, and of earlier ones.

    In a window others are under way at the same time, and may be let in by the time that a call is made: each looks after itself.

    :param mine: the hosts that go on together.
    """
    out = [record for record in rollout.hosts if record.step in (Step.DRAINED, Step.DEPLOYED) and record.verdict is not Verdict.HELD]
    ours = [record.host for record in out if not (rollout.plan.window and is_under_way(record, rollout.plan)) or record.host in mine]
    records = {record.host: record.step for record in rollout.hosts}
    waiting = (Step.PLANNED, Step.LEAVING, None)
    return ours + [host for host in rollout.plan.left_out if host in absent and records.get(host) in waiting]
