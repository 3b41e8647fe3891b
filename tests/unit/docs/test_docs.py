# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the README, docs/ and CONTRIBUTING.md say is there: commands, variables, modules, targets, files and messages."""

from __future__ import annotations

import ast
import functools
import re
import shlex

import pytest
import yaml
from ansible.cli.adhoc import AdHocCLI
from ansible.cli.doc import DocCLI
from unit.documented import PLAYBOOKS, ROOT, check_playbook_command, names_of_role, parse, role_variables

PAGES = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
}
PLUGINS = {path.stem for kind in ("modules", "callback", "action") for path in (ROOT / "plugins" / kind).glob("[a-z]*.py")}


@functools.cache
def texts_of_plugins() -> tuple[str, ...]:
    """Every text in plugins/, with a NUL for what an f-string puts in."""
    found = []
    for path in (ROOT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return tuple(found)


def commands(page: str) -> list[list[str]]:
    """The command lines of its blocks, and of code in its text that begins with a program of ours."""
    text = PAGES[page]
    blocks = re.findall(r"^ *```(?:sh)?\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    lines += [line.strip() for line in re.findall(r"^ {4}(?! )(.*)$", text, re.MULTILINE)]
    lines += re.findall(r"`([^`\n]+)`", text)
    words = [shlex.split(line, comments=True) for line in lines if re.match(r"(sudo )?(make|ansible[a-z-]*) ", line)]
    return [line[1:] if line[0] == "sudo" else line for line in words]


COMMANDS = [
    pytest.param(page, words, id=f"{page}: {' '.join(words)}"[:110])
    for page in PAGES
    for words in {tuple(words): words for words in commands(page)}.values()
]


@pytest.mark.parametrize(("page", "words"), COMMANDS)
def test_command_is_one_that_can_be_typed(page: str, words: list[str]) -> None:
    program, arguments = words[0], words[1:]
    if program == "make":
        known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        settings = set(re.findall(r"^([A-Z_]+) \?=|\$\(([A-Z]+)\)", (ROOT / "Makefile").read_text(), re.MULTILINE))
        targets = [word for word in arguments if "=" not in word]
        assert set(targets) <= known
        assert {word.partition("=")[0] for word in arguments if "=" in word} <= {name for pair in settings for name in pair}
    elif program == "ansible-playbook":
        check_playbook_command(words)
    elif program == "ansible":
        parse(AdHocCLI(words))
        assert arguments[arguments.index("-m") + 1].removeprefix("convoy.rolling.") in PLUGINS
    elif program == "ansible-doc":
        parse(DocCLI(words))
        assert arguments[-1].removeprefix("convoy.rolling.") in PLUGINS | {"rollout"}
    else:
        assert program in ("ansible-galaxy", "ansible-builder", "ansible-lint")


@pytest.mark.parametrize("page", PAGES)
def test_variables_and_plugins_that_are_named_exist(page: str) -> None:
    text = PAGES[page]
    for name in set(re.findall(r"\brollout_[a-z_]+\b", text)):
        assert name in names_of_role() or (name.endswith("_") and any(one.startswith(name) for one in role_variables())), name
    for name in set(re.findall(r"\bconvoy\.rolling\.([a-z_]+)", text)) - {"git"}:
        assert name in PLAYBOOKS | PLUGINS | {"rollout"}, name


def test_commands_in_comments_and_messages_quote_text_twice() -> None:
    """Or Ansible takes the first word, and drops the others without a word of its own."""
    for path in [*(ROOT / "playbooks").glob("*.yml"), *(ROOT / "roles").rglob("*.yml"), *(ROOT / "plugins").rglob("*.py")]:
        assert not re.search(r"""-e rollout_\w+=(['"])[^'"\n]* """, path.read_text()), path


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]):
        if "://" in target:
            inside = re.fullmatch(r"https://github\.com/convoy-rolling/convoy\.rolling/(?:tree|blob)/main/(.*)", target)
            assert not inside or (ROOT / inside[1]).exists(), target
            continue
        path, _hash, anchor = target.partition("#")
        there = ROOT / page if not path else (ROOT / page).parent / path
        assert there.exists(), target
        headings = {
            re.sub(r"[^\w -]", "", line.lower()).strip().replace(" ", "-") for line in re.findall(r"^#+ (.*)$", there.read_text(), re.M)
        }
        assert not anchor or anchor in headings, target


@pytest.mark.parametrize("page", PAGES)
def test_examples_in_yaml_can_be_read(page: str) -> None:
    for block in re.findall(r"^( *)```yaml\n(.*?)^ *```$", PAGES[page], re.MULTILINE | re.DOTALL):
        assert yaml.safe_load(re.sub(f"^{block[0]}", "", block[1], flags=re.MULTILINE))


MESSAGES = re.findall(r"^\| `([^`]+)` \|", PAGES["docs/troubleshooting.md"], re.MULTILINE)


@pytest.mark.parametrize("message", MESSAGES)
def test_message_is_one_that_is_said(message: str) -> None:
    pattern = re.compile(".*".join(map(re.escape, message.strip().split("..."))), re.DOTALL)
    assert any(pattern.search(text) for text in texts_of_plugins())


def test_most_pages_show_something_to_type() -> None:
    """Or the tests above would look at nothing."""
    assert len(COMMANDS) > 30 and len(MESSAGES) > 20


def test_site_has_every_page() -> None:
    index = (ROOT / "docs" / "site" / "index.md").read_text()
    listed = set(re.findall(r"^(?:.* <)?([\w/-]+)>?$", index, re.MULTILINE))
    assert {page.removesuffix(".md") for page in PAGES} <= listed
