# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole rollouts over hosts that a killed run, or a reload, left out of some pools and in others."""

from __future__ import annotations

import contextlib
import typing as t
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from unit.plugins.action.simulated import Host, Killed, Place, Rollout, World, absent, one_more
from unit.plugins.plugin_utils.fleets import names

FOUR: tuple[Place, ...] = tuple((balancer, pool) for balancer in ("lb1", "lb2") for pool in ("sticky", "web"))


def left_by_halves(state: Path, places: tuple[Place, ...], out_of: t.Mapping[str, t.Collection[int]], hosts: int = 4) -> World:
    """A fleet whose controller was killed while some were out; then they are out of these pools, by number, and serve in the others."""
    fleet = World(places, [Host(name) for name in names(hosts)], one_more(state))
    fleet.dies = 3 + 2 * len(places)  # they are drained
    with contextlib.suppress(Killed):
        Rollout(fleet, "2.0", max_unavailable=len(out_of)).go()
    fleet.dies = None
    assert absent(fleet) == set(out_of)
    for number, place in enumerate(places):
        for host, missing in out_of.items():
            fleet.pools[place][host] = "maintenance" if number in missing else "ready"
    return fleet


@pytest.mark.parametrize(
    ("limit", "out_of"),
    [
        (2, {"web1": (0, 2, 3), "web2": (1, 2, 3), "web3": (0, 1, 2, 3)}),
        (2, {"web1": (0, 2, 3), "web2": (1,), "web3": (0, 1)}),
        (1, {"web1": (0,), "web2": ()}),
        (1, {"web1": (2,), "web2": (2,), "web3": (2,)}),
    ],
    ids=["one is out everywhere", "one serves where there is room", "one did not leave", "one pool has none of them"],
)
def test_hosts_left_by_halves_come_back_under_a_smaller_limit(state: Path, limit: int, out_of: dict[str, tuple[int, ...]]) -> None:
    """Each was out where another one served, and in the order of the inventory none found room: soak, seed 61, rolls 33 and 34."""
    fleet = left_by_halves(state, FOUR, out_of)
    rollout = Rollout(fleet, "3.0", max_unavailable=limit)
    end = rollout.go()
    assert (end["verdict"], fleet.out(), absent(fleet)) == ("converged", set(), set()), (rollout.planned["batches"], rollout.reasons)


# Not shrunk: an example is two rollouts, and minutes would pass.
@settings(
    max_examples=settings.default.max_examples // 2,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_whoever_is_left_by_halves_comes_back_where_there_is_an_order_for_it(state: Path, data: st.DataObject) -> None:
    """And where there is none, nobody who serves is taken out."""
    places = data.draw(st.sampled_from((FOUR[:1], FOUR[::2], FOUR)))
    patterns = st.frozensets(st.sampled_from(range(len(places))))
    count = data.draw(st.integers(4, 5))
    out_of = {host: data.draw(patterns) for host in names(data.draw(st.integers(1, 3)))}
    fleet = left_by_halves(state, places, out_of, count)
    limit = data.draw(st.integers(1, 3))
    before = {place: sum(admin != "ready" for admin in fleet.pools[place].values()) for place in places}

    def watch() -> None:
        for place in places:
            out = sum(admin != "ready" for admin in fleet.pools[place].values())
            assert out <= max(limit, before[place]), f"{out} are out of {place}"

    rollout = Rollout(fleet, "3.0", watch, near=data.draw(st.booleans()), max_unavailable=limit)
    end = rollout.go()
    if has_order(places, out_of, limit):
        assert (end["verdict"], fleet.out(), absent(fleet)) == ("converged", set(), set()), (rollout.planned["batches"], rollout.reasons)
    else:
        assert (end["verdict"], fleet.out() <= absent(fleet)) == ("halted", True)


def has_order(places: tuple[Place, ...], out_of: t.Mapping[str, t.Collection[int]], limit: int) -> bool:
    """Whether hosts can leave one after the other, each where no more than ``limit`` are out then, and come back everywhere."""
    waiting = dict(out_of)
    while waiting:
        out = Counter(number for missing in waiting.values() for number in missing)
        going = next(
            (host for host, missing in waiting.items() if all(number in missing or out[number] < limit for number in range(len(places)))),
            None,
        )
        if going is None:
            return False
        waiting.pop(going)
    return True
