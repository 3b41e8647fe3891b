# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet of a run, kept beside Ansible's own temporary files: private to the user, and gone with the run.

A task's arguments are templated value by value. A fleet of a thousand hosts in each step's arguments would cost more than the steps.
"""

from __future__ import annotations

import json
import os
import typing as t
from collections.abc import Mapping
from dataclasses import asdict

from ansible import constants as C

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.conditions import Condition
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Balancer, Fleet, HostInput, Probe
from ansible_collections.convoy.rolling.plugins.plugin_utils.typed_values import typed


def keep_fleet(fleet: Fleet) -> str:
    """Write the fleet down and return the path."""
    path = os.path.join(C.DEFAULT_LOCAL_TMP, f"convoy-fleet-{os.getpid()}.json")
    with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump(asdict(fleet), file)
    return path


def load_fleet(path: str) -> Fleet:
    """The fleet that ``keep_fleet`` wrote in this run.

    :raises RollingError: when it is not there.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return fleet_from_data(json.load(file))
    except (OSError, ValueError) as error:
        raise RollingError(f"fleet: {path} can't be read: {error}; give what convoy.rolling.fleet returned in this run.") from error


def fleet_from_data(data: Mapping[str, t.Any]) -> Fleet:
    """The fleet from plain values."""
    return Fleet(
        app=data["app"],
        hosts=tuple(_host_from_data(host) for host in data["hosts"]),
        balancers=tuple(_balancer_from_data(balancer) for balancer in data["balancers"]),
        reboot=data["reboot"],
        conditions=tuple(typed(Condition, condition) for condition in data["conditions"]),
    )


def _balancer_from_data(data: Mapping[str, t.Any]) -> Balancer:
    return Balancer(**{**data, **{name: tuple(data[name]) for name in ("pools", "ignore_pools")}})


def _host_from_data(data: Mapping[str, t.Any]) -> HostInput:
    probe = data["probe"]
    if probe:
        probe = Probe(**{**probe, "status": tuple(probe["status"]), "conditions": tuple(probe["conditions"])})
    return HostInput(**{**data, "probe": probe, "apart": tuple(data["apart"]), "groups": tuple(data["groups"])})
