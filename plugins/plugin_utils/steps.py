# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which steps a batch takes, in order: each is a task file of the role, and none of them is there to be skipped. Pure."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.convoy.rolling.plugins.plugin_utils.balancer_calls import is_near
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet

MOMENTS = ("before_drain", "after_drain", "before_deploy", "after_deploy", "before_verify", "after_verify", "before_enable", "after_enable")
"""When a hook of the user's can run."""

LOOK_STEPS = [{"tasks": "look", "moment": ""}]
"""What is done, instead of a batch, to see a wave that bakes and that the gate can't see by itself."""

PHASES = ("drain", "deploy", "verify", "enable")


def steps_of(fleet: Fleet, hooks: Collection[str], own_deploy: bool, phases: Collection[str] = PHASES) -> list[dict[str, str]]:
    """The steps of a batch: ``tasks``, a file under ``tasks/steps``, and for a hook its ``moment``.

    :param hooks: the moments that the user has a hook for.
    :param own_deploy: the user deploys with tasks of their own.
    :param phases: what is to be done; the rest was done before.
    """
    elsewhere = not all(is_near(balancer) for balancer in fleet.balancers)
    probes = [host.probe for host in fleet.hosts if host.probe]
    # A reload makes a balancer forget who is out. Whatever took a while since the last look is followed by another one.
    between = ["keep_out"] if {"after_drain", "before_deploy"} & set(hooks) or "drain" not in phases else []
    # Before a reboot, tasks of the user's are one thing more that is done; else they do it all.
    deploys = [*(["patch"] if own_deploy else []), "reboot"] if fleet.reboot else ["deploy_own" if own_deploy else "deploy"]
    steps = []
    for name, files in (
        ("drain", ["drain_elsewhere", "drain", "restore_elsewhere"] if elsewhere else ["drain"]),
        ("deploy", [*between, *deploys]),
        (
            "verify",
            [
                *(["keep_out"] if elsewhere else []),
                *(["probe_by_command"] if any(probe.local and probe.kind == "command" for probe in probes) else []),
                *(["probe_on_hosts"] if not all(probe.local for probe in probes) else []),
                "verify",
            ],
        ),
        ("enable", ["enable_elsewhere", "enable"] if elsewhere else ["enable"]),
    ):
        if name not in phases:
            continue
        steps += [{"tasks": "hook", "moment": f"before_{name}"}] if f"before_{name}" in hooks else []
        steps += [{"tasks": file, "moment": ""} for file in files]
        steps += [{"tasks": "hook", "moment": f"after_{name}"}] if f"after_{name}" in hooks else []
    return steps
