# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a rollout's command was typed: who, on which controller, in which job, and at which commit of the playbooks."""

from __future__ import annotations

import os
import re
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder, awx_job_of

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def origin_of(holder: Holder, task_vars: Mapping[str, t.Any]) -> dict[str, str]:
    """User, controller, AWX job and git commit, as far as they are known; a key without a value is not there."""
    job = awx_job_of(task_vars).rpartition(" ")[2]
    given = next((str(task_vars[name]) for name in ("awx_project_revision", "tower_project_revision") if task_vars.get(name)), "")
    commit = given or git_commit(str(task_vars.get("inventory_dir") or "")) or git_commit(os.getcwd())
    known = {"user": holder.user, "controller": holder.node, "awx_job": job, "git_commit": commit}
    return {name: value for name, value in known.items() if value}


def git_commit(directory: str) -> str:
    """The commit that is checked out around a directory; empty where there is none, or none that can be read.

    Read from the files of the repository, so that no git is needed; gitrepository-layout(5) says what they hold.
    """
    try:
        start = Path(directory).resolve() if directory else None
        found = next((place / ".git" for place in (start, *start.parents) if (place / ".git").exists()), None) if start else None
        if found is None:
            return ""
        if found.is_file():  # of a worktree or a submodule
            found = (found.parent / found.read_text(encoding="utf-8").removeprefix("gitdir:").strip()).resolve()
        shared = found / "commondir"
        common = (found / shared.read_text(encoding="utf-8").strip()).resolve() if shared.exists() else found
        return _of_head((found / "HEAD").read_text(encoding="utf-8").strip(), found, common)
    except (OSError, ValueError):
        return ""


def _of_head(head: str, directory: Path, common: Path) -> str:
    if not head.startswith("ref:"):
        return head if _COMMIT.fullmatch(head) else ""
    name = head.removeprefix("ref:").strip()
    for place in (directory, common):
        if (place / name).is_file():
            commit = (place / name).read_text(encoding="utf-8").strip()
            return commit if _COMMIT.fullmatch(commit) else ""
    packed = common / "packed-refs"
    for line in packed.read_text(encoding="utf-8").splitlines() if packed.exists() else ():
        commit, _blank, ref = line.partition(" ")
        if ref == name and _COMMIT.fullmatch(commit):
            return commit
    return ""
