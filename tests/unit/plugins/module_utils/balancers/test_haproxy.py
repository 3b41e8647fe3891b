# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from unit.plugins.module_utils.balancers.test_haproxy_replies import RECORDINGS, TRUTH

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import Change
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.haproxy import HAProxy
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError

RECORDED = RECORDINGS["2.8"]


class Script:
    """A channel that answers from a table; what is not in it is an order that succeeds."""

    def __init__(self, **answers: str) -> None:
        numbered = {"show stat -1 2 -1": RECORDED.backends, "show stat 3 6 -1": RECORDED.web_stat, "show stat 4 6 -1": RECORDED.empty_stat}
        self.answers = {
            **numbered,
            "show servers state web": RECORDED.web_state,
            "show servers state empty": RECORDED.empty_state,
            "show info": "Pid: 1\nStopping: 0\nJobs: 4",
            **answers,
        }
        self.sent: list[list[str]] = []
        self.closed = False

    def ask(self, commands: t.Sequence[str]) -> list[str]:
        self.sent.append(list(commands))
        return [self.answers.get(command, "") for command in commands]

    def ask_old_workers(self, commands: t.Sequence[str]) -> dict[str, list[str]]:
        """As a master with two old workers."""
        return {pid: self.ask(commands) for pid in ("71", "72")}

    def ask_worker(self, pid: str, commands: t.Sequence[str]) -> list[str]:
        return self.ask([f"@!{pid} {command}" for command in commands])

    def close(self) -> None:
        self.closed = True


def haproxy(*scripts: Script, master: Script | None = None) -> HAProxy:
    """One that is connected to the scripts, one after another; the last one stays."""
    waiting = list(scripts)

    def connect() -> t.Any:
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    balancer = HAProxy("/run/h.sock", connect, lambda _address: t.cast(t.Any, master))
    if master:
        balancer.include_old_workers("/run/m.sock")
    return balancer


def test_a_pool_is_read_by_its_number_in_one_go() -> None:
    script = Script()
    balancer = haproxy(script)
    assert [one.name for one in balancer.read("web", ["up"]).members] == list(TRUTH)
    assert balancer.read("web").in_service == sum(serving for _admin, _health, serving, _weight, _agent in TRUTH.values())
    assert balancer.pools() == ["web", "empty"]
    read = ["show stat 3 6 -1", "show servers state web", "show info"]
    assert script.sent == [["show stat -1 2 -1", "show info"], read, read, ["show stat -1 2 -1", "show info"]]


def test_where_all_members_are_is_one_question() -> None:
    script = Script(**{"show servers state": RECORDED.web_state})
    assert {one.name for one in haproxy(script).locations()} == set(TRUTH) - {"unix"}
    assert script.sent == [["show servers state", "show info"]]


def test_an_unknown_pool_is_an_error_that_lists_what_exists() -> None:
    with pytest.raises(RollingError, match=r"no backend 'nope' on the HAProxy at /run/h.sock; there are: web, empty\."):
        haproxy(Script()).read("nope")


def test_a_server_added_between_the_two_answers_is_read_again() -> None:
    script = Script()
    short = RECORDED.web_state.rsplit("\n", 1)[0]
    script.answers["show servers state web"] = short
    asked = script.ask

    def ask(commands: t.Sequence[str]) -> list[str]:
        answers = asked(commands)
        if len(script.sent) == 2:
            script.answers["show servers state web"] = RECORDED.web_state
        return answers

    script.ask = ask  # type: ignore[method-assign]
    assert len(haproxy(script).read("web").members) == len(TRUTH)
    with pytest.raises(RollingError, match="does not list the servers"):
        haproxy(Script(**{"show servers state web": short})).read("web")


def test_orders() -> None:
    script = Script()
    refused = haproxy(script).apply(
        "web",
        [
            Change("a", admin="drain", agent=False),
            Change("b", admin="maintenance"),
            Change("c", admin="ready", weight=7, agent=True),
            Change("d", weight=0),
        ],
    )
    assert refused == {}
    assert script.sent == [
        [
            "disable agent web/a",
            "set server web/a state drain",
            "set server web/b state maint",
            "set server web/c weight 7",
            "set server web/c state ready",
            "enable agent web/c",
            "set server web/d weight 0",
            "show info",
        ]
    ]
    assert haproxy(script).cut("web", ["a", "b"]) == {}
    assert script.sent[1] == ["shutdown sessions server web/a", "shutdown sessions server web/b", "show info"]


def test_any_answer_to_an_order_is_a_refusal() -> None:
    script = Script(
        **{
            "set server web/a state drain": "No such server.",
            "set server web/b weight 3": "Static.",
            "set server web/b state ready": "Too.",
        }
    )
    refused = haproxy(script).apply("web", [Change("a", admin="drain"), Change("b", admin="ready", weight=3), Change("c", admin="drain")])
    assert refused == {
        "a": 'HAProxy refused "set server web/a state drain": No such server.',
        "b": 'HAProxy refused "set server web/b weight 3": Static.',
    }


def test_a_missing_permission_is_one_error_that_says_what_to_configure() -> None:
    script = Script(**{"set server web/a state drain": "Permission denied"})
    with pytest.raises(RollingError, match=r'/run/h.sock refused .*permission denied\. Give this socket "level admin"'):
        haproxy(script).apply("web", [Change("a", admin="drain"), Change("b", admin="drain")])


@pytest.mark.parametrize(
    "name", ["", "a b", "a;b", "a/b", "a\nb", "a\n", "a'b", 'a"b', "a\\b", "a\x00b", "a\tb", "#a", "<<", "é", "a,b", "²"]
)
def test_names_that_could_be_commands(name: str) -> None:
    with pytest.raises(InputError, match="cannot be a haproxy name; use letters, digits"):
        HAProxy.check_names("members", ["web1", name])


def test_names_that_haproxy_allows() -> None:
    HAProxy.check_names("members", ["web1", "WEB-1.example.com:8080", "_", "1"])


STOPPING = {"show info": "Stopping: 1"}


def test_after_a_reload_the_new_process_is_asked() -> None:
    """The connection from before still leads to the old one, and the new one may number its backends otherwise."""
    old, new = Script(**STOPPING), Script()
    balancer = haproxy(old, new)
    assert balancer.apply("web", [Change("a", admin="drain")]) == {}
    assert old.closed and new.sent == [["set server web/a state drain", "show info"]]
    old, new = Script(), Script(**{"show stat -1 2 -1": RECORDED.backends.replace(",3,", ",7,"), "show stat 7 6 -1": RECORDED.web_stat})
    balancer = haproxy(old, new)
    balancer.read("web")
    old.answers |= STOPPING
    assert len(balancer.read("web").members) == len(TRUTH)
    assert old.closed and not new.closed


def test_who_lost_the_right_to_order_meanwhile_does_not_repeat_an_order() -> None:
    """As a controller that was stopped before the answer, whose lease another one has when it goes on."""

    def forbid() -> None:
        raise RollingError("it has lost its lease")

    new = Script()
    balancer = haproxy(Script(**STOPPING), new)
    balancer.allowed = forbid
    with pytest.raises(RollingError, match="it has lost its lease"):
        balancer.apply("web", [Change("a", admin="drain")])
    assert new.sent == []


def test_a_haproxy_that_stops_for_good_is_an_error() -> None:
    for ask in (lambda one: one.read("web"), lambda one: one.apply("web", [Change("a", admin="drain")]), HAProxy.pools):
        with pytest.raises(RollingError, match=r"The HAProxy at /run/h.sock is stopping\."):
            ask(haproxy(Script(**STOPPING)))


def test_old_workers_count_and_lose_their_sessions_too() -> None:
    stat = "# pxname,svname,scur,qcur,stot,\nweb,up,2,1,40,\nempty,up,9,9,9,\nweb,gone,1,0,7,"
    sessions = (
        "0x5a1: proto=tcpv4 be=web srv=up ts=00\n0x5a2: proto=tcpv4 be=empty srv=up ts=00\n0x5a3: proto=unix be=<NONE> srv=<none> ts=0"
    )
    master = Script(**{"show stat -1 4 -1": stat, "show sess": sessions})
    balancer = haproxy(script := Script(), master=master)
    members = {one.name: one for one in balancer.read("web").members}
    assert (members["up"].sessions, members["up"].queued, members["up"].requests) == (4, 2, 80), "two workers with the same"
    assert members["drained"].sessions == 0 and "gone" not in members
    balancer.cut("web", ["up"])
    assert script.sent[-1][0] == "shutdown sessions server web/up"
    assert master.sent[-2:] == [["@!71 shutdown session 0x5a1"], ["@!72 shutdown session 0x5a1"]]
