# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make soak`: many rolls in a row on one fleet under load, with random faults at random moments.

After each roll it looks from outside: was the floor held, is everybody who is out in the journal and named, did nothing unproven serve, was
a person's word kept? Most rolls are followed by a healing one to a good version, the last one always; it must converge and lose no request.
What goes wrong in which roll depends on the seed alone, and is in the log line by line; the exact moment is the machine's.

    python -m soak --seed 7 --first 12 --rolls 3
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from fleet.app import make_release
from soak.checks import nobody_is_forgotten, nothing_unproven_serves, settled, weights_are_kept, whole
from soak.faults import Act
from soak.scene import Scene
from soak.schedule import BAD, SLOW, Roll, make_roll

_PATIENT: dict[str, t.Any] = {
    "rollout_max_unavailable": 2,
    "rollout_lock_wait": "20s",
    "rollout_healthy_deadline": "20s",
    "rollout_host_timeout": "30s",
    "rollout_floor_wait": "20s",
    "rollout_drain_timeout": "60s",  # a person may have let in who hangs, and then its clients wait as long as clients do
}
"""Of a healing roll, which has to go well on a busy machine too."""


class Soak:
    """The rolls of one seed.

    :param log: gets one JSON line a decision (`event` is `roll`: the same for the same seed) and one a happening.
    """

    def __init__(self, scene: Scene, seed: int, log: t.TextIO) -> None:
        self._scene, self._seed, self._log = scene, seed, log
        self.broken = 0
        self._orphans_floor = len(scene.fleet.hosts)
        self._healthy_since: int | None = None

    def run(self, roll: Roll) -> None:
        self._healthy_since = self._healthy_since or roll.number
        began = time.monotonic()
        broken, code, lost = self._roll(roll)
        healing = self._heal(roll) if roll.heals else []
        ours, explained = self._scene.failures()
        lost += explained
        healing += [f"lost while healing: {failure}" for failure in ours]
        broken += healing
        self.say("end", roll=roll.number, code=code, broken=broken, lost_by_faults=lost)
        kinds = ", ".join(fault.kind for fault in roll.faults)
        healed = "not whole" if healing else "healed" if roll.heals else "left"
        line = f"{roll.number:>4}  {roll.behaviour:<6} {roll.way:<13} {code:>4}  {healed:<9} {lost:>5} {time.monotonic() - began:>6.1f} s  {kinds}"
        print(line, flush=True)
        for sentence in broken:
            print(f"      BROKEN {sentence}")
        if broken:
            self.broken += len(broken)
            rolls = roll.number - self._healthy_since + 1
            print(f"      repeat it with: make soak SEED={self._seed} FIRST={self._healthy_since} ROLLS={rolls}", flush=True)
        if roll.heals:
            self._healthy_since = None

    def _roll(self, roll: Roll) -> tuple[list[str], int, int]:
        scene = self._scene
        self.say("roll", **roll.to_json())
        answers = self._release(roll)
        scene.free()
        self._watch_floor(roll.max_unavailable)
        act = Act(scene, roll, self.say)
        try:
            act.play()
        finally:
            scene.end_controllers()
            if any(fault.how == "alone" for fault in roll.faults):
                self._orphans_floor = len(scene.fleet.hosts) - roll.max_unavailable
        broken = act.broken + settled(lambda: nobody_is_forgotten(scene, (act.controller, *act.others)))
        ours, explained = scene.failures()
        broken += [f"lost: {failure}" for failure in ours]
        broken += nothing_unproven_serves(scene, answers) if answers else []
        broken += weights_are_kept(scene)
        broken += self._of_ledger()
        return broken, act.controller.wait(), explained

    def _release(self, roll: Roll) -> str:
        """Build it; returns what its process answers when that must never be seen."""
        directory = self._scene.fleet.directory / "artifacts"
        if roll.behaviour != "lies":
            self._scene.fleet.release(roll.version, SLOW if roll.behaviour == "slow" else BAD.get(roll.behaviour))
            return ""
        wrong = f"{roll.version}-wrong"
        make_release(directory, wrong).rename(directory / f"web-{roll.version}.tar.gz")
        return wrong

    def _heal(self, roll: Roll) -> list[str]:
        scene, version = self._scene, roll.other_version(9)
        scene.fleet.release(version)
        self._watch_floor(_PATIENT["rollout_max_unavailable"])
        for _time in range(2):
            scene.free()
            run = scene.roll(version, **_PATIENT)
            code = run.wait()
            if not scene.held:
                break
        broken = [f"not whole: the healing roll ended with {code}, see {run.log}"] if code else []
        broken += settled(lambda: whole(scene, version)) + self._of_ledger()
        scene.let_in = False
        return broken

    def _watch_floor(self, max_unavailable: int) -> None:
        """What a controller forked outlives it when it alone is killed, and drains what its own roll allowed until the next has the lease."""
        floor = len(self._scene.fleet.hosts) - max_unavailable
        self._scene.ledger.begin(min(floor, self._orphans_floor))
        self._orphans_floor = len(self._scene.fleet.hosts)

    def _of_ledger(self) -> list[str]:
        broken, self._scene.ledger.broken = self._scene.ledger.broken, []
        return broken

    def say(self, event: str, **what: t.Any) -> None:
        self._log.write(json.dumps({"event": event, **what}) + "\n")
        self._log.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rolls", type=int, default=100)
    parser.add_argument("--seed", type=int, help="a random one when not given; it is printed")
    parser.add_argument("--first", type=int, default=1, help="begin with this roll of the seed")
    parser.add_argument("--log", type=Path, default=Path("tests/output/soak.jsonl"))
    parser.add_argument("--show", action="store_true", help="only write the schedule, to stdout")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seed = random.SystemRandom().randrange(1_000_000) if arguments.seed is None else arguments.seed
    last = arguments.first + arguments.rolls - 1
    rolls = [make_roll(seed, number, number == last) for number in range(arguments.first, last + 1)]
    if arguments.show:
        for roll in rolls:
            print(json.dumps({"event": "roll", **roll.to_json()}))
        return 0
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    print(f"seed {seed}, rolls {arguments.first} to {last}; the log is {arguments.log}")
    print("roll  target way             rc  after      lost     time  faults", flush=True)
    directory = Path(tempfile.mkdtemp(prefix="soak-")).resolve()
    try:
        with arguments.log.open("w") as log, Scene(directory) as scene:
            soak = Soak(scene, seed, log)
            for roll in rolls:
                soak.run(roll)
    except KeyboardInterrupt:
        print("\nInterrupted; everything is stopped.", file=sys.stderr)
        return 130
    if soak.broken:
        print(f"\n{len(rolls)} rolls; {soak.broken} times a promise was broken. What every run said is in {directory}/runs.")
        return 1
    print(f"\n{len(rolls)} rolls; every promise was kept.")
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
