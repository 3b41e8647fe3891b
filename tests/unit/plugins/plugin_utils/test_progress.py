# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.plugin_utils.any_fleet import records
from unit.plugins.plugin_utils.fleets import names, observed, plan, rollout, seen

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.progress import converged_progress, lines_of, progress_of

PLAN = plan(6, max_unavailable=2)
DONE = [HostRecord(host, Step.BACK, Verdict.CONVERGED) for host in names(6)]


@given(st.tuples(*(records(host) for host in names(6))))
def test_available_is_never_more_than_updated_nor_updated_more_than_all(hosts: tuple[HostRecord, ...]) -> None:
    progress = progress_of(rollout(PLAN, *hosts))
    assert 0 <= progress["available"] <= progress["updated"] <= progress["total"] == 6
    assert all(lines_of(progress))


def test_lines_that_a_person_knows_from_kubectl() -> None:
    assert lines_of(progress_of(rollout(PLAN, *DONE[:4]))) == [
        'Waiting for rollout of "web" to 2.0 to finish: 4 out of 6 hosts have been updated...'
    ]
    last = dataclasses.replace(DONE[5], step=Step.DEPLOYED, verdict=None)
    assert lines_of(progress_of(rollout(PLAN, *DONE[:5], last))) == [
        'Waiting for rollout of "web" to 2.0 to finish: 5 of 6 updated hosts are available...'
    ]
    end = {**progress_of(rollout(PLAN, *DONE)), "verdict": "converged"}
    assert lines_of(end) == ['rollout of "web" to 2.0: successfully rolled out']


def test_hosts_that_needed_nothing_are_done_from_the_start() -> None:
    made = plan(look=observed(3, web3=seen("web3", "2.0")), max_unavailable=1)
    of = rollout(made, HostRecord("web1"), HostRecord("web2"), HostRecord("web3", verdict=Verdict.SKIPPED))
    assert (progress_of(of)["updated"], progress_of(of)["available"], progress_of(of)["total"]) == (1, 1, 3)


def test_held_hosts_are_not_waited_for_and_are_named_at_the_end() -> None:
    made = plan(look=observed(3, out=["web3"]), max_unavailable=2)
    of = rollout(made, *DONE[:2], HostRecord("web3", verdict=Verdict.HELD))
    assert progress_of(of)["total"] == 2
    assert lines_of({**progress_of(of), "verdict": "converged"}) == ['rollout of "web" to 2.0: successfully rolled out (1 held: web3)']


def test_who_halted_it_and_why() -> None:
    of = rollout(PLAN, HostRecord("web1", Step.DEPLOYED, Verdict.FAILED, "health check: status 503"), halted="1 host failed (web1)")
    assert lines_of(progress_of(of)) == [
        'rollout of "web" to 2.0: web1: health check: status 503',
        'error: rollout of "web" to 2.0: halted: 1 host failed (web1)',
    ]


def test_trouble_that_is_tolerated_is_shown_beside_the_progress() -> None:
    lines = lines_of(progress_of(rollout(PLAN, HostRecord("web1", Step.LEAVING, Verdict.UNREACHABLE, "No route"))))
    assert lines[0] == 'rollout of "web" to 2.0: web1: No route'
    assert lines[1].startswith("Waiting for")


def test_fleet_that_needs_nothing_is_rolled_out() -> None:
    made = plan(3, look=observed(3, **{host: seen(host, "2.0") for host in names(3)}))
    assert lines_of(converged_progress(made)) == ['rollout of "web" to 2.0: successfully rolled out']
    assert converged_progress(made).keys() == progress_of(rollout(PLAN)).keys()
