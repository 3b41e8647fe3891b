# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many versions serve at the same time. Pure."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostSeen, Member
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.wording import listed


def serves(seen: HostSeen, members: t.Sequence[Member]) -> str | None:
    """The version that a host gives to clients; None when it is out everywhere, or nobody knows it."""
    in_use = any(member.in_service for member in members) if members else seen.reachable and seen.healthy
    return seen.version if in_use else None


def check_skew(version: str, serving: t.Mapping[str, str | None], first: t.Collection[str], policy: Policy) -> None:
    """Refuse to bring in one version too many.

    What counts is what serves once the first batch is back: a bad version that was halted in the first batch is out and counts
    for nothing, and neither does what the first batch replaces. A version that serves already may be finished.

    :param serving: host -> the version that it serves now, in the order of the inventory.
    :param first: the hosts of the first batch.
    :raises InputError: saying which versions serve where, and the ways out.
    """
    where: dict[str, list[str]] = defaultdict(list)
    for host, now in serving.items():
        if now is not None:
            where[now].append(host)
    left = [one for one, hosts in where.items() if not set(hosts) <= set(first)]
    if policy.supersede or version in where or len(left) < policy.max_versions:
        return
    shown = " and ".join(f"{one} on {listed(where[one], len(where[one]))}" for one in left)
    raise InputError(
        f"rollout_version: {version} would be version number {len(left) + 1} in service at the same time, beside {shown}; "
        f"roll the fleet to one of these first, or start over them with -e rollout_supersede=true. Nothing was touched."
    )
