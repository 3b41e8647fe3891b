# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
import time
import typing as t
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.fleets import plan
from unit.plugins.plugin_utils.pictures import big_picture

from ansible_collections.convoy.rolling.plugins.module_utils.clock import SystemClock
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils import publisher
from ansible_collections.convoy.rolling.plugins.plugin_utils.history import Picture
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.outlets import EventsFile, Outlet, OutletTrouble
from fleet.waiting import wait_until

DONE = big_picture(2)
LIVE = Picture(dataclasses.replace(DONE.rollout, ended=None, verdict=None), DONE.events[:3])


class Controller:
    def __init__(self, gone: t.Sequence[bool] = ()) -> None:
        self._gone = list(gone)

    def is_gone(self) -> bool:
        return self._gone.pop(0) if self._gone else False


class Told(Outlet):
    name = "told"

    def __init__(self, *faults: Exception | None) -> None:
        self._faults = list(faults)
        self.given: list[tuple[int, bool]] = []

    def give(self, picture: Picture, last: bool) -> None:
        if self._faults and (fault := self._faults.pop(0)):
            raise fault
        self.given.append((len(picture.events), last))


def published(
    looks: t.Sequence[Picture | RollingError], *outlets: Outlet, gone: t.Sequence[bool] = ()
) -> list[tuple[bool, dict[str, str]]]:
    """What it said of how it fares."""
    left, said = list(looks), []

    def look() -> Picture:
        seen = left.pop(0)
        if isinstance(seen, RollingError):
            raise seen
        return seen

    def tell(done: bool, trouble: dict[str, str]) -> None:
        said.append((done, dict(trouble)))

    publisher.publish(Controller(gone), look, outlets, lambda _seconds: None, tell)
    assert not left
    return said


def test_everything_is_told_until_the_rollout_has_ended() -> None:
    told = Told()
    assert published([LIVE, LIVE, DONE], told) == [(False, {}), (True, {})]
    assert told.given == [(3, False), (3, False), (len(DONE.events), True)]


def test_controller_that_was_killed_ends_it_with_what_it_wrote_last() -> None:
    told = Told()
    assert published([LIVE, LIVE], told, gone=[False, True])[-1] == (True, {})
    assert told.given[-1] == (3, True)


def test_trouble_of_one_is_said_once_and_the_others_go_on() -> None:
    bad, good = Told(OutletTrouble("full"), OutletTrouble("still full"), KeyError("ours")), Told()
    bad.name = "bad"
    assert published([LIVE, LIVE, LIVE, DONE], bad, good)[-1] == (True, {"bad": "full"})
    assert (len(bad.given), len(good.given)) == (1, 4)


def test_mistake_of_ours_is_trouble_like_any_other() -> None:
    assert published([DONE], Told(KeyError("ours")))[-1] == (True, {"told": "KeyError: 'ours'"})


def test_journal_that_fails_for_a_while_is_read_later() -> None:
    told = Told()
    published([RollingError("locked"), LIVE, RollingError("locked"), DONE], told)
    assert told.given == [(3, False), (3, False), (len(DONE.events), True)]


def test_rollout_that_ends_in_the_middle_of_a_look_is_told_to_its_end(journal: Journal) -> None:
    ticket = journal.open(plan(2, max_unavailable=1), (), Holder.of(os.getpid()), 100.0)
    read = journal.events

    def read_and_end(*arguments: t.Any) -> t.Any:
        events = read(*arguments)
        if journal.rollout(ticket.rollout).ended is None:
            journal.close(ticket, Verdict.CONVERGED, "all", 101.0)
        return events

    vars(journal).update(events=read_and_end)
    picture = publisher.Reader(journal, "web", ticket.rollout, 0).look()
    assert picture.rollout.ended is not None
    assert [event.kind for event in picture.events] == ["opened", "ended"]


# -- the process -------------------------------------------------------------------------------------------------------


@pytest.fixture
def journal(state: Path) -> Journal:
    return Journal(f"sqlite:///{state}/journal.db")


@pytest.fixture
def state() -> t.Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as path:
        yield Path(path)


def test_process_tells_what_anybody_writes_and_ends_with_the_rollout(journal: Journal, state: Path) -> None:
    ticket = journal.open(plan(2, max_unavailable=1), (), Holder.of(os.getpid()), time.time())
    lines, note = state / "events.jsonl", publisher.note_path(str(state), ticket.rollout, "files")
    url = f"sqlite:///{state}/journal.db"
    publisher.start(
        Holder.of(os.getpid()),
        lambda: publisher.Reader(Journal(url), "web", ticket.rollout, 0),
        [EventsFile(str(lines)), Told(OutletTrouble("no"))],
        note,
    )
    wait_until(Path(note).exists, 60, "the publisher to be at work")
    journal.close(ticket, Verdict.CONVERGED, "all", time.time())
    assert publisher.finish(str(state), ticket.rollout, SystemClock(), patience=60) == {"told": "no"}
    assert [json.loads(line)["kind"] for line in lines.read_text().splitlines()] == ["opened", "ended"]
    assert json.loads(Path(note).read_text())["done"]


def test_nobody_waits_for_a_publisher_that_is_gone_or_never_was(state: Path) -> None:
    assert publisher.finish(str(state), 1, SystemClock()) == {}
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    Path(publisher.note_path(str(state), 1, "files")).write_text(json.dumps({"pid": pid, "done": False, "trouble": {"a": "b"}}))
    began = time.monotonic()
    assert publisher.finish(str(state), 1, SystemClock(), patience=60) == {"a": "b"}
    assert time.monotonic() - began < 30


def test_who_takes_too_long_is_left_to_itself(state: Path) -> None:
    Path(publisher.note_path(str(state), 1, "network")).write_text(json.dumps({"pid": os.getpid(), "done": False, "trouble": {}}))
    assert publisher.finish(str(state), 1, SystemClock(), patience=0.05) == {}
