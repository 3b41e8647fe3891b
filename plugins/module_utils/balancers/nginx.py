# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nginx (open source), through the word ``down`` in a configuration file and a reload.

It has no API. What is seen of it are the file and its processes: a worker runs the configuration that was there when it was
started, and one that is shutting down may still work for members that are out by now.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import re
import shutil
import signal
import tempfile
import time
import typing as t
from urllib.parse import parse_qsl

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import (
    DRAIN,
    MAINTENANCE,
    READY,
    Balancer,
    Capabilities,
    Change,
    Member,
    Pool,
    listed,
)
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.nginx_config import Server, Upstream, edited, upstreams
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError

RunCommand = t.Callable[..., "tuple[int, str, str]"]

_DEFAULT_PID_FILE = "/run/nginx.pid"
_POLL = 0.02
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_HOST_PORT = re.compile(r"(?P<host>\[[^\]]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_IN_DUMP = re.compile(r"^# configuration file (.+):$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class _Worker:
    pid: int
    #: Seconds since the epoch, at most a tick too early.
    started: float
    shutting_down: bool


class Nginx(Balancer):
    """A pool is an upstream of one file, a member a server by its address as it is written there. Changes stay over a restart."""

    provider = "nginx"
    capabilities = Capabilities(drains=True, soft_drain=False, cuts_sessions=False, whole_pool=True, max_weight=None)
    name_pattern = re.compile(r"[A-Za-z0-9_.:/\[\]-]+", re.ASCII)
    name_rule = "give it as it is written in the file, of letters, digits and the characters _ . : / [ ] -"

    #: How a module runs commands; without it members can only be looked at.
    run_command: t.ClassVar[RunCommand | None] = None

    def __init__(self, path: str, pid_file: str, timeout: float) -> None:
        self._path = path
        self._pid_file = pid_file
        self._timeout = timeout

    @classmethod
    def open(cls, address: str, timeout: float) -> Nginx:
        path, _mark, query = address.partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        pid_file = options.pop("pid", _DEFAULT_PID_FILE)
        if not path.startswith("/") or not pid_file.startswith("/") or options:
            raise InputError(
                f"address: {address!r} is no nginx address; give the absolute path of the file with the upstreams, and ?pid=PATH "
                f"behind it unless nginx's pid file is {_DEFAULT_PID_FILE}."
            )
        nginx = cls(os.path.realpath(path), pid_file, timeout)
        nginx._upstreams(nginx._text())
        nginx._master()
        return nginx

    def close(self) -> None:
        """There is no connection."""

    def pools(self) -> list[str]:
        return list(self._upstreams(self._text()))

    def read(self, pool: str, members: t.Collection[str] = ()) -> Pool:
        # Not between somebody's change and the reload that makes it true.
        with self._locked(fcntl.LOCK_SH):
            workers = self._workers()
            loaded = self._has_loaded(workers)
            upstream = self._upstream(self._text(), pool)
        leaving = sum(worker.shutting_down for worker in workers)
        return Pool(pool, tuple(_member(server, loaded, leaving) for server in upstream.servers.values()))

    def apply(self, pool: str, changes: t.Sequence[Change]) -> dict[str, str]:
        with self._locked(fcntl.LOCK_EX):
            text = self._text()
            upstream = self._upstream(text, pool)
            refused = {change.member: refusal for change in changes for refusal in [_refusal(change, upstream)] if refusal}
            out = {change.member: change.admin != READY for change in changes if change.member not in refused}
            wanted = edited(text, upstream, out)
            workers = self._workers()
            if out and (wanted != text or not self._has_loaded(workers)):
                self._load(text, wanted, {worker.pid for worker in workers if not worker.shutting_down})
        return refused

    def _load(self, text: str, wanted: str, old: set[int]) -> None:
        """Put the file there, have nginx judge it, and make nginx load it."""
        before = os.stat(self._path)
        if wanted != text:
            self._write(text, wanted)
        try:
            self._judge()
        except RollingError:
            if wanted != text:
                self._write(wanted, text, before.st_mtime_ns)
            raise
        try:
            os.kill(self._master(), signal.SIGHUP)
        except OSError as error:
            raise RollingError(
                f"nginx could not be reloaded ({error.strerror}), {self._path} is changed; run as root, with become."
            ) from error
        deadline = time.monotonic() + self._timeout
        while True:
            new = {worker.pid for worker in self._workers() if not worker.shutting_down}
            if new and not new & old:
                return
            if time.monotonic() >= deadline:
                raise RollingError(
                    f"nginx was told to reload, but {self._timeout:g}s later its old workers still take requests; look into its error log."
                )
            time.sleep(_POLL)

    def _judge(self) -> None:
        """Have nginx check its whole configuration, and see that our file is part of it."""
        if self.run_command is None:
            raise RollingError("nginx: members can only be changed by the module, which can run nginx -T; this is no module.")
        words = self._command()
        # ``timeout`` bounds it, because run_command cannot: nginx asks DNS for every name in its configuration.
        code, out, err = self.run_command(
            ["timeout", "-s", "KILL", f"{self._timeout:.3f}", *words],
            handle_exceptions=False,
            expand_user_and_vars=False,
            errors="replace",
        )
        if code:
            why = next((line for line in err.splitlines() if "[emerg]" in line), err.strip() or f"exit code {code}")
            raise RollingError(f'"{" ".join(words)}" refused the configuration: {why[:300]}; nothing was changed.')
        if self._path not in {os.path.realpath(name) for name in _IN_DUMP.findall(out)}:
            raise RollingError(f"address: nginx does not include {self._path}; give a file that it does. Nothing was changed.")

    def _command(self) -> list[str]:
        """The running nginx's own program with its own configuration, told to judge it."""
        master = self._master()
        try:
            program = os.readlink(f"/proc/{master}/exe")
        except OSError as error:
            raise RollingError(
                f"This user may not look at nginx's process {master} ({error.strerror}); run as root, with become."
            ) from error
        suffix = " (deleted)"  # it was upgraded meanwhile
        words = [program[: -len(suffix)] if program.endswith(suffix) else program, "-T"]
        title = _title(master).split(" ")
        for option in ("-c", "-p"):
            if option in title[:-1]:
                words += [option, title[title.index(option) + 1]]
        return words

    def _text(self) -> str:
        try:
            with open(self._path, "rb") as file:
                return file.read().decode("latin-1")
        except OSError as error:
            raise RollingError(f"address: {self._path} cannot be read ({error.strerror}); give the file with the upstreams.") from error

    def _upstreams(self, text: str) -> dict[str, Upstream]:
        return upstreams(text, self._path)

    def _upstream(self, text: str, pool: str) -> Upstream:
        found = self._upstreams(text)
        if pool not in found:
            raise RollingError(f"pool: there is no upstream {pool!r} in {self._path}; there are: {listed(found)}.")
        if found[pool].fault:
            raise RollingError(f"pool: upstream {pool!r} cannot be worked with. {found[pool].fault}.")
        return found[pool]

    def _write(self, old_text: str, text: str, changed: int | None = None) -> None:
        """Replace the file in one step, with the same owner, mode and attributes.

        :param old_text: what must be in it; an editor does not know our lock.
        :param changed: the time of change to give it, in nanoseconds; None: now.
        """
        old = os.stat(self._path)
        directory, name = os.path.split(self._path)
        try:
            # A hidden name: no include with a wildcard takes it up.
            handle, draft = tempfile.mkstemp(prefix=f".{name}.", dir=directory)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(text.encode("latin-1"))
                    os.fchown(file.fileno(), old.st_uid, old.st_gid)
                    file.flush()
                    shutil.copystat(self._path, draft)
                    os.utime(draft, ns=(old.st_atime_ns, time.time_ns() if changed is None else changed))
                    os.fsync(file.fileno())
                if self._text() != old_text:
                    raise RollingError(f"Somebody else changed {self._path} at the same moment; nothing was changed, try again.")
                os.replace(draft, self._path)
            except BaseException:
                os.unlink(draft)
                raise
        except OSError as error:
            raise RollingError(f"{self._path} cannot be changed ({error.strerror}); run as root, with become.") from error

    @contextlib.contextmanager
    def _locked(self, kind: int) -> t.Iterator[None]:
        """Between read and reload nobody else of us changes the file. The lock file stays, for a lock that is deleted holds nobody.

        :param kind: ``LOCK_EX`` to change, ``LOCK_SH`` to look, which works without the right to lock too.
        """
        directory, name = os.path.split(self._path)
        lock = os.path.join(directory, f".{name}.lock")
        handle = None
        try:
            handle = os.open(lock, os.O_RDONLY | os.O_CLOEXEC | (os.O_CREAT if kind == fcntl.LOCK_EX else 0), 0o600)
        except OSError as error:
            if kind == fcntl.LOCK_EX:
                raise RollingError(f"{lock} cannot be opened ({error.strerror}); run as root, with become.") from error
        if handle is None:
            yield
            return
        try:
            deadline = time.monotonic() + self._timeout
            while True:
                try:
                    fcntl.flock(handle, kind | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise RollingError(
                            f"Somebody else has held {lock} for {self._timeout:g}s; try again, or give a longer timeout."
                        ) from None
                    time.sleep(_POLL)
            yield
        finally:
            os.close(handle)

    def _master(self) -> int:
        """The process that is told to reload."""
        try:
            with open(self._pid_file, encoding="ascii") as file:
                pid = int(file.read())
        except (OSError, ValueError) as error:
            raise RollingError(
                f"No nginx runs by {self._pid_file} ({getattr(error, 'strerror', None) or 'it holds no number'}); "
                "start it, or give its pid file as ?pid=PATH behind the address."
            ) from error
        if not _title(pid).startswith("nginx: master process"):
            raise RollingError(f"Process {pid} of {self._pid_file} is no master of nginx; start it, or give ?pid=PATH behind the address.")
        if os.path.exists(f"{self._pid_file}.oldbin"):
            raise RollingError(f"nginx is being upgraded, as {self._pid_file}.oldbin is there; try again when that is done.")
        return pid

    def _workers(self) -> list[_Worker]:
        master = self._master()
        booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue  # it ended
            title = _title(int(name)) if int(fields[1]) == master else ""
            if title.startswith("nginx: worker process"):
                found.append(_Worker(int(name), booted + int(fields[19]) * _TICK, "shutting down" in title))
        return found

    def _has_loaded(self, workers: t.Sequence[_Worker]) -> bool:
        """Whether all that take requests were started after the file last changed."""
        changed = os.stat(self._path).st_mtime
        taking = [worker for worker in workers if not worker.shutting_down]
        return bool(taking) and all(worker.started + _TICK >= changed for worker in taking)


def _member(server: Server, loaded: bool, leaving: int) -> Member:
    address = None if server.address.startswith("unix:") else _HOST_PORT.fullmatch(server.address)
    out = server.down is not None
    words = ["down" if out else "up"]
    if not loaded:
        words.append("nginx was not reloaded since the file changed")
    if leaving:
        words.append(f"{leaving} old workers shutting down")
    return Member(
        name=server.address,
        # Neither in nor out as long as nginx may run another configuration: whichever is asked for, it has to be ordered.
        admin=READY if not out else MAINTENANCE if loaded else DRAIN,
        health="unchecked" if loaded and not out else "unknown",
        in_service=loaded and not out,
        status=", ".join(words),
        address=address.group("host").strip("[]") if address else None,
        port=int(address.group("port") or 80) if address else None,
        weight=server.weight,
        initial_weight=server.weight,
        # An old worker may still begin requests for it, such as one whose body is being uploaded.
        sessions=leaving if out else None,
    )


def _refusal(change: Change, upstream: Upstream) -> str | None:
    if change.member not in upstream.servers:
        return f"there is no server {change.member}"
    if change.admin is None or change.weight is not None or change.agent is not None:
        return "nginx can only take members out and let them in"
    return None


def _title(pid: int) -> str:
    """What a process calls itself; empty when it ended."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\0").replace("\0", " ").rstrip(" ")
    except OSError:
        return ""
