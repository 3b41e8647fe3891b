# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The provider nginx against a real nginx: what only nginx has; the rest is in test_balancer_contract.py."""

from __future__ import annotations

import os
import threading
import typing as t
import urllib.request

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from fleet.stands import Missing, as_module
from fleet.stands.nginx import NginxStand
from fleet.waiting import wait_until


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[NginxStand]:
    try:
        stand = NginxStand(tmp_path_factory.mktemp("n"))
    except Missing as missing:
        pytest.skip(str(missing))
    with stand:
        yield stand


def reloads(stand: NginxStand) -> int:
    return (stand.directory / "error.log").read_text().count("(SIGHUP) received from")


def test_a_batch_is_one_reload(stand: NginxStand) -> None:
    before = reloads(stand)
    out = stand.run(*stand.members[:2], state="drained", floor=1)
    assert out["changed"] and out["view"]["in_service"] == 1 and reloads(stand) == before + 1
    stand.run(*stand.members[:2], state="ready")
    assert reloads(stand) == before + 2


def test_an_old_worker_is_waited_for(stand: NginxStand) -> None:
    name = stand.members[0]
    asking = threading.Thread(target=lambda: urllib.request.urlopen(f"{stand.url}/slow?seconds=4", timeout=10).read())
    asking.start()
    wait_until(lambda: any(app.in_flight for app in stand.apps.values()), 30, "the request")
    with pytest.raises(RollingError, match=r"It still had \d sessions .* put back to what it was: ready"):
        stand.run(name, state="drained", wait_timeout="1s")
    after = stand.run(name, state="drained")["members"][0]["after"]
    stand.run(name, state="ready")
    assert after["sessions"] == 0 and not asking.is_alive()


def test_a_change_that_nginx_did_not_load_is_no_success(stand: NginxStand) -> None:
    """As after a controller that died between its change and the reload."""
    name = stand.members[0]
    before = stand.file.read_bytes()
    stand.file.write_bytes(before.replace(b"weight=2 max_fails=0;", b"weight=2 max_fails=0 down;"))
    seen = stand.look(name)
    assert (seen["admin"], seen["in_service"], seen["health"]) == ("drain", False, "unknown")
    assert "not reloaded since the file changed" in seen["status"]
    result = stand.run(name, state="drained")["members"][0]
    assert result["changed"] and result["after"]["status"] == "down"
    stand.run(name, state="ready")
    assert stand.file.read_bytes() == before


def test_a_file_that_nginx_does_not_include(stand: NginxStand) -> None:
    other = stand.directory / "other.conf"
    other.write_bytes(stand.file.read_bytes())
    with pytest.raises(RollingError, match="nginx does not include"):
        stand.run(stand.members[0], state="drained", address=f"{other}?pid={stand.pid_file}")
    assert other.read_bytes() == stand.file.read_bytes()


def test_a_link_stays_a_link(stand: NginxStand) -> None:
    link = stand.directory / "link.conf"
    link.symlink_to(stand.file)
    address = f"{link}?pid={stand.pid_file}"
    assert stand.run(stand.members[0], state="drained", address=address)["changed"]
    assert link.is_symlink() and stand.look(stand.members[0])["admin"] == "maintenance"
    stand.run(stand.members[0], state="ready", address=address)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may do all")
def test_without_the_right_to_write(stand: NginxStand) -> None:
    stand.file.parent.chmod(0o500)
    with pytest.raises(RollingError, match="run as root, with become"):
        stand.run(stand.members[0], state="drained")
    stand.file.parent.chmod(0o700)


def test_as_a_module(stand: NginxStand) -> None:
    result = as_module(stand.options(stand.members[0], state="drained", floor=2))
    assert result.get("members"), result
    assert result["members"][0]["after"]["status"] == "down"
    options = {"provider": "nginx", "address": stand.address(""), "pools": ["web"]}
    assert as_module(options, "lb_member_info")["pools"][0]["in_service"] == 2
    stand.run(stand.members[0], state="ready")
