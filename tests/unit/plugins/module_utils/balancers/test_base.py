# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import Balancer, Member, Pool, listed
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.providers import PROVIDERS


def test_lists_are_cut() -> None:
    assert listed([]) == "none"
    assert listed(["a", "b"]) == "a, b"
    assert listed(str(number) for number in range(25)).endswith("18, 19 and 5 more")


def test_a_view_is_plain_values() -> None:
    pool = Pool("web", (Member("a", "ready", "up", True, "UP"), Member("b", "drain", "up", False, "DRAIN", agent=True)))
    view = pool.view()
    assert (view["pool"], view["in_service"], len(view["members"])) == ("web", 1, 2)
    assert view["members"][1]["agent"] is True and view["members"][0]["weight"] is None


def test_every_provider_is_called_what_it_calls_itself() -> None:
    for name, provider in PROVIDERS.items():
        assert issubclass(provider, Balancer) and provider.provider == name
        # A provider that says it cuts sessions must have its own way to.
        assert provider.capabilities.cuts_sessions == (provider.cut is not Balancer.cut)
