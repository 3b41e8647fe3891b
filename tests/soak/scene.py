# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where it happens: the fleet, its clients, who watches it, the controllers, and what a person and the faults have done to it so far."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import typing as t
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from fleet.app import APPCTL
from fleet.breakpoints import Breakpoints
from fleet.fleet import POOLS, Fleet
from fleet.load import TIMEOUT, Load
from fleet.play import CHECKOUT, ROLLING, command, environment
from fleet.ssh import Ssh
from fleet.sshd import find_sshd
from soak.schedule import BALANCERS, HOSTS
from soak.watchman import Ledger, Watchman

QUICK: dict[str, t.Any] = {
    "rollout_health_interval": "50ms",
    "rollout_healthy_deadline": "4s",
    "rollout_drain_soft": "100ms",
    "rollout_drain_quiet": "100ms",
    "rollout_drain_timeout": "10s",
    "rollout_floor_wait": "3s",
    "rollout_host_timeout": "6s",
    "rollout_supersede": True,  # every roll goes to a version of its own, over whatever the one before left
}
_AFTERMATH = 3.0  # seconds until HAProxy and the clients have got over a fault that is over


class Controller:
    """An `ansible-playbook` that is being run."""

    def __init__(self, words: list[str], settings: dict[str, str], log: Path, stops: Breakpoints | None) -> None:
        self.log, self.stops, self.killed = log, stops, False
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                words, cwd=CHECKOUT, env=settings, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def wait(self, seconds: float = 120) -> int:
        return self.process.wait(seconds)

    def signal(self, number: int, all_of_it: bool) -> None:
        """To the controller alone or, the controller first, to all that it started; who keeps its lease is not among them."""
        family = [self.process.pid]
        for pid in family if all_of_it else ():
            with suppress(OSError):
                family += [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
        self.killed = self.killed or number == signal.SIGKILL
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


class Scene:
    """One fleet for all the rolls. Use it as a context manager.

    :ivar held: hosts that a person took out; those of which a rollout can know for sure are in the ledger too.
    :ivar let_in: somebody other than a rollout has let hosts in since the fleet was last whole, and so they may serve anything.
    """

    def __init__(self, directory: Path) -> None:
        self._stack = ExitStack()
        self.directory = directory
        self.fleet = Fleet(len(HOSTS), directory / "fleet", balancers=len(BALANCERS), version="0.0.1")
        self.journal_file = self.fleet.directory / "journal" / "state.db"
        self.held: set[str] = set()
        self.let_in = False
        self.weights: dict[tuple[str, str], int] = {}  # (balancer, host) -> what a person gave it there
        self.windows: list[list[float]] = []
        self.answers: Counter[str] = Counter()
        self._read = 0
        self._started: list[Controller] = []

    def __enter__(self) -> Scene:
        try:
            self.fleet.directory.mkdir()
            self.journal_file.parent.mkdir()
            self._stack.enter_context(self.fleet)
            sshd = find_sshd()
            self.ssh = self._stack.enter_context(Ssh(self.fleet, sshd)) if sshd else None
            self.disk = self._stack.enter_context(_small_disk(self.journal_file.parent))
            here = f"{self.fleet.directory}/hosts/{{{{ inventory_hostname }}}}"
            self.inventory = self.fleet.inventory(
                **QUICK,
                **(self.ssh.variables if self.ssh else {}),
                rollout_state_url=f"sqlite:///{self.journal_file}",
                # The power button and the restart take turns, or both start the app.
                rollout_restart_command=f"flock -o {here}/turn {APPCTL} restart {here}",
            )
            self.journal = Journal(f"sqlite:///{self.journal_file}")
            load = Load([balancer.url for balancer in self.fleet.balancers], self.fleet.directory / "load.jsonl", rate=25, slow=0.5)
            self.load = self._stack.enter_context(load)
            self.ledger: Ledger = self._stack.enter_context(Watchman(self.fleet.balancers))
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end_controllers()
        self._stack.close()

    def start(self, playbook: Path | str, variables: dict[str, t.Any], traced: bool = False) -> Controller:
        """Start a playbook, as a person would in a terminal of its own."""
        here = self.directory / "runs" / str(len(self._started) + 1)
        here.parent.mkdir(exist_ok=True)
        stops = Breakpoints(here) if traced else None
        settings = {"CONVOY_LEASE_SECONDS": "3s", "ANSIBLE_FORCE_COLOR": "0", **(stops.settings if stops else {})}
        words = command(self.fleet, playbook, variables, inventory=self.inventory)
        self._started.append(Controller(words, environment(self.fleet, **settings), here.with_suffix(".log"), stops))
        return self._started[-1]

    def end_controllers(self) -> None:
        """Whoever still runs has no part in what comes."""
        for controller in self._started:
            if not controller.ended:
                controller.signal(signal.SIGKILL, all_of_it=True)
                controller.wait()

    def roll(self, version: str, traced: bool = False, **variables: t.Any) -> Controller:
        return self.start(ROLLING, {"rollout_version": version, **variables}, traced)

    def words(self, host: str) -> dict[str, str]:
        """Where the host is a member -> HAProxy's word for it.

        :raises OSError: a balancer does not answer.
        """
        return {f"{name}/{pool}": word for (name, pool), word in self.fleet.status(host).items()}

    def absent(self) -> set[str]:
        return {absence.host for absence in self.journal.absences("web")}

    def free(self) -> None:
        """The person brings back whom they hold, and takes the weights back."""
        for host in sorted(self.held - self.absent()):
            self.ledger.let_in([host])  # the watchman may look between two orders
            self.fleet.set_state(host, "ready")
            self.ledger.held.discard(host)
            self.held.discard(host)
        for host in {host for _balancer, host in self.weights}:
            self.order(host, "weight 1")
        self.weights.clear()

    def order(self, host: str, what: str) -> list[str]:
        """`set server` on every balancer and pool that can be reached; the balancers that took it for every pool."""
        took = []
        for balancer in self.fleet.balancers:
            with suppress(OSError):
                for pool in POOLS:
                    balancer.ask(f"set server {pool}/{host} {what}")
                took.append(balancer.name)
        return took

    @contextmanager
    def loses_requests(self) -> Iterator[None]:
        """What happens inside may cost requests, and is no rollout's doing."""
        window = [time.time(), float("inf")]
        self.windows.append(window)
        yield
        window[1] = time.time() + _AFTERMATH

    def failures(self) -> tuple[list[dict[str, t.Any]], int]:
        """The requests that failed since the last call: those that no fault explains, and how many others."""
        with (self.fleet.directory / "load.jsonl").open() as log:
            log.seek(self._read)
            lines = [json.loads(line) for line in log if line.endswith("\n")]
            self._read = log.tell()
        for line in lines:
            self.answers.update(line.get("versions", {}))
        failed = [line for line in lines if line["event"] == "failed"]
        unexplained = [line for line in failed if not self._is_explained(line)]
        return unexplained, len(failed) - len(unexplained)

    def _is_explained(self, failure: dict[str, t.Any]) -> bool:
        waited = TIMEOUT if failure["why"].startswith("no answer within") else 0
        return any(begin <= failure["time"] and failure["time"] - waited <= end for begin, end in self.windows)


@contextmanager
def _small_disk(directory: Path) -> Iterator[bool]:
    """A disk that can be filled, where this user may mount one; whether there is one."""
    mounted = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(directory)], capture_output=True, check=False).returncode == 0
    )
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(directory)], check=True)
