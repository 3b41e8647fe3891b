# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shlex
import socket
import ssl

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.probes.transports import Wire, probe_command, probe_tcp, reason
from ansible_collections.convoy.rolling.plugins.module_utils.probes.verdicts import Answer


def test_an_open_port_passes(server):
    assert probe_tcp(server.address, 5) == Answer()


def test_a_closed_port_says_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        assert probe_tcp(f"127.0.0.1:{taken.getsockname()[1]}", 5).error == "Connection refused"


def test_a_name_that_is_not_there_says_so():
    assert probe_tcp("nosuch.invalid:80", 5).error


def test_a_port_that_does_not_answer_is_too_slow(monkeypatch):
    def hang(address, timeout):
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", hang)
    assert probe_tcp("a:80", 0.25).error == "no answer within 0.25 s"


class Commands:
    """A run_command that answers as told, with some patience."""

    def __init__(self, *answer):
        self.answer = answer
        self.given = None

    def __call__(self, args, **options):
        self.given = args
        assert options["expand_user_and_vars"] is False
        return self.answer


@pytest.mark.parametrize(
    ("ran", "answer"),
    [
        ((0, "out", "err"), Answer(0, "out")),
        ((0, "", "err"), Answer(0, "")),
        ((2, "out", "err"), Answer(2, "out")),
        ((2, "", "err"), Answer(2, "err")),
        ((137, "", "killed by another hand"), Answer(137, "killed by another hand")),
    ],
)
def test_what_a_command_comes_to(ran, answer):
    assert probe_command("check --now 'a b'", 5, Commands(*ran)) == answer


def test_a_command_runs_without_a_shell_and_bounded():
    commands = Commands(0, "", "")
    probe_command("check 'a b' $HOME", 1.5, commands)
    assert commands.given == ["timeout", "-s", "KILL", "1.500", "check", "a b", "$HOME"]
    assert shlex.join(commands.given[4:]) == "check 'a b' '$HOME'"


def test_a_command_that_was_killed_at_its_time_is_too_slow():
    assert probe_command("sleep 9", 0, Commands(-9, "so far", "")) == Answer(error="the command did not end within 0 s", body="so far")


def test_a_reason_is_the_root_of_the_matter():
    try:
        try:
            raise ConnectionResetError(104, "Connection reset by peer")
        except OSError as error:
            raise ValueError("http://u:p@a/ failed") from error
    except ValueError as error:
        assert reason(error) == "Connection reset by peer"
    assert reason(KeyError()) == "KeyError"
    assert reason(ssl.SSLError(1, "wrong version number")) == "TLS failed: wrong version number"


@pytest.mark.parametrize("early", [False, True])
def test_a_wire_ends_a_read_before_and_after_it_is_held(early):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire = Wire()
        if early:
            wire.cut()
        wire.hold(ours)
        if not early:
            wire.cut()
        ours.settimeout(5)
        assert ours.recv(1) == b""
        wire.release()


def test_a_wire_that_was_released_cuts_nothing():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire = Wire()
        wire.hold(ours)
        wire.release()
        wire.cut()
        theirs.send(b"x")
        assert ours.recv(1) == b"x"
