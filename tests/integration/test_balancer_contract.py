# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every provider must keep, shown on the real thing."""

from __future__ import annotations

import functools
import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.providers import PROVIDERS
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.members import observe
from fleet.haproxy import versions
from fleet.stands import Missing, Stand
from fleet.stands.caddy import CaddyStand
from fleet.stands.haproxy import CalledReadinessStand, HAProxyStand, ReadinessStand
from fleet.stands.nginx import NginxStand
from fleet.stands.rolls import roll

OTHERS: tuple[type[Stand], ...] = (NginxStand, CaddyStand, ReadinessStand, CalledReadinessStand)
STANDS: dict[str, t.Callable[[Path], Stand]] = {
    **{f"HAProxyStand-{version}": functools.partial(HAProxyStand, version=version) for version in versions(differs=True)},
    **{stand.__name__: stand for stand in OTHERS},
}
QUICK = {"soft": "0s", "quiet": "0.1s"}


@pytest.fixture(scope="module", params=STANDS)
def stand(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Stand]:
    try:
        stand = STANDS[request.param](tmp_path_factory.mktemp("b"))
    except Missing as missing:
        pytest.skip(str(missing))
    with stand:
        for name in stand.members:
            stand.run(name, state="ready")
        yield stand


def test_every_provider_has_a_stand() -> None:
    assert {HAProxyStand.provider, *(stand.provider for stand in OTHERS)} == set(PROVIDERS)


def test_a_roll_under_load_loses_nothing_of_ours(stand: Stand) -> None:
    """Every app is killed with SIGKILL, listens late and is not ready for a while; nobody retries. The figures are printed."""
    before = stand.configured()
    clients = roll(stand)
    lost = {kind for kind, count in clients.failed.items() if count}
    assert lost <= set(stand.may_lose), clients.failures
    assert not [failure for failure in clients.failures if "status" in failure], "no request reached a member that was not there"
    assert stand.configured() == before


def test_out_and_back_shows_in_a_fresh_look_and_leaves_no_trace(stand: Stand) -> None:
    one, two, _three = stand.members
    before = stand.configured()
    out = stand.run(one, state="drained", **QUICK)
    assert out["changed"] and out["members"][0]["ok"]
    seen, other = stand.look(one), stand.look(two)
    assert (seen["in_service"], seen["admin"] != "ready", seen["sessions"] or 0) == (False, True, 0)
    assert (other["in_service"], other["admin"]) == (True, "ready")
    back = stand.run(one, state="ready")
    assert back["changed"] and stand.look(one)["admin"] == "ready" and stand.look(one)["in_service"]
    assert stand.configured() == before


def test_the_second_time_nothing_is_ordered(stand: Stand) -> None:
    one = stand.members[0]
    stand.run(one, state="drained", **QUICK)
    orders = stand.orders()
    assert not stand.run(one, state="drained", **QUICK)["changed"]
    assert not stand.run(one, state="maintenance", **QUICK)["changed"]
    assert stand.orders() == orders
    stand.run(one, state="ready")
    orders = stand.orders()
    assert not stand.run(one, state="ready")["changed"]
    assert stand.orders() == orders


def test_check_mode_orders_nothing(stand: Stand) -> None:
    one = stand.members[0]
    orders = stand.orders()
    result = stand.run(one, state="drained", check_mode=True)
    assert result["changed"] and result["diff"]["after"][one]["admin"] == "maintenance"
    assert not stand.run(one, state="ready", check_mode=True)["changed"]
    assert stand.orders() == orders and stand.look(one)["in_service"]


def test_an_unknown_member_is_an_error_and_the_others_are_attempted(stand: Stand) -> None:
    one = stand.members[0]
    for check_mode in (True, False):
        with pytest.raises(RollingError) as caught:
            stand.run(one, "nope:1", state="drained", check_mode=check_mode, **QUICK)
        assert f"There is no member 'nope:1' in pool {stand.pool}" in caught.value.message
        assert [member["ok"] for member in caught.value.result["members"]] == [True, False]
    with pytest.raises(RollingError, match="no member 'nope:1'"):
        stand.run(one, "nope:1", state="ready")
    assert stand.look(one)["in_service"]


def test_an_unknown_pool_is_an_error_that_says_what_there_is(stand: Stand) -> None:
    for ask in (
        lambda: stand.run(stand.members[0], pool="nope", state="drained"),
        lambda: observe({"provider": stand.provider, "address": stand.address(stand.members[0]), "pools": ["nope"]}),
    ):
        with pytest.raises(RollingError, match=rf"pool: .*'nope'.*{stand.pool}"):
            ask()


def test_a_refused_order_is_an_error_and_changes_nothing(stand: Stand) -> None:
    one = stand.members[0]
    before = stand.configured()
    with stand.refusing() as different, pytest.raises(RollingError) as caught:
        stand.run(one, state="drained", wait_timeout="3s", **{**QUICK, **different})
    assert caught.value.result["changed"] is False and not caught.value.result["members"][0]["ok"]
    assert stand.configured() == before and stand.look(one)["in_service"]


def test_two_changes_at_the_same_moment_are_both_kept(stand: Stand) -> None:
    start = threading.Barrier(2)

    def move(name: str, state: str) -> bool:
        start.wait()
        return bool(stand.run(name, state=state, **(QUICK if state == "drained" else {}))["members"][0]["ok"])

    one, two, three = stand.members
    before = stand.configured()
    with ThreadPoolExecutor(2) as pool:
        for _round in range(2):
            assert list(pool.map(move, (one, two), ("drained", "drained"))) == [True, True]
            assert [stand.look(name)["in_service"] for name in (one, two, three)] == [False, False, True]
            assert list(pool.map(move, (one, two), ("ready", "drained"))) == [True, True]
            assert [stand.look(name)["in_service"] for name in (one, two, three)] == [True, False, True]
            stand.run(two, state="ready")
    assert stand.configured() == before


def test_what_it_cannot_do_is_an_error(stand: Stand) -> None:
    can = PROVIDERS[stand.provider].capabilities
    asks: list[tuple[bool, dict[str, t.Any]]] = [
        (can.max_weight is None, {"weight": "50%"}),
        (can.max_weight is None, {"state": "ready", "weight": "1"}),
        (not can.cuts_sessions, {"state": "drained", "on_timeout": "force"}),
        (not can.whole_pool, {"state": "drained", "floor": 1}),
        (not can.drains, {"state": "drained"}),
    ]
    orders = stand.orders()
    for lacking, options in asks:
        if lacking:
            for check_mode in (False, True):
                with pytest.raises(InputError, match=rf": {stand.provider} .*\.$"):
                    stand.run(stand.members[0], check_mode=check_mode, **options)
    assert stand.orders() == orders


@pytest.mark.parametrize("address", ["/nonexistent/x", "http://127.0.0.1:1", "nonsense", "file:/nonexistent/x?port=1&pid=2"])
def test_nothing_there_is_one_error_that_names_the_address(stand: Stand, address: str) -> None:
    with pytest.raises(RollingError) as caught:
        stand.run(stand.members[0], address=address, state="drained", timeout="1s")
    # What follows a ? may be a secret, and is not always shown.
    assert address.partition("?")[0] in caught.value.message and caught.value.message.endswith("."), caught.value.message
    assert caught.value.result == {}
