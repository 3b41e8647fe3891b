# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running playbooks over a fleet as a person would, but untouched by whatever Ansible set-up the machine has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

from fleet.fleet import Fleet

CHECKOUT = Path(__file__).parents[2]
ROLLING = CHECKOUT / "playbooks" / "rolling.yml"


def environment(fleet: Fleet, **more: str) -> dict[str, str]:
    """This process's environment with Ansible's part replaced: nothing is read from or left in the home directory.

    :param more: further settings; an empty one takes a setting away.
    """
    config = fleet.directory / "ansible.cfg"
    config.touch()
    settings = {
        "ANSIBLE_CONFIG": str(config),
        "ANSIBLE_HOME": str(fleet.directory / "ansible"),
        "ANSIBLE_CALLBACKS_ENABLED": "convoy.rolling.convergence",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
        **more,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return kept | {name: value for name, value in settings.items() if value}


def command(
    fleet: Fleet, playbook: Path | str, variables: t.Mapping[str, t.Any], *arguments: str, inventory: Path | None = None
) -> list[str]:
    """The command line, with the `ansible-playbook` of this Python.

    :param playbook: a file or an FQCN.
    :param variables: extra variables.
    :param inventory: instead of the fleet's own, as `fleet.inventory()` writes it.
    """
    binary = Path(sys.executable).with_name("ansible-playbook")
    where = inventory or fleet.inventory()
    return [str(binary), "-i", str(where), str(playbook), "-e", json.dumps(dict(variables)), *arguments]


def play(
    fleet: Fleet,
    playbook: Path | str,
    variables: t.Mapping[str, t.Any],
    *arguments: str,
    inventory: Path | None = None,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run a playbook from the checkout and return its result; stdout and stderr are one text."""
    return subprocess.run(
        command(fleet, playbook, variables, *arguments, inventory=inventory),
        cwd=CHECKOUT,
        env=environment(fleet),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
