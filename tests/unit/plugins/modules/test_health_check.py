# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time

import pytest
import yaml

from ansible_collections.convoy.rolling.plugins.module_utils.probes import ARGUMENT_SPEC
from ansible_collections.convoy.rolling.plugins.modules import health_check


def run_module(**args):
    """The module in a process of its own, as on a host; its exit code and result."""
    done = subprocess.run(
        [sys.executable, "-m", health_check.__name__],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {"_ansible_remote_tmp": "/tmp", **args}}),
        env={**os.environ, "_ANSIBLE_MODULE_PROFILE": "legacy"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def test_the_documentation_matches_the_arguments():
    options = yaml.safe_load(health_check.DOCUMENTATION)["options"]
    described = ("type", "default", "elements", "choices")
    assert {name: {key: option[key] for key in described if key in option} for name, option in options.items()} == {
        name: {key: spec[key] for key in described if key in spec} for name, spec in ARGUMENT_SPEC.items()
    }
    assert set(options["targets"]["suboptions"]) == set(ARGUMENT_SPEC["targets"]["options"])


def test_the_documentation_describes_the_result():
    returned = yaml.safe_load(health_check.RETURN)
    code, result, _err = run_module(command="true", observe=True)
    assert set(result) - {"changed", "invocation"} == set(returned)
    assert set(result["targets"][0]) == set(returned["targets"]["contains"])
    assert code == 0


def test_a_command_is_probed_until_it_passes(tmp_path):
    counter = tmp_path / "count"
    code, result, _err = run_module(
        command=f"""sh -c 'echo x >> {counter}; test $(wc -l < {counter}) -gt 1'""", success_threshold=2, interval="10ms"
    )
    assert (code, result["ok"], result["changed"], result["targets"][0]["attempts"]) == (0, True, False, 3)


def test_a_command_is_killed_with_all_that_it_started(tmp_path):
    pid_file = tmp_path / "pid"
    code, result, _err = run_module(command=f"""sh -c 'sleep 30 & echo $! > {pid_file}; wait'""", timeout="300ms", observe=True)
    assert result["targets"][0]["failed"] == "the command did not end within 0.3 s"
    assert code == 0
    for _attempt in range(50):
        if not _runs(int(pid_file.read_text())):
            return
        time.sleep(0.02)
    pytest.fail("the child of the command is still there")


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return re.search(r"\) (.)", stat.read()).group(1) != "Z"
    except FileNotFoundError:
        return False


def test_failure_is_told_with_the_whole_result_and_without_secrets():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        code, result, err = run_module(
            url=f"http://me:hunter2@127.0.0.1:{taken.getsockname()[1]}/",
            headers={"X-Token": "s3cr3t", "X-Probe": "1"},
            success_threshold=1,
            interval="10s",
            deadline="1s",
        )
    assert (code, result["failed"], result["ok"], result["targets"][0]["failed"]) == (1, True, False, "Connection refused")
    assert "127.0.0.1" in result["msg"], "a header of one character masks nothing"
    assert not [secret for secret in ("hunter2", "s3cr3t") if secret in json.dumps(result) + err]


def test_bad_input_is_refused():
    code, result, _err = run_module(url="http://a", conditions=["up["])
    assert (code, result["failed"]) == (1, True)
    assert result["msg"].startswith("conditions: 'up['")
