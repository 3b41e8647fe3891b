# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An action as ansible-core makes one, without a run around it."""

from __future__ import annotations

import typing as t

import ansible.template
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.playbook.play_context import PlayContext
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader, init_plugin_loader
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager


def template(value: str) -> str:
    """A text that ansible-core may template; until 2.18 every text is one."""
    return getattr(ansible.template, "trust_as_template", str)(value)


Action = t.TypeVar("Action", bound=ActionBase)


class Run:
    """A play over an inventory given as text, with one task.

    :param hosts: the lines of an INI inventory.
    :param play: what the play says but for its hosts and tasks.
    :param task: what the task says but for its action.
    """

    def __init__(self, hosts: str = "web1 ansible_connection=local", play: dict[str, t.Any] | None = None, **task: t.Any) -> None:
        _load_plugins()
        self.loader = DataLoader()
        self.inventory = InventoryManager(self.loader, sources=None)
        self.inventory._inventory.add_group("fleet")
        for line in hosts.splitlines():
            name, *settings = line.split()
            self.inventory._inventory.add_host(name, "fleet")
            for setting in settings:
                self.inventory._inventory.set_variable(name, *setting.split("=", 1))
        self.inventory._inventory.reconcile_inventory()
        self.variables = VariableManager(self.loader, self.inventory)
        data = {"hosts": "fleet", "gather_facts": False, "tasks": [{"ansible.builtin.debug": {}, **task}], **(play or {})}
        self.play = Play.load(data, variable_manager=self.variables, loader=self.loader)
        self.task = next(task for block in self.play.compile() for task in block.block if task.action == "ansible.builtin.debug")

    @property
    def task_vars(self) -> dict[str, t.Any]:
        host = self.inventory.get_hosts()[0]
        found: dict[str, t.Any] = self.variables.get_vars(play=self.play, host=host, task=self.task)
        found["hostvars"] = HostVars(self.inventory, self.variables, self.loader)
        return found

    def action(self, kind: type[Action], **arguments: t.Any) -> Action:
        self.task.args = arguments
        context = PlayContext()
        context.connection = "local"
        connection = connection_loader.get("local", context, task_uuid=self.task._uuid)
        action = kind(self.task, connection, context, self.loader, Templar(self.loader, variables=self.task_vars), None)
        action._load_name = kind.__name__  # as the plugin loader names it
        return action


def _load_plugins() -> None:
    from ansible.utils.collection_loader import AnsibleCollectionConfig

    if AnsibleCollectionConfig.collection_finder is None:
        init_plugin_loader()
