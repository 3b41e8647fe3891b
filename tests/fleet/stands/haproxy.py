# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HAProxy before the apps, and the same HAProxy that is only switched by the apps' own health."""

from __future__ import annotations

import contextlib
import tempfile
import typing as t
from pathlib import Path

from fleet.haproxy import Balancer, find_haproxy
from fleet.stands import Missing, Stand

INTERVAL, FALL, RISE = "100ms", 2, 2


class HAProxyStand(Stand):
    provider = "haproxy"

    def __init__(self, directory: Path, version: str | None = None) -> None:
        try:
            self._binary = find_haproxy(version)
        except FileNotFoundError as error:
            raise Missing(str(error)) from error
        super().__init__(directory)
        self._sockets = tempfile.TemporaryDirectory()
        self.haproxy = Balancer("lb", directory, Path(self._sockets.name), self.port, self.ports.take())

    def name_of(self, number: int, port: int) -> str:
        return f"web{number}"

    def address(self, member: str) -> str:
        return str(self.haproxy.socket)

    def start(self) -> None:
        self.haproxy.start(self._binary, {name: app.port for name, app in self.apps.items()}, INTERVAL)

    def stop(self) -> None:
        self.haproxy.stop()
        self._sockets.cleanup()

    def configured(self) -> object:
        return [(one["svname"], one["status"], one["weight"]) for one in self.haproxy.members() if one["pxname"] == self.pool]

    @contextlib.contextmanager
    def refusing(self) -> t.Iterator[dict[str, t.Any]]:
        yield {"address": str(self.haproxy.operator_socket)}


class ReadinessStand(HAProxyStand):
    """Each app has its own switch, a file beside it."""

    provider = "readiness"
    pool = "local"

    def address(self, member: str) -> str:
        app = self.apps.get(member) or next(iter(self.apps.values()))
        looked_at = f"health=http://127.0.0.1:{app.port}/health&interval={INTERVAL}&fall={FALL}&rise={RISE}"
        return f"file:{app.out_file}?port={app.port}&{looked_at}&in_flight=in_flight&member={app.name}"

    def configured(self) -> object:
        return [path.name for app in self.apps.values() for path in app.directory.iterdir()]

    def orders(self) -> object:
        return [(path.name, path.stat().st_mtime_ns) for app in self.apps.values() for path in app.directory.iterdir()]

    @contextlib.contextmanager
    def refusing(self) -> t.Iterator[dict[str, t.Any]]:
        directory = list(self.apps.values())[0].directory  # noqa: RUF015 (pylint fears for next() in a generator)
        away = directory.rename(directory.with_name("away"))
        try:
            yield {}
        finally:
            away.rename(directory)


class CalledReadinessStand(ReadinessStand):
    """Each app is switched by calls."""

    def address(self, member: str) -> str:
        app = self.apps.get(member) or next(iter(self.apps.values()))
        return (
            f"http://127.0.0.1:{app.port}/health#out=/rotation/out&in=/rotation/in"
            f"&interval={INTERVAL}&fall={FALL}&rise={RISE}&member={app.name}&in_flight=in_flight"
        )

    @contextlib.contextmanager
    def refusing(self) -> t.Iterator[dict[str, t.Any]]:
        yield {"address": self.address(self.members[0]).replace("out=/", "out=http://127.0.0.1:1/")}
