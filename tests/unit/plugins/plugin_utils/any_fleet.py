# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any fleet at all, for properties."""

from __future__ import annotations

import typing as t

from hypothesis import strategies as st
from unit.plugins.plugin_utils.fleets import API, NEW, OLD, WEB, member, names, policy, seen

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Absence, HostRecord, Member, Observed, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy


def policies() -> st.SearchStrategy[Policy]:
    amounts = st.integers(0, 8) | st.integers(0, 100).map("{}%".format)
    return st.builds(
        lambda out, failed, lost: policy(max_unavailable=out, max_failures=failed, max_unreachable=lost), amounts, amounts, amounts
    )


@st.composite
def observations(draw: st.DrawFn, most: int = 7) -> Observed:
    """Hosts old, new and silent, members in and out for every reason, and other people's members in the pools."""
    hosts = names(draw(st.integers(1, most)))
    places = draw(st.sampled_from([(), (WEB,), (WEB, API), (WEB, "lb2/web")]))
    versions = st.sampled_from([OLD, NEW, None])
    looks = tuple(
        seen(host, draw(versions), running=draw(versions), reachable=draw(st.integers(0, 6)) > 0, healthy=draw(st.integers(0, 4)) > 0)
        for host in hosts
    )
    members = [_member(draw, host, place) for place in places for host in hosts]
    members += [_member(draw, f"other{number}", place, host=None) for place in places for number in range(draw(st.integers(0, 2)))]
    absences = tuple(Absence(host, 1, 0.0) for host in hosts if draw(st.integers(0, 4)) == 0)
    return Observed(looks, tuple(members), absences)


def _member(draw: st.DrawFn, name: str, place: str, **different: t.Any) -> Member:
    admin = draw(st.sampled_from(["ready", "ready", "ready", "ready", "maintenance", "drain"]))
    return member(name, place, admin=admin, in_service=admin == "ready" and draw(st.integers(0, 4)) > 0, **different)


def records(host: str) -> st.SearchStrategy[HostRecord]:
    """A host anywhere in a rollout."""
    under_way = st.sampled_from([Step.LEAVING, Step.DRAINED, Step.DEPLOYED, Step.VERIFIED])
    return st.one_of(
        st.just(HostRecord(host)),
        st.just(HostRecord(host, Step.BACK, Verdict.CONVERGED)),
        st.builds(lambda step: HostRecord(host, step), under_way),
        st.builds(lambda step, verdict: HostRecord(host, step, verdict), under_way, st.sampled_from([Verdict.FAILED, Verdict.UNREACHABLE])),
    )
