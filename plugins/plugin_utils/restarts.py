# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rolling restart: a rollout that brings no version, and is done where a process is another than the one it began with. Pure.

No clock is compared: the hosts' and the controller's need not agree. What tells two lives of a process apart, its *mark*, is whatever
the next one has another of: the start time or pid that it answers itself, systemd's InvocationID, the boot id of its host.
"""

from __future__ import annotations

import typing as t

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, Before, HostSeen, Observed, RolloutRecord, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import moment


def goal(version: str) -> str:
    """What a rollout is for, as the end of `rollout of "web" ...`."""
    return version if version == RESTART else f"to {version}"


def unfinished(latest: RolloutRecord | None) -> RolloutRecord | None:
    """The restart that a new one goes on with: the app's newest rollout, when it is one and did not converge."""
    return latest if latest and latest.version == RESTART and latest.verdict is not Verdict.CONVERGED else None


def begin(observed: Observed, former: RolloutRecord | None) -> dict[str, Before]:
    """What a restart begins with on every host: how it is now, or was when the restart began that this one goes on with.

    :param former: that restart.
    """
    then = former.plan.restarts if former else {}
    done = {record.host for record in former.hosts if record.verdict in (Verdict.CONVERGED, Verdict.SKIPPED)} if former else set()
    return {seen.host: _before(seen, then.get(seen.host), seen.host in done) for seen in observed.hosts}


def _before(seen: HostSeen, then: Before | None, done: bool) -> Before:
    # Whatever is installed is what a new process runs.
    version = seen.installed or (then.version if then else None) or seen.running
    return Before(version, then.mark if then else seen.mark, bool(then and (done or then.done)))


def is_new(seen: HostSeen, before: Before | None) -> bool:
    """Whether a host's process began after the restart did. Where nothing tells two processes apart, the journal says what was done."""
    if before is None:
        return False
    if before.mark is None or seen.mark is None or _kind(before.mark) != _kind(seen.mark):
        return before.done
    return seen.mark != before.mark


def is_old(mark: str | None, before: Before | None) -> bool:
    """Whether a process is known to be the one from before."""
    return before is not None and mark is not None and mark == before.mark


def former_line(former: RolloutRecord, left: int) -> str:
    """What a person should know of it before a restart goes on with it."""
    return (
        f"goes on with rollout {former.number}, which began to restart at {moment(former.started)}: {left} hosts are left; "
        "restart every host with -e rollout_restart_anew=true"
    )


def same_process(hosts: t.Iterable[str], before: t.Mapping[str, Before], marks: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, str]:
    """The hosts whose process was not started anew by what should have done it, and the sentence that says so.

    :param marks: host -> what came back from it, with its ``mark`` where there is one.
    """
    why = "it was not started anew: its process, or its boot, is the one from before"
    return {host: why for host in hosts if is_old(marks.get(host, {}).get("mark"), before.get(host))}


def _kind(mark: str) -> str:
    return mark.partition(" ")[0]
