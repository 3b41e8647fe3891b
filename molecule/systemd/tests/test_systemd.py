# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of units that stop slowly, are activated by a socket, fail to start or die, and of a Debian package."""

from __future__ import annotations

import json
import typing as t

import pytest

Said = t.Callable[[str], str]


def seconds_to_stop(host: t.Any) -> float:
    """How long systemd took to stop the unit, the last time it did."""
    lines = host.check_output("sudo journalctl --unit web --output json").splitlines()
    times = {}
    for line in map(json.loads, lines):
        for word in ("Stopping", "Stopped"):
            if str(line["MESSAGE"]).startswith(word):
                times[word] = int(line["__MONOTONIC_TIMESTAMP"]) / 1e6
    return times["Stopped"] - times["Stopping"]


def journal(host: t.Any) -> str:
    return t.cast("str", host.check_output("sudo journalctl --unit web --output cat"))


@pytest.mark.on("slow", "stubborn", "activated")
def test_the_unit_runs_the_new_version(host: t.Any, health: dict[str, t.Any], said: Said) -> None:
    name = host.check_output("hostname")
    assert said(name).endswith("rc=0")
    assert health["version"] == "2.0.0"
    assert host.service("web").is_running


@pytest.mark.on("slow")
def test_a_user_whose_sudo_asks_for_a_password_rolled_it(host: t.Any) -> None:
    assert "systemctl restart -- web" in host.check_output("sudo journalctl --identifier sudo --output cat --grep ' alice : '")


@pytest.mark.on("slow")
def test_a_unit_gets_the_time_it_needs_to_stop(host: t.Any) -> None:
    assert 3 <= seconds_to_stop(host) < 5
    assert "SIGTERM: 0 requests cut short" in journal(host)
    assert "timed out" not in journal(host)


@pytest.mark.on("stubborn")
def test_a_unit_gets_no_more_than_its_own_timeout(host: t.Any) -> None:
    assert 2 <= seconds_to_stop(host) < 5
    assert "timed out" in journal(host)


@pytest.mark.on("activated")
def test_the_socket_stayed_open_while_the_unit_restarted(host: t.Any, load: dict[str, t.Any]) -> None:
    assert host.service("web.socket").is_running
    assert [failure for failure in load["failures"] if "ConnectionRefused" in failure["why"]] == []
    assert load["versions"]["2.0.0"] > 100


@pytest.mark.on("failing")
def test_a_unit_that_fails_to_start_fails_its_host_with_what_the_unit_said(host: t.Any, said: Said) -> None:
    assert host.service("web").systemd_properties["ActiveState"] == "failed"
    assert said("failing").endswith("rc=2")
    assert '"exit": true' in said("failing").partition("the restart failed with status 1: ")[2]


@pytest.mark.on("dying")
def test_a_unit_that_dies_after_three_seconds_is_not_taken_for_healthy(host: t.Any, said: Said) -> None:
    assert host.service("web").systemd_properties["ActiveState"] == "failed"
    assert said("dying").endswith("rc=2")
    assert "halted" in said("dying")


@pytest.mark.on("looping")
def test_a_unit_that_died_too_often_is_started_again_for_a_good_version(host: t.Any, health: dict[str, t.Any], said: Said) -> None:
    assert said("looping").endswith("rc=2")
    assert "Start request repeated too quickly" in journal(host)
    assert said("looping-mended").endswith("rc=0")
    assert health["version"] == "2.0.0"


@pytest.mark.on("packaged")
def test_a_package_goes_up_and_down_in_exact_versions(host: t.Any, health: dict[str, t.Any], said: Said) -> None:
    assert [said(f"packaged-{roll}")[-4:] for roll in ("first", "up", "down")] == ["rc=0"] * 3
    assert health["version"] == host.package("web").version == "1.0.0"
    # The upgrade truly happened, or there would have been nothing to go back from.
    assert "upgrade web:all 1.0.0 2.0.0" in host.file("/var/log/dpkg.log").content_string
    assert host.check_output("dpkg --get-selections web").split() == ["web", "hold"]
