# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ConnectionBase
from unit.plugins.plugin_utils.real_action import Run

from ansible_collections.convoy.rolling.plugins.plugin_utils import fanout
from ansible_collections.convoy.rolling.plugins.plugin_utils.fanout import Command, Outcome, run_on_hosts

LOCAL = {"ansible_connection": "local"}


class Action(ActionBase):
    """An action that does nothing."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        return {}


class Wire(ConnectionBase):
    """A connection that does what its host's name says."""

    transport = "wire"
    ran: t.ClassVar[dict[str, tuple[str, bytes]]] = {}
    put: t.ClassVar[dict[str, str]] = {}
    closed: t.ClassVar[set[str]] = set()
    _load_name = "local"

    def __init__(self, context: t.Any) -> None:
        super().__init__(context)
        self.host = context.remote_addr

    def _connect(self) -> None:
        pass

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        self.ran[self.host] = cmd, in_data or b""
        if self.host.startswith("unreachable"):
            raise AnsibleConnectionFailure("No route to host\nand more")
        if self.host.startswith("frozen"):
            threading.Event().wait(5)
        if self.host.startswith("broken"):
            raise RuntimeError("something nobody thought of")
        return 0, f"here is {self.host}\n".encode(), b""

    def put_file(self, in_path: str, out_path: str) -> None:
        self.put[self.host] = out_path
        if self.host.startswith("full"):
            raise OSError("no space left")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.closed.add(self.host)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> type[Wire]:
    for seen in (Wire.ran, Wire.put, Wire.closed):
        seen.clear()
    real = fanout.connection_loader

    class Loader:
        def get(self, kind: str, context: t.Any, **more: t.Any) -> t.Any:
            return Wire(context) if kind == "wire" else real.get(kind, context, **more)

    monkeypatch.setattr(fanout, "connection_loader", Loader())
    return Wire


def run(variables: dict[str, dict[str, t.Any]], command: Command | None = None, forks: int = 5, **task: t.Any) -> dict[str, Outcome]:
    commands = dict.fromkeys(variables, command or Command("echo hello"))
    return run_on_hosts(Run(**task).action(Action), variables, commands, forks)


def test_each_host_runs_its_own_command_with_its_own_python() -> None:
    variables = {"web1": LOCAL, "web2": {**LOCAL, "ansible_python_interpreter": "/opt/my python"}}
    commands = {"web1": Command('cat; echo "$PYTHON" >&2; exit 3', b"from stdin\n"), "web2": Command('echo "$PYTHON"')}
    assert run_on_hosts(Run().action(Action), variables, commands, 5) == {
        "web1": Outcome(3, "from stdin\n", "python3\n"),
        "web2": Outcome(0, "/opt/my python\n", ""),
    }


@pytest.mark.parametrize(
    ("variables", "python"),
    [
        ({}, "python3"),
        ({"ansible_python_interpreter": "auto_silent", "discovered_interpreter_python": "/usr/bin/python3.9"}, "/usr/bin/python3.9"),
    ],
)
def test_interpreter_that_ansible_discovered_is_taken(variables: dict[str, t.Any], python: str) -> None:
    assert run({"web1": {**LOCAL, **variables}}, Command('echo "$PYTHON"'))["web1"].stdout == f"{python}\n"


def test_file_of_the_controller_is_used_in_place_where_the_host_is_the_controller(tmp_path: Path) -> None:
    path = tmp_path / "it's a file"
    path.write_text("content")
    assert run({"web1": LOCAL}, Command('cat "$FILE"', file=str(path)))["web1"].stdout == "content"
    assert path.exists()


def test_what_needs_no_shell_here_has_none_and_what_follows_does() -> None:
    def raises() -> Outcome:
        raise RuntimeError("something nobody thought of")

    here = Command("exit 9", then="echo then", here=lambda: Outcome(0, "done\n"))
    assert run({"web1": LOCAL}, here)["web1"] == Outcome(0, "done\nthen\n")
    assert run({"web1": LOCAL}, Command("exit 9", then="echo then", here=lambda: Outcome(1, "no\n")))["web1"] == Outcome(1, "no\n")
    assert run({"web1": LOCAL}, Command("exit 9", here=raises))["web1"] == Outcome(255, "", "something nobody thought of")


@pytest.mark.parametrize("elsewhere", [{"ansible_connection": "wire"}, {"ansible_connection": "wire", "ansible_become": True}])
def test_what_needs_no_shell_here_goes_through_one_elsewhere(wire: type[Wire], elsewhere: dict[str, t.Any]) -> None:
    def never() -> Outcome:
        raise AssertionError

    assert run({"web1": elsewhere}, Command("first", then="second", here=never), become_method="sudo")["web1"].stdout == "here is web1\n"
    assert "first && { second\n}" in wire.ran["web1"][0]


def test_who_becomes_somebody_else_on_the_controller_goes_through_a_shell(monkeypatch: pytest.MonkeyPatch, wire: type[Wire]) -> None:
    monkeypatch.setattr(Wire, "transport", "local")
    commands = Command("first", here=lambda: Outcome(0, "in this process"))
    assert (
        run({"web1": {"ansible_connection": "wire", "ansible_become": True}}, commands, become_method="sudo")["web1"].stdout
        == "here is web1\n"
    )
    assert run({"web1": {"ansible_connection": "wire"}}, commands)["web1"].stdout == "in this process"


def test_small_file_is_sent_with_the_command_and_removed(wire: type[Wire], tmp_path: Path) -> None:
    (tmp_path / "web.tar.gz").write_bytes(b"\0content")
    run({"web1": {"ansible_connection": "wire"}}, Command('tar x "$FILE"', b"stdin", str(tmp_path / "web.tar.gz")))
    line, stdin = wire.ran["web1"]
    assert (wire.put, stdin) == ({}, b"stdin\0content")
    assert "FILE=/tmp/.convoy-" in line and "-web.tar.gz; SENT=8; " in line
    assert "rm -f /tmp/.convoy-" in line and line.endswith("; exit $status'")


def test_large_file_is_copied_used_and_removed_elsewhere(wire: type[Wire], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "_SMALL", 7)
    (tmp_path / "web.tar.gz").write_bytes(b"\0content")
    run({"web1": {"ansible_connection": "wire"}}, Command('tar x "$FILE"', b"stdin", str(tmp_path / "web.tar.gz")))
    assert wire.put["web1"].startswith("/tmp/.convoy-") and wire.put["web1"].endswith("-web.tar.gz")
    line, stdin = wire.ran["web1"]
    assert stdin == b"stdin" and "SENT=; " in line
    assert f"rm -f {wire.put['web1']}; exit $status" in line


def test_unreachable_host_does_not_hide_the_others(wire: type[Wire]) -> None:
    hosts = ["web1", "unreachable1", "broken1", "web2", "unreachable2"]
    outcomes = run({host: {"ansible_connection": "wire"} for host in hosts})
    assert list(outcomes) == hosts
    assert outcomes["web1"] == Outcome(0, "here is web1\n", "")
    assert outcomes["web2"].stdout == "here is web2\n"
    assert outcomes["unreachable1"] == outcomes["unreachable2"] == Outcome(unreachable="No route to host")
    assert outcomes["broken1"] == Outcome(255, "", "something nobody thought of")
    assert wire.closed == set(hosts)


def test_host_whose_copy_fails_has_failed(wire: type[Wire], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "_SMALL", 0)
    (tmp_path / "x").write_bytes(b"x")
    command = Command("true", file=str(tmp_path / "x"))
    assert run({"full1": {"ansible_connection": "wire"}}, command)["full1"] == Outcome(255, "", "no space left")


@pytest.mark.parametrize(
    "bad",
    [
        {"ansible_connection": "no_such_plugin"},
        {**LOCAL, "ansible_become": True, "ansible_become_method": "no_such_method"},
        {**LOCAL, "ansible_become": "perhaps"},
    ],
)
def test_host_that_cannot_even_be_tried_does_not_hide_the_others(bad: dict[str, t.Any]) -> None:
    outcomes = run({"web1": bad, "web2": LOCAL})
    assert outcomes["web1"].unreachable
    assert outcomes["web2"] == Outcome(0, "hello\n", "")


def test_host_that_ssh_cannot_reach_is_a_value() -> None:
    refuses = {
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_port": 1,
        "ansible_ssh_retries": 0,
        "ansible_ssh_args": "-F /dev/null",
    }
    outcomes = run({"web1": refuses, "web2": LOCAL})
    assert "Connection refused" in outcomes["web1"].unreachable
    assert "\n" not in outcomes["web1"].unreachable
    assert outcomes["web2"].stdout == "hello\n"


def test_as_many_at_a_time_as_there_are_forks(monkeypatch: pytest.MonkeyPatch, wire: type[Wire]) -> None:
    together = threading.Barrier(3, timeout=10)

    def meet(self: Wire, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        together.wait()
        return 0, b"", b""

    monkeypatch.setattr(Wire, "exec_command", meet)
    outcomes = run({f"web{number}": {"ansible_connection": "wire"} for number in range(6)}, forks=3)
    assert set(outcomes.values()) == {Outcome()}


def test_nobody_is_nothing_to_do() -> None:
    assert run({}) == {}


def test_host_that_becomes_root_does_so_and_what_that_says_is_left_out(monkeypatch: pytest.MonkeyPatch, wire: type[Wire]) -> None:
    def loud(self: Wire, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        self.ran[self.host] = cmd, b""
        return 0, b"BECOME-SUCCESS-abcdef\nhello\n", b""

    monkeypatch.setattr(Wire, "exec_command", loud)
    outcomes = run(
        {"web1": {"ansible_connection": "wire", "ansible_become": True}, "web2": {"ansible_connection": "wire", "ansible_become": False}},
        become=True,
        become_method="sudo",
    )
    assert outcomes["web1"] == Outcome(0, "hello\n")
    assert "sudo" in wire.ran["web1"][0]
    assert "sudo" not in wire.ran["web2"][0]


def test_host_that_says_nothing_is_unreachable_and_keeps_nobody(wire: type[Wire]) -> None:
    variables = {host: {"ansible_connection": "wire"} for host in ("frozen", "web1")}
    outcomes = run_on_hosts(Run().action(Action), variables, dict.fromkeys(variables, Command("echo hello")), 2, patience=0.1)
    assert outcomes["frozen"] == Outcome(unreachable="it did not answer within 0.1 s")
    assert outcomes["web1"].stdout == "here is web1\n"
