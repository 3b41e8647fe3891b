# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import typing as t
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.fleets import plan

from ansible_collections.convoy.rolling.plugins.plugin_utils import last_words, private_line
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.last_words import LastWords
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.progress import progress_of

_PLAIN = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/j.db"


@pytest.fixture
def ticket(url: str) -> Ticket:
    ticket = Journal(url).open(plan(3, max_unavailable=1), (), Holder.of(os.getpid()), 100.0)
    Journal(url).leave(ticket, {"web1": {}}, 101.0)
    return ticket


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[list[t.Any]]:
    """What is to be done at exit; the signal handlers are put back."""
    at_exit: list[t.Any] = []
    monkeypatch.setattr(last_words.atexit, "register", lambda *call: at_exit.append(call))
    # Other tests arm words of theirs, which would be heard too.
    before = {number: signal.signal(number, plain) for number, plain in _PLAIN.items()}
    yield at_exit
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def said(registered: list[t.Any]) -> list[str]:
    return []


@pytest.fixture
def words(said: list[str], url: str, ticket: Ticket) -> LastWords:
    words = LastWords(said.append)
    private_line.tell({"rollout": ticket.rollout, "state_url": url})
    return words


def seen(url: str, **different: t.Any) -> dict[str, t.Any]:
    return {**progress_of(Journal(url).rollout(1), ["web3"]), **different}


def test_open_rollout_is_told_from_the_journal_once(words: LastWords, said: list[str], registered: list[t.Any], url: str) -> None:
    words.see(seen(url))
    words.see(seen(url))
    ((speak, *why),) = [call for call in registered if call[0] == words.speak]
    speak(*why)
    assert said == [
        'rollout 1 of "web" to 2.0: not finished: the run ended before the rollout did',
        "  0 of 3 hosts were updated",
        "  out of rotation, or on its way: web1 (taken out by a rollout)",
        "  next: ansible-playbook convoy.rolling.rolling -e rollout_version=2.0",
    ]
    speak(*why)
    assert len(said) == 4


def test_journal_that_is_gone_leaves_what_was_seen_last(words: LastWords, said: list[str], url: str, tmp_path: Path) -> None:
    words.see(seen(url, trouble={"web2": "status 503"}))
    (tmp_path / "j.db").write_text("a shopping list" * 100)
    words.speak("x")
    assert "as it was seen last: the journal at rollout_state_url" in said[1]
    assert said[3:] == [
        "  out of rotation, or on its way: web3 (taken out by a rollout)",
        "  next: ansible-playbook convoy.rolling.rolling -e rollout_version=A_GOOD_VERSION",
    ]


def test_run_that_ends_before_its_rollout_names_who_is_out_since_an_earlier_one(said: list[str], registered: list[t.Any], url: str) -> None:
    words = LastWords(said.append)
    private_line.tell({"app": "web", "version": "2.0", "state_url": url})
    words.listen()
    ((speak, *why),) = registered
    speak(*why)
    assert said == []
    Journal(url).leave(Journal(url).open(plan(3, max_unavailable=1), (), Holder.of(os.getpid()), 100.0), {"web1": {}}, 101.0)
    private_line.tell({"app": "web", "version": "2.0", "state_url": url})
    words.listen()
    words.speak("ended by SIGINT")
    assert said == [
        'rollout of "web": not begun: ended by SIGINT',
        "  out of rotation, or on its way: web1 (taken out by a rollout)",
        "  next: ansible-playbook convoy.rolling.rolling -e rollout_version=2.0",
    ]


def test_rollout_that_another_ended_is_told_as_it_ended(words: LastWords, said: list[str], ticket: Ticket, url: str) -> None:
    words.see(seen(url))
    Journal(url).close(ticket, Verdict.CANCELLED, "superseded by rollout 2", 102.0, back=["web1"])
    words.speak("x")
    assert said == [
        'rollout 1 of "web" to 2.0: cancelled: superseded by rollout 2; this run moved nothing more',
        "  nobody was left out of rotation",
        "  next: ansible-playbook convoy.rolling.status",
    ]


@pytest.mark.parametrize("end", [{"verdict": "halted"}, {"rollout": None, "verdict": "converged"}])
def test_rollout_that_has_its_verdict_needs_no_more_words(words: LastWords, said: list[str], url: str, end: dict[str, t.Any]) -> None:
    words.see(seen(url))
    words.see(seen(url, **end))
    words.speak("x")
    assert said == []


def test_only_the_process_that_runs_the_playbook_speaks(
    words: LastWords, said: list[str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words.see(seen(url))
    monkeypatch.setattr(os, "getpid", lambda: 1)
    words.speak("x")
    assert said == []


def test_sigterm_does_what_it_did_before_after_the_words(words: LastWords, said: list[str], url: str) -> None:
    """As ansible-core from 2.19 on catches it; what it does when nobody caught it, tests/integration shows."""
    signal.signal(signal.SIGTERM, lambda number, _frame: said.append(f"caught {number}"))
    words.see(seen(url))
    signal.raise_signal(signal.SIGTERM)
    assert (said[0].endswith("not finished: ended by SIGTERM"), said[-1]) == (True, "caught 15")


class Timer:
    """Of which a test says when it is over."""

    started: t.ClassVar[list[Timer]] = []

    def __init__(self, seconds: float, call: t.Callable[..., None], arguments: t.Sequence[t.Any]) -> None:
        self.seconds, self.ring, self.daemon = seconds, lambda: call(*arguments), False

    def start(self) -> None:
        self.started.append(self)


@pytest.mark.parametrize("ends", [False, True], ids=["hangs", "ends"])
def test_interrupted_run_that_does_not_end_speaks_all_the_same(
    ends: bool, words: LastWords, said: list[str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ansible-core does, when a worker died with the lock of its results' queue."""
    monkeypatch.setattr(last_words.threading, "Timer", Timer)
    words.see(seen(url))
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    if ends:
        words.speak("the run ended before the rollout did")
    timer = Timer.started.pop()
    assert timer.daemon and not Timer.started and bool(said) is ends
    timer.ring()
    why = "the run ended before the rollout did" if ends else "interrupted, and ansible-playbook does not end by itself: press Ctrl-C again"
    assert said[0] == f'rollout 1 of "web" to 2.0: not finished: {why}'
    assert len(said) == 4


def test_signal_that_was_to_do_nothing_does_nothing(words: LastWords, said: list[str], url: str) -> None:
    """As under nohup."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    words.see(seen(url))
    signal.raise_signal(signal.SIGTERM)
    assert said == []


def test_line_in_the_middle_of_another_is_written_past_it(url: str, ticket: Ticket, registered: list[t.Any], capfd: t.Any) -> None:
    def busy(_line: str) -> None:
        raise RuntimeError("reentrant call inside <_io.BufferedWriter>")

    words = LastWords(busy)
    private_line.tell({"rollout": ticket.rollout, "state_url": url})
    words.see(seen(url))
    words.speak("x")
    assert "out of rotation, or on its way: web1" in capfd.readouterr().out
