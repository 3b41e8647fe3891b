# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wrapper counts what detaches itself, leaves the spared alone, and says how the command ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

from bench import measured

BURN = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\n"


def measure(tmp_path: Path, script: str, *more: str) -> dict[str, t.Any]:
    report = tmp_path / "report.json"
    spare = tmp_path / "spare"
    spare.mkdir()
    environment = {**os.environ, "PYTHON": sys.executable, "BURN": BURN, "REST": f"{BURN}time.sleep(60)", "SPARE": str(spare)}
    subprocess.run(
        [sys.executable, "-I", measured.__file__, str(report), str(spare), *more, "--", "sh", "-c", script], env=environment, check=True
    )
    return t.cast("dict[str, t.Any]", json.loads(report.read_text()))


def test_a_detached_process_is_counted_and_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    result = measure(tmp_path, f"""(setsid "$PYTHON" -c "$REST" & echo $! >{pid}); "$PYTHON" -c "$BURN"; "$PYTHON" -c "$BURN"; exit 3""")
    assert result["status"] == 3
    assert result["cpu"] > 0.55
    assert not Path("/proc", pid.read_text().strip()).exists()


def test_what_runs_beside_is_counted(tmp_path: Path) -> None:
    burnt = tmp_path / "burnt"
    beside = json.dumps([sys.executable, "-c", f"{BURN}open({str(burnt)!r}, 'w').close()\ntime.sleep(60)"])
    assert measure(tmp_path, f"while [ ! -e {burnt} ]; do sleep 0.05; done", "--beside", beside)["cpu"] > 0.15


def test_a_spared_process_lives_on(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    result = measure(tmp_path, f"""cd "$SPARE"; "$PYTHON" -c "$REST" & echo $! >{pid}; sleep 0.5""")
    assert result["cpu"] < 0.15
    os.kill(int(pid.read_text()), signal.SIGKILL)
