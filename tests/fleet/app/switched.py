# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The app with a switch for its health endpoint: 503 while FLEET_OUT_FILE is there, or from POST /rotation/out to /rotation/in."""

from __future__ import annotations

import json
import os
import typing as t

from app import App


class SwitchedApp(App):
    def __init__(self, release: dict[str, t.Any], host: str, out_file: str) -> None:
        super().__init__(release, host)
        self._out_file = out_file
        self._told_out = False
        # Without those that ask for its health: a load balancer's checks would never let it be idle.
        self._clients = 0

    def answer(self, path: str) -> tuple[int, dict[str, t.Any]]:
        if path in ("/rotation/out", "/rotation/in"):
            self._told_out = path.endswith("out")
            return 200, {}
        if path == "/health":
            status, body = super().answer(path)
            body["in_flight"] = self._clients
            return (503 if self._told_out or os.path.exists(self._out_file) else status), body
        with self._lock:
            self._clients += 1
        try:
            return super().answer(path)
        finally:
            with self._lock:
                self._clients -= 1


if __name__ == "__main__":
    environment = os.environ
    app = SwitchedApp(json.loads(environment["FLEET_RELEASE"]), environment["FLEET_HOST"], environment["FLEET_OUT_FILE"])
    app.serve(int(environment["FLEET_PORT"]))
