# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

import pytest
from unit.plugins.module_utils.balancers.test_readiness_address import TABLE

from ansible_collections.convoy.rolling.plugins.module_utils.balancers import readiness as readiness_module
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import Change, Member
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.http_calls import NoReply, Reply
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.readiness import Readiness
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.readiness_address import switch
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError


class App:
    """An app with a health endpoint, on a host with a table of connections and a clock of its own."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.table = directory / "tcp"
        self.table.write_text(TABLE)
        self.file = directory / "out"
        self.status: int | None = 200
        self.body = '{"busy": 1}'
        self.calls: list[str] = []
        self.now = 100.0
        self.monkeypatch = monkeypatch
        monkeypatch.setattr(readiness_module.time, "monotonic", lambda: self.now)

    def send(self, method: str, url: str) -> Reply:
        self.calls.append(f"{method} {url}")
        if self.status is None:
            raise NoReply("Connection refused")
        if method == "POST":
            self.status = 503 if url.endswith("/out") else 200
            return Reply(204, {}, "")
        return Reply(self.status, {}, self.body)

    def close(self) -> None:
        pass

    def by_file(self, more: str = "") -> Readiness:
        return self.by(f"file:{self.file}?port=8080&interval=2s&fall=3{more}")

    def by_call(self, more: str = "") -> Readiness:
        return self.by(f"http://a:8080/h#out=/out&in=/in&interval=2s&fall=3{more}")

    def by(self, address: str) -> Readiness:
        return Readiness(switch(address), t.cast(t.Any, self), [str(self.table), "/nonexistent/tcp6"])

    def older(self, seconds: float) -> None:
        os.utime(self.file, (time.time() - seconds,) * 2)
        self.now += seconds


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    return App(tmp_path, monkeypatch)


def one(readiness: Readiness) -> Member:
    (member,) = readiness.read("local").members
    return member


def state(readiness: Readiness) -> tuple[str, str, bool]:
    member = one(readiness)
    return member.admin, member.health, member.in_service


OUT, BACK = [Change("self", "maintenance")], [Change("self", "ready")]


def test_a_file_counts_as_out_only_after_interval_times_fall(app: App) -> None:
    way = app.by_file()
    assert state(way) == ("ready", "unchecked", True)
    assert way.apply("local", OUT) == {} and app.file.exists()
    assert state(way) == ("drain", "unknown", True)
    app.older(5.9)
    assert state(way) == ("drain", "unknown", True)
    assert way.apply("local", OUT) == {}, "a file that is there keeps its time"
    app.older(6.1)
    assert state(way) == ("maintenance", "unknown", False) == state(app.by_file())
    assert way.apply("local", BACK) == {} and not app.file.exists()
    assert state(way) == ("ready", "rising", False)
    app.now += 4.1
    assert state(way) == ("ready", "unchecked", True)
    assert app.calls == []


def test_the_app_must_have_seen_the_file(app: App) -> None:
    way = app.by_file("&health=http://a:8080/h")
    way.apply("local", OUT)
    app.older(60)
    assert state(way) == ("drain", "unknown", True)
    app.status = 404
    app.now += 5.9
    assert state(way)[0] == "drain", "its answers were good until now"
    app.now += 0.2
    assert state(way)[0] == "maintenance"
    app.status = 200
    assert state(way)[0] == "drain", "an endpoint that is good again is no good sign"
    app.status, app.now = None, app.now + 7
    assert state(way)[0] == "maintenance", "an app that is down is out too"


def test_calls(app: App) -> None:
    way = app.by_call()
    assert state(way) == ("ready", "up", True)
    assert way.apply("local", OUT) == {}
    assert state(way) == ("drain", "unknown", True)
    app.now += 6.1
    assert state(way) == ("maintenance", "unknown", False) == state(app.by_call())
    assert way.apply("local", BACK) == {}
    assert state(way) == ("ready", "rising", False)
    app.now += 4.1
    assert state(way) == ("ready", "up", True)
    assert [call for call in app.calls if "POST" in call] == ["POST http://a:8080/out", "POST http://a:8080/in"]


def test_an_app_that_does_not_serve_is_not_up(app: App) -> None:
    for status in (500, 400, None):
        app.status = status
        assert state(app.by_call()) == ("ready", "down", False)
    app.status = 200
    app.table.write_text(TABLE.splitlines()[0])
    assert state(app.by_call()) == state(app.by_file()) == ("ready", "down", False)
    assert "nothing listens on port 8080" in one(app.by_file()).status


def test_sessions_are_the_kernels_or_the_apps(app: App) -> None:
    assert one(app.by_call()).sessions == 2
    assert one(app.by_call("&in_flight=busy")).sessions == 1
    app.status = None
    assert one(app.by_call("&in_flight=busy")).sessions == 2, "an app that does not answer may still work"
    app.status = 200
    for body in ("", "{}", '{"busy": true}', '{"busy": "1"}', "[1]"):
        app.body = body
        with pytest.raises(RollingError, match="without a whole number in 'busy'"):
            app.by_call("&in_flight=busy").read("local")


def test_refusals(app: App) -> None:
    refused = app.by_file().apply("local", [Change("web9", "maintenance")])
    assert "there is no member web9; this address has self" in refused["web9"] and not app.file.exists()
    assert "can only be taken out" in app.by_file().apply("local", [Change("self", weight=1)])["self"]
    assert "cannot be made: No such file" in app.by(f"file:{app.file}/../no/out?port=1").apply("local", OUT)["self"]
    with pytest.raises(RollingError, match="no pool 'web'; this address has the pool local"):
        app.by_file().read("web")
    app.status = None
    assert app.by_call().apply("local", OUT) == {"self": "POST http://a:8080/out was not answered: Connection refused"}
    app.send = lambda method, url: Reply(401, {}, "")  # type: ignore[method-assign]
    assert app.by_call().apply("local", OUT) == {"self": "POST http://a:8080/out was answered with status 401"}


def test_a_table_that_is_none(app: App) -> None:
    app.table.write_text("header\nnonsense\n")
    with pytest.raises(RollingError, match="needs Linux"):
        app.by_file().read("local")


def test_open(app: App) -> None:
    with Readiness.open(f"file:{app.file}?port=1&pool=web&member=web1", 1) as way:
        assert way.pools() == ["web"] and way.read("web").members[0].name == "web1"
    with pytest.raises(InputError, match="'a b' cannot be a readiness name"):
        Readiness.open("file:/out?port=1&member=a%20b", 1)
