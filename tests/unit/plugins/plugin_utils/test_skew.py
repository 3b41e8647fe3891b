# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from unit.plugins.plugin_utils.fleets import NEW, member, observed, plan, seen, with_members

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostSeen, Observed
from ansible_collections.convoy.rolling.plugins.plugin_utils.skew import serves


def half_done(**different: HostSeen) -> Observed:
    """Three of six hosts run 1.5."""
    return observed(6, **{**{host: seen(host, "1.5") for host in ("web1", "web2", "web3")}, **different})


def test_third_version_is_refused_and_the_ways_out_are_named() -> None:
    with pytest.raises(InputError) as caught:
        plan(look=half_done(), max_unavailable=2)
    assert caught.value.message == (
        "rollout_version: 2.0 would be version number 3 in service at the same time, beside 1.5 on web1, web2, web3 and 1.0 on web4, web5, "
        "web6; roll the fleet to one of these first, or start over them with -e rollout_supersede=true. Nothing was touched."
    )


@pytest.mark.parametrize("limits", [{"supersede": True}, {"max_versions": 3}])
def test_it_may_be_started_over(limits: dict[str, object]) -> None:
    assert len(plan(look=half_done(), max_unavailable=2, **limits).order) == 6


def test_version_that_serves_already_is_finished_however_many_there_are() -> None:
    assert plan(look=half_done(web4=seen("web4", NEW)), max_unavailable=2).order


def test_what_the_first_batch_replaces_does_not_count() -> None:
    """Exactly as many half-done hosts as the first batch has, and one more."""
    made = plan(look=half_done(web3=seen("web3")), max_unavailable=2)
    assert made.batches[0] == ("web1", "web2")
    with pytest.raises(InputError, match="version number 3"):
        plan(look=half_done(), max_unavailable=2)


def test_bad_version_that_was_halted_is_out_and_counts_for_nothing() -> None:
    look = with_members(observed(6, web1=seen("web1", "1.5", healthy=False), absent=["web1"]), web1=member("web1", out=True))
    assert plan(look=look, max_unavailable=1).order[0] == "web1"


def test_bad_version_that_still_serves_counts() -> None:
    look = observed(6, absent=["web2"], web1=seen("web1", "1.5", healthy=False))
    with pytest.raises(InputError, match=r"1\.5 on web1"):
        plan(look=look, max_unavailable=1)


def test_host_that_is_held_or_unreachable_serves_as_well() -> None:
    look = observed(6, web3=seen("web3", "1.5", reachable=False), web4=seen("web4", "1.5", reachable=False))
    with pytest.raises(InputError, match=r"1\.5 on web3, web4"):
        plan(look=look, max_unavailable=2)


def test_what_serves_without_a_load_balancer_is_what_answers() -> None:
    assert serves(seen("web1", "1.5"), []) == "1.5"
    assert serves(seen("web1", "1.5", healthy=False), []) is serves(seen("web1", "1.5", reachable=False), []) is None
    assert serves(seen("web1", None), [member("web1")]) is None
    assert serves(seen("web1", "1.5"), [member("web1", out=True), member("web1", "lb2/web")]) == "1.5"
