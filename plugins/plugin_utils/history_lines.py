# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The history of an app as a person reads it; the columns are those of ``kubectl rollout history``, and more. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.convoy.rolling.plugins.plugin_utils.forecast import span
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, RolloutRecord, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import moment
from ansible_collections.convoy.rolling.plugins.plugin_utils.revisions import Revision

_HEAD = ("REVISION", "VERSION", "WHEN", "BY", "DURATION", "VERDICT", "CHANGE-CAUSE")


def history_lines(app: str, history: t.Sequence[Revision]) -> list[str]:
    """One line a revision, the newest last."""
    if not history:
        return [f'"{app}" has no history: no rollout of it is in the journal']
    rows = [_HEAD, *map(_row, history)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def revision_lines(app: str, revision: Revision, rollout: RolloutRecord) -> list[str]:
    """One revision in full, with what became of every host."""
    facts = {
        "version": revision.version,
        "digest": revision.digest or "",
        "verdict": _verdict(revision) + (f": {revision.reason}" if revision.reason else ""),
        "bad": revision.bad,
        "rollback": f"to {revision.back.name}" + (f": {revision.back.why}" if revision.back.why else "") if revision.back else "",
        "cause": revision.cause,
        "started": moment(revision.started),
        "ended": moment(revision.ended) if revision.ended is not None else "",
        "duration": _duration(revision),
        "by": revision.by,
        **{name.replace("_", " "): value for name, value in sorted(revision.origin.items())},
    }
    known = {name: value for name, value in facts.items() if value}
    width = max(map(len, known))
    hosts = [f"  {record.host}: {_stand(record)}" for record in rollout.hosts]
    return [
        f'revision {revision.number} of "{app}"',
        *(f"  {name.ljust(width)}  {value}" for name, value in known.items()),
        "hosts:",
        *(hosts or ["  none"]),
    ]


def _row(revision: Revision) -> tuple[str, ...]:
    who = f"{revision.origin['user']} on {revision.origin.get('controller', '?')}" if "user" in revision.origin else revision.by
    job = f" (AWX job {revision.origin['awx_job']})" if "awx_job" in revision.origin else ""
    return (
        str(revision.number),
        revision.version,
        moment(revision.started),
        who + job,
        _duration(revision),
        _verdict(revision) + (" (bad)" if revision.bad and revision.verdict is not Verdict.ROLLED_BACK else ""),
        " ".join(revision.cause.split()) or "<none>",
    )


def _verdict(revision: Revision) -> str:
    return revision.verdict.value if revision.verdict else "not ended"


def _duration(revision: Revision) -> str:
    return span(max(0.0, revision.ended - revision.started)) if revision.ended is not None else "-"


def _stand(record: HostRecord) -> str:
    return (record.verdict.value if record.verdict else record.step.value) + (f": {record.why}" if record.why else "")
