# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any fleet at all, for properties."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from hypothesis import strategies as st
from unit.plugins.plugin_utils.fleets import API, NEW, OLD, WEB, member, names, policy, seen

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import (
    Absence,
    Baking,
    HostRecord,
    Member,
    Observed,
    Plan,
    Step,
    Verdict,
    WaveRecord,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import ORDERS, ZONE_ORDERS, Policy

# Made once: hypothesis checks a strategy when it is first drawn from, and that costs more than the draw.
AMOUNTS = st.integers(0, 8) | st.integers(0, 100).map("{}%".format)
_WAVES: list[list[t.Any]] = [
    [],
    [],
    ["one-box"],
    [{"hosts": 1, "bake": 60, "max_unavailable": 1}, {"hosts": "50%", "approve": True, "bake": {"requests": 10}}],
    ["40%", {"hosts": "rest", "bake": {"time": 60, "requests": 10}, "max_unavailable": 2}],
    [{"hosts": 2, "approve": True}, {"hosts": 1, "name": "third"}, {"hosts": "30%", "bake": "10m"}],
]
_LIMITS = st.fixed_dictionaries(
    {
        "waves": st.sampled_from(_WAVES),
        "ramp": st.booleans(),
        "max_unavailable_per_zone": st.just("") | AMOUNTS,
        "limit_by": st.sampled_from(["members", "members", "weight"]),
        "at_least_one": st.booleans(),
        "zone_order": st.sampled_from(ZONE_ORDERS),
        "order": st.sampled_from(ORDERS),
        "max_failures": AMOUNTS,
        "max_unreachable": AMOUNTS,
    }
)
_OUT = st.tuples(st.sampled_from(["max_unavailable", "max_unavailable", "min_available"]), AMOUNTS)
_PLACES = st.sampled_from([(), (WEB,), (WEB, API), (WEB, "lb2/web")])
_VERSIONS = st.sampled_from([OLD, NEW, None])
_RARELY = st.integers(0, 5).map(lambda number: number == 0)
_GROUPS = st.sampled_from([((),), ((), ("r1",), ("r2",), ("r1", "r3"))])
_ADMINS = st.sampled_from(["ready", "ready", "ready", "ready", "maintenance", "drain"])
_WEIGHTS = st.sampled_from([10, 10, 1, 25])
_STRANGERS = st.integers(0, 2)
_NUMBERS = st.integers(0, 3)


def policies() -> st.SearchStrategy[Policy]:
    """Every kind of limit; the orders do not limit anything, but must not break a limit either."""
    return st.builds(lambda out, limits: policy(**{out[0]: out[1]}, **limits), _OUT, _LIMITS)


@st.composite
def observations(draw: st.DrawFn, most: int = 7) -> Observed:
    """Hosts old, new and silent, members in and out for every reason, and other people's members in the pools."""
    hosts = names(draw(_COUNTS[most]))
    places, groups = draw(_PLACES), draw(_GROUPS)
    looks = tuple(
        seen(
            host,
            draw(_VERSIONS),
            running=draw(_VERSIONS),
            reachable=not draw(_RARELY),
            healthy=not draw(_RARELY),
            zone="ab"[draw(_NUMBERS) % 2],
            apart=groups[draw(_NUMBERS) % len(groups)],
        )
        for host in hosts
    )
    # A place may have some hosts only.
    members = [_member(draw, host, place) for place in places for host in hosts if place == WEB or draw(_NUMBERS)]
    members += [_member(draw, f"other{number}", place, host=None) for place in places for number in range(draw(_STRANGERS))]
    return Observed(looks, tuple(members), tuple(Absence(host, 1, 0.0) for host in hosts if draw(_RARELY)))


_COUNTS = {most: st.integers(1, most) for most in (5, 7)}


def _member(draw: st.DrawFn, name: str, place: str, **different: t.Any) -> Member:
    admin = draw(_ADMINS)
    return member(
        name, place, admin=admin, in_service=admin == "ready" and not draw(_RARELY), weight=draw(_WEIGHTS), requests=7, **different
    )


_STEPS = st.sampled_from([Step.LEAVING, Step.DRAINED, Step.DEPLOYED, Step.VERIFIED])
_ASKED = st.booleans()
_RECORDS = st.one_of(
    st.just((Step.PLANNED, None)),
    st.just((Step.BACK, Verdict.CONVERGED)),
    st.tuples(_STEPS, st.sampled_from([None, None, Verdict.FAILED, Verdict.UNREACHABLE])),
)


_WAVE_RECORDS = st.sampled_from(
    [
        WaveRecord(""),
        WaveRecord("", approved=Notice("ann", "", 10.0)),
        WaveRecord("", baking=Baking(300.0, 10), approved=Notice("ann", "", 10.0)),
        WaveRecord("", baking=Baking(300.0, 3, suspects={"web1": 1})),
        WaveRecord("", passed=400.0, approved=Notice("ann", "", 10.0)),
    ]
)


@st.composite
def wave_records(draw: st.DrawFn, made: Plan) -> tuple[WaveRecord, ...]:
    """What may be known of the waves of a plan."""
    return tuple(replace(draw(_WAVE_RECORDS), name=wave.name) for wave in made.waves)


def records(host: str) -> st.SearchStrategy[HostRecord]:
    """A host anywhere in a rollout."""
    return st.builds(lambda where, asked: HostRecord(host, *where, asked=asked), _RECORDS, _ASKED)
