# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Balancer, Fleet, HostInput, Probe, check_target, read_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART

BALANCER: dict[str, t.Any] = {"name": "lb1", "address": "/run/lb1.sock", "pools": ["web"]}
GOOD: dict[str, t.Any] = {
    "rollout_app": "web",
    "rollout_root": "/srv/web",
    "rollout_artifact": "/tmp/web.tar.gz",
    "rollout_service": "web",
    "rollout_balancers": [BALANCER],
    "rollout_health": {"url": "http://web1/health"},
}


def good(**different: t.Any) -> dict[str, t.Any]:
    """A host's variables, but for what is different; without the ``rollout_`` in front."""
    return {**GOOD, **{f"rollout_{name}": value for name, value in different.items()}}


def read(version: str | None = "2.0", *others: dict[str, t.Any], **different: t.Any) -> Fleet:
    hosts = {"web1": good(**different)} | {f"web{number}": other for number, other in enumerate(others, 2)}
    return read_fleet(hosts, version)


def refused(call: t.Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in caught.value.message
    return caught.value.message


def test_fleet_as_it_was_typed() -> None:
    assert read(restart_command="restart-web") == Fleet(
        "web",
        (HostInput("web1", "/srv/web", "/tmp/web.tar.gz", "restart-web", Probe("url", "http://web1/health", (), (), None, True)),),
        (Balancer("lb1", "haproxy", "/run/lb1.sock", None, False, ("web",), {"web": {"web1": "web1"}}),),
    )


def test_several_balancers_and_pools_and_names() -> None:
    other = {
        "name": "lb2",
        "address": "10.0.0.2:9999",
        "host": "lb2.example",
        "become": "yes",
        "pools": "api",
        "member": "app-1",
        "port": "8080",
        "ignore_pools": "old",
    }
    found = read("2.0", good(balancers=[{**BALANCER, "pools": ["web", "admin"]}]), balancers=[BALANCER, other]).balancers
    assert [(one.name, one.pools, one.host, one.become) for one in found] == [
        ("lb1", ("admin", "web"), None, False),
        ("lb2", ("api",), "lb2.example", True),
    ]
    assert found[0].members == {"web": {"web1": "web1", "web2": "web2"}, "admin": {"web2": "web2"}}
    assert (found[1].members, found[1].ports) == ({"api": {"app-1": "web1"}}, {"web1": 8080})
    assert [one.ignore_pools for one in found] == [(), ("old",)]


def test_probe_as_it_was_typed() -> None:
    health = {"command": "/usr/bin/check", "from": "host", "status": 200, "conditions": "status == 'up'", "version": "build.version"}
    probe = read(health=health).hosts[0].probe
    assert probe == Probe("command", "/usr/bin/check", ("200",), ("status == 'up'",), "build.version", local=False)


@pytest.mark.parametrize(
    ("service", "restart"),
    [
        ("web", "systemctl restart -- web"),
        ("web@1.service", "systemctl restart -- web@1.service"),
        (r"srv-a\x2db.mount", r"systemctl restart -- 'srv-a\x2db.mount'"),
    ],
)
def test_service_becomes_a_restart(service: str, restart: str) -> None:
    assert (
        str(read(service=service).hosts[0].restart).partition(" || ")[0]
        == f"{restart.replace('restart', 'reset-failed')} 2>/dev/null; {restart}"
    )


@pytest.mark.parametrize(
    ("journal", "last"),
    [
        ("echo out of memory", "out of memory"),
        ("exit 1", 'See "systemctl status web"'),
        ("echo no journal >&2", 'See "systemctl status web"'),
    ],
)
def test_restart_that_fails_ends_with_what_the_unit_said(journal: str, last: str, tmp_path: Path) -> None:
    systemctl = (
        """[ "$1" = show ] && echo 123; [ "$1" = restart ] || exit 1; echo Job failed. >&2; echo 'See "systemctl status web"' >&2; exit 3"""
    )
    journalctl = f"""case "$*" in *_SYSTEMD_INVOCATION_ID=123*) {journal} ;; esac"""
    for name, script in (("systemctl", systemctl), ("journalctl", journalctl)):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = ["/bin/sh", "-c", read(service=r"web\x2d1").hosts[0].restart or ""]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr.splitlines()[-1]) == (3, "", last)


def test_command_of_ones_own_restarts_instead() -> None:
    assert read(restart_command="kill -HUP $(cat pid) && sleep 1").hosts[0].restart == "kill -HUP $(cat pid) && sleep 1"


@pytest.mark.parametrize("name", ["root", "artifact", "service"])
def test_what_a_release_needs_is_asked_for_by_name(name: str) -> None:
    message = refused(lambda: read(**{name: ""}))
    assert message.startswith(f"rollout_{name} is not set for web1; ")
    assert read(None, **{name: ""}), "a look needs none of them"
    assert read(deploy_tasks="deploy.yml", **{name: ""}), "tasks of one's own need none of them"


@pytest.mark.parametrize("version", [None, "", "  "])
def test_missing_version(version: t.Any) -> None:
    assert refused(lambda: check_target(version)).startswith("rollout_version is not set; ")


@pytest.mark.parametrize("version", ["latest", "stable", "main", "master", "HEAD", "Latest"])
def test_name_that_moves(version: str) -> None:
    message = refused(lambda: check_target(version))
    assert message.startswith(f"rollout_version: {version!r} is a name that moves")
    assert message.endswith("Nothing was touched.")


@pytest.mark.parametrize("version", ["../1", "a b", "1/2", 2.40, True, ["1"], {}, "x" * 129, "1\n"])
def test_what_names_no_release(version: t.Any) -> None:
    assert refused(lambda: check_target(version)).startswith("rollout_version: ")


def test_fleet_of_nobody() -> None:
    assert "no host of the play defines rollout_app" in refused(lambda: read_fleet({}, "2.0"))


@pytest.mark.parametrize(("app", "said"), [("api", "'api', 'web'"), ("", "'', 'web'"), (None, "'', 'web'")])
def test_one_rollout_is_for_one_app(app: t.Any, said: str) -> None:
    assert f"rollout_app: one rollout is for one app, the hosts say {said}" in refused(lambda: read("2.0", good(app=app)))


@pytest.mark.parametrize(
    ("different", "said"),
    [
        # rollout_balancers
        ({"balancers": "lb1"}, "rollout_balancers: 'lb1' of web1 is no list of load balancers"),
        ({"balancers": BALANCER}, "of web1 is no list of load balancers"),
        ({"balancers": ["lb1"]}, "rollout_balancers: 'lb1' of web1 is no dictionary with name, address and pools"),
        ({"balancers": ["http://me:hunter2@lb1"]}, "rollout_balancers: 'http://********@lb1' of web1 is no dictionary"),
        ({"balancers": "http://me:hunter2@lb1"}, "rollout_balancers: 'http://********@lb1' of web1 is no list"),
        (
            {"balancers": [{**BALANCER, "address": "http://me:hunter2@lb1"}]},
            "rollout_balancers.address: the URL of web1 has a user or password",
        ),
        ({"balancers": [{"address": "http://me:hunter2@lb1"}]}, "the entry 'http://********@lb1' of web1 lacks name and pools"),
        ({"balancers": [{"password": "hunter2"}]}, "the entry 'without a name' of web1 lacks name and address and pools"),
        ({"artifact": "https://me:hunter2@files/web.tar.gz"}, "rollout_artifact: the URL of web1 has a user or password in it"),
        ({"health": "http://me:hunter2@web1"}, "rollout_health: 'http://********@web1' of web1 is not understood"),
        ({"balancers": [{}]}, "lacks name and address and pools"),
        ({"balancers": [{"name": "lb1", "pools": ["web"]}]}, "the entry 'lb1' of web1 lacks address"),
        ({"balancers": [{**BALANCER, "pools": []}]}, "the entry 'lb1' of web1 lacks pools"),
        ({"balancers": [{**BALANCER, "pools": ["web", ""]}]}, "rollout_balancers.pools: ['web', ''] of web1 has an empty entry"),
        ({"balancers": [{**BALANCER, "pools": {"web": 1}}]}, "rollout_balancers.pools: {'web': 1} of web1 is no text"),
        ({"balancers": [{**BALANCER, "colour": "red"}]}, "the entry 'lb1' of web1 has colour, which is not among"),
        ({"balancers": [{**BALANCER, "address": ["a"]}]}, "rollout_balancers.address: ['a'] of web1 is no text"),
        ({"balancers": [{**BALANCER, "become": "perhaps"}]}, "rollout_balancers.become: 'perhaps' of web1 is neither yes nor no"),
        ({"balancers": [{**BALANCER, "port": "http"}]}, "port 'http' of web1 on 'lb1' is no port number"),
        ({"balancers": [{**BALANCER, "port": "²"}]}, "port '²' of web1 on 'lb1' is no port number"),
        ({"balancers": [{**BALANCER, "port": 0}]}, "port 0 of web1 on 'lb1' is no port number"),
        ({"balancers": [{**BALANCER, "port": 65536}]}, "port 65536 of web1 on 'lb1' is no port number"),
        (
            {"balancers": [BALANCER, {**BALANCER, "address": "/other"}]},
            "address of 'lb1' is '/other' for web1 and '/run/lb1.sock' for another host",
        ),
        # rollout_health
        ({"health": "http://web1"}, "rollout_health: 'http://web1' of web1 is not understood; it is a dictionary of"),
        ({"health": {"url": "http://web1", "port": 80}}, "rollout_health: port of web1 is not understood"),
        ({"health": {"status": 200}}, "rollout_health: web1 has none of url, tcp and command"),
        ({"health": {"url": "http://web1", "tcp": "web1:80"}}, "rollout_health: web1 has url and tcp of url, tcp and command"),
        ({"health": {"url": "http://web1", "from": "moon"}}, "rollout_health.from: 'moon' of web1 is neither controller nor host"),
        ({"health": {"url": {"a": 1}}}, "rollout_health.url: {'a': 1} of web1 is no text"),
        ({"health": {"url": "http://web1", "conditions": [{"a": 1}]}}, "rollout_health.conditions: {'a': 1} of web1 is no text"),
        # the rest
        ({"root": "srv/web"}, "rollout_root: 'srv/web' of web1 is not an absolute path"),
        ({"root": ["/srv"]}, "rollout_root: ['/srv'] of web1 is no text"),
        ({"restart_command": ["kill", "1"]}, "rollout_restart_command: ['kill', '1'] of web1 is no text"),
        ({"deploy_tasks": True}, "rollout_deploy_tasks: True of web1 is no text"),
        ({"service": "web; reboot"}, "rollout_service: 'web; reboot' of web1 is no name of a systemd unit"),
        ({"service": "$(reboot)"}, "is no name of a systemd unit"),
    ],
)
def test_bad_input_is_one_sentence_that_names_variable_and_host(different: dict[str, t.Any], said: str) -> None:
    message = refused(lambda: read(**different))
    assert said in message
    assert message.startswith("rollout_") and message.endswith("Nothing was touched.")


def test_two_hosts_are_never_one_member() -> None:
    message = refused(lambda: read("2.0", good(balancers=[{**BALANCER, "member": "web1"}])))
    assert message.startswith("rollout_balancers: web1 and web2 are both member 'web1' of pool 'web' on 'lb1'")


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["/srv", "web", "²", "\n", "\0"])
_KEYS = st.text(max_size=5) | st.sampled_from(
    ["name", "address", "pools", "member", "port", "become", "host", "provider", "url", "tcp", "command", "status", "from"]
)
_JUNK = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=8)
_ENTRIES = st.fixed_dictionaries(
    {"name": _JUNK, "address": _JUNK, "pools": _JUNK}, optional=dict.fromkeys(("member", "port", "become", "host", "provider"), _JUNK)
)
_HOST = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys((*GOOD, "rollout_restart_command", "rollout_deploy_tasks"), _JUNK),
        "rollout_app": st.just("web") | _JUNK,
        "rollout_root": st.just("/srv/web") | _JUNK,
        "rollout_balancers": st.lists(_ENTRIES, max_size=2) | _JUNK,
        "rollout_health": st.fixed_dictionaries({"url": _JUNK}, optional=dict.fromkeys(("status", "conditions", "version", "from"), _JUNK))
        | _JUNK,
    },
)


@given(st.dictionaries(st.sampled_from(["web1", "web2"]), _HOST), st.sampled_from(["2.0", None]))
def test_junk_raises_nothing_but_a_sentence(variables: dict[str, dict[str, t.Any]], version: str | None) -> None:
    for typed in (variables, {host: {**GOOD, **mine} for host, mine in variables.items()}):
        try:
            fleet = read_fleet(typed, version)
        except InputError as error:
            assert error.message
        else:
            assert [host.host for host in fleet.hosts] == list(typed)


@given(_JUNK)
def test_junk_is_no_version(version: t.Any) -> None:
    try:
        assert isinstance(check_target(version), str)
    except InputError as error:
        assert error.message.startswith("rollout_version")


def test_where_a_host_belongs() -> None:
    one = read(zone="eu-1", anti_affinity=["r1", "hv7"], priority="-3").hosts[0]
    assert (one.zone, one.apart, one.priority) == ("eu-1", ("r1", "hv7"), -3)
    assert read(zone=7, anti_affinity="r1").hosts[0].apart == ("r1",)
    assert read(zone="", anti_affinity=[], priority="").hosts[0] == read().hosts[0]


@pytest.mark.parametrize(
    ("different", "start"),
    [
        ({"zone": ["a"]}, "rollout_zone: ['a'] of web1 is no text"),
        ({"anti_affinity": [""]}, "rollout_anti_affinity: [''] of web1 has an empty entry"),
        ({"priority": "high"}, "rollout_priority: 'high' of web1 is no whole number"),
        ({"priority": 1.5}, "rollout_priority: '1.5' of web1 is no whole number"),
    ],
)
def test_what_is_no_zone_group_or_priority_is_refused(different: dict[str, t.Any], start: str) -> None:
    assert refused(lambda: read(**different)).startswith(start)


@pytest.mark.parametrize(
    ("different", "reboot", "mark"),
    [
        ({}, False, 'printf "unit %s" "$(systemctl show --property=InvocationID --value web)"'),
        ({"health": {"url": "http://web1/health", "started": "since"}}, False, ""),
        ({"service": "", "restart_command": "appctl restart"}, False, ""),
        ({"service": ""}, True, 'printf "boot %s" "$(cat /proc/sys/kernel/random/boot_id)"'),
    ],
)
def test_restart_knows_what_tells_two_processes_apart(different: dict[str, t.Any], reboot: bool, mark: str) -> None:
    nothing = {"rollout_root": "", "rollout_artifact": ""}  # it brings no release
    fleet = read_fleet({"web1": {**good(**different), **nothing}}, RESTART, reboot)
    assert (fleet.hosts[0].mark, fleet.reboot) == (mark, reboot)
    assert read(**different, deploy_tasks="x").hosts[0].mark == "", "a rollout to a version asks for nothing more"


def test_restart_wants_to_know_how() -> None:
    said = (
        "rollout_service is not set for web1; set it, or rollout_restart_command, or a task file of your own in rollout_deploy_tasks, or "
    )
    assert refused(lambda: read(RESTART, service="")).startswith(said)
    assert read(RESTART, service="", deploy_tasks="patch.yml")
