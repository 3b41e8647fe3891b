# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everybody runs the commit and serves, and no client noticed."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from pathlib import Path

SCRATCH = Path(os.environ.get("MOLECULE_EPHEMERAL_DIRECTORY", "."), "scratch")
COMMIT = "4c0ffee" * 5 + "4c0ff"

testinfra_hosts = ["ansible://web"]


def test_the_link_points_to_the_commit_and_the_unit_runs(host: t.Any) -> None:
    assert host.check_output("readlink -f /srv/web/current") == f"/srv/web/releases/{COMMIT}"
    assert host.service("web").is_running


def test_no_request_was_lost() -> None:
    subprocess.run([Path(os.environ["CONVOY_CHECKOUT"], "molecule/shared/load.sh"), "stop", SCRATCH], check=True)
    load = json.loads((SCRATCH / "load.json").read_text())
    assert load["failures"] == [] and load["versions"][COMMIT] > 0
