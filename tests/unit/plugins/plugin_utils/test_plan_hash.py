# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from unit.plugins.plugin_utils.fleets import names, observed, plan, seen

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Plan, to_json
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import plain
from ansible_collections.convoy.rolling.plugins.plugin_utils.plan_hash import check_hash, plan_hash
from ansible_collections.convoy.rolling.plugins.plugin_utils.typed_values import typed

USUAL = plan(6, max_unavailable=2)


def test_same_plan_has_the_same_hash_after_it_was_written_down() -> None:
    look = observed(6, **{host: seen(host, zone="ab"[number % 2], apart=("r1",)) for number, host in enumerate(names(6))})
    made = plan(look=look, max_unavailable=3, max_unavailable_per_zone=2)
    assert typed(Plan, plain(to_json(made))) == made
    assert plan_hash(made, None) == plan_hash(typed(Plan, plain(to_json(made))), "")
    check_hash(plan_hash(made, None), plan_hash(made, None))


@pytest.mark.parametrize(
    ("other", "changed"),
    [
        (dataclasses.replace(USUAL, version="2.1"), "the target changed"),
        (plan(6, max_unavailable=2, order="reverse_inventory"), "the hosts, their order or their batches changed"),
        (plan(6, look=observed(6, web2=seen("web2", "2.0")), max_unavailable=2), "the hosts, their order or their batches changed"),
        (dataclasses.replace(USUAL, floors={"lb1/web": 3}), "the limits changed"),
        (plan(6, max_unavailable=3), "the hosts, their order or their batches and the limits changed"),
    ],
)
def test_plan_that_changed_is_refused_and_what_changed_is_said(other: Plan, changed: str) -> None:
    with pytest.raises(InputError) as caught:
        check_hash(plan_hash(USUAL, None), plan_hash(other, None))
    assert changed in caught.value.message and plan_hash(other, None) in caught.value.message


def test_another_artifact_is_another_target() -> None:
    with pytest.raises(InputError, match="the target changed"):
        check_hash(plan_hash(USUAL, "a" * 64), plan_hash(USUAL, "b" * 64))


def test_waves_are_part_of_the_plan() -> None:
    waves = [{"name": "box", "hosts": 2, "bake": 60}]
    usual = plan(6, max_unavailable=2, waves=waves)
    for other, changed in (
        (plan(6, max_unavailable=2), "the hosts, their order or their batches and the limits changed"),
        (plan(6, max_unavailable=2, waves=[{**waves[0], "hosts": 1}]), "the hosts, their order or their batches changed"),
        (plan(6, max_unavailable=2, waves=[{**waves[0], "bake": 61}]), "the limits changed"),
        (plan(6, max_unavailable=2, waves=[{**waves[0], "approve": True}]), "the limits changed"),
    ):
        with pytest.raises(InputError, match=changed):
            check_hash(plan_hash(usual, None), plan_hash(other, None))
    assert typed(Plan, plain(to_json(usual))) == usual


@pytest.mark.parametrize("given", ["yes", "1-2", "1-2-3-4"])
def test_what_is_no_hash_is_refused(given: t.Any) -> None:
    with pytest.raises(InputError, match="is no hash of a plan"):
        check_hash(given, plan_hash(USUAL, None))
