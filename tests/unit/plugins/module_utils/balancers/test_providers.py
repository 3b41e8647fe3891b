# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from gates.capability_table import DOCUMENT, split, table

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.providers import PROVIDERS, RUN_COMMANDS, able_to_run

ROLE = Path(__file__).parents[5] / "roles" / "rollout" / "meta" / "argument_specs.yml"


def test_the_documented_capabilities_are_those_of_the_code() -> None:
    assert split(DOCUMENT.read_text())[1] == table(), "run tests/gates/capability_table.py --write"


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_each_provider_says_what_it_promises(provider: str) -> None:
    section = re.search(rf"^## {provider}$(.*?)(?=^## )", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert section
    for promise in ("Zero-loss drain", "Sees sessions", "Survives a reload", "Tested on"):
        assert f"* **{promise}**: " in section.group(1)
    for word in ("**Address**", "**Pool**", "**Member**"):
        assert word in section.group(1)


def test_the_role_takes_every_provider() -> None:
    options: t.Any = yaml.safe_load(ROLE.read_text())["argument_specs"]
    entries = [spec["options"]["rollout_balancers"] for spec in options.values() if "rollout_balancers" in spec.get("options", {})]
    assert entries
    for entry in entries:
        assert entry["options"]["provider"]["choices"] == sorted(PROVIDERS)


def test_a_modules_way_of_running_commands_reaches_those_that_need_it() -> None:
    def run_command(*_words: t.Any, **_options: t.Any) -> tuple[int, str, str]:
        return 0, "", ""

    able: t.Any = able_to_run(run_command)
    assert set(able) == set(PROVIDERS)
    assert {name for name in able if getattr(able[name], "run_command", None) is run_command} == RUN_COMMANDS
    assert all(getattr(PROVIDERS[name], "run_command", None) is None for name in PROVIDERS), "the providers themselves have none"
