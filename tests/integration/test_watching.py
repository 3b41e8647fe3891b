# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person sees of a rollout: on a terminal, as a job of ansible-runner, and where nothing can be shown."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import ansible_runner
import pytest

from fleet.fleet import Fleet
from fleet.play import CHECKOUT, ROLLING, command, environment

VARIABLES = {"rollout_version": "2.0.0", "rollout_max_unavailable": 1}


def on_a_terminal(words: list[str], variables: dict[str, str], columns: int, rows: int) -> tuple[int, str]:
    """Run a command with a terminal of this size; its status and all that it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    with subprocess.Popen(
        words, cwd=CHECKOUT, env=variables, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # nobody has the other end open any more
                break
            if not chunk:
                break
            written += chunk
        os.close(ours)
    return process.returncode, written.decode(errors="replace")


def test_board_is_at_the_bottom_of_a_terminal_and_leaves_it_as_it_was() -> None:
    with Fleet(3) as fleet:
        fleet.release("2.0.0")
        settings = environment(fleet, TERM="xterm", CONVOY_CONVERGENCE_REFRESH="0.1", PYTHONIOENCODING="utf-8")
        settings = {name: value for name, value in settings.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
        rc, seen = on_a_terminal(command(fleet, ROLLING, VARIABLES), settings, 100, 30)
        print(seen)
        assert rc == 0
        assert seen.count("\x1b[1;26r") == 1, "four of thirty lines are kept"
        board, _taken, after = seen.rpartition("\x1b[r")
        plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", board)
        assert 'rollout 1 of "web" to 2.0.0: progressing' in plain and "batch 3 of 3" in plain
        assert re.search(r"(drain|deploy|verify|enable) \d+:\d\d: web\d", plain)
        assert "requests/s" in plain
        assert "Waiting for rollout" not in seen, "the board says it"
        assert 'rollout of "web" to 2.0.0: successfully rolled out' in after
        assert "PLAY RECAP" in after and "progressing" not in after


def test_job_of_ansible_runner_is_lines_and_an_artifact(tmp_path: Path) -> None:
    with Fleet(3) as fleet:
        fleet.release("2.0.0")
        settings = {name: value for name, value in environment(fleet, TERM="xterm").items() if name.startswith(("ANSIBLE_", "TERM"))}
        settings["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        run = ansible_runner.run(
            private_data_dir=str(tmp_path),
            playbook=str(ROLLING),
            inventory=str(fleet.inventory()),
            extravars=VARIABLES,
            envvars=settings,
            settings={"idle_timeout": 120},
            quiet=True,
        )
        output = run.stdout.read()
        print(output)
        assert run.rc == 0
        assert output.count("Waiting for rollout") == 4, "one line a change"
        assert 'rollout of "web" to 2.0.0: successfully rolled out' in output
        assert "\x1b[1;" not in output and "\x1b7" not in output, "no job log has a board"
        events = list(run.events)
        (stats,) = (event for event in events if event["event"] == "playbook_on_stats")
        artifact = stats["event_data"]["artifact_data"]["convoy_rollout"]
        assert artifact == {
            "app": "web",
            "version": "2.0.0",
            "rollout": 1,
            "verdict": "converged",
            "counts": {"converged": 3},
            "out": [],
            "next": "",
        }


@pytest.mark.parametrize("fault", ["full", pytest.param("closed", marks=pytest.mark.exhaustive)])
def test_rollout_that_nobody_can_watch_is_rolled_like_any_other(fault: str) -> None:
    with Fleet(3) as fleet:
        fleet.release("2.0.0")
        words = command(fleet, ROLLING, {**VARIABLES, "rollout_max_unavailable": 2})
        where = "/dev/full" if fault == "full" else "&-"
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" >{where}', "sh", *words],
            cwd=CHECKOUT,
            env=environment(fleet),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=240,
            check=False,
        )
        print(done.stderr)
        assert set(fleet.versions().values()) == {"2.0.0"}
        if fault == "full":  # ansible-core itself ends in an error when standard output is closed
            assert done.returncode == 0
        assert "Failed to load callback" not in done.stderr
        assert done.stderr.count("convoy.rolling.convergence shows nothing more") <= 1
