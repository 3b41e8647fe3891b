# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it costs to watch a rollout of 1,000 hosts: seconds of CPU of the callback, and of the process that makes its board.

    python -m bench.watching --hosts 1000

They are compared with what the controller's own steps take for the same rollout, over a real journal and hosts that are not there. Everything
else of a run, Ansible itself above all, is left out: the share of a real run is smaller still.
"""

from __future__ import annotations

import argparse
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


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.watching", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hosts", type=int, default=1000)
    hosts = parser.parse_args().hosts
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as path:
        constants.DEFAULT_LOCAL_TMP = path
        world = World((("lb1", "web"),), [Host(name) for name in names(hosts)], Path(path))
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

        began = time.process_time()
        _Taped(recorded, world, "2.0", watch, max_unavailable="10%").go()
        roll = time.process_time() - began - board
    shown: list[str] = []
    callback = CallbackModule(display=SimpleNamespace(verbosity=0, display=lambda line, **_more: shown.append(line)))
    began = time.process_time()
    for _at, result in recorded.results:
        callback.v2_runner_on_ok(_Result(result))
    lines = time.process_time() - began
    for what, seconds in (("callback, lines", lines), ("board, in a process of its own", board)):
        print(f"{hosts} hosts: {what}: {seconds:.2f} s of CPU, {100 * seconds / roll:.1f} % of the {roll:.1f} s of the controller's steps")
    return 0


class _Result:
    def __init__(self, returned: dict[str, t.Any]) -> None:
        self.result = returned
        self._result = returned


if __name__ == "__main__":
    sys.exit(main())
