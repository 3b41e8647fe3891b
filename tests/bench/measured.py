# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`measured.py REPORT SPARE [--beside COMMAND] -- COMMAND...`: what a command and all it starts cost.

The wrapper is the reaper of its descendants, so that whatever detaches itself (ssh masters that persist, shells that are left
behind) is waited for and counted too. Processes in a directory that SPARE names are not: they are the apps that a roll
restarts, which live on, the same on either side. What runs beside it, such as the sshd of the hosts, counts.
REPORT gets JSON: status, wall and cpu in seconds. The output of the command goes where ours goes.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import signal
import subprocess
import time
import typing as t
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("report", type=Path)
    parser.add_argument("spare", type=Path)
    parser.add_argument("--beside", type=json.loads, help="a command that runs meanwhile, as a JSON list")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    if arguments.beside:
        subprocess.Popen(arguments.beside, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    started = time.monotonic()
    status = subprocess.run(arguments.command, stdin=subprocess.DEVNULL, check=False).returncode
    wall = time.monotonic() - started
    _end_the_rest(arguments.spare.resolve())
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    arguments.report.write_text(json.dumps({"status": status, "wall": wall, "cpu": usage.ru_utime + usage.ru_stime}))


def _end_the_rest(spare: Path) -> None:
    """End every process left over but the spared ones, and wait for them: only who was waited for is in RUSAGE_CHILDREN."""
    deadline = time.monotonic() + 20
    while rest := [pid for pid in _children() if not _is_in(pid, spare)]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"still there: {rest}")
        for pid in rest:
            os.kill(pid, signal.SIGTERM)
        time.sleep(0.02)
        for pid in rest:
            os.waitpid(pid, os.WNOHANG)


def _children() -> t.Iterator[int]:
    for task in Path("/proc/self/task").iterdir():
        yield from map(int, (task / "children").read_text().split())


def _is_in(pid: int, directory: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").resolve().is_relative_to(directory)
    except OSError:
        return False


if __name__ == "__main__":
    main()
