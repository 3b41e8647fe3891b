# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HAProxy's master socket (``haproxy -W -S``), through which the workers from before a reload are reached.

After a reload the stats socket belongs to the new worker, which knows nothing of the requests that the old ones still work on. The
master does not close the connection after an answer, and on 2.6 does so after an error; in prompt mode the prompt ends an answer.
"""

from __future__ import annotations

import errno
import socket
import time
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.haproxy_channel import connect
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.haproxy_replies import old_worker_pids
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError

_POLL = 0.05
_PROMPT = b"master> "
_PROMPT_OF_A_STATS_SOCKET = b"\n> "
_ADVICE = 'Give as master what the option "-S" of haproxy says, such as /run/haproxy-master.sock, or leave it out.'
_NO_SUCH_WORKER = "Can't find the target PID"


class Master:
    """Where the master listens; every question has a connection of its own, as a worker may end in the middle of one."""

    def __init__(self, address: str, timeout: float) -> None:
        """
        :param address: an absolute path of a UNIX socket, or ``host:port``.
        :param timeout: seconds for connecting, and for each answer.
        :raises InputError: the address is neither.
        :raises RollingError: no master listens there.
        """
        self._address = address
        self._timeout = timeout
        self._old_workers()

    def ask_old_workers(self, commands: t.Sequence[str]) -> dict[str, list[str]]:
        """Old worker -> its answers to the commands; a worker that ended meanwhile is left out.

        :param commands: questions, which a worker that lives answers with something; one of 2.6 that is ending answers nothing, and is asked
            again until it is not listed any more.
        :raises RollingError: the connection broke, or an answer did not come in time.
        """
        found = {pid: self._ask_while_listed(pid, commands, questions=True) for pid in self._old_workers()}
        return {pid: answers for pid, answers in found.items() if answers is not None}

    def ask_worker(self, pid: str, commands: t.Sequence[str]) -> list[str] | None:
        """The answers of one worker; None when it has ended."""
        return self._ask_while_listed(pid, commands, questions=False)

    def _ask_while_listed(self, pid: str, commands: t.Sequence[str], questions: bool) -> list[str] | None:
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                answers = self._ask([f"@!{pid} {command}" for command in commands])
                # What is empty to the end is given to the caller, who can't use it either.
                if not questions or all(answers) or time.monotonic() >= deadline:
                    break
            except RollingError:
                if time.monotonic() >= deadline and pid in self._old_workers():
                    raise
            # It may have ended and still be listed.
            if pid not in self._old_workers():
                return None
            time.sleep(_POLL)
        return None if any(answer.startswith(_NO_SUCH_WORKER) for answer in answers) else answers

    def _old_workers(self) -> list[str]:
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                return old_worker_pids(self._ask(["show proc"])[0])
            except RollingError as error:
                # A reload replaces the master, too: for a moment it takes no connections.
                if not isinstance(error.__cause__, ConnectionError) or time.monotonic() >= deadline:
                    raise
            time.sleep(_POLL)

    def _ask(self, commands: t.Sequence[str]) -> list[str]:
        with connect(self._address, self._timeout, _ADVICE) as connection:
            return [self._exchange(connection, command) for command in ("prompt", *commands)][1:]

    def _exchange(self, connection: socket.socket, command: str) -> str:
        deadline = time.monotonic() + self._timeout
        received = bytearray()
        try:
            connection.sendall(f"{command}\n".encode("ascii"))
            while not received.endswith(_PROMPT):
                connection.settimeout(max(0.001, deadline - time.monotonic()))
                chunk = connection.recv(262144)
                received += chunk
                if not received:
                    raise ConnectionResetError(errno.ECONNRESET, "it hung up")
                if not chunk or received == _PROMPT_OF_A_STATS_SOCKET:
                    raise self._error(f"it answered {' '.join(received.decode('utf-8', 'replace').split())[:120]!r} and no prompt")
        except socket.timeout as error:
            raise self._error(f"it did not answer within {self._timeout:g}s") from error
        except OSError as error:
            raise self._error(f"the connection broke ({error.strerror or error})") from error
        return received[: -len(_PROMPT)].decode("utf-8", "replace").strip("\n")

    def _error(self, reason: str) -> RollingError:
        return RollingError(f"{self._address} did not behave as a HAProxy master socket: {reason}. {_ADVICE}")
