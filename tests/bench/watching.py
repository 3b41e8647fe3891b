# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it costs to watch a rollout of 1,000 hosts: seconds of CPU of the callback, and of the process that makes its board.

    python -m bench.watching --hosts 1000 --rolled 20

The rollout is played over a real journal and hosts that are not there. What it costs is compared with what a run of so many hosts takes, by
what each host of a real one took: rolled locally, the app's own CPU and the callback's left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path
from types import SimpleNamespace

from ansible import constants
from unit.plugins.action.recorded_runs import Recorded, _Taped
from unit.plugins.action.simulated import Host, World
from unit.plugins.plugin_utils.fleets import names

from ansible_collections.convoy.rolling.plugins.callback.convergence import CallbackModule
from ansible_collections.convoy.rolling.plugins.plugin_utils.board import board_lines, board_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.publisher import Reader
from bench import measured
from fleet.fleet import Fleet
from fleet.play import CHECKOUT, ROLLING, command, environment


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.watching", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--rolled", type=int, default=20, help="the hosts of the real run")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as path:
        constants.DEFAULT_LOCAL_TMP = path
        lines, board = _watch(arguments.hosts, Path(path))
    a_host = _roll(arguments.rolled) / arguments.rolled
    run = a_host * arguments.hosts
    for what, seconds in (("callback, lines", lines), ("board, in a process of its own", board)):
        print(
            f"{arguments.hosts} hosts: {what}: {seconds:.2f} s of CPU, {100 * seconds / run:.2f} % of a run's {run:.0f} s ({a_host:.2f} s a host)"
        )
    return 0


def _watch(hosts: int, directory: Path) -> tuple[float, float]:
    """Seconds of CPU of the callback's lines, and of the board."""
    world = World((("lb1", "web"),), [Host(name) for name in names(hosts)], directory)
    recorded = Recorded(world.url)
    board, known = 0.0, 0
    reader = Reader(Journal(world.url), "web", 1, 0)

    def watch() -> None:
        """What the publisher does between any two steps."""
        nonlocal board, known
        if Path(world.url.removeprefix("sqlite:///")).exists():
            began = time.process_time()
            picture = reader.look()
            if len(picture.events) != known:
                known = len(picture.events)
                board_lines(board_of(picture, world.now), world.now, 100)
            board += time.process_time() - began

    _Taped(recorded, world, "2.0", watch, max_unavailable="10%").go()
    shown: list[str] = []
    callback = CallbackModule(display=SimpleNamespace(verbosity=0, display=lambda line, **_more: shown.append(line)))
    began = time.process_time()
    for _at, result in recorded.results:
        callback.v2_runner_on_ok(_Result(result))
    return time.process_time() - began, board


def _roll(hosts: int) -> float:
    """Seconds of CPU of a real run over so many hosts that nobody watches.

    :raises subprocess.CalledProcessError: it failed.
    """
    with Fleet(hosts) as fleet:
        fleet.release("2.0.0")
        report = fleet.directory / "report.json"
        wrapper = [sys.executable, "-I", measured.__file__, str(report), str(fleet.directory / "hosts"), "--"]
        words = command(fleet, ROLLING, {"rollout_version": "2.0.0", "rollout_max_unavailable": "10%"})
        settings = environment(fleet, ANSIBLE_CALLBACKS_ENABLED="")
        subprocess.run([*wrapper, *words], cwd=CHECKOUT, env=settings, stdout=subprocess.DEVNULL, check=True)
        result = json.loads(report.read_text())
        if result["status"]:
            raise subprocess.CalledProcessError(result["status"], words)
        return float(result["cpu"])


class _Result:
    def __init__(self, returned: dict[str, t.Any]) -> None:
        self.result = returned
        self._result = returned


if __name__ == "__main__":
    sys.exit(main())
