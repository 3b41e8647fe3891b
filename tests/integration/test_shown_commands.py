# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every playbook command that the README and docs/ show, typed on a real fleet, in an order in which a fleet may see them.

Who shows another one gives it its place here. That the words exist at all, unit tests hold (``tests/unit/docs``).
"""

from __future__ import annotations

import json
import re
import shlex
import typing as t
from pathlib import Path

import pytest

from fleet.breakpoints import Breakpoints
from fleet.fleet import Fleet
from fleet.play import CHECKOUT

Fixture = t.Callable[..., t.Any]

# Real reboots are those of Molecule's and of test_reboot; the two others are of repositories that have tests of their own.
ELSEWHERE = ("rollout_reboot=true", "-i inventories/", "--ask-vault-pass")


def shown(*pages: str) -> set[str]:
    """What is typed after ``ansible-playbook -i INVENTORY``, as the pages show it."""
    text = "\n".join((CHECKOUT / page).read_text() for page in pages)
    lines = re.findall(r"^ *ansible-playbook (.*)$|`ansible-playbook ([^`\n]*)`", text, re.MULTILINE)
    commands = {re.sub(r"  +#.*", "", one or other).strip() for one, other in lines}
    ours = {command for command in commands if not any(words in command for words in ELSEWHERE)}
    return {re.sub(r"^-i (inventory\.yml|inventory|INVENTORY) convoy\.rolling\.", "", command) for command in ours}


class Typist:
    """Types commands in one directory, and remembers which."""

    def __init__(self, fleet: Fleet, start: Fixture, here: Path) -> None:
        self._fleet, self._start, self._here = fleet, start, here
        self.typed: set[str] = set()
        self.inventory = fleet.inventory(rollout_max_unavailable=2)

    def begin(self, command: str, **settings: str) -> t.Any:
        self.typed.add(command)
        playbook, *arguments = shlex.split(command.replace("/var/www/rollouts/", f"{self._here}/rollouts/"))
        how = {"inventory": self.inventory, "here": self._here, "settings": settings}
        return self._start(self._fleet, {}, *arguments, playbook=f"convoy.rolling.{playbook}", **how)

    def type(self, command: str, *said: str, code: int = 0) -> None:
        """Run one that must end so, and say this."""
        run = self.begin(command).end()
        assert run.rc == code, command
        for words in said:
            assert words in run.text, command


@pytest.mark.exhaustive
def test_every_command_that_is_shown_does_what_is_said_of_it(tmp_path: Path, start: Fixture) -> None:
    here = tmp_path / "here"
    (here / "rollouts").mkdir(parents=True)
    with Fleet(4, tmp_path, version="2.3.0") as fleet:
        for version in ("2.4.0", "2.4.1", "2.4.2"):
            fleet.release(version)
        typist = Typist(fleet, start, here)
        _forward_and_back(fleet, typist, tmp_path)
        waves = [1, {"name": "two", "hosts": 1, "approve": True}, {"name": "three", "hosts": 1, "approve": True}]
        waves += [{"name": "others", "hosts": "rest", "approve": True}]
        typist.inventory = fleet.inventory(rollout_waves=waves, rollout_max_unavailable=2)
        _with_a_person(typist, here)
        pages = ["README.md", *(str(page.relative_to(CHECKOUT)) for page in CHECKOUT.glob("docs/*.md"))]
        assert shown(*pages) - typist.typed == set(), "shown, and not in this story"


def _forward_and_back(fleet: Fleet, typist: Typist, tmp_path: Path) -> None:
    typist.type("rolling -e rollout_version=2.4.0")  # rollout 1
    typist.type("rolling -e rollout_version=2.4.1 --check", "batch 2")
    typist.type("rolling -e rollout_version=2.4.1 -e rollout_plan_only=true", "batch 2")
    assert set(fleet.versions().values()) == {"2.4.0"}
    typist.type("rolling -e rollout_version=2.4.1", 'rollout of "web" to 2.4.1: successfully rolled out')  # 2
    typist.type("rolling -e rollout_version=2.4.2")  # 3
    typist.type("restart")  # 4
    typist.type("status", "4 of 4 hosts run 2.4.2 and serve")
    typist.type("rollback")  # 5
    assert set(fleet.versions().values()) == {"2.4.1"}
    typist.type("rollback -e rollout_version=2.4.0")  # 6
    stops = Breakpoints(tmp_path / "stops", "Enable#1")
    run = typist.begin("rolling -e rollout_version=2.4.1 -e rollout_lock_wait=2m", **stops.settings)  # 7
    run.wait_until(lambda: stops.reached("Enable#1"), "the first batch is proved")
    run.kill_all()
    run.process.wait(60)
    typist.type("unlock", "rollout_id=7", code=2)
    typist.type("unlock -e rollout_id=7")
    typist.type("report -e rollout_id=7 -e rollout_report_path=/var/www/rollouts/", "web-7.html")
    typist.type("rollback -e \"rollout_reason='customers complain'\"")  # 8
    assert set(fleet.versions().values()) == {"2.4.0"}
    typist.type("rollback -e rollout_to_revision=3", "bad", code=2)
    typist.type("history", "customers complain")


def _with_a_person(typist: Typist, here: Path) -> None:
    run = typist.begin("rolling -e rollout_version=2.4.1")
    run.wait_until(lambda: "wave two waits for approval" in run.output, "the first wave is through")
    typist.type("pause -e \"rollout_reason='looking into an alarm'\"")
    typist.type("resume")
    typist.type("approve", "wave two is approved")
    run.wait_until(lambda: "wave three waits for approval" in run.output, "the second wave is through")
    typist.type("approve -e \"rollout_reason='error rate is fine'\"")
    watch = typist.begin("status -e rollout_watch=true -e rollout_watch_timeout=30m -e rollout_status_path=status.json")
    run.wait_until(lambda: "wave others waits for approval" in run.output, "the third wave is through")
    typist.type("pause -e \"rollout_reason='looking into an alarm'\"")
    typist.type("approve -e rollout_approve=others", "wave others is approved")
    typist.type("abort -e \"rollout_reason='wrong build'\"")
    assert "cancelled: aborted by" in run.end().text
    assert watch.end().rc == 2 and json.loads((here / "status.json").read_text())["state"] == "halted"
    typist.type("report")
    assert list(here.glob("web-*.html"))
    typist.type("lock -e \"rollout_reason='audit until Monday'\"")
    typist.type("unlock", "audit until Monday", code=2)
