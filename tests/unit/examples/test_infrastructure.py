# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""examples/infrastructure: what its pipelines type exists. `make lint` holds them against their schemas, `make molecule` rolls its variables."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from unit.documented import ROOT, check_playbook_command, role_variables

REPOSITORY = ROOT / "examples" / "infrastructure"
GITHUB = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "deploy.yml").read_text())
GITLAB = yaml.safe_load((REPOSITORY / ".gitlab-ci.yml").read_text())
JOBS = [job for job in GITLAB.values() if isinstance(job, dict)]
LINES = [step["run"] for step in GITHUB["jobs"]["deploy"]["steps"] if "run" in step]
LINES += [line for job in JOBS for key in ("script", "after_script") for line in job.get(key, [])]


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("ansible-playbook")])
@pytest.mark.parametrize("environment", ["staging", "production"])
def test_pipelines_type_what_there_is(line: str, environment: str) -> None:
    words = [word.replace("$ENVIRONMENT", environment).replace("$COMMIT", "4c0ffee") for word in shlex.split(line)]
    assert all((REPOSITORY / playbook).exists() for playbook in check_playbook_command(words))
    inventories = [word for before, word in itertools.pairwise(words) if before == "-i"]
    assert inventories == ["inventories/common", f"inventories/{environment}"]
    assert all((REPOSITORY / inventory).is_dir() for inventory in inventories)


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_inventories_of_an_environment_make_a_fleet(environment: str) -> None:
    program = str(Path(sys.executable).with_name("ansible-inventory"))
    sources = ["-i", "inventories/common", "-i", f"inventories/{environment}"]
    listed = subprocess.run([program, *sources, "--list"], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    fleet = json.loads(listed.stdout)
    for host in fleet["web"]["hosts"]:
        mine = fleet["_meta"]["hostvars"][host]
        assert {name for name in mine if name.startswith("rollout_")} <= role_variables()
        assert {"rollout_app", "rollout_root", "rollout_artifact", "rollout_health", "rollout_state_url", "builds"} <= set(mine)
        assert {balancer["host"] for balancer in mine["rollout_balancers"]} == set(fleet["lb"]["hosts"])
    assert not listed.stderr


def test_pipelines_take_whole_commits_only_and_end() -> None:
    tests = [line for line in [*LINES, *GITLAB["default"]["before_script"]] if "grep" in line]
    assert len(tests) == 2
    for line in tests:
        for commit, rc in (("4c0ffee" * 5 + "4c0ff", 0), ("main", 1), ("4c0ffee", 1), ("$(reboot)" + "0" * 40, 1), ("", 1)):
            assert subprocess.run(["bash", "-c", line], env={"COMMIT": commit, "PATH": "/usr/bin:/bin"}, check=False).returncode == rc
    (roll,) = [step for step in GITHUB["jobs"]["deploy"]["steps"] if step.get("name") == "Roll"]
    assert roll["timeout-minutes"] < GITHUB["jobs"]["deploy"]["timeout-minutes"]
    assert re.fullmatch(r"\d+m", GITLAB["roll"]["timeout"])
    assert "${{" not in "".join(LINES), "an input that is put into a script is a script"
