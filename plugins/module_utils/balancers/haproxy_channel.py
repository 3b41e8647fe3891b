# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HAProxy's runtime API: a UNIX or TCP ``stats socket``, kept open for a whole call.

HAProxy closes the connection after one line unless ``prompt`` is given first. From then on every *line* is answered by its text
and the prompt, on 2.6, 2.8, 3.0 and 3.2 alike; commands joined by ``;`` are not (3.2 prompts once for all of them), so
each command is sent as a line of its own, many in one write.
"""

from __future__ import annotations

import os
import re
import socket
import stat
import time
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError

_PROMPT = b"\n> "
_LINES_PER_WRITE = 200
_LONGEST_ANSWER = 64 * 1024 * 1024
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]]+):([0-9]{1,5})", re.ASCII)


class Channel:
    """One open connection in interactive mode."""

    def __init__(self, address: str, timeout: float) -> None:
        """
        :param address: an absolute path of a UNIX socket, or ``host:port``.
        :param timeout: seconds for connecting, and for the answer to each write.
        :raises InputError: the address is neither.
        :raises RollingError: nothing to connect to, or it is no stats socket.
        """
        self._address = address
        self._timeout = timeout
        self._socket = connect(address, timeout)
        try:
            greeting = self.ask(["prompt"])[0]
            if greeting:
                raise self._error(f"it answered {_start(greeting)} to the command prompt")
        except RollingError:
            self.close()
            raise

    def close(self) -> None:
        self._socket.close()

    def ask(self, commands: t.Sequence[str]) -> list[str]:
        """Send the commands, none of which may hold a line break, and give one answer for each, in order, without the prompt.

        :raises RollingError: the connection broke, or an answer did not come in time or was too long.
        """
        answers: list[str] = []
        for first in range(0, len(commands), _LINES_PER_WRITE):
            lines = commands[first : first + _LINES_PER_WRITE]
            answers += self._exchange("".join(f"{line}\n" for line in lines).encode("ascii"), len(lines))
        return answers

    def _exchange(self, request: bytes, count: int) -> list[str]:
        deadline = time.monotonic() + self._timeout
        received = bytearray()
        prompts = 0
        try:
            self._socket.settimeout(self._timeout)
            self._socket.sendall(request)
            while prompts < count:
                self._socket.settimeout(max(0.001, deadline - time.monotonic()))
                chunk = self._socket.recv(262144)
                if not chunk:
                    raise self._error(f"it closed the connection after {_start(received.decode('utf-8', 'replace'))}")
                # A prompt may come in two pieces: look again at the last bytes.
                searched = max(0, len(received) - len(_PROMPT) + 1)
                received += chunk
                prompts += received.count(_PROMPT, searched)
                if len(received) > _LONGEST_ANSWER:
                    raise self._error(f"its answer is longer than {_LONGEST_ANSWER} bytes")
        except socket.timeout as error:
            raise self._error(f"it did not answer within {self._timeout:g}s") from error
        except OSError as error:
            raise self._error(f"the connection broke ({error.strerror or error})") from error
        *answers, rest = received.decode("utf-8", "replace").split(_PROMPT.decode())
        if rest or len(answers) != count:
            raise self._error(f"it said more than it was asked: {_start(rest)}")
        return [answer.strip("\n") for answer in answers]

    def _error(self, reason: str) -> RollingError:
        return RollingError(f"{self._address} did not behave as a HAProxy stats socket: {reason}. {_advice(self._address)}")


def connect(address: str, timeout: float, advice: str | None = None) -> socket.socket:
    """A connection to a stats socket.

    :param advice: what to do when nothing answers, if not what is right for a stats socket.

    :raises InputError: the address is neither a path nor ``host:port``.
    :raises RollingError: nothing answers there.
    """
    advice = advice or _advice(address)
    if address.startswith("/"):
        return _connect_unix(address, timeout, advice)
    match = _HOST_PORT.fullmatch(address)
    if match is None:
        raise InputError(f"address: {address!r} is no HAProxy address; give the absolute path of a UNIX socket, or host:port.")
    try:
        return socket.create_connection((match.group(1).strip("[]"), int(match.group(2))), timeout)
    except (OSError, OverflowError) as error:
        raise RollingError(f"Nothing answers at {address} ({_reason(error)}). {advice}") from error


def _connect_unix(path: str, timeout: float, advice: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise RollingError(f"{path} is not a socket. {advice}")
        connection.connect(path)
    except PermissionError as error:
        connection.close()
        raise RollingError(
            f"This user may not open {path}. Run the task with become, or give the socket a user, group or mode in haproxy.cfg."
        ) from error
    except OSError as error:
        connection.close()
        raise RollingError(f"No HAProxy answers at {path} ({_reason(error)}). {advice}") from error
    except RollingError:
        connection.close()
        raise
    return connection


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _advice(address: str) -> str:
    spelt = address if address.startswith("/") else f"ipv4@{address}"
    return f'Correct address, or put "stats socket {spelt} level admin" into the global section of haproxy.cfg.'


def _start(text: str) -> str:
    """The beginning of an answer, on one line, for an error."""
    line = " ".join(text.split())
    return repr(line if len(line) <= 120 else line[:120] + "...") if line else "nothing"
