# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that are patched and rebooted, over ssh. A reboot here is another boot id and another process."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from fleet.app import APPCTL
from fleet.fleet import Fleet
from fleet.ssh import Ssh
from fleet.sshd import find_sshd

Fixture = t.Callable[..., t.Any]

BOOT = "/proc/sys/kernel/random/boot_id"

# Of the kernel that all hosts share; each is to have its own, told apart by the port of its sshd.
CAT = f"""#!/bin/sh
if [ "$*" = {BOOT} ]; then cat "{{directory}}/boot-${{{{SSH_CONNECTION##* }}}}" 2>/dev/null || echo first; else exec /bin/cat "$@"; fi
"""

REBOOT = """#!/bin/sh
echo "$$" >"{directory}/boot-${{SSH_CONNECTION##* }}"
echo rebooted >>"{directory}/diary"
exec {appctl} restart "$1"
"""


@pytest.mark.exhaustive
def test_hosts_are_patched_and_rebooted_one_after_another(tmp_path: Path, play: Fixture, watching: Fixture, words: Fixture) -> None:
    sshd = find_sshd()
    if sshd is None:
        pytest.skip("no sshd on this machine")
    with Fleet(2, tmp_path) as fleet, Ssh(fleet, sshd) as ssh:
        (tmp_path / "bin").mkdir()
        for name, script in (("cat", CAT), ("reboot", REBOOT)):
            (tmp_path / "bin" / name).write_text(script.format(directory=tmp_path, appctl=APPCTL))
            (tmp_path / "bin" / name).chmod(0o755)
        (fleet.directory / "ssh" / "home" / ".bashrc").write_text(f"export PATH={tmp_path}/bin:$PATH\n")
        (tmp_path / "patch.yml").write_text(f"- ansible.builtin.shell: echo patched {{{{ rollout_version }}}} >>{tmp_path}/diary\n")
        inventory = fleet.inventory(**ssh.variables)
        variables = {
            "rollout_max_unavailable": 1,
            "rollout_reboot": True,
            "rollout_reboot_command": f"{tmp_path}/bin/reboot {fleet.directory}/hosts/{{{{ inventory_hostname }}}}",
            "rollout_deploy_tasks": str(tmp_path / "patch.yml"),
        }
        before = [fleet.health(host)[1]["pid"] for host in fleet.hosts]
        with watching(fleet) as seen:
            run = play(fleet, variables, playbook="convoy.rolling.restart", inventory=inventory)
        assert run.rc == 0 and "2 of 2 hosts were restarted and serve" in run.text
        assert (tmp_path / "diary").read_text().split() == ["patched", "1.0.0", "rebooted"] * 2
        assert [fleet.health(host)[1]["pid"] for host in fleet.hosts] != before
        seen.nothing_was_lost()

        # One whose boot id stays is not back from a reboot.
        useless = {**variables, "rollout_reboot_command": "/bin/true", "rollout_reboot_timeout": 5}
        run = play(fleet, useless, playbook="convoy.rolling.restart", inventory=inventory)
        assert run.rc == 2 and "failed: web1: task 'Reboot the host' failed: Timed out" in run.text.replace("''", "'")
        assert [words(fleet, host) for host in fleet.hosts] == [{"MAINT"}, {"UP"}]
