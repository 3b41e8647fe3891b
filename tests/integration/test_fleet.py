# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet proves itself: without these, 0 failed requests in a test would say nothing."""

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path

import pytest

from fleet.fleet import Fleet
from fleet.load import Load
from fleet.sampler import Sampler
from fleet.waiting import wait_until


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("longer-than-the-path-of-a-socket-may-be-" * 3)
    with Fleet(3, directory, balancers=2) as running:
        yield running


def test_nothing_fails_while_nothing_happens_and_a_kill_is_counted(fleet: Fleet) -> None:
    urls = [balancer.url for balancer in fleet.balancers]
    with Sampler(fleet.balancers) as sampler, Load(urls, fleet.directory / "load.jsonl") as load:
        time.sleep(1)
        killed = time.time()
        fleet.kill("web2")
        time.sleep(0.7)
        summary = load.stop()
        fleet.control("start", "web2")
        fleet.wait_up()
        time.sleep(0.1)
    assert set(summary["by_kind"]) == {"keep-alive", "close", "slow", "sticky"}
    assert summary["sent"] > 100
    assert summary["failed"] > 0
    assert min(failure["time"] for failure in summary["failures"]) >= killed
    assert (sampler.minimum("web"), sampler.minimum("sticky")) == (2, 2)
    assert [absence.host for absence in sampler.absences] == ["web2"] * 4  # two pools on two balancers
    assert sampler.errors == []


def test_a_person_can_take_a_member_out(fleet: Fleet) -> None:
    fleet.set_state("web3", "maint", ["web"])
    assert fleet.status("web3") == {(b, p): "MAINT" if p == "web" else "UP" for b in ("lb1", "lb2") for p in ("web", "sticky")}
    assert (fleet.in_service("web"), fleet.in_service("sticky")) == (2, 3)
    fleet.set_state("web3", "ready", ["web"])
    with pytest.raises(RuntimeError, match="No such server"):
        fleet.set_state("web9", "ready")


@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [({"healthy": False}, (503, "down")), ({"unready": 60}, (503, "starting")), ({"exit": True}, (0, None)), ({"hang": True}, (0, None))],
)
def test_a_bad_release_is_as_bad_as_it_says(fleet: Fleet, behaviour: dict[str, t.Any], answer: tuple[int, str | None]) -> None:
    release = fleet.hosts["web1"].root / "current" / "release.json"
    good = release.read_text()
    release.write_text(json.dumps({"version": "2.0.0", "behaviour": behaviour}))
    try:
        fleet.control("restart", "web1")
        wait_until(lambda: fleet.version("web1") != "1.0.0" and (answer[0] == 0 or fleet.version("web1") == "2.0.0"), 30, "the restart")
        status, body = fleet.health("web1")
        assert (status, body.get("status")) == answer
    finally:
        release.write_text(good)
        fleet.control("restart", "web1")
    fleet.wait_up()


def test_everything_is_gone_afterwards() -> None:
    with pytest.raises(ZeroDivisionError), Fleet(1) as fleet:
        pid = fleet.health("web1")[1]["pid"]
        directory = fleet.directory
        raise ZeroDivisionError
    assert not directory.exists()
    assert not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    with pytest.raises(OSError):
        fleet.stat()
