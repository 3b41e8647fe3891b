# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

from unit.plugins.plugin_utils.fleets import API, member, names, observed, plan, rollout, seen

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, Step, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.summary import status_lines, summary_lines
from ansible_collections.convoy.rolling.plugins.plugin_utils.verdict import conclude

BAD = rollout(
    plan(4, max_unavailable=1), HostRecord("web1", Step.DEPLOYED, Verdict.FAILED, "health check: status 503"), halted="1 host failed (web1)"
)


def test_halted_rollout_names_who_failed_who_is_out_and_what_to_type() -> None:
    look = observed(4, absent=["web1"], out=["web4"])
    lines = summary_lines("web", "2.0", conclude("2.0", look, BAD), look, "ansible-playbook x")
    assert lines == [
        'rollout of "web" to 2.0: halted: 1 host failed (web1)',
        "  0 of 4 hosts run 2.0 and serve",
        "  failed: web1: health check: status 503",
        "  out of rotation: web1 on lb1/web (taken out by this rollout or one before)",
        "  held: web4: somebody took it out of rotation",
        "  out of rotation: web4 on lb1/web (not by a rollout)",
        "  next: ansible-playbook x",
    ]


def test_unreachable_host_is_named() -> None:
    look = observed(2, web1=seen("web1", "2.0"), web2=seen("web2", reachable=False, why="No route"))
    assert "  unreachable: web2: No route" in summary_lines("web", "2.0", conclude("2.0", look, None), look, "")


def test_converged_rollout_says_so_in_one_line() -> None:
    look = observed(2, **{host: seen(host, "2.0") for host in names(2)})
    assert summary_lines("web", "2.0", conclude("2.0", look, None), look, "") == [
        'rollout of "web" to 2.0: converged: 2 of 2 hosts run 2.0 and serve'
    ]


def test_balancer_that_does_not_answer_and_a_note_are_told() -> None:
    look = dataclasses.replace(observed(2, **{host: seen(host, "2.0") for host in names(2)}), silent={"lb1": "load balancer lb1: refused"})
    touched = rollout(plan(4, max_unavailable=1), HostRecord("web1", Step.BACK, Verdict.CONVERGED, "somebody let it in"))
    assert summary_lines("web", "2.0", conclude("2.0", look, touched), look, "") == [
        'rollout of "web" to 2.0: halted: load balancer lb1: refused',
        "  2 of 2 hosts run 2.0 and serve",
        "  not seen: load balancer lb1: refused; of its members this is what it said last",
        "  note: web1: somebody let it in",
    ]


def test_status_is_a_table_with_a_line_a_host() -> None:
    look = observed(2, out=["web2"], web1=seen("web1", "2.0", running="1.0"), web2=seen("web2", None))
    members = [member("web1", status="UP 1/1"), member("web1", API), member("web2", out=True), member("stranger", host=None)]
    assert status_lines("web", "2.0", conclude("2.0", look, None), members) == [
        '"web" at 2.0: halted: web1: it still runs 1.0',
        "HOST  INSTALLED  RUNNING  LOAD BALANCERS                 STATE",
        "web1  2.0        1.0      lb1/web UP 1/1, lb1/api ready  skipped: it still runs 1.0",
        "web2  -          -        lb1/web maintenance            held: out by a person",
    ]


def test_status_without_a_load_balancer_says_so() -> None:
    look = observed(1, places=())
    assert (
        status_lines("web", "1.0", conclude("1.0", look, None), ())[-1]
        == "web1  1.0        1.0      -               converged: it runs 1.0"
    )
