# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make bench`: what a roll costs, ours and by the usual recipe (recipe.yml, with community.general.haproxy), and what ours costs back.

Both sides roll the same fleet in turns, with the same ansible-core, Python, forks and batches, under the same light load. Seconds of CPU
are those of every process that the roll starts, on the controller and on the hosts, sshd's included and the app's own left out
(see measured.py). Out of rotation is per host, as HAProxy tells it twenty times a second. Wall seconds are worth something
only as a ratio within one run. Over ssh both sides have ControlPersist and pipelining; locally they have Ansible's defaults.

    python -m bench --hosts 10,100 --rounds 3 --connection local,ssh
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import typing as t
from collections import defaultdict
from pathlib import Path

from bench.table import Round, table
from fleet.fleet import Fleet
from fleet.load import Load
from fleet.play import CHECKOUT, ROLLING, command, environment, play
from fleet.sampler import Sampler
from fleet.sshd import Sshd, find_sshd

HERE = Path(__file__).parent
SIDES = {
    "recipe": (
        HERE / "recipe.yml",
        {
            "ANSIBLE_CALLBACKS_ENABLED": "",
            "ANSIBLE_COLLECTIONS_PATH": ":".join(str(path) for path in CHECKOUT.glob(".venvs/bench/lib/python3*/site-packages")),
        },
    ),
    "ours": (ROLLING, {}),
    # Undoes what ours has just done.
    "rollback": ("convoy.rolling.rollback", {}),
}
BASE = "1.9.0"  # the good version that a rollback leads to
ARTIFACT_SIZE = 200_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=_list(int), default=[10, 100], help="sizes of the fleet")
    parser.add_argument("--connection", type=_list(str), default=["local", "ssh"], help="local, ssh or both")
    parser.add_argument("--rounds", type=int, default=3, help="rolls of each side in each setting")
    parser.add_argument("--forks", type=int, default=10)
    parser.add_argument("--rate", type=float, default=20, help="requests a second; 0: no load")
    parser.add_argument("--sides", type=_list(str), default=list(SIDES), help="some of recipe, ours, rollback")
    arguments = parser.parse_args()
    if "rollback" in arguments.sides and arguments.sides[max(0, arguments.sides.index("rollback") - 1)] != "ours":
        parser.error("--sides: a rollback undoes what ours did, and comes after it.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    rounds: dict[tuple[int, str, str], list[Round]] = defaultdict(list)
    for connection in arguments.connection:
        if connection == "ssh" and not find_sshd():
            print("No sshd on this machine (Debian: apt install openssh-server); only the local half is measured.", file=sys.stderr)
            continue
        for hosts in arguments.hosts:
            for side, measured in _in_turns(hosts, connection, arguments):
                rounds[hosts, connection, side].append(measured)
                print(f"{hosts} hosts, {connection}, {side}: {measured.line()}", file=sys.stderr, flush=True)
    print(table(rounds))
    return 0


def _in_turns(hosts: int, connection: str, arguments: argparse.Namespace) -> t.Iterator[tuple[str, Round]]:
    with Fleet(hosts, inter="500ms") as fleet:
        # One sshd stands in for the sshd of every host.
        sshd = Sshd(str(find_sshd()), fleet.directory / "ssh") if connection == "ssh" else None
        serve = sshd.serve("*", fleet.ports.take()) if sshd else []
        reach = {"ansible_connection": "ssh", "ansible_ssh_common_args": sshd.client_arguments} if sshd else {}
        batch = "25%" if hosts < 50 else "10%"
        inventory = fleet.inventory(rollout_max_unavailable=batch, rollout_keep=50, **reach)
        fleet.release(BASE, size=ARTIFACT_SIZE)
        if "rollback" in arguments.sides:
            play(fleet, ROLLING, {"rollout_version": BASE}, "--forks", str(arguments.forks), inventory=inventory)
        for number in range(arguments.rounds):
            for place, side in enumerate(arguments.sides):
                playbook, settings = SIDES[side]
                version = BASE if side == "rollback" else f"2.{number}.{place}"
                variables = {"batch": batch, **({} if side == "rollback" else {"rollout_version": version})}
                if side != "rollback":
                    fleet.release(version, size=ARTIFACT_SIZE)
                words = command(fleet, playbook, variables, "--forks", str(arguments.forks), inventory=inventory)
                # Over ssh both get what makes it quick; locally both are as Ansible comes.
                ready = environment(fleet, **settings, **({"ANSIBLE_PIPELINING": "true"} if sshd else {}))
                yield side, _measure(fleet, words, ready, version, serve, arguments.rate)


def _measure(fleet: Fleet, words: list[str], variables: dict[str, str], version: str, serve: list[str], rate: float) -> Round:
    """One roll.

    :param words: the command, to be run with the environment `variables`.
    :param serve: the command of what runs beside it and is counted too.
    :raises RuntimeError: it failed, or the fleet does not run the version afterwards; its output is the message.
    """
    report, output = fleet.directory / "report.json", fleet.directory / "output"
    beside = ["--beside", json.dumps(serve)] if serve else []
    wrapped = [sys.executable, "-I", str(HERE / "measured.py"), str(report), str(fleet.directory / "hosts"), *beside, "--", *words]
    load = Load([balancer.url for balancer in fleet.balancers], fleet.directory / "load.jsonl", rate) if rate else None
    with Sampler(fleet.balancers) as sampler, output.open("wb") as log:
        if load:
            load.start()
        try:
            subprocess.run(wrapped, cwd=CHECKOUT, env=variables, stdout=log, stderr=log, check=True)
        finally:
            seen = load.stop() if load else {"sent": 0, "failed": 0}
    result = json.loads(report.read_text())
    if result["status"] or set(fleet.versions().values()) != {version}:
        raise RuntimeError(f"{' '.join(words)} ended with {result['status']}:\n{output.read_text()[-5000:]}")
    absent = [absence.seconds for absence in sampler.absences if absence.pool == "web"]
    return Round(result["cpu"], result["wall"], absent, seen["sent"], seen["failed"])


def _list(kind: t.Callable[[str], t.Any]) -> t.Callable[[str], list[t.Any]]:
    return lambda text: [kind(word) for word in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
