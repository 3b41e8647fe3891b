# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many hosts from one task: a shell command on each, through each host's own connection and become plugins, at the same time.

A task per host costs a worker process and, for a module, an interpreter that imports Ansible: 20 to 200 ms of CPU a host. One task
that reaches them all costs the command alone. It also makes an unreachable host a value like any other, where Ansible's own
bookkeeping would drop the host from the play (facts M1 to M4 in docs/design.md).
"""

from __future__ import annotations

import shlex
import threading
import typing as t
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.playbook.play_context import PlayContext
from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ConnectionBase
from ansible.plugins.loader import become_loader, connection_loader

_SMALL = 4 << 20
"""Bytes of a file that are sent with the command: a second process and round trip for it cost more."""


@dataclass(frozen=True)
class Outcome:
    """What came back from one host."""

    status: int = 0
    stdout: str = ""
    stderr: str = ""
    unreachable: str = ""  # why it could not be reached; empty when it could


@dataclass(frozen=True)
class Command:
    """What to run on one host.

    :param shell: a line for ``/bin/sh``, in which ``$PYTHON`` is the host's interpreter and ``$FILE`` the file.
    :param stdin: what the command reads.
    :param file: a file of the controller. Where the host is the controller it is used in place. Elsewhere a small one comes after ``stdin``:
        ``$SENT`` is how many bytes to write to ``$FILE``. A large one is copied there first, and ``$SENT`` is empty.
    :param then: a further line, for when that went well.
    :param here: does what ``shell`` does in this process, where the host is the controller and nobody else is become; it may be one of
        several that run at the same time.
    """

    shell: str
    stdin: bytes = b""
    file: str | None = None
    then: str = ""
    here: Callable[[], Outcome] | None = None


def run_on_hosts(
    action: ActionBase,
    variables: Mapping[str, Mapping[str, t.Any]],
    commands: Mapping[str, Command],
    forks: int,
    patience: float | None = None,
) -> dict[str, Outcome]:
    """Run one command on each host, ``forks`` at a time.

    :param variables: host -> its variables, templated as they are read.
    :param patience: seconds after which a host that says nothing counts as unreachable; ssh itself may wait for a frozen host for ever.
    :return: an outcome for every host of ``commands``, whatever happened to the others.
    """
    # Connections are made here, one after another: templating and the plugin loader are not made for threads.
    ready: dict[str, _Host | Outcome] = {}
    for host in commands:
        try:
            ready[host] = _Host(action, host, variables[host])
        except Exception as error:  # whatever is wrong with one host's variables must not hide the others
            ready[host] = Outcome(unreachable=_first_line(error))

    def run(host: str) -> Outcome:
        target = ready[host]
        if isinstance(target, Outcome):
            return target
        done: list[Outcome] = []
        # Of its own, so that the process can end although it never does.
        thread = threading.Thread(target=lambda: done.append(target.run(commands[host])), daemon=True)
        thread.start()
        thread.join(patience)
        return done[0] if done else Outcome(unreachable=f"it did not answer within {patience:g} s")

    with ThreadPoolExecutor(max_workers=max(1, min(forks, len(commands) or 1))) as pool:
        return dict(zip(commands, pool.map(run, commands), strict=True))


class _Host:
    """One host's connection, set up from its variables as ansible-core's task executor does it."""

    def __init__(self, action: ActionBase, host: str, variables: Mapping[str, t.Any]) -> None:
        context: PlayContext = action._play_context.copy()
        kind = str(variables.get("ansible_connection") or context.connection)
        if kind in ("smart", "ansible.builtin.smart"):
            kind = "ssh"
        context.connection = kind
        context.remote_addr = str(variables.get("ansible_host") or host)
        connection = connection_loader.get(kind, context, new_stdin=None, task_uuid=action._task._uuid)
        if connection is None:
            raise AnsibleError(f"there is no connection plugin {kind!r}")
        self._connection: ConnectionBase = connection
        self._python = _interpreter(variables)
        self._local = connection.transport == "local"
        self._become(action, variables)
        keys = action._task.dump_attrs()
        keys.update(timeout=context.timeout, remote_addr=context.remote_addr)
        keys.pop("retries", None)
        if context.password:
            keys["password"] = context.password
        if connection.become is not None and context.become_pass:
            keys["become_pass"] = context.become_pass
        for plugin_type, plugin in (("connection", connection), ("shell", connection._shell), ("become", connection.become)):
            if plugin is not None:
                names = C.config.get_plugin_vars(plugin_type, plugin._load_name)
                plugin.set_options(task_keys=keys, var_options={name: variables[name] for name in names if name in variables})

    def _become(self, action: ActionBase, variables: Mapping[str, t.Any]) -> None:
        wanted = variables["ansible_become"] if variables.get("ansible_become") is not None else action._task.become
        plugin = None
        if boolean(wanted or False):
            plugin = become_loader.get(str(variables.get("ansible_become_method") or action._task.become_method))
            if plugin is None:
                raise AnsibleError("there is no such become method")
        self._connection.set_become_plugin(plugin)

    def run(self, command: Command) -> Outcome:
        try:
            if command.here is None or not self._local or self._connection.become is not None:
                return self._through_shell(command)
            outcome = command.here()
            if outcome.status != 0 or not command.then:
                return outcome
            then = self._execute(f"{{ {command.then}\n}}", b"")
            return replace(then, stdout=outcome.stdout + then.stdout)
        except AnsibleConnectionFailure as error:
            return Outcome(unreachable=_first_line(error))
        except Exception as error:  # nor what goes wrong on the way
            return Outcome(status=255, stderr=_first_line(error))
        finally:
            self._connection.close()

    def _through_shell(self, command: Command) -> Outcome:
        file, content = command.file, b""
        if command.file is not None and not self._local:
            file = f"/tmp/.convoy-{uuid.uuid4().hex}-{command.file.rpartition('/')[2]}"
            content = _small_file(command.file)
            if not content:
                self._connection.put_file(command.file, file)
        then = f" && {{ {command.then}\n}}" if command.then else ""
        line = f"PYTHON={shlex.quote(self._python)}; FILE={shlex.quote(file or '')}; SENT={len(content) or ''}; {command.shell}{then}"
        if file is not None and not self._local:
            line = f"( {line} ); status=$?; rm -f {shlex.quote(file)}; exit $status"
        return self._execute(line, command.stdin + content)

    def _execute(self, line: str, stdin: bytes) -> Outcome:
        connection = self._connection
        line = f"/bin/sh -c {shlex.quote(line)}"
        if connection.become is not None:
            line = connection.become.build_become_command(line, connection._shell)
        status, stdout, stderr = connection.exec_command(line, in_data=stdin, sudoable=connection.become is not None)
        return Outcome(status or 0, self._text(stdout), self._text(stderr))

    def _text(self, data: t.Any) -> str:
        """Output without what a become plugin adds to know that it got through."""
        text = data if isinstance(data, str) else bytes(data).decode("utf-8", "replace")
        return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("BECOME-SUCCESS-"))


def _small_file(path: str) -> bytes:
    """The content of a file that is small enough to be held in memory for every host; else nothing."""
    with open(path, "rb") as file:
        content = file.read(_SMALL + 1)
    return content if len(content) <= _SMALL else b""


def _interpreter(variables: Mapping[str, t.Any]) -> str:
    given = str(variables.get("ansible_python_interpreter") or "auto")
    if not given.startswith("auto"):
        return given
    return str(variables.get("discovered_interpreter_python") or "python3")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
