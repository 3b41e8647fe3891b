# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from unit.plugins.plugin_utils.fleets import balancer, names

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.other_pools import check_other_pools


def view(name: str, port: int | None = 8001, address: str | None = "192.0.2.1") -> dict[str, t.Any]:
    return {"name": name, "address": address, "port": port}


def check(
    *elsewhere: dict[str, t.Any], web: t.Sequence[dict[str, t.Any]] = (), api: t.Sequence[dict[str, t.Any]] = (), **different: t.Any
) -> None:
    """web1 and web2 are members of web, web2 alone of api."""
    members = {"web": {"web1": "web1", "web2": "web2"}, "api": {"web2": "web2"}}
    pools = [
        {"pool": "web", "members": [view("web1"), view("web2", 8002), *web]},
        {"pool": "api", "members": [view("web2", 8002), *api]},
    ]
    ours = balancer(pools=["api", "web"], hosts=names(2), members=members, **different)
    check_other_pools([ours], [{"item": {"name": "lb1"}, "pools": pools, "elsewhere": list(elsewhere)}])


def test_pool_that_nobody_named_is_refused_with_its_name_and_the_hosts() -> None:
    with pytest.raises(InputError) as caught:
        check({"pool": "old", **view("app-1")})
    assert caught.value.message == (
        "rollout_balancers: pool 'old' on lb1 has web1 too, as member 'app-1', and no rollout would drain it there; "
        "name the pool for web1 in `pools`, or in `ignore_pools` if it may keep it. Nothing was touched."
    )


def test_pool_that_only_another_host_names_is_refused() -> None:
    with pytest.raises(InputError, match="pool 'api' on lb1 has web1 too, as member 'web1'"):
        check(api=[view("web1")])


def test_second_member_in_a_pool_that_is_named_is_refused() -> None:
    with pytest.raises(InputError, match="pool 'web' on lb1 has web2 too, as member 'spare'"):
        check(web=[view("spare", 8002)])


def test_pool_may_be_ignored() -> None:
    check({"pool": "old", **view("app-1")}, ignore_pools=("old",))
    with pytest.raises(InputError):
        check({"pool": "old", **view("app-1")}, ignore_pools=("older",))


def test_members_elsewhere_are_nobodys_business() -> None:
    check(web=[view("stranger", 8009)], api=[view("socket", None, None)])
    # A balancer that does not say where its members are.
    check(web=[view("spare", None, None)])
    check_other_pools([balancer()], [{"item": {"name": "lb1"}, "pools": [{"pool": "web", "members": [{"name": "web1"}, {"name": "x"}]}]}])
