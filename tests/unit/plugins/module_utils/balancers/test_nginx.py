# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fcntl
import os
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.balancers import nginx as nginx_module
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import Change
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.nginx import Nginx, _Worker
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError

TEXT = "upstream web { server 10.0.0.1:8080; server web2; server unix:/run/s down; }\n"


class World:
    """An nginx without processes: a reload replaces its workers."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = directory / "web.conf"
        self.file.write_text(TEXT)
        self.file.chmod(0o640)
        os.utime(self.file, (1000, 1000))
        self.workers = [_Worker(11, 2000, False), _Worker(12, 2000, False)]
        self.reloads = True
        self.commands: list[t.Sequence[str]] = []
        self.answer: tuple[int, str, str] = (0, f"# configuration file {self.file}:\n{TEXT}", "")
        world = self

        class Fake(Nginx):
            def _master(self) -> int:
                return 10

            def _workers(self) -> list[_Worker]:
                return world.workers

            def _command(self) -> list[str]:
                return ["nginx", "-T"]

        def run_command(words: t.Sequence[str], **_options: t.Any) -> tuple[int, str, str]:
            self.commands.append(words)
            return self.answer

        Fake.run_command = staticmethod(run_command)
        self.nginx = Fake(str(self.file), "/run/nginx.pid", 0.2)
        monkeypatch.setattr(nginx_module.os, "kill", self._reload)

    def _reload(self, pid: int, number: int) -> None:
        assert pid == 10
        if self.reloads:
            last = max(worker.pid for worker in self.workers)
            old = [_Worker(worker.pid, worker.started, True) for worker in self.workers[:1]]
            self.workers = [_Worker(last + 1, time.time(), False), *old]

    def admins(self) -> list[tuple[str, bool]]:
        return [(one.admin, one.in_service) for one in self.nginx.read("web").members]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_members(world: World) -> None:
    one, two, three = world.nginx.read("web").members
    assert (one.name, one.address, one.port, one.health, one.status, one.sessions) == (
        "10.0.0.1:8080",
        "10.0.0.1",
        8080,
        "unchecked",
        "up",
        None,
    )
    assert (two.address, two.port) == ("web2", 80)
    assert (three.admin, three.in_service, three.address, three.port, three.status) == ("maintenance", False, None, None, "down")
    assert world.nginx.pools() == ["web"] and world.commands == [] and os.listdir(world.file.parent) == ["web.conf"]


def test_old_workers_are_work_for_those_that_are_out(world: World) -> None:
    assert world.nginx.apply("web", [Change("web2", "maintenance"), Change("10.0.0.1:8080", "maintenance")]) == {}
    assert world.file.read_text() == "upstream web { server 10.0.0.1:8080 down; server web2 down; server unix:/run/s down; }\n"
    assert len(world.commands) == 1, "one reload for all"
    assert [one.sessions for one in world.nginx.read("web").members] == [1, 1, 1]
    assert "1 old workers shutting down" in world.nginx.read("web").members[0].status
    world.workers = world.workers[:1]
    assert [one.sessions for one in world.nginx.read("web").members] == [0, 0, 0]


def test_mode_and_times_stay_as_they_should(world: World) -> None:
    world.nginx.apply("web", [Change("web2", "maintenance")])
    assert world.file.stat().st_mode & 0o777 == 0o640 and world.file.stat().st_mtime > 2000
    assert sorted(os.listdir(world.file.parent)) == [".web.conf.lock", "web.conf"]


def test_a_file_that_nginx_did_not_load_is_neither_in_nor_out(world: World) -> None:
    os.utime(world.file, (3000, 3000))
    assert world.admins() == [("ready", False), ("ready", False), ("drain", False)]
    assert {one.health for one in world.nginx.read("web").members} == {"unknown"}
    # The order is given again, although the file says it already.
    assert world.nginx.apply("web", [Change("unix:/run/s", "maintenance")]) == {} and len(world.commands) == 1
    assert world.admins() == [("ready", True), ("ready", True), ("maintenance", False)]
    assert world.nginx.apply("web", [Change("unix:/run/s", "maintenance")]) == {} and len(world.commands) == 1


def test_a_refused_configuration_leaves_the_file_as_it_was(world: World) -> None:
    before = world.file.stat().st_mtime_ns
    world.answer = (1, "", 'nginx: [warn] x\nnginx: [emerg] unknown directive "x" in /etc/nginx/x.conf:1\n')
    with pytest.raises(RollingError, match=r'"nginx -T" refused the configuration: nginx: \[emerg\] unknown directive'):
        world.nginx.apply("web", [Change("web2", "maintenance")])
    assert (world.file.read_text(), world.file.stat().st_mtime_ns) == (TEXT, before)
    assert world.admins()[1] == ("ready", True)


def test_a_file_that_is_not_part_of_the_configuration(world: World) -> None:
    world.answer = (0, "# configuration file /etc/nginx/nginx.conf:\n", "")
    with pytest.raises(RollingError, match="nginx does not include"):
        world.nginx.apply("web", [Change("web2", "maintenance")])
    assert world.file.read_text() == TEXT


def test_a_reload_that_nothing_follows(world: World) -> None:
    world.reloads = False
    with pytest.raises(RollingError, match=r"0\.2s later its old workers still take requests"):
        world.nginx.apply("web", [Change("web2", "maintenance")])
    assert world.admins()[1] == ("drain", False), "not out: nginx may still send requests"


def test_refusals(world: World) -> None:
    refused = world.nginx.apply("web", [Change("nope:1", "maintenance"), Change("web2", weight=3), Change("10.0.0.1:8080", agent=True)])
    assert refused["nope:1"] == "there is no server nope:1" and set(refused) == {"nope:1", "web2", "10.0.0.1:8080"}
    assert world.file.read_text() == TEXT and world.commands == []
    with pytest.raises(RollingError, match=r"no upstream 'nope' in .*web.conf; there are: web\."):
        world.nginx.read("nope")
    world.file.write_text("upstream web { server a; server a; }")
    with pytest.raises(RollingError, match="line 1: a is there twice"):
        world.nginx.read("web")


def test_without_commands_it_only_looks(world: World, tmp_path: Path) -> None:
    type(world.nginx).run_command = None
    assert world.nginx.read("web").in_service == 2
    with pytest.raises(RollingError, match="can only be changed by the module"):
        world.nginx.apply("web", [Change("web2", "maintenance")])
    assert world.file.read_text() == TEXT


def test_an_editor_that_saves_at_the_same_moment_wins(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    copystat = nginx_module.shutil.copystat

    def save(*names: str) -> None:
        copystat(*names)
        world.file.write_text("upstream web { server web2; }")

    monkeypatch.setattr(nginx_module.shutil, "copystat", save)
    with pytest.raises(RollingError, match="Somebody else changed"):
        world.nginx.apply("web", [Change("web2", "maintenance")])
    assert world.file.read_text() == "upstream web { server web2; }" and len(os.listdir(world.file.parent)) == 2


def test_a_lock_that_is_held_is_waited_for(world: World) -> None:
    with (world.file.parent / ".web.conf.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        assert world.nginx.read("web").in_service == 2, "looks do not keep each other out"
        with pytest.raises(RollingError, match=r"has held .*web\.conf\.lock for 0\.2s"):
            world.nginx.apply("web", [Change("web2", "maintenance")])
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(RollingError, match="has held"):
            world.nginx.read("web")


@pytest.mark.parametrize("address", ["", "web.conf", "/a?pid=b", "/a?pidfile=/b", "?pid=/a", "http://a"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(InputError, match="is no nginx address; give the absolute path"):
        Nginx.open(address, 1)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(RollingError, match=r"cannot be read \(No such file"):
        Nginx.open(str(tmp_path / "none"), 1)
    file, pid = tmp_path / "web.conf", tmp_path / "pid"
    file.write_text(TEXT)
    with pytest.raises(RollingError, match=r"No nginx runs by .*pid \(No such file"):
        Nginx.open(f"{file}?pid={pid}", 1)
    pid.write_text("x")
    with pytest.raises(RollingError, match="holds no number"):
        Nginx.open(f"{file}?pid={pid}", 1)
    pid.write_text(str(os.getpid()))
    with pytest.raises(RollingError, match="is no master of nginx"):
        Nginx.open(f"{file}?pid={pid}", 1)


def test_the_command_is_that_of_the_running_nginx(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file, pid = tmp_path / "web.conf", tmp_path / "pid"
    file.write_text(TEXT)
    pid.write_text("77")
    monkeypatch.setattr(nginx_module, "_title", lambda pid: "nginx: master process nginx -c /a.conf -g daemon off; -p /srv")
    monkeypatch.setattr(nginx_module.os, "readlink", lambda path: "/usr/sbin/nginx (deleted)")
    nginx = Nginx.open(f"{file}?pid={pid}", 1)
    assert nginx._command() == ["/usr/sbin/nginx", "-T", "-c", "/a.conf", "-p", "/srv"]
    (tmp_path / "pid.oldbin").touch()
    with pytest.raises(RollingError, match="being upgraded"):
        nginx.read("web")
