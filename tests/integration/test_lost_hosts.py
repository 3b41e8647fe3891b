# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that go away, freeze, reboot or fill up in the middle of a roll: verdict, budget, summary, who is out, and the next run."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
import typing as t
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fleet.app import APPCTL
from fleet.breakpoints import Breakpoints
from fleet.fleet import Fleet
from fleet.ssh import Ssh
from fleet.sshd import find_sshd
from fleet.waiting import wait_until

Fixture = t.Callable[..., t.Any]

QUICK: dict[str, t.Any] = {
    "rollout_max_unavailable": 2,
    "rollout_health_interval": "50ms",
    "rollout_healthy_deadline": "3s",
    "rollout_drain_soft": "100ms",
    "rollout_drain_quiet": "100ms",
}


class Site:
    """A fleet over ssh, and rolls that stand still where a fault is due."""

    def __init__(self, fleet: Fleet, ssh: Ssh, start: Fixture, play: Fixture) -> None:
        self.fleet, self.ssh = fleet, ssh
        self._start, self._play = start, play
        self._inventory = fleet.inventory(fleet.directory / "over_ssh.yml", **ssh.variables)

    def roll(self, place: str, fault: t.Callable[[str], None], **variables: t.Any) -> t.Any:
        """Roll to 2.0.0; before the place's task begins, the fault strikes web1."""
        stops = Breakpoints(self.fleet.directory / "stops", place)
        asked = QUICK | {"rollout_version": "2.0.0"} | variables
        rolling = self._start(self.fleet, asked, inventory=self._inventory, settings=stops.settings)
        rolling.wait_until(lambda: stops.reached(place), place)
        fault("web1")
        stops.go(place)
        return rolling.end()

    def freeze(self, host: str) -> None:
        wait_until(lambda: self.fleet.health(host)[0] != 0, 30, f"the app of {host} answers")  # it may just be starting
        self.ssh.freeze(host)

    def again(self, **variables: t.Any) -> t.Any:
        run = self._play(self.fleet, QUICK | {"rollout_version": "2.0.0"} | variables, inventory=self._inventory)
        assert run.rc == 0
        assert set(self.fleet.versions().values()) == {"2.0.0"}
        assert {member["status"] for member in self.fleet.stat()} == {"UP"}
        return run


@pytest.fixture
def site(tmp_path: Path, start: Fixture, play: Fixture) -> Iterator[Site]:
    sshd = find_sshd()
    if sshd is None:
        pytest.skip("no sshd on this machine")
    with Fleet(4, tmp_path) as fleet, Ssh(fleet, sshd) as ssh:
        fleet.release("2.0.0")
        yield Site(fleet, ssh, start, play)


@pytest.mark.parametrize(
    ("place", "budget"),
    [
        pytest.param("Drain#1", 1, id="before the drain", marks=pytest.mark.exhaustive),
        pytest.param("Switch to the release and restart#1", 0, id="between drain and deploy"),
    ],
)
def test_a_host_cut_off_before_it_is_deployed_stays_out_and_counts(place: str, budget: int, site: Site, words: Fixture) -> None:
    run = site.roll(place, site.ssh.cut, rollout_max_unreachable=budget)
    assert run.rc == 2
    assert "unreachable: web1: " in run.text and "out of rotation: web1 on lb1/sticky, lb1/web (taken out by this rollout" in run.text
    assert ("1 host unreachable (web1), rollout_max_unreachable is 0" in run.text) is (budget == 0)
    assert [words(site.fleet, host) for host in site.fleet.hosts] == [{"MAINT"}, {"UP"}, {"UP"}, {"UP"}]
    rolled = ["2.0.0"] * 2 if budget else ["1.0.0"] * 2
    assert list(site.fleet.versions().values()) == ["1.0.0", "2.0.0", *rolled]
    assert "next: ansible-playbook " in run.text
    site.ssh.connect("web1")
    assert site.again().batches[0][0] == "web1"


@pytest.mark.exhaustive
def test_a_host_cut_off_after_the_deploy_is_proved_by_its_probe_and_named_at_the_end(site: Site, words: Fixture) -> None:
    run = site.roll("Verify#1", site.ssh.cut)
    assert run.rc == 2
    assert "unreachable: web1: " in run.text and "out of rotation: " not in run.text
    assert {words(site.fleet, host).pop() for host in site.fleet.hosts} == {"UP"}
    assert set(site.fleet.versions().values()) == {"2.0.0"}
    site.ssh.connect("web1")
    assert site.again().batches == []


@pytest.mark.parametrize(
    ("place", "why"),
    [
        pytest.param("Verify#1", "failed: web1: health check: ", id="between deploy and probe"),
        pytest.param(
            "Enable#1",
            "It is let in, but after ",
            id="between probe and enable",
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_a_host_that_loses_power_after_the_deploy_stays_out(place: str, why: str, site: Site, words: Fixture) -> None:
    run = site.roll(place, site.ssh.power_off)
    assert run.rc == 2
    assert why in run.text and "; and now it can't be reached: " in run.text.replace("''", "'")
    assert "out of rotation: web1 on lb1/sticky, lb1/web (taken out by this rollout" in run.text
    assert [words(site.fleet, host) for host in site.fleet.hosts] == [{"MAINT"}, {"UP"}, {"UP"}, {"UP"}]
    assert list(site.fleet.versions().values()) == [None, "2.0.0", "1.0.0", "1.0.0"], "the budget is 0"
    site.ssh.boot("web1")
    assert site.again().batches[0][0] == "web1"


@pytest.mark.parametrize("place", ["Switch to the release and restart#1", pytest.param("Verify#1", marks=pytest.mark.exhaustive)])
def test_a_host_that_freezes_and_thaws_is_waited_for(place: str, site: Site) -> None:
    def fault(host: str) -> None:
        site.freeze(host)
        threading.Timer(2, site.ssh.thaw, [host]).start()

    run = site.roll(place, fault, rollout_healthy_deadline="10s")
    assert run.rc == 0
    assert set(site.fleet.versions().values()) == {"2.0.0"}
    assert {member["status"] for member in site.fleet.stat()} == {"UP"}


@pytest.mark.exhaustive
def test_a_host_that_stays_frozen_is_left_out_and_the_next_run_finishes_it(site: Site, words: Fixture) -> None:
    run = site.roll("Verify#1", site.freeze)
    assert run.rc == 2
    assert "failed: web1: health check: " in run.text and "out of rotation: web1 " in run.text
    assert [words(site.fleet, host) for host in site.fleet.hosts] == [{"MAINT"}, {"UP"}, {"UP"}, {"UP"}]
    site.ssh.thaw("web1")
    assert site.again().batches[0][0] == "web1"


@pytest.mark.exhaustive
def test_a_host_that_reboots_while_it_restarts_comes_back_with_the_next_run(site: Site, tmp_path: Path, words: Fixture) -> None:
    begun = tmp_path / "begun"
    usual = f"{APPCTL} restart {tmp_path}/hosts/{{{{ inventory_hostname }}}}"
    restart = f"if [ {{{{ inventory_hostname }}}} = web1 ]; then touch {begun}; sleep 20; else {usual}; fi"

    def reboot() -> None:
        wait_until(begun.exists, 30, "the restart of web1")
        site.ssh.power_off("web1")
        time.sleep(1)
        site.ssh.boot("web1")

    thread = threading.Thread(target=reboot)
    run = site.roll("Drain#1", lambda _host: thread.start(), rollout_restart_command=restart)
    thread.join()
    assert run.rc == 2
    assert "unreachable: web1: " in run.text and "out of rotation: web1 " in run.text
    assert [words(site.fleet, host) for host in site.fleet.hosts] == [{"MAINT"}, {"UP"}, {"UP"}, {"UP"}]
    assert list(site.fleet.versions().values()) == ["2.0.0", "2.0.0", "1.0.0", "1.0.0"]
    assert site.again().batches[0][0] == "web1"


OWN = """\
- name: Bring the release in
  convoy.rolling.release: {root: "{{ rollout_root }}", version: "{{ rollout_version }}", src: "{{ rollout_artifact }}", state: active}
- name: Restart by hand
  ansible.builtin.command: "{{ rollout_restart_command }}"
"""


@pytest.mark.exhaustive
@pytest.mark.parametrize("hook", [False, True])
def test_a_host_cut_off_in_own_tasks_is_unreachable_whatever_its_probe_says(hook: bool, site: Site, tmp_path: Path, words: Fixture) -> None:
    tasks = tmp_path / "tasks.yml"
    tasks.write_text("- ansible.builtin.command: 'true'\n" if hook else OWN)
    own: dict[str, t.Any] = {"rollout_hooks": {"after_deploy": str(tasks)}} if hook else {"rollout_deploy_tasks": str(tasks)}
    # It would pass: the old version goes on answering.
    own["rollout_health"] = {"url": "http://127.0.0.1:{{ app_port }}/health"}
    run = site.roll("Include the task file#1", site.ssh.cut, **own)
    assert run.rc == 2
    assert "unreachable: web1: " in run.text and "out of rotation: web1 " in run.text
    assert "1 host unreachable (web1), rollout_max_unreachable is 0" in run.text
    assert [words(site.fleet, host) for host in site.fleet.hosts] == [{"MAINT"}, {"UP"}, {"UP"}, {"UP"}]
    assert list(site.fleet.versions().values()) == ["2.0.0" if hook else "1.0.0", "2.0.0", "1.0.0", "1.0.0"]
    site.ssh.connect("web1")
    assert site.again(**own).batches[0][0] == "web1"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The file system of web1."""
    place = tmp_path / "hosts" / "web1"
    place.mkdir(parents=True)
    words = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=60", "tmpfs", str(place)]
    if subprocess.run(words, stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize(
    ("place", "out"),
    [
        pytest.param("Stage the release#1", False, id="staging", marks=pytest.mark.exhaustive),
        pytest.param("Switch to the release and restart#1", True, id="switch"),
    ],
)
def test_a_full_disk_is_its_host_s_failure(
    place: str, out: bool, small_disk: Path, tmp_path: Path, start: Fixture, play: Fixture, words: Fixture
) -> None:
    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0")
        stops = Breakpoints(tmp_path / "stops", place)
        rolling = start(fleet, QUICK | {"rollout_version": "2.0.0"}, settings=stops.settings)
        rolling.wait_until(lambda: stops.reached(place), place)
        full = small_disk / "full"
        full.mkdir()
        with suppress(OSError):
            for number in range(100):
                (full / str(number)).touch()
        stops.go(place)
        run = rolling.end()
        assert run.rc == 2
        assert "failed: web1: " in run.text and "no space is left on the disk; free some and run it again." in run.text
        assert "1 host failed (web1), rollout_max_failures is 0" in run.text
        assert words(fleet, "web1") == ({"MAINT"} if out else {"UP"})
        assert ("out of rotation: web1 " in run.text) is out
        assert list(fleet.versions().values()) == ["1.0.0", "2.0.0" if out else "1.0.0", "1.0.0", "1.0.0"]
        shutil.rmtree(full)
        again = play(fleet, QUICK | {"rollout_version": "2.0.0"})
        assert again.rc == 0 and again.batches[0][0] == "web1"
        assert set(fleet.versions().values()) == {"2.0.0"}
