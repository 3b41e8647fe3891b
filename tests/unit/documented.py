# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection says that it has, for tests of texts and examples that name it."""

from __future__ import annotations

import functools
import itertools
import re
from pathlib import Path

from ansible import context
from ansible.cli import CLI
from ansible.cli.playbook import PlaybookCLI
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.splitter import parse_kv

ROOT = Path(__file__).parents[2]
PLAYBOOKS = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}


@functools.cache
def role_variables() -> frozenset[str]:
    """Every variable that some entry point of the role documents, and the one that its playbooks take beside them."""
    specs = DataLoader().load_from_file(str(ROOT / "roles" / "rollout" / "meta" / "argument_specs.yml"))["argument_specs"]
    return frozenset(name for spec in specs.values() for name in spec["options"]) | {"rollout_hosts"}


@functools.cache
def names_of_role() -> frozenset[str]:
    """Every name that the role and the playbooks give to anything, `role_variables` among them."""
    files = [*(ROOT / "roles").rglob("*.yml"), *(ROOT / "playbooks").glob("*.yml")]
    return role_variables().union(*(re.findall(r"\b(rollout_\w+):", file.read_text()) for file in files))


def parse(cli: CLI) -> None:
    """Fail unless the words of a command are what it takes; what Ansible keeps of them for the whole process is put back."""
    before = context.CLIARGS
    try:
        cli.parse()
    finally:
        context.CLIARGS = before


def check_playbook_command(words: list[str]) -> list[str]:
    """Fail unless a command line of ansible-playbook has options, playbooks of ours and variables that exist; returns the playbooks."""
    parse(PlaybookCLI(words))
    for before, word in itertools.pairwise(words):
        if before in ("-e", "--extra-vars") and not word.startswith("@"):
            assert set(parse_kv(word)) <= role_variables(), (
                f"{word!r} is taken as {parse_kv(word)}; quote text twice: -e \"name='some words'\""
            )
    playbooks = [word for word in words[1:] if word.startswith("convoy.rolling.") or word.endswith(".yml")]
    assert {word.removeprefix("convoy.rolling.") for word in playbooks if word.startswith("convoy.rolling.")} <= PLAYBOOKS
    return playbooks
