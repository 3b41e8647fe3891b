# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions that do not come up, and artifacts that are no release."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from fleet.fleet import POOLS, Fleet

Fixture = t.Callable[..., t.Any]


def test_an_unhealthy_version_stops_in_the_first_batch_and_a_good_one_begins_there(
    tmp_path: Path, play: Fixture, watching: Fixture, words: Fixture
) -> None:
    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0", {"healthy": False})
        fleet.release("3.0.0")
        with watching(fleet) as seen:
            bad = play(fleet, {"rollout_version": "2.0.0", "rollout_max_unavailable": 2, "rollout_healthy_deadline": "2s"})
            assert {host: words(fleet, host) for host in fleet.hosts} == {
                host: {"MAINT"} if host in ("web1", "web2") else {"UP"} for host in fleet.hosts
            }
            assert list(fleet.versions().values()) == ["2.0.0"] * 2 + ["1.0.0"] * 2
            good = play(fleet, {"rollout_version": "3.0.0", "rollout_max_unavailable": 2})
        assert set(fleet.versions().values()) == {"3.0.0"}
        assert {member["status"] for member in fleet.stat()} == {"UP"}
    assert bad.rc == 2
    for host in ("web1", "web2"):
        assert f"failed: {host}: health check: " in bad.text
        assert f"out of rotation: {host} on lb1/sticky, lb1/web" in bad.text
    assert f"next: ansible-playbook -i {tmp_path}/inventory.yml " in bad.text
    assert good.rc == 0
    assert good.batches == [["web1", "web2"], ["web3", "web4"]]
    assert "out web1: taken out by rollout 1" in good.text
    seen.nothing_was_lost()
    assert min(seen.lowest(pool) for pool in POOLS) == 2


@pytest.mark.exhaustive
def test_a_version_that_dies_or_hangs_keeps_one_host_out(tmp_path: Path, play: Fixture, words: Fixture) -> None:
    with Fleet(3, tmp_path) as fleet:
        for version, behaviour in (("2.0.0", {"exit": True}), ("3.0.0", {"hang": True})):
            fleet.release(version, behaviour)
            timing = {"rollout_healthy_deadline": "2s", "rollout_health_timeout": "500ms"}
            run = play(fleet, {"rollout_version": version, "rollout_max_unavailable": 1, **timing})
            assert run.rc == 2
            assert run.batches[0] == ["web1"]
            assert "failed: web1: health check: " in run.text
            assert [words(fleet, host) for host in fleet.hosts] == [{"MAINT"}, {"UP"}, {"UP"}]
            assert (fleet.version("web2"), fleet.version("web3")) == ("1.0.0", "1.0.0")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Fleet]:
    with Fleet(2, tmp_path_factory.mktemp("fleet")) as fleet:
        fleet.release("2.0.0")
        (fleet.directory / "artifacts" / "web-3.0.0.tar.gz").write_bytes(b"\x1f\x8b no archive")
        yield fleet


@pytest.mark.parametrize(
    ("version", "more", "why"),
    [
        pytest.param("3.0.0", {}, "web-3.0.0.tar.gz", id="corrupt"),
        pytest.param("2.0.0", {"rollout_artifact_sha256": "0" * 64}, "0" * 64, id="another digest"),
        pytest.param("4.0.0", {}, "web-4.0.0.tar.gz", id="missing", marks=pytest.mark.exhaustive),
    ],
)
def test_an_artifact_that_is_no_release_drains_nobody(
    version: str, more: dict[str, str], why: str, fleet: Fleet, play: Fixture, untouched: Fixture
) -> None:
    with untouched(fleet):
        run = play(fleet, {"rollout_version": version, "rollout_max_unavailable": 1, **more})
    assert run.rc == 2
    assert why in run.text
    assert not [path for host in fleet.hosts.values() for path in (host.root / "releases").iterdir() if path.name.startswith(version)]
