# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import threading
import typing as t
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from unit.plugins.module_utils.balancers.test_haproxy_replies import PROCESSES

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.haproxy_master import Master
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError

GONE = "Can't find the target PID matching the prefix '@!23748'\n"


@contextmanager
def master(path: Path, answer: t.Callable[[str], bytes | None], prompt: bytes = b"master> ") -> t.Iterator[list[str]]:
    """A socket that answers each line and prompts, never closing by itself but for None; gives the lines."""
    asked: list[str] = []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        while True:
            try:
                connection, _peer = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                while line := connection.recv(65536).decode():
                    asked.append(line.strip())
                    said = b"" if line == "prompt\n" else answer(line.strip())
                    if said is None:
                        break
                    for place in range(0, len(said + prompt), 7):
                        connection.sendall((said + prompt)[place : place + 7])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


def processes(line: str) -> bytes:
    return f"{PROCESSES['3.2']}\n".encode() if line == "show proc" else f"{line} done\n\n".encode()


def test_every_old_worker_is_asked_everything(tmp_path: Path) -> None:
    with master(tmp_path / "m", processes) as asked:
        answers = Master(str(tmp_path / "m"), 2).ask_old_workers(["show stat", "show info"])
    assert answers == {pid: [f"@!{pid} show stat done", f"@!{pid} show info done"] for pid in ("23748", "23701")}
    assert asked.count("show proc") == 2 and asked.count("prompt") == 4


@pytest.mark.parametrize("last_word", [GONE.encode(), None, b""], ids=["it says so", "it hangs up", "it says nothing"])
def test_a_worker_that_ends_meanwhile_is_left_out(tmp_path: Path, last_word: bytes | None) -> None:
    ended: list[str] = []

    def answer(line: str) -> bytes | None:
        if line.startswith("@!23748"):
            ended.append(line)
            return last_word
        return processes(line).replace(b"23748 ", b"# gone " if ended else b"23748 ")

    with master(tmp_path / "m", answer):
        assert Master(str(tmp_path / "m"), 2).ask_old_workers(["show stat"]) == {"23701": ["@!23701 show stat done"]}


def test_a_worker_that_is_there_and_does_not_answer_is_an_error(tmp_path: Path) -> None:
    with master(tmp_path / "m", lambda line: processes(line) if line == "show proc" else None):
        found = Master(str(tmp_path / "m"), 0.2)
        with pytest.raises(RollingError, match=r"did not behave as a HAProxy master socket: the connection broke \(it hung up\)\. Give"):
            found.ask_old_workers(["show stat"])


def test_a_worker_that_is_there_and_answers_nothing_has_said_nothing(tmp_path: Path) -> None:
    """Who asked can't use that: it is taken for no worker that has ended, nor for one without work."""
    with master(tmp_path / "m", lambda line: processes(line) if line == "show proc" else b"") as asked:
        found = Master(str(tmp_path / "m"), 0.2)
        assert found.ask_old_workers(["show stat"]) == {"23748": [""], "23701": [""]}
        assert asked.count("@!23748 show stat") > 1
        asked.clear()
        assert found.ask_worker("23748", ["shutdown session 0x1"]) == [""], "an order that succeeds answers nothing"
        assert asked.count("@!23748 shutdown session 0x1") == 1


def test_a_stats_socket_is_no_master(tmp_path: Path) -> None:
    with (
        master(tmp_path / "m", processes, prompt=b"\n> "),
        pytest.raises(RollingError, match=r"answered '>' and no prompt\. Give as master"),
    ):
        Master(str(tmp_path / "m"), 2)


def test_a_path_that_leads_nowhere(tmp_path: Path) -> None:
    with pytest.raises(RollingError, match=r"No HAProxy answers at .* Give as master what"):
        Master(str(tmp_path / "m"), 2)


def test_a_master_that_is_being_replaced_is_waited_for(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "m"))
    left.close()

    def come_back() -> None:
        later.enter_context(master(tmp_path / "n", processes))
        (tmp_path / "n").rename(tmp_path / "m")

    timer = threading.Timer(0.15, come_back)
    with ExitStack() as later:
        timer.start()
        assert set(Master(str(tmp_path / "m"), 5).ask_old_workers(["show stat"])) == {"23748", "23701"}
        timer.join()


def test_a_master_that_stays_away_is_an_error(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "m"))
    left.close()
    with pytest.raises(RollingError, match=r"Connection refused.* Give as master what"):
        Master(str(tmp_path / "m"), 0.2)
