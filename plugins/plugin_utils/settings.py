# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of the steps, checked before the first of them runs. Pure, but for asking whether a file can be read."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.convoy.rolling.plugins.module_utils.durations import to_seconds
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.module_utils.releases import ReleaseError, check_sha256
from ansible_collections.convoy.rolling.plugins.plugin_utils.milestones import ONCE
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import WAYS_BACK
from ansible_collections.convoy.rolling.plugins.plugin_utils.steps import MOMENTS

ON_DRAIN_TIMEOUT = ("fail", "force", "continue")

_NOTHING = "Nothing was touched."


def check_settings(settings: Mapping[str, t.Any], check_tasks: Callable[[str], str]) -> None:
    """Refuse what a later step would choke on, when hosts may be out of rotation.

    :param settings: role variables by name; one that is missing is not looked at.
    :param check_tasks: says what is wrong with a task file; an empty text when it can be read.
    :raises InputError: one sentence that names the variable, what was given and what is allowed.
    """
    _check_drain(settings)
    for name, least in (("rollout_keep", 1), ("rollout_history_limit", 1), ("rollout_strip_components", 0)):
        value = str(settings.get(name, least))
        if not (value.isascii() and value.isdigit() and int(value) >= least):
            raise InputError(f"{name}: {value!r} is not a whole number of {least} or more. {_NOTHING}")
    way_back = settings.get("rollout_way_back", "warn")
    if way_back not in WAYS_BACK:
        raise InputError(f"rollout_way_back: {str(way_back)[:20]!r} is not among {', '.join(WAYS_BACK)}. {_NOTHING}")
    if way_back == "require" and settings.get("rollout_deploy_tasks"):
        raise InputError(f"rollout_way_back: what rollout_deploy_tasks deploys can't be proven to have a way back; write warn. {_NOTHING}")
    _check_shared(settings.get("rollout_shared"))
    digest = settings.get("rollout_artifact_sha256") or None
    try:
        check_sha256(None if digest is None else str(digest), "rollout_artifact_sha256")
    except ReleaseError as error:
        raise InputError(f"{error.message} {_NOTHING}") from error
    files = {"rollout_deploy_tasks": str(settings.get("rollout_deploy_tasks") or ""), **_hook_files(settings.get("rollout_hooks"))}
    for name, path in files.items():
        fault = check_tasks(path) if path else ""
        if fault:
            raise InputError(f"{name}: {path} {fault}; give the absolute path of a task file. {_NOTHING}")


def _check_drain(settings: Mapping[str, t.Any]) -> None:
    policy = settings.get("rollout_on_drain_timeout", "fail")
    if policy not in ON_DRAIN_TIMEOUT:
        raise InputError(f"rollout_on_drain_timeout: {policy!r} is not among {', '.join(ON_DRAIN_TIMEOUT)}. {_NOTHING}")
    names = ("rollout_drain_soft", "rollout_drain_quiet", "rollout_drain_timeout")
    if any(name in settings for name in names):
        soft, quiet, whole = (to_seconds(settings[name], name) for name in names)
        if soft + quiet >= whole:
            raise InputError(
                f"rollout_drain_timeout: {whole:g} s leaves no time after rollout_drain_soft, {soft:g} s, and rollout_drain_quiet, {quiet:g} s; "
                f"make it longer than the two. {_NOTHING}"
            )


def _check_shared(shared: t.Any) -> None:
    paths = [] if shared is None else shared
    if not isinstance(paths, Sequence) or isinstance(paths, str):
        raise InputError(f"rollout_shared: {shared!r} is no list of paths. {_NOTHING}")
    for path in paths:
        parts = [part for part in str(path).split("/") if part not in ("", ".")]
        if not parts or str(path).startswith("/") or ".." in parts:
            raise InputError(
                f"rollout_shared: {path!r} is not a path in the release; give a relative one such as log or var/uploads. {_NOTHING}"
            )


def _hook_files(hooks: t.Any) -> dict[str, str]:
    if not hooks:
        return {}
    known = (*ONCE, *MOMENTS)
    if not isinstance(hooks, Mapping) or set(hooks) - set(known):
        wrong = ", ".join(sorted(str(name) for name in set(hooks) - set(known))) if isinstance(hooks, Mapping) else repr(hooks)
        raise InputError(
            f"rollout_hooks: {wrong} is not understood; it is a dictionary with a task file for some of {', '.join(known)}. {_NOTHING}"
        )
    return {f"rollout_hooks.{name}": str(path) for name, path in hooks.items()}
