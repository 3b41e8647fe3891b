# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import threading
import time
import typing as t
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.balancers import haproxy_channel
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.haproxy_channel import Channel
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError

PROMPT = b"\n> "


@contextmanager
def server(path: Path, *sends: bytes, stay: bool = True, piece: int = 5) -> t.Iterator[list[bytes]]:
    """A socket that greets with a prompt, then after each write it gets sends the next of ``sends``; gives what it got."""
    got: list[bytes] = []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    done = threading.Event()

    def serve() -> None:
        connection, _peer = listener.accept()
        with connection, suppress(BrokenPipeError):
            for answer in (PROMPT, *sends):
                got.append(connection.recv(65536))
                for place in range(0, len(answer), piece):  # prompts torn
                    connection.sendall(answer[place : place + piece])
                    time.sleep(0.0005)
            if stay:
                done.wait(5)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield got
    finally:
        done.set()
        thread.join()
        listener.close()


def test_each_command_is_a_line_and_has_its_answer(tmp_path: Path) -> None:
    with server(tmp_path / "s", PROMPT + b"No such server.\n" + PROMPT + b"a\n\nb\n" + PROMPT) as got:
        channel = Channel(str(tmp_path / "s"), 2)
        assert channel.ask(["one", "two", "three"]) == ["", "No such server.", "a\n\nb"]
        channel.close()
    assert got == [b"prompt\n", b"one\ntwo\nthree\n"]


def test_many_commands_are_sent_in_portions(tmp_path: Path) -> None:
    with server(tmp_path / "s", PROMPT * 200, PROMPT * 50) as got:
        channel = Channel(str(tmp_path / "s"), 5)
        assert channel.ask([f"order {number}" for number in range(250)]) == [""] * 250
        channel.close()
    assert [sent.count(b"\n") for sent in got] == [1, 200, 50]


@pytest.mark.parametrize(
    ("answer", "stay", "reason"),
    [
        (b"half an ans", False, "closed the connection after 'half an ans'"),
        (b"", False, "closed the connection after nothing"),
        (b"half an ans", True, "did not answer within 0.2s"),
        (PROMPT + b"more", True, "said more than it was asked: 'more'"),
        (PROMPT + PROMPT, True, "said more than it was asked"),
        (b"x" * 2000, True, "longer than 1000 bytes"),
    ],
)
def test_a_bad_answer_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, stay: bool, reason: str) -> None:
    monkeypatch.setattr(haproxy_channel, "_LONGEST_ANSWER", 1000)
    with server(tmp_path / "s", answer, stay=stay, piece=5000):
        channel = Channel(str(tmp_path / "s"), 0.2)
        time.sleep(0.05)
        with pytest.raises(RollingError, match=reason) as caught:
            channel.ask(["show stat"])
        channel.close()
    assert "level admin" in caught.value.message and str(tmp_path / "s") in caught.value.message


def test_something_else_that_listens(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _peer = listener.accept()
        connection.recv(100)
        connection.sendall(b"HTTP/1.0 400 Bad request\r\n\r\n")
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(RollingError, match=r"HTTP/1\.0 400 Bad request.*stats socket ipv4@127"):
        Channel(address, 2)
    thread.join()
    listener.close()
    with pytest.raises(RollingError, match=r"Nothing answers at .* \(Connection refused\)"):
        Channel(address, 2)


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(RollingError, match=r"No HAProxy answers at .* \(No such file or directory\).*level admin"):
        Channel(str(tmp_path / "none"), 1)
    (tmp_path / "file").touch()
    with pytest.raises(RollingError, match="is not a socket"):
        Channel(str(tmp_path / "file"), 1)
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "left"))
    left.close()
    with pytest.raises(RollingError, match="Connection refused"):
        Channel(str(tmp_path / "left"), 1)
    with pytest.raises(RollingError, match=r"No HAProxy answers"):
        Channel(f"/{'long' * 50}", 1)


def test_a_socket_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> t.NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(haproxy_channel.os, "stat", refuse)
    with pytest.raises(RollingError, match=r"This user may not open .* with become"):
        Channel(str(tmp_path / "s"), 1)


@pytest.mark.parametrize("address", ["", "lb1", "haproxy.sock", "lb1:", ":9999", "::1:9999", "lb1:port", "http://lb1:9999", "a b:1"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(InputError, match=r"address: .* is no HAProxy address; give the absolute path"):
        Channel(address, 1)


def test_an_impossible_port() -> None:
    with pytest.raises(RollingError, match=r"Nothing answers at 127.0.0.1:99999"):
        Channel("127.0.0.1:99999", 1)
