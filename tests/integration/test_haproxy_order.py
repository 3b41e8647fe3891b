# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our order and the usual recipe's side by side: every app is killed under mixed load that nobody retries, and starts slowly."""

from __future__ import annotations

import time
import typing as t
from contextlib import ExitStack
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.members import run
from fleet.clients import Clients
from fleet.haproxy import Balancer, versions
from fleet.load import Kind
from fleet.ports import Ports
from fleet.stands import App
from fleet.waiting import wait_until

KINDS = (
    Kind("keep-alive", "/", workers=6, share=None),
    Kind("close", "/", workers=4, share=None, keep=False),
    Kind("slow", "/slow?seconds=3", workers=4, share=None),
    Kind("sticky", "/sticky/", workers=6, share=None, cookie=True),
)
# Listens late, and is not ready for a while after that.
_SLOW_TO_START = {"listen_delay": 0.5, "unready": 1.5}


class Site:
    """Three apps behind one HAProxy, each in the pools web and sticky."""

    pools = ("sticky", "web")

    def __init__(self, binary: str, directory: Path) -> None:
        self._stack = ExitStack()
        ports = Ports()
        self._stack.callback(ports.release)
        self.apps = {f"web{number}": App(f"web{number}", ports.take(), directory / f"app{number}") for number in (1, 2, 3)}
        self.haproxy = Balancer("lb", directory, directory, ports.take(), ports.take())
        for app in self.apps.values():
            self._stack.callback(app.kill)
            app.start()
        self._stack.callback(self.haproxy.stop)
        self.haproxy.start(binary, {name: app.port for name, app in self.apps.items()}, "500ms")
        # All of them were asked: HAProxy calls them UP before its first check.
        wait_until(
            lambda: all((one["status"], one["check_status"]) == ("UP", "L7OK") for one in self.haproxy.members()), 20, "every member"
        )

    def close(self) -> None:
        self._stack.close()

    def restart(self, name: str) -> None:
        """SIGKILL, and a start that is over at once, as a service manager's is."""
        self.apps[name].kill()
        self.apps[name].start(_SLOW_TO_START)

    def move(self, name: str, state: str, before: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """As the role does: one call a pool. Gives pool -> what the member had."""
        had = {}
        for pool in self.pools:
            options = {"provider": "haproxy", "address": str(self.haproxy.socket), "pool": pool, "members": [name], "state": state}
            (one,) = run({**options, "before": [before[pool]] if before else None, "wait_timeout": "30s"}, False)["members"]
            had[pool] = one["before"]
        return had

    def column(self, name: str, column: str) -> list[str]:
        return [one[column] for one in self.haproxy.members() if one["svname"] == name]

    def ask(self, *commands: str) -> None:
        for command in commands:
            assert self.haproxy.ask(command).strip() == ""


def ours(site: Site) -> None:
    for name, app in site.apps.items():
        had = site.move(name, "drained", {})
        site.restart(name)
        for _number in range(3):
            wait_until(lambda app=app: app._get("/health")[0] == 200, 30, name)  # type: ignore[misc]
        site.move(name, "restored", had)


def the_recipe(site: Site) -> None:
    """What playbooks do with community.general.haproxy: drain and wait for scur 0, disable, restart, enable and wait for UP."""

    def wait_for(name: str, status: str, *, idle: bool = False) -> None:
        deadline = time.monotonic() + 30
        while not all(status in one for one in site.column(name, "status")) or (idle and set(site.column(name, "scur")) != {"0"}):
            assert time.monotonic() < deadline
            time.sleep(1)

    for name in site.apps:
        site.ask(*(f"set server {pool}/{name} state drain" for pool in site.pools))
        wait_for(name, "DRAIN", idle=True)
        site.ask(*(f"disable server {pool}/{name}" for pool in site.pools))
        site.restart(name)
        site.ask(*(f"enable server {pool}/{name}" for pool in site.pools))
        wait_for(name, "UP")


*_OLDER, _NEWEST = versions(differs=True)


@pytest.mark.parametrize("version", [_NEWEST, *(pytest.param(one, marks=pytest.mark.exhaustive) for one in _OLDER)], ids=str)
def test_our_order_loses_nothing_where_the_recipe_does(version: str | None, binary_of: t.Callable[..., str], tmp_path: Path) -> None:
    lost = {}
    with ExitStack() as stack:
        site = Site(binary_of(version), tmp_path)
        stack.callback(site.close)
        for order in (ours, the_recipe):
            started = time.monotonic()
            with Clients(site.haproxy.url, KINDS) as clients:
                order(site)
            print(f"HAProxy {version or 'default'}, {order.__name__}: {clients} in {time.monotonic() - started:.1f} s")
            lost[order] = clients.failed.total()
            assert all(clients.sent[kind.name] for kind in KINDS) and clients.sent.total() > 100
    assert lost[ours] == 0
    assert lost[the_recipe] > 0, "the load would not have shown a loss"
