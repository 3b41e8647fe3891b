# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that a person took out of rotation stays out."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from fleet.fleet import Fleet

Fixture = t.Callable[..., t.Any]


def test_hosts_that_a_person_took_out_are_held_and_the_others_roll(
    tmp_path: Path, play: Fixture, watching: Fixture, words: Fixture
) -> None:
    with Fleet(6, tmp_path) as fleet:
        fleet.release("2.0.0")
        fleet.set_state("web2", "maint")
        fleet.set_state("web5", "drain")
        with watching(fleet) as seen:
            run = play(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 4})
        assert (words(fleet, "web2"), words(fleet, "web5")) == ({"MAINT"}, {"DRAIN"})
        assert [host for host, version in fleet.versions().items() if version == "1.0.0"] == ["web2", "web5"]
    assert run.rc == 0
    assert run.batches == [["web1", "web3"], ["web4", "web6"]]  # two are out already
    assert "held web2: somebody put it into maintenance" in run.text
    assert "held web5: somebody put it into drain" in run.text
    assert "2 held: web2, web5" in run.text
    # Not even for a moment was one of them in service: the sampler keeps an absence when it ends.
    assert {absence.host for absence in seen.sampler.absences} == {"web1", "web3", "web4", "web6"}
    seen.nothing_was_lost()


@pytest.mark.exhaustive
def test_a_host_that_a_person_takes_out_during_the_roll_is_held_too(tmp_path: Path, start: Fixture, words: Fixture) -> None:
    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0")
        roll = start(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 2})
        # Both, in every pool: with web4 out in between, the valve would rightly let nobody leave.
        roll.wait_until(lambda: all(fleet.in_service(pool) == 2 for pool in ("web", "sticky")), "the first batch is out")
        fleet.set_state("web4", "maint")
        run = roll.end()
        assert words(fleet, "web4") == {"MAINT"}
        assert list(fleet.versions().values()) == ["2.0.0"] * 3 + ["1.0.0"]
    assert "held: web4: " in run.text
