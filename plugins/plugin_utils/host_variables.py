# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host's variables as the running task sees them, for a task that acts for many hosts.

``hostvars`` leaves out what the play, the role and extra ``vars:`` say, so a policy given in a user's own play would be lost. This
asks ansible-core's variable manager the way its task executor does. It is the one place that touches that private interface.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping

from ansible.plugins.action import ActionBase


class HostVariables(Mapping[str, t.Any]):
    """The variables of one host, each templated when it is read."""

    def __init__(self, action: ActionBase, task_vars: Mapping[str, t.Any], host: str, instead: Mapping[str, t.Any] | None = None) -> None:
        """:param instead: variables that are other than they are, whatever the command line says of them."""
        hostvars = task_vars["hostvars"]
        self._raw: dict[str, t.Any] = hostvars._variable_manager.get_vars(
            play=_play_of(action._task), host=hostvars._inventory.get_host(host), task=action._task
        )
        self._raw.update(instead or {})
        self._templar = action._templar.copy_with_new_env(available_variables=self._raw)

    def __getitem__(self, name: str) -> t.Any:
        return self._templar.template(self._raw[name])

    def __contains__(self, name: object) -> bool:
        return name in self._raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)


def typed_variables(task_vars: Mapping[str, t.Any]) -> Mapping[str, t.Any]:
    """The variables of the command line, which nothing overrides."""
    typed: Mapping[str, t.Any] = task_vars["hostvars"]._variable_manager.extra_vars
    return typed


def _play_of(task: t.Any) -> t.Any:
    parent = task._parent
    while parent is not None and not hasattr(parent, "_play"):
        parent = parent._parent
    return getattr(parent, "_play", None)
