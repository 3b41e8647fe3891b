# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as it is installed from its artifact, with only what a run needs, and no checkout in sight."""

from __future__ import annotations

import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

from fleet.fleet import Fleet
from fleet.play import CHECKOUT, environment

Fixture = t.Callable[..., t.Any]
NEEDED = {"meta", "plugins", "roles", "playbooks", "MANIFEST.json", "FILES.json"}


def install(fleet: Fleet, collections: Path) -> Path:
    """Build and install as a person would; returns where it is."""
    galaxy = [str(Path(sys.executable).with_name("ansible-galaxy")), "collection"]
    built = fleet.directory / "built"

    def run(*words: str) -> None:
        subprocess.run([*galaxy, *words], cwd=CHECKOUT, env=environment(fleet), check=True, stdin=subprocess.DEVNULL)

    run("build", "--output-path", str(built))
    # Forced: the checkout, linked into this Python, counts as an installed copy, and galaxy would see nothing to do.
    run("install", *map(str, built.glob("*.tar.gz")), "-p", str(collections), "--offline", "--no-deps", "--force")
    installed = collections / "ansible_collections" / "convoy" / "rolling"
    for path in installed.iterdir():
        if path.name not in NEEDED:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert {path.name for path in installed.iterdir()} == NEEDED
    return installed


def test_a_fleet_rolls_by_name_from_an_installed_collection(tmp_path: Path, play: Fixture) -> None:
    with Fleet(3, tmp_path) as fleet:
        fleet.release("2.0.0")
        installed = install(fleet, tmp_path / "collections")
        settings = {"ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections")}
        roll = {"rollout_version": "2.0.0", "rollout_max_unavailable": 2}
        run = play(fleet, roll, "-vv", playbook="convoy.rolling.rolling", settings=settings)
        assert run.rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"}
        assert 'rollout of "web" to 2.0.0: successfully rolled out' in run.output.splitlines()  # the callback, by name
        paths = {line.partition(": ")[2] for line in run.output.splitlines() if line.startswith("task path: ")}
        assert paths and all(path.startswith(f"{installed}/") for path in paths)
        status = play(fleet, {"rollout_require_converged": True}, playbook="convoy.rolling.status", settings=settings)
        assert status.rc == 0
