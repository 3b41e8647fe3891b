# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make demo`: roll a fleet under load in front of your eyes and count what was lost. `--bad` rolls a version that stays unhealthy."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

from fleet.fleet import POOLS, Fleet
from fleet.load import Load
from fleet.play import CHECKOUT, ROLLING, command, environment
from fleet.sampler import Sampler

OLD, NEW = "1.0.0", "2.0.0"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fleet.demo", description=__doc__)
    parser.add_argument("--bad", action="store_true", help="the new version never becomes healthy")
    parser.add_argument("--hosts", type=int, default=6, help="how many hosts the fleet has")
    parser.add_argument("--playbook", type=Path, default=ROLLING, help="what rolls it")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return demonstrate(arguments.hosts, arguments.bad, arguments.playbook)
    except KeyboardInterrupt:
        print("\nInterrupted; everything is stopped.", file=sys.stderr)
        return 130


def demonstrate(hosts: int, bad: bool, playbook: Path) -> int:
    """Roll a fresh fleet; returns the exit code: 0 only when the roll went well and no request was lost."""
    _say(f"{hosts} app instances and one HAProxy (retries 0) are starting on loopback")
    with Fleet(hosts, version=OLD) as fleet:
        fleet.release(NEW, {"healthy": False} if bad else None)
        _say(f"web {OLD} serves on {fleet.balancers[0].url}; clients: keep-alive, close, slow (2 s) and sticky, none of which retries")
        load = Load([balancer.url for balancer in fleet.balancers], fleet.directory / "load.jsonl").start()
        sampler = Sampler(fleet.balancers)
        try:
            with sampler:
                _say(f"rolling {OLD} -> {NEW}{', which never becomes healthy' if bad else ''}")
                code = _run(command(fleet, playbook, {"rollout_version": NEW}), environment(fleet))
        finally:
            summary = load.stop()
        _report(fleet, sampler, summary, code)
        return code or (1 if summary["failed"] else 0)


def _report(fleet: Fleet, sampler: Sampler, summary: dict[str, t.Any], code: int) -> None:
    total = len(fleet.hosts)
    _say("what the clients saw")
    for kind, counts in summary["by_kind"].items():
        print(f"  {kind:<12}{counts['sent']:>6} requests{counts['failed']:>5} failed")
    for failure in summary["failures"][:5]:
        print(f"    {failure['kind']} lost a request: {failure['why']}{' from ' + failure['host'] if failure['host'] else ''}")
    print(f"  answered by: {', '.join(f'{version} x {count}' for version, count in sorted(summary['versions'].items()))}")
    print(f"  members in service, lowest of {len(sampler.samples) // len(POOLS)} looks: ", end="")
    print(", ".join(f"{sampler.minimum(pool)} of {total} in {pool}" for pool in POOLS))
    print(f"  running now: {', '.join(f'{host} {version}' for host, version in fleet.versions().items())}")
    print(f"\n{summary['sent']} requests sent, {summary['failed']} failed; the roll ended with {code}.")


def _run(words: list[str], variables: dict[str, str]) -> int:
    """Run it with our terminal. Ctrl-C reaches it as well as us, so on the way out it only gets time to end."""
    process = subprocess.Popen(words, cwd=CHECKOUT, env=variables, stdin=subprocess.DEVNULL)
    try:
        return process.wait()
    except BaseException:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise


def _interrupt(*_: object) -> t.NoReturn:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    print(f"\n== {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
