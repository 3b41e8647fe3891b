# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import typing as t

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import Change
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.caddy import Caddy
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.http_calls import NoReply, Reply
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError

HANDLER = {"@id": "web", "handler": "reverse_proxy", "upstreams": [{"dial": "10.0.0.1:80"}, {"dial": "[::1]:80"}, {"dial": "unix//run/s"}]}
CONFIG = {"apps": {"http": {"servers": {"fr/ont": {"routes": [{"handle": [HANDLER]}]}}}}}


class Api:
    """Caddy's admin API: knows one version of its configuration at a time."""

    def __init__(self) -> None:
        self.config: dict[str, t.Any] = copy.deepcopy(CONFIG)
        self.version = 1
        self.counts: t.Any = [{"address": dial["dial"], "num_requests": 2, "fails": 1} for dial in HANDLER["upstreams"]]  # type: ignore[index]
        self.before_patch: t.Callable[[], t.Any] = lambda: None
        self.patches: list[str] = []
        self.answers: dict[str, Reply] = {}

    def close(self) -> None:
        pass

    def send(self, method: str, url: str, body: t.Any = None, headers: t.Mapping[str, str] | None = None) -> Reply:
        if method in self.answers:
            return self.answers[method]
        path = url.removeprefix("http://c:2019")
        if method == "GET":
            value = self.config if path == "/config/" else self.counts
            return Reply(200, {"Etag": f'"/config/ {self.version}"'}, json.dumps(value))
        self.before_patch()
        self.patches.append(path)
        assert headers is not None
        if headers["If-Match"] != f'"/config/ {self.version}"':
            return Reply(412, {}, '{"error":"If-Match"}')
        self.version += 1
        self.config["apps"]["http"]["servers"]["fr/ont"] = body
        return Reply(200, {}, "")


def caddy(api: Api) -> Caddy:
    return Caddy("http://c:2019", t.cast(t.Any, api), 0.2)


def test_members() -> None:
    one, two, three = caddy(Api()).read("web").members
    assert (one.name, one.address, one.port, one.admin, one.health, one.in_service) == (
        "10.0.0.1:80",
        "10.0.0.1",
        80,
        "ready",
        "unchecked",
        True,
    )
    assert (one.sessions, one.check) == (2, "1 fails")
    assert (two.address, two.port, three.address, three.port) == ("::1", 80, None, None)
    assert caddy(Api()).pools() == ["web"]


def test_out_and_back() -> None:
    api = Api()
    assert caddy(api).apply("web", [Change("10.0.0.1:80", "maintenance"), Change("unix//run/s", "maintenance")]) == {}
    assert api.patches == ["/config/apps/http/servers/fr%2Font"], "one change for all"
    assert [(one.admin, one.in_service, one.sessions) for one in caddy(api).read("web").members] == [
        ("maintenance", False, 2),
        ("ready", True, 2),
        ("maintenance", False, 2),
    ]
    assert caddy(api).apply("web", [Change("10.0.0.1:80", "maintenance")]) == {} and len(api.patches) == 1
    assert caddy(api).apply("web", [Change("10.0.0.1:80", "ready"), Change("unix//run/s", "ready")]) == {}
    assert api.config == CONFIG


def test_a_change_of_somebody_else_in_between_is_kept() -> None:
    api = Api()

    def other() -> None:
        if api.version == 1:
            api.version = 2
            api.config["apps"]["http"]["servers"]["fr/ont"]["listen"] = [":81"]

    api.before_patch = other
    assert caddy(api).apply("web", [Change("10.0.0.1:80", "maintenance")]) == {}
    assert len(api.patches) == 2 and api.config["apps"]["http"]["servers"]["fr/ont"]["listen"] == [":81"]


def test_changes_without_end_are_given_up() -> None:
    api = Api()
    api.before_patch = lambda: setattr(api, "version", api.version + 1)
    with pytest.raises(RollingError, match=r"again and again for 0.2s"):
        caddy(api).apply("web", [Change("10.0.0.1:80", "maintenance")])
    assert api.config == CONFIG


def test_refusals() -> None:
    api = Api()
    refused = caddy(api).apply("web", [Change("no:1", "maintenance"), Change("10.0.0.1:80", weight=2), Change("[::1]:80", agent=False)])
    assert refused["no:1"] == "there is no upstream no:1" and len(refused) == 3 and api.patches == []
    with pytest.raises(RollingError, match=r"no reverse_proxy 'nope' on the Caddy at http://c:2019; there are: web\."):
        caddy(api).read("nope")
    api.config["apps"]["http"]["servers"]["fr/ont"]["routes"][0]["handle"][0]["dynamic_upstreams"] = {}
    with pytest.raises(RollingError, match="cannot be worked with: its members are found by dynamic_upstreams"):
        caddy(api).read("web")


def test_answers_that_are_no_yes() -> None:
    api = Api()
    api.answers["PATCH"] = Reply(500, {}, '{"error":"loading new config: no"}')
    with pytest.raises(RollingError, match=r"refused to change the members \(status 500, 'loading new config: no'\)\.$"):
        caddy(api).apply("web", [Change("10.0.0.1:80", "maintenance")])
    for reply in (
        Reply(200, {}, "{}"),
        Reply(200, {"Etag": "x"}, "<html>"),
        Reply(200, {"Etag": "x"}, "null"),
        Reply(404, {"Etag": "x"}, "{}"),
    ):
        api.answers["GET"] = reply
        with pytest.raises(RollingError, match="shows no configuration with an Etag"):
            caddy(api).pools()
    api.answers["GET"] = Reply(403, {}, '{"error":"host not allowed"}')
    with pytest.raises(RollingError, match=r'host not allowed.*"origins"'):
        caddy(api).pools()


def test_sessions_that_are_not_told_are_not_none() -> None:
    api = Api()
    caddy(api).apply("web", [Change("10.0.0.1:80", "maintenance")])
    api.counts = api.counts[1:]
    with pytest.raises(RollingError, match=r"does not say whether 10.0.0.1:80 still works"):
        caddy(api).read("web")
    for counts in (None, {}, [{}], [{"address": "a", "num_requests": None, "fails": 0}]):
        api.counts = counts
        with pytest.raises(RollingError, match="does not say"):
            caddy(api).read("web")


def test_nobody_there() -> None:
    class Silent(Api):
        def send(self, *_arguments: t.Any, **_more: t.Any) -> Reply:
            raise NoReply("Connection refused")

    with pytest.raises(RollingError, match=r'No Caddy answers at http://c:2019 \(Connection refused\); .*"admin"'):
        caddy(Silent()).pools()
    with pytest.raises(RollingError, match=r"No Caddy answers at http://127.0.0.1:1 "):
        Caddy.open("http://127.0.0.1:1", 1)


def test_a_call_that_is_cut_is_sent_again() -> None:
    class Swapping(Api):
        """Cuts every second call; a change is made nevertheless."""

        number = 0

        def send(self, *arguments: t.Any, **more: t.Any) -> Reply:
            self.number += 1
            reply = super().send(*arguments, **more)
            if self.number % 2:
                raise NoReply("Connection reset by peer", is_cut=True)
            return reply

    api = Swapping()
    assert caddy(api).apply("web", [Change("10.0.0.1:80", "maintenance")]) == {}
    assert caddy(api).read("web").in_service == 2 and api.version == 2

    class Cutting(Api):
        def send(self, *_arguments: t.Any, **_more: t.Any) -> Reply:
            raise NoReply("Connection reset by peer", is_cut=True)

    with pytest.raises(RollingError, match="No Caddy answers"):
        caddy(Cutting()).pools()


@pytest.mark.parametrize(
    "address",
    ["", "localhost:2019", "/run/caddy.sock", "http://", "http://a:x", "http://a:2019/config", "http://a?b", "http://a#b", "http://u:p@a"],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(InputError, match="is no Caddy address"):
        Caddy.open(address, 1)
