# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same seed gives the same rolls, and every fault has its turn."""

from __future__ import annotations

import re
from pathlib import Path

from soak.faults import FAULTS
from soak.schedule import BAD, CONTROLLER, OTHERS, PLACES, WAYS, make_roll


def test_a_roll_is_the_same_again_whatever_was_asked_before() -> None:
    assert [make_roll(7, number) for number in range(1, 20)] == [make_roll(7, number) for number in range(19, 0, -1)][::-1]
    assert make_roll(7, 3) != make_roll(8, 3)
    assert make_roll(7, 3).to_json()["faults"], "so that the log can say it"


def test_every_fault_place_and_release_comes_in_some_hundred_rolls() -> None:
    rolls = [make_roll(1, number) for number in range(400)]
    faults = [fault for roll in rolls for fault in roll.faults]
    assert {fault.kind for fault in faults} == {*CONTROLLER, *OTHERS} == set(FAULTS)
    assert {fault.place for fault in faults} == set(PLACES)
    assert {roll.behaviour for roll in rolls} >= {"good", "slow", *BAD}
    assert {roll.way for roll in rolls} == set(WAYS)


def test_every_place_is_a_task_of_the_role_or_a_count_of_members() -> None:
    role = Path(__file__).parents[3] / "roles" / "rollout" / "tasks"
    tasks = {name for file in role.rglob("*.yml") for name in re.findall(r"^ *- name: (.*)$", file.read_text(), re.MULTILINE)}
    assert {place.partition("#")[0] for place in PLACES} <= tasks | {"taken out", "let in"}


def test_no_roll_has_two_faults_of_one_host_or_ends_its_controller_twice() -> None:
    for roll in (make_roll(1, number) for number in range(400)):
        assert len({fault.host for fault in roll.faults}) == len(roll.faults) > 0
        assert sum(fault.kind in CONTROLLER for fault in roll.faults) <= 1


def test_the_last_roll_heals() -> None:
    assert not all(make_roll(1, number).heals for number in range(20))
    assert all(make_roll(1, number, last=True).heals for number in range(20))
