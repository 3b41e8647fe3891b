# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks as AWX runs them: ansible-runner in a directory of the job's own, gone with everything in it when the job ends.

The project is examples/awx, the inventory a script as AWX writes it, the journal in PostgreSQL as the credential type gives it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import typing as t
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fleet.breakpoints import Breakpoints
from fleet.fleet import Fleet
from fleet.play import CHECKOUT
from fleet.postgres import PASSWORD, Postgres
from fleet.waiting import wait_until

# Another machine, by its name, so that nobody outside can know which of its processes have ended.
_ELSEWHERE = ["unshare", "--uts", "sh", "-c", 'hostname "$0"; exec "$@"']
PROJECT = CHECKOUT / "examples" / "awx"


class Job:
    """One job; everything it has is below ``directory``, its home too.

    :param url: of the journal, without the password.
    :param answers: extra variables; and ``limit``, ``stop_at`` (places of `Breakpoints`) and ``elsewhere``.
    """

    def __init__(self, directory: Path, number: int, fleet: Fleet, url: str, playbook: str, **answers: t.Any) -> None:
        places, limit, elsewhere = answers.pop("stop_at", ()), answers.pop("limit", ""), answers.pop("elsewhere", False)
        self._directory = directory
        shutil.copytree(PROJECT, directory / "project")
        self._write_inventory(fleet)
        (directory / "env").mkdir()
        (directory / "env" / "extravars").write_text(json.dumps({**answers, "rollout_state_url": url}))
        (directory / "env" / "cmdline").write_text(f"--limit {limit}" if limit else "")
        (directory / "home").mkdir()
        self.breakpoints = Breakpoints(directory / "breakpoints", *places)
        self._words = [str(Path(sys.executable).with_name("ansible-runner")), "run", str(directory), "-p", playbook, "-i", str(number)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AWX_"))}
        job = {"HOME": str(directory / "home"), "PGPASSWORD": PASSWORD, "AWX_HOST": "https://awx.example.com", "JOB_ID": str(number)}
        job["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._log = directory / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*([*_ELSEWHERE, f"node{number}"] if elsewhere else []), *self._words],
                env=kept | job | (self.breakpoints.settings if places else {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """All that it said so far, as one line, however it was wrapped, coloured and quoted: it runs on a terminal of ansible-runner's."""
        return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", self._log.read_text(errors="replace")).replace('\\"', '"').split())

    def end(self) -> tuple[int, str]:
        """How it ended and what it said; its directory is gone then."""
        rc = self._process.wait(240)
        print(self._log.read_text(errors="replace"))
        output = self.output
        shutil.rmtree(self._directory)
        return rc, output

    def lose(self) -> None:
        """Its container is killed."""
        family = [self._process.pid]
        for pid in family:
            with suppress(OSError):
                family += [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self._directory)

    def stop(self) -> None:
        if self._process.poll() is None:
            self.lose()

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        wait_until(lambda: condition() or self._process.poll() is not None, 120, what)
        assert self._process.poll() is None, f"it ended before {what}:\n{self.output}"

    def _write_inventory(self, fleet: Fleet) -> None:
        groups = json.loads(fleet.inventory(self._directory / "groups.json").read_text())
        listed: dict[str, t.Any] = {"_meta": {"hostvars": groups["web"]["hosts"]}}
        listed |= {"web": {"hosts": list(groups["web"]["hosts"]), "vars": groups["web"]["vars"]}, "canary": {"hosts": ["web1"]}}
        del listed["web"]["vars"]["rollout_state_url"]
        script = self._directory / "inventory" / "hosts"
        script.parent.mkdir()
        script.write_text(f"#!{sys.executable}\nprint({json.dumps(listed)!r})\n")
        script.chmod(0o700)


@pytest.fixture
def launch(tmp_path: Path, postgres: Postgres) -> Iterator[Callable[..., Job]]:
    """Launch a job: ``launch(fleet, "rolling.yml", limit=, stop_at=, ANSWER=...)``."""
    url = postgres.make("environments").replace(f":{PASSWORD}@", "@")
    jobs: list[Job] = []

    def launch_one(fleet: Fleet, playbook: str, **answers: t.Any) -> Job:
        jobs.append(Job(tmp_path / f"job{len(jobs) + 1}", len(jobs) + 1, fleet, url, playbook, **answers))
        return jobs[-1]

    yield launch_one
    for job in jobs:
        job.stop()


ROLL = {"rollout_max_unavailable": 1, "rollout_lock_wait": "2m"}
HELD = "Verify#1"  # while the hosts of the first batch are out


def hold(launch: Callable[..., Job], fleet: Fleet, version: str, **different: t.Any) -> Job:
    """A roll that stands still with a host out."""
    job = launch(fleet, "rolling.yml", web_version=version, stop_at=[HELD], **ROLL, **different)
    job.wait_for(lambda: job.breakpoints.reached(HELD), "a host is out")
    return job


def test_rollout_outlives_the_environment_it_began_in(tmp_path: Path, launch: Callable[..., Job]) -> None:
    with Fleet(3, tmp_path / "fleet") as fleet:
        fleet.release("2.0.0")
        hold(launch, fleet, "2.0.0").lose()
        assert set(fleet.status("web1").values()) == {"MAINT"}

        rc, said = launch(fleet, "status.yml").end()
        assert rc == 0 and "(AWX job 1)" in said and "out since rollout 1: web1" in said
        rc, said = launch(fleet, "rolling.yml", web_version="2.0.0", **ROLL).end()
        assert rc == 0 and 'rollout of "web" to 2.0.0: successfully rolled out' in said  # the callback, by the project's ansible.cfg
        assert set(fleet.versions().values()) == {"2.0.0"} and fleet.in_service("web") == 3


@pytest.mark.exhaustive
def test_every_other_job_template_does_its_work(tmp_path: Path, launch: Callable[..., Job]) -> None:
    with Fleet(3, tmp_path / "fleet") as fleet:
        for version in ("2.0.0", "3.0.0"):
            fleet.release(version)
        rc, said = launch(fleet, "rolling.yml", web_version="2.0.0", rollout_plan_only=True, **ROLL).end()
        assert rc == 0 and 'rollout of "web" to 2.0.0: 3 of 3 hosts' in said
        assert launch(fleet, "rolling.yml", limit="canary", web_version="2.0.0", **ROLL).end()[0] == 0
        assert list(fleet.versions().values()) == ["2.0.0", "1.0.0", "1.0.0"]

        paused = hold(launch, fleet, "2.0.0")
        assert launch(fleet, "pause.yml", rollout_reason="looking into an alarm").end()[0] == 0
        paused.breakpoints.go(HELD)
        paused.wait_for(lambda: "looking into an alarm" in paused.output, "it is paused")
        assert launch(fleet, "resume.yml").end()[0] == 0
        assert paused.end()[0] == 0
        assert set(fleet.versions().values()) == {"2.0.0"}

        assert launch(fleet, "lock.yml", rollout_reason="audit").end()[0] == 0
        rc, said = launch(fleet, "rolling.yml", web_version="3.0.0", **ROLL).end()
        assert rc == 2 and "audit" in said and "AWX job" in said
        assert launch(fleet, "unlock.yml", rollout_id="freeze").end()[0] == 0

        aborted = hold(launch, fleet, "3.0.0")
        assert launch(fleet, "abort.yml", rollout_reason="wrong build").end()[0] == 0
        aborted.breakpoints.go(HELD)
        rc, said = aborted.end()
        assert rc == 2 and "wrong build" in said
        assert list(fleet.versions().values()).count("3.0.0") == 1 and fleet.in_service("web") == 3


@pytest.mark.exhaustive
@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
def test_job_that_is_lost_on_another_node_is_waited_for(tmp_path: Path, launch: Callable[..., Job]) -> None:
    """Nobody outside can see that it has ended, and so its minute has to be over; the job templates say for how long they wait."""
    with Fleet(2, tmp_path / "fleet") as fleet:
        fleet.release("2.0.0")
        hold(launch, fleet, "2.0.0", elsewhere=True).lose()
        rc, said = launch(fleet, "rolling.yml", web_version="2.0.0", elsewhere=True, **(ROLL | {"rollout_lock_wait": "0s"})).end()
        assert rc == 2 and "is going on since" in said and "(AWX job 1)" in said
        assert launch(fleet, "rolling.yml", web_version="2.0.0", elsewhere=True, **ROLL).end()[0] == 0
        assert set(fleet.versions().values()) == {"2.0.0"} and fleet.in_service("web") == 2
