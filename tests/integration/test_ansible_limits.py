# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of Ansible's own rolling keywords, M1 to M12: each shown on the ansible-core under test, and then not here.

A plain playbook "deploys" by touching a file named after its host. What happens to several limits at once in a roll of ours is
shown once and read by several tests.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.plugin_utils.amounts import Amount
from fleet.breakpoints import Breakpoints
from fleet.fleet import Fleet
from fleet.play import ROLLING, command, environment
from fleet.waiting import wait_until

Fixture = t.Callable[..., t.Any]

QUICK: dict[str, t.Any] = {
    "rollout_health_interval": "50ms",
    "rollout_drain_soft": "100ms",
    "rollout_drain_quiet": "100ms",
    "rollout_healthy_deadline": "1s",
}


class Plain:
    """Plain playbooks over hosts `h1`..`hN`, which are directories of this machine.

    :param gone: hosts that can't be reached.
    """

    def __init__(self, directory: Path) -> None:
        self.here = directory

    def start(self, plays: str, hosts: int, *arguments: str, gone: t.Collection[str] = ()) -> subprocess.Popen[str]:
        off = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_common_args": "-o BatchMode=yes"}
        all_hosts = {name: off if name in gone else {} for name in (f"h{number}" for number in range(1, hosts + 1))}
        usual = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "here": str(self.here)}
        (self.here / "hosts.yml").write_text(json.dumps({"app": {"hosts": all_hosts, "vars": usual}}))
        (self.here / "play.yml").write_text(plays)
        (self.here / "ansible.cfg").touch()
        settings = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")} | {
            "ANSIBLE_CONFIG": str(self.here / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.here / "ansible"),
            "ANSIBLE_RETRY_FILES_ENABLED": "true",
        }
        words = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.yml", "play.yml", "-f", "10", *arguments]
        return subprocess.Popen(
            words, cwd=self.here, env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, plays: str, hosts: int, *arguments: str, gone: t.Collection[str] = ()) -> tuple[int, str]:
        with self.start(plays, hosts, *arguments, gone=gone) as process:
            output, _errors = process.communicate(timeout=60)
        print(output)
        return process.returncode, output

    def touched(self, what: str) -> set[str]:
        return {path.suffix[1:] for path in self.here.glob(f"{what}.*")}


@pytest.fixture
def plain(tmp_path: Path) -> Plain:
    (tmp_path / "plain").mkdir()
    return Plain(tmp_path / "plain")


def touch(what: str) -> dict[str, t.Any]:
    return {"ansible.builtin.file": {"path": f"{{{{ here }}}}/{what}.{{{{ inventory_hostname }}}}", "state": "touch"}}


def fail(when: str) -> dict[str, t.Any]:
    return {"ansible.builtin.fail": {"msg": "broken"}, "when": when}


def playing(*tasks: dict[str, t.Any], **play: t.Any) -> str:
    """A play over `app`."""
    return f"- {json.dumps({'hosts': 'app', 'gather_facts': False, **play, 'tasks': tasks})}\n"


FAIL_H1 = fail("inventory_hostname == 'h1'")


@pytest.fixture(scope="module")
def lost_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[t.Any, Fleet]]:
    """A roll of ours, batches of two, with web2 unreachable from the moment it is drained."""
    with Fleet(4, tmp_path_factory.mktemp("lost")) as fleet:
        fleet.release("2.0.0")
        # The host goes away when it is told to deploy, as a plain one does in the middle of its play.
        off = json.loads(fleet.inventory().read_text())
        host = off["web"]["hosts"]["web2"]
        gone = "{{ 'ssh' if lookup('ansible.builtin.fileglob', '" + str(fleet.directory) + "/gone') else 'local' }}"
        host |= {"ansible_connection": gone, "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_common_args": "-o BatchMode=yes"}
        inventory = fleet.directory / "gone.yml"
        inventory.write_text(json.dumps(off))
        stops = Breakpoints(fleet.directory / "stops", "Switch to the release and restart#1")
        variables = QUICK | {"rollout_version": "2.0.0", "rollout_max_unavailable": 2}
        log = fleet.directory / "log"
        with log.open("wb") as output:
            words = command(fleet, ROLLING, variables, inventory=inventory)
            process = subprocess.Popen(words, env=environment(fleet, **stops.settings), stdout=output, stderr=output)
        wait_until(lambda: stops.reached("Switch to the release and restart#1") or process.poll() is not None, 60, "the deploy")
        (fleet.directory / "gone").touch()
        stops.go("Switch to the release and restart#1")
        rc = process.wait(60)
        text = " ".join(log.read_text().split())
        print(log.read_text())
        yield (rc, text), fleet


def test_m1_an_unreachable_host_counts(plain: Plain, lost_host: t.Any) -> None:
    rc, _output = plain.run(playing(touch("deploy"), serial=2, max_fail_percentage=0), 4, gone=["h2"])
    assert rc == 4 and plain.touched("deploy") == {"h1", "h3", "h4"}, "batch 2 is deployed although max_fail_percentage is 0"

    (rc, text), fleet = lost_host
    assert rc == 2 and "1 host unreachable (web2), rollout_max_unreachable is 0" in text
    assert (fleet.version("web3"), fleet.version("web4")) == ("1.0.0", "1.0.0")


def test_m2_a_host_is_not_left_half_way_beside_an_unreachable_one(plain: Plain, lost_host: t.Any) -> None:
    _rc, output = plain.run(playing(touch("drain"), touch("deploy"), touch("enable"), serial=2, any_errors_fatal=True), 4, gone=["h2"])
    stopped_half_way = plain.touched("drain") - plain.touched("enable")
    assert stopped_half_way or plain.touched("deploy") >= {"h3", "h4"}
    assert re.search(r"h1 .*failed=0", output), "and nothing is said of h1"

    (_rc, text), fleet = lost_host
    assert fleet.version("web1") == "2.0.0" and set(fleet.status("web1").values()) == {"UP"}, "its neighbour is finished"
    assert "unreachable: web2: " in text


def test_m3_a_failure_stops_the_others_whatever_the_strategy(plain: Plain, tmp_path: Path, play: Fixture) -> None:
    plain.run(playing(FAIL_H1, touch("deploy"), strategy="host_pinned", any_errors_fatal=True), 4, "-f", "1")
    assert plain.touched("deploy") == {"h2", "h3", "h4"}, "nobody is stopped"

    with Fleet(2, tmp_path / "fleet") as fleet:
        fleet.release("2.0.0", {"healthy": False})
        mine = fleet.directory / "mine.yml"
        mine.write_text("- hosts: web\n  gather_facts: false\n  serial: 1\n  max_fail_percentage: 100\n  roles: [convoy.rolling.rollout]\n")
        run = play(fleet, QUICK | {"rollout_version": "2.0.0", "rollout_max_unavailable": 1}, playbook=mine)
        assert run.rc == 2 and "1 host failed (web1), rollout_max_failures is 0" in run.text
        assert fleet.version("web2") == "1.0.0", "the gate is the only limit"


def test_m4_who_is_unreachable_half_way_is_named(plain: Plain, lost_host: t.Any) -> None:
    gone = {"ansible.builtin.ping": {}, "vars": {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}}
    block = {"block": [touch("drain"), gone], "rescue": [touch("rescue")], "always": [touch("enable")]}
    plain.run(playing(block), 1)
    assert plain.touched("drain") and not plain.touched("rescue") | plain.touched("enable"), "it stays drained, in silence"

    (_rc, text), fleet = lost_host
    assert set(fleet.status("web2").values()) == {"MAINT"}
    assert "out of rotation: web2 on lb1/sticky, lb1/web (taken out by this rollout" in text


@pytest.mark.parametrize(("number", "rc"), [(signal.SIGINT, 99), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.exhaustive)])
def test_m5_a_signal_leaves_nobody_forgotten(
    number: signal.Signals, rc: int, plain: Plain, tmp_path: Path, start: Fixture, play: Fixture
) -> None:
    block = {"block": [touch("drain"), {"ansible.builtin.command": "sleep 9"}], "always": [touch("enable")]}
    process = plain.start(playing(block), 1)
    with process:
        wait_until(lambda: bool(plain.touched("drain")), 30, "the drain")
        time.sleep(0.3)
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode in (rc, -number) and not plain.touched("enable"), "no always is run"

    with Fleet(2, tmp_path / "fleet") as fleet:
        fleet.release("2.0.0")
        roll = QUICK | {"rollout_version": "2.0.0", "rollout_max_unavailable": 1}
        place = "Switch to the release and restart#1"
        stops = Breakpoints(fleet.directory / "stops", place)
        first = start(fleet, roll, settings=stops.settings)
        first.wait_until(lambda: stops.reached(place), place)
        first.kill(number)
        stops.go(place)
        assert first.end().rc != 0
        again = play(fleet, roll)
        assert again.rc == 0 and "out web1: taken out by rollout 1, not back yet; it goes first" in again.text
        assert {member["status"] for member in fleet.stat()} == {"UP"}


@pytest.fixture(scope="module")
def bad_version(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[t.Any, Fleet]]:
    """A roll of ours to a version that never gets healthy, one of four at a time, with one failure in the budget."""
    with Fleet(4, tmp_path_factory.mktemp("bad")) as fleet:
        fleet.release("2.0.0", {"healthy": False})
        variables = QUICK | {"rollout_version": "2.0.0", "rollout_max_unavailable": 2, "rollout_max_failures": 1}
        words = command(fleet, ROLLING, variables | {"rollout_max_unavailable": 2})
        done = subprocess.run(words, env=environment(fleet), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout)
        yield (done.returncode, " ".join(done.stdout.split())), fleet


def test_m6_the_budget_is_the_rollout_s(plain: Plain, tmp_path: Path, play: Fixture) -> None:
    plain.run(playing(fail("inventory_hostname in ['h1', 'h5', 'h9']"), touch("deploy"), serial=4, max_fail_percentage=25), 12)
    assert len(plain.touched("deploy")) == 9, "a failure in each batch of four is 25 %, and 3 of 12 have failed"

    with Fleet(4, tmp_path / "fleet") as fleet:
        fleet.release("2.0.0")
        broken = {"rollout_restart_command": "{{ usual if inventory_hostname in ['web2', 'web4'] else 'false' }}"}
        inventory = json.loads(fleet.inventory().read_text())
        variables = inventory["web"]["vars"]
        variables |= {"usual": variables["rollout_restart_command"], **broken}
        path = fleet.directory / "broken.yml"
        path.write_text(json.dumps(inventory))
        roll = QUICK | {"rollout_version": "2.0.0", "rollout_max_unavailable": 1, "rollout_max_failures": 0}
        run = play(fleet, roll, inventory=path)
        assert run.rc == 2 and "1 host failed (web1), rollout_max_failures is 0" in run.text
        assert [fleet.version(host) for host in ("web2", "web3", "web4")] == ["1.0.0"] * 3


def test_m7_the_same_command_again_reaches_every_host(plain: Plain, tmp_path: Path, bad_version: t.Any, play: Fixture) -> None:
    rc, _output = plain.run(playing(fail("inventory_hostname == 'h1' and retry is not defined"), touch("deploy"), serial=1), 3)
    assert rc == 2
    assert (plain.here / "play.retry").read_text().split() == ["h1"]
    rc, _output = plain.run((plain.here / "play.yml").read_text(), 3, "--limit", "@play.retry", "-e", "retry=true")
    assert rc == 0 and plain.touched("deploy") == {"h1"}, "green, with two of three hosts old"

    (rc, _text), fleet = bad_version
    assert rc == 2
    fleet.release("3.0.0")
    again = play(fleet, QUICK | {"rollout_version": "3.0.0", "rollout_max_unavailable": 2})
    assert again.rc == 0 and set(fleet.versions().values()) == {"3.0.0"}


def test_m8_percentages_are_whole_numbers() -> None:
    from ansible.utils.helpers import pct_to_int

    cases = {(29, 100): 29, (57, 100): 57, (58, 50): 29}
    assert [pct_to_int(f"{percent}%", total) for percent, total in cases] == [28, 56, 28]
    assert [Amount.parse(f"{percent}%", "rollout_max_unavailable").of(total) for percent, total in cases] == list(cases.values())


def test_m9_a_slow_host_holds_its_batch(plain: Plain) -> None:
    """Only of plain Ansible; test_window.py shows ours, where a slow host holds nobody."""
    slow = {"ansible.builtin.command": "sleep {{ 2 if inventory_hostname in ['h1', 'h3'] else 0.1 }}"}
    seconds = {}
    for name, more in {"serial": {"serial": 2}, "window": {"strategy": "host_pinned"}}.items():
        began = time.monotonic()
        assert plain.run(playing(slow, **more), 4, "-f", "2")[0] == 0
        seconds[name] = time.monotonic() - began
    assert seconds["serial"] > seconds["window"], seconds


def test_m10_a_batch_that_fails_whole_is_still_settled(plain: Plain, bad_version: t.Any) -> None:
    bad = playing(fail("inventory_hostname in ['h1', 'h2']"), touch("deploy"), serial=2, max_fail_percentage=100)
    plain.run(bad + playing(touch("settled")), 4)
    assert not plain.touched("deploy") | plain.touched("settled"), "no later play runs, whatever max_fail_percentage says"

    (rc, text), _fleet = bad_version
    assert rc == 2
    assert 'rollout of "web" to 2.0.0: halted: 2 hosts failed (web1, web2), rollout_max_failures is 1' in text
    assert "out of rotation: web1 " in text and "out of rotation: web2 " in text and "next: ansible-playbook " in text


def test_m11_one_rollout_at_a_time(plain: Plain, tmp_path: Path, start: Fixture, play: Fixture) -> None:
    # Each waits for the other: two that take turns would never end.
    meet = {"ansible.builtin.wait_for": {"path": "{{ here }}/in.{{ {'a': 'b', 'b': 'a'}[me] }}", "timeout": 20}}
    enter = {"ansible.builtin.file": {"path": "{{ here }}/in.{{ me }}", "state": "touch"}}
    both = [plain.start(playing(enter, meet), 1, "-e", f"me={me}") for me in "ab"]
    for process in both:
        process.communicate(timeout=60)
    assert [process.returncode for process in both] == [0, 0], "both were in at the same time"

    with Fleet(2, tmp_path / "fleet") as fleet:
        fleet.release("2.0.0")
        roll = QUICK | {"rollout_version": "2.0.0", "rollout_max_unavailable": 1}
        stops = Breakpoints(fleet.directory / "stops", "Drain#1")
        first = start(fleet, roll, settings=stops.settings)
        first.wait_until(lambda: stops.reached("Drain#1"), "the drain")
        second = play(fleet, roll)
        assert second.rc == 2 and "is going on since " in second.text and "nothing was touched" in second.text
        stops.go("Drain#1")
        assert first.end().rc == 0


def test_m12_a_second_run_knows_what_the_first_did(plain: Plain, bad_version: t.Any, play: Fixture) -> None:
    """Resume, and the plan over earlier batches; test_rollback.py shows the way back."""
    deploy = {"ansible.builtin.shell": "echo deployed >>{{ here }}/deploy.{{ inventory_hostname }}"}
    plays = playing(fail("inventory_hostname == 'h2' and again is not defined"), deploy, serial=1)
    plain.run(plays, 3)
    plain.run(plays, 3, "-e", "again=true")
    assert (plain.here / "deploy.h1").read_text().split() == ["deployed"] * 2, "h1 is deployed again"

    _seen, fleet = bad_version
    fleet.release("4.0.0")
    roll = QUICK | {"rollout_version": "4.0.0", "rollout_max_unavailable": 2}
    assert play(fleet, roll).rc == 0
    pids = [fleet.health(host)[1]["pid"] for host in fleet.hosts]
    again = play(fleet, roll)
    assert (again.rc, again.changed, again.batches) == (0, 0, [])
    assert [fleet.health(host)[1]["pid"] for host in fleet.hosts] == pids
