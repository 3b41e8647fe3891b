# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Free ports on loopback that stay ours while nothing listens on them."""

from __future__ import annotations

import socket
import sys


class Ports:
    """Reserves ports: an app's port must be there again after a restart, however many connections were made meanwhile.

    A bound socket that does not listen keeps the kernel from giving the port to anyone else, yet lets a process that
    sets SO_REUSEADDR, as servers do, listen on it. That is Linux; elsewhere the port is only found, not held.
    """

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def take(self) -> int:
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        if sys.platform == "linux":
            self._held.append(held)
        else:
            held.close()
        return port

    def release(self) -> None:
        while self._held:
            self._held.pop().close()
