# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every member of a stand is killed and comes back, one after another, under load."""

from __future__ import annotations

import typing as t

from fleet.clients import Clients
from fleet.load import Kind
from fleet.stands import Stand
from fleet.waiting import wait_until

# The slow ones are always about: one begins as another ends.
KINDS = (
    Kind("keep-alive", "/", workers=4, share=None),
    Kind("close", "/", workers=4, share=None, keep=False),
    Kind("slow", "/slow?seconds=1", workers=4, share=None, keep=False),
)


def roll(stand: Stand, members: int = 3, **options: t.Any) -> Clients:
    """The roll of the first members, with a request in flight at each drain; returns what the clients saw."""
    with Clients(stand.url, KINDS, pause=0.03) as clients:
        for name, app in list(stand.apps.items())[:members]:
            wait_until(lambda app=app: app.in_flight > 0, 20, f"a slow request on {name}")  # type: ignore[misc]
            out = stand.run(name, state="drained", **options)["members"][0]
            assert (out["ok"], out["after"]["in_service"]) == (True, False), out
            assert app.in_flight == 0, out
            app.restart()
            back = stand.run(name, state="ready", **options)["members"][0]
            assert (back["ok"], back["after"]["in_service"]) == (True, True), back
            wait_until(lambda app=app: app.in_flight > 0, 20, f"requests on {name} again")  # type: ignore[misc]
    print(f"{stand.provider}: {clients}")
    return clients
