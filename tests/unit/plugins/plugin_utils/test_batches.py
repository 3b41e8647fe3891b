# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from unit.plugins.plugin_utils.fleets import WEB, member, seen

from ansible_collections.convoy.rolling.plugins.plugin_utils.batches import batches_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.limits import Bound
from ansible_collections.convoy.rolling.plugins.plugin_utils.order import Candidate


def candidates(hosts: str, away: str = "", ours: str = "", zones: t.Mapping[str, str] | None = None) -> list[Candidate]:
    """Hosts of one letter each."""
    return [Candidate(seen(host, zone=(zones or {}).get(host, "")), [member(host, out=host in away)], host in ours, None) for host in hosts]


def bound(room: int, **takes: int) -> Bound:
    return Bound("place", WEB, "v", room, "", takes)


def batches(hosts: str, limit: int, *bounds: Bound, **different: t.Any) -> list[str]:
    everybody = Bound("fleet", "the fleet", "v", limit, "", dict.fromkeys(hosts, 1))
    return ["".join(batch) for batch in batches_of(candidates(hosts, **different), (everybody, *bounds), limit)]


def test_nobody_makes_no_batch() -> None:
    assert batches("", 3) == []


def test_each_goes_into_the_first_batch_with_room() -> None:
    assert batches("abcdef", 3, bound(1, a=1, b=1, c=1)) == ["ade", "bf", "c"]


def test_batch_before_may_be_full_of_others() -> None:
    assert batches("abcde", 2, bound(1, c=1, d=1)) == ["ab", "ce", "d"]


def test_what_one_leaves_another_that_needs_less_may_take() -> None:
    assert batches("abcd", 4, bound(10, a=6, b=6, c=3, d=1)) == ["acd", "b"]


def test_who_is_away_goes_first_and_nobody_leaves_before_the_last_of_them() -> None:
    assert batches("abcde", 2, away="abc") == ["ab", "cd", "e"]


def test_who_is_out_by_our_doing_needs_no_room() -> None:
    tight = bound(1, a=1, b=1, c=1, d=1)
    assert batches("abcd", 3, tight, away="ab", ours="ab") == ["ab", "c", "d"]
    assert batches("abcd", 3, tight, away="ab") == ["a", "b", "c", "d"], "who is down by itself is taken out like anybody"


def test_zone_by_zone_starts_a_new_batch() -> None:
    order = candidates("abcde", zones={"a": "x", "b": "x", "c": "x", "d": "y", "e": "y"})
    everybody = Bound("fleet", "the fleet", "v", 2, "", dict.fromkeys("abcde", 1))
    assert batches_of(order, (everybody,), 2, zone_by_zone=True) == (("a", "b"), ("c",), ("d", "e"))
