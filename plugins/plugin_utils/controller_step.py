# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the controller's steps have in common: arguments checked, failures as one sentence, the journal and the fleet at hand."""

from __future__ import annotations

import os
import time
import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.convoy.rolling.plugins.module_utils.clock import Clock, SystemClock
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.fanout import Command, Outcome, run_on_hosts
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder, awx_job_of, job_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.host_variables import HostVariables
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import LEASE_SECONDS, Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Member, Observed
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice
from ansible_collections.convoy.rolling.plugins.plugin_utils.observation import health_by_host, observe
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import plain

_FRESH = LEASE_SECONDS / 4
"""Seconds for which a proof is good: nobody else can have taken a lease that was proved, and is not given back, in twice that time."""

OBSERVED_ARGUMENT: dict[str, t.Any] = {
    "type": "dict",
    "required": True,
    "options": {
        "pools": {"type": "list", "elements": "dict", "default": []},
        "releases": {"type": "dict", "default": {}},
        "health": {"type": "list", "elements": "dict", "default": []},
    },
}
"""What tasks/observe.yml found, as the steps that need a look at the fleet take it."""


class ControllerStep(ActionBase):
    """A step that runs on the controller, once for many hosts. A subclass says its ``ARGUMENTS`` and does its ``step``."""

    _requires_connection = False
    _supports_check_mode = True
    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {}

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Do it.

        :param arguments: the task's arguments, checked, as plain values.
        :return: the task's result.
        :raises RollingError: to fail the task with one sentence.
        """
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        try:
            arguments = self.validate_argument_spec(self.ARGUMENTS)[1]
            result.update(self.step(plain(arguments), task_vars or {}))
        except RollingError as error:
            result.update(failed=True, msg=error.message, **error.result)
        return result

    @property
    def check_mode(self) -> bool:
        """Whether nothing may change."""
        return bool(self._task.check_mode)

    def now(self) -> float:
        """The time of day, in seconds since the epoch."""
        return time.time()

    def say(self, line: str) -> None:
        """Show a person one line before the step has ended."""
        self._display.display(line, color="cyan")

    def warn(self, text: str) -> None:
        """Show a person a warning, in one line."""
        self._display.warning(" ".join(text.split()))

    def holder(self, task_vars: Mapping[str, t.Any]) -> Holder:
        """The controller process of this run: a step runs in a worker that ends with it."""
        return Holder.of(os.getppid(), job_of(task_vars))

    def notice(self, why: str, task_vars: Mapping[str, t.Any]) -> Notice:
        """What whoever runs this says, now."""
        holder, job = self.holder(task_vars), awx_job_of(task_vars)
        return Notice(f"{holder.user} on {holder.node}" + (f" ({job})" if job else ""), why, self.now())

    def on_hosts(
        self, commands: Mapping[str, Command], task_vars: Mapping[str, t.Any], patience: float | None = None
    ) -> dict[str, Outcome]:
        """Run a command on each host, as many at a time as there are forks; see ``fanout.run_on_hosts``."""
        forks = int(task_vars.get("ansible_forks") or C.DEFAULT_FORKS)
        return run_on_hosts(self, self.variables_of(commands, task_vars), commands, forks, patience)

    def app_of(self, hosts: t.Iterable[str], task_vars: Mapping[str, t.Any]) -> str:
        """The app that is meant: what these hosts have in common, or what was typed."""
        apps = {str(plain(mine["rollout_app"])) for mine in self.variables_of(hosts, task_vars).values() if "rollout_app" in mine}
        if len(apps) != 1:
            said = ", ".join(sorted(map(repr, apps))) or "none"
            raise InputError(f"rollout_app: one app is meant, the hosts say {said}; write -e rollout_app=NAME. Nothing was changed.")
        return apps.pop()

    def variables_of(
        self, hosts: t.Iterable[str], task_vars: Mapping[str, t.Any], instead: Mapping[str, t.Any] | None = None
    ) -> dict[str, HostVariables]:
        """The variables of several hosts, in the order given; ``instead`` as `HostVariables` takes it."""
        try:
            return {host: HostVariables(self, task_vars, host, instead) for host in hosts}
        except AnsibleError as error:
            raise RollingError(f"the variables of the fleet can't be read: {error}") from error


def journal_and_ticket(arguments: Mapping[str, t.Any]) -> tuple[Journal, Ticket]:
    """The journal and the proof of the live rollout, from a step's ``state_url`` and ``run``."""
    return Journal(arguments["state_url"]), Ticket(**arguments["run"])


def proof_of(lease: Mapping[str, t.Any] | None, clock: Clock | None = None) -> Callable[[], None]:
    """What proves the lease each time before something is moved, and raises when that is not possible; nothing without a lease.

    Who is stopped while it asks has an answer of long ago when it goes on, and so asks once more. A load balancer knows no fences: who is
    stopped between an answer and the order that follows it, which is less than a millisecond, gives that order.

    :param lease: ``lease_argument.LEASE_ARGUMENT`` as it was given.
    """
    if lease is None:
        return lambda: None
    journal, ticket = journal_and_ticket(lease)
    clock = clock or SystemClock()

    def prove() -> None:
        asked = float("-inf")
        while clock.now() - asked > _FRESH:
            asked = clock.now()
            journal.prove(ticket, time.time())

    return prove


def observed_of(fleet: Fleet, seen: dict[str, t.Any], journal: Journal, views: Sequence[Member] | None = None) -> Observed:
    """One look at the fleet, with what the journal knows of hosts that are out.

    :param views: every pool as it was seen last, where a balancer that does not answer must not be in the way.
    """
    return observe(fleet, seen["pools"], seen["releases"], health_by_host(fleet, seen["health"]), journal.absences(fleet.app), views)
