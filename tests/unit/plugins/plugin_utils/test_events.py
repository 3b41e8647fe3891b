# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from unit.plugins.action.recorded_runs import RUNS, check_golden, recorded

from ansible_collections.convoy.rolling.plugins.plugin_utils.events import Event, serving
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Member

SCHEMA = Draft202012Validator(json.loads((Path(__file__).parents[4] / "docs/convoy-1.schema.json").read_text()))


@pytest.mark.parametrize("name", RUNS)
def test_every_event_of_a_run_is_told_after_the_schema_and_as_ever(name: str) -> None:
    lines = []
    for event in recorded(name).picture().events:
        SCHEMA.validate(event.data())
        data = event.data()
        data["detail"].update({"by": "SOMEBODY"} if "by" in data["detail"] and event.kind == "opened" else {})
        data["detail"].update({"next": "COMMAND", "text": ["TEXT"]} if "next" in data["detail"] else {})
        lines.append(json.dumps(data))
    text = "\n".join(lines) + "\n"
    assert socket.gethostname() not in text
    check_golden(f"{name}.events.jsonl", text)


@pytest.mark.parametrize("name", RUNS)
def test_plan_of_a_run_is_after_the_schema(name: str) -> None:
    (plan,) = (result["plan"] for _at, result in recorded(name).results if "plan" in result)
    SCHEMA.validate(plan)


@pytest.mark.parametrize(
    ("different", "fault"),
    [
        ({"kind": ""}, "kind"),
        ({"kind": "opened"}, "detail"),
        ({"kind": "leaving", "detail": {"verdict": None, "why": ""}, "host": None}, "host"),
        ({"at": "yesterday"}, "at"),
        ({"schema": "convoy.rolling/event/2"}, "schema"),
    ],
)
def test_schema_refuses_what_it_does_not_say(different: dict[str, object], fault: str) -> None:
    event = Event(1, 0.0, "web", 1, "2.0", "something_new", None, {"anything": 1}).data()
    SCHEMA.validate(event)
    errors = [error for one in SCHEMA.iter_errors({**event, **different}) for error in one.context or ()]
    assert any(fault in list(error.absolute_path) for error in errors)


def test_what_nobody_counts_is_unknown_and_what_some_count_is_their_sum() -> None:
    members = [Member("lb1", "web", name, weight=2, requests=count) for name, count in (("a", None), ("b", 3), ("c", 4))]
    seen = serving([*members, Member("lb2", "web", "a", in_service=False, initial_weight=5)])
    assert seen["lb1/web"] == {"serving": 3, "members": 3, "serving_weight": 6, "weight": 6, "requests": 7, "errors": None}
    assert (seen["lb2/web"]["serving"], seen["lb2/web"]["weight"], seen["lb2/web"]["requests"]) == (0, 5, None)


@pytest.mark.parametrize(
    ("event", "notable"),
    [
        (Event(1, 0.0, "web", 1, "2.0", "seen"), False),
        (Event(1, 0.0, "web", 1, "2.0", "baking"), True),
        (Event(1, 0.0, "web", 1, "2.0", "leaving", "web1", {"verdict": None}), False),
        (Event(1, 0.0, "web", 1, "2.0", "deployed", "web1", {"verdict": "failed"}), True),
    ],
)
def test_people_are_told_of_the_whole_and_of_failures(event: Event, notable: bool) -> None:
    assert event.is_notable is notable
