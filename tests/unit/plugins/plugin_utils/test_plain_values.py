# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import date, datetime

import pytest
from ansible.parsing.yaml.objects import AnsibleUnicode
from unit.plugins.plugin_utils.fleets import plan

from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import as_data, plain


def test_values_lose_what_ansible_adds_to_them() -> None:
    value = plain({"a": [AnsibleUnicode("x")], "b": (1, None)})
    assert value == {"a": ["x"], "b": [1, None]}
    assert value["a"][0].__class__ is str


def test_date_that_yaml_made_is_its_text_and_what_is_no_value_is_refused() -> None:
    assert plain({"from": date(2026, 12, 20), "to": datetime(2026, 12, 21, 8, 30)}) == {"from": "2026-12-20", "to": "2026-12-21 08:30:00"}
    with pytest.raises(TypeError, match="set is no plain value"):
        plain({1})


def test_dataclass_becomes_what_json_can_hold() -> None:
    data = as_data(plan(2, max_unavailable=1))
    assert data["batches"] == [["web1"], ["web2"]]
    assert data["floors"].__class__ is dict
