# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is true of the scenarios' hosts, seen from outside: over ssh, over HTTP, and by the clients of the load."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import testinfra

Json = dict[str, t.Any]
SCRATCH = Path(os.environ.get("MOLECULE_EPHEMERAL_DIRECTORY", "."), "scratch")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "on(*hosts): the hosts and groups of the inventory that a test is run for, one after another")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """testinfra's own hosts are those of a whole file."""
    for mark in metafunc.definition.iter_markers("on"):
        specs = [f"ansible://{name}" for name in mark.args]
        found = testinfra.get_hosts(specs, ansible_inventory=metafunc.config.option.ansible_inventory)
        found.sort(key=lambda one: one.backend.host)
        metafunc.parametrize("host", found, ids=[one.backend.host for one in found], indirect=True)


@pytest.fixture
def host(request: pytest.FixtureRequest) -> t.Any:
    """A host of testinfra's."""
    return request.param


@pytest.fixture
def health(host: t.Any) -> Json:
    """What the process on the host answers, healthy or not; nothing where none does."""
    address = host.ansible.get_variables()["ansible_host"]
    try:
        with urllib.request.urlopen(f"http://{address}:8080/health", timeout=2) as answer:
            return t.cast("Json", json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            return t.cast("Json", json.load(error))
    except OSError:
        return {}


@pytest.fixture
def members(host: t.Any) -> dict[str, str]:
    """What HAProxy on the host says of every member, such as ``{"web/web1": "UP", ...}``."""
    ask = 'import socket; s = socket.socket(1); s.connect("/run/haproxy/admin.sock"); s.send(b"show stat -1 4 -1\\n"); print(s.makefile().read())'
    lines = host.check_output("sudo python3 -c %s", ask).strip().removeprefix("# ").splitlines()
    return {f"{member['pxname']}/{member['svname']}": member["status"] for member in csv.DictReader(lines)}


@pytest.fixture(scope="session")
def load() -> Json:
    """Ends the load and returns its summary; see ``tests/fleet/load.py``."""
    subprocess.run([Path(__file__).parent / "shared" / "load.sh", "stop", SCRATCH], check=True)
    return t.cast("Json", json.loads((SCRATCH / "load.json").read_text()))


@pytest.fixture
def said() -> t.Callable[[str], str]:
    """What a run of the playbook said and, as ``rc=``, how it ended: ``said("name")``, as one line, however it was wrapped."""
    return lambda name: " ".join((SCRATCH / f"{name}.log").read_text().split())
