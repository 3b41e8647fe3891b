# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How TCP and command probes reach what they probe; HTTP has a file of its own because it needs requests."""

from __future__ import annotations

import contextlib
import shlex
import socket
import ssl
import threading
import time
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.probes.options import host_and_port
from ansible_collections.convoy.rolling.plugins.module_utils.probes.verdicts import Answer

RunCommand = t.Callable[..., "tuple[int, str, str]"]

_KILLED = (-9, 137)
"""How SIGKILL shows: on the process itself, or as told by a shell."""


class Wire:
    """The way to end a probe from outside: a thread that reads a dripping answer cannot be told to stop, its socket can."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._is_cut = False

    def hold(self, connection: socket.socket) -> None:
        """Take a second handle on the connection: TLS detaches the first one."""
        with self._lock:
            self._handle = connection.dup()
            if self._is_cut:
                self._shut()

    def release(self) -> None:
        """Give the handle back; a later cut does nothing."""
        with self._lock:
            if self._handle is not None:
                self._handle.close()
            self._handle = None

    def cut(self) -> None:
        """End the connection now, or as soon as there is one."""
        with self._lock:
            self._is_cut = True
            self._shut()

    def _shut(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):  # the other side was faster
                self._handle.shutdown(socket.SHUT_RDWR)


def too_slow(seconds: float) -> Answer:
    return Answer(error=f"no answer within {seconds:.3g} s")


def reason(error: BaseException) -> str:
    """What went wrong at the root, without the URL that libraries put into their messages."""
    root = error
    while (deeper := root.__cause__ or root.__context__) is not None:
        root = deeper
    if isinstance(root, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {root.verify_message.rstrip('.')}"
    if isinstance(root, ssl.SSLError):
        return f"TLS failed: {getattr(root, 'reason', None) or root}"
    return getattr(root, "strerror", None) or str(root) or type(root).__name__


def probe_tcp(address: str, seconds: float) -> Answer:
    """An open port is a pass."""
    try:
        socket.create_connection(host_and_port(address), timeout=seconds).close()
    except socket.timeout:
        return too_slow(seconds)
    except OSError as error:
        return Answer(error=reason(error))
    return Answer()


def probe_command(command: str, seconds: float, run_command: RunCommand) -> Answer:
    """Exit code 0 is a pass; what it prints is the body.

    ``timeout`` of coreutils bounds it, because run_command cannot: it puts the command into a process group of its
    own and kills the group, so that what a health script started does not stay behind.
    """
    started = time.monotonic()
    code, out, err = run_command(
        ["timeout", "-s", "KILL", f"{seconds:.3f}", *shlex.split(command)],
        handle_exceptions=False,
        expand_user_and_vars=False,
        errors="replace",
    )
    if code in _KILLED and time.monotonic() - started >= seconds:
        return Answer(error=f"the command did not end within {seconds:.3g} s", body=out or err)
    return Answer(status=code, body=out or (err if code else ""))
