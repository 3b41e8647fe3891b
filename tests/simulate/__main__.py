# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make simulate`, or python -m simulate --hosts 10000 --seed 1: what plan and gate cost, and serial against window."""

from __future__ import annotations

import argparse
import resource
import statistics
import tracemalloc
import typing as t
from pathlib import Path

import yaml

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import HostRecord, RolloutRecord
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.standing import Standing
from simulate.rolling import Chances, Result, Rolling, fleet, planned

DEFAULTS: dict[str, t.Any] = yaml.safe_load((Path(__file__).parents[2] / "roles/rollout/defaults/main.yml").read_text())


def policy(**different: t.Any) -> Policy:
    """The role's defaults, but for what is different."""
    return Policy.parse({**DEFAULTS, **{f"rollout_{name}": value for name, value in different.items()}})


def main() -> None:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--zones", type=int, default=3)
    parser.add_argument("--racks", type=int, default=0, help="anti-affinity groups; as many as there should be")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limits", nargs="+", default=["1%", "5%", "10%", "25%"])
    parser.add_argument("--fails", type=float, default=0.001, help="the chance of a host to fail")
    parser.add_argument("--waves", nargs="*", default=[], metavar="HOSTS", help="such as --waves 1 10%% z0; each bakes")
    parser.add_argument("--bake", default="10m", help="how long each wave bakes")
    parser.add_argument("--ramp", action="store_true")
    given = parser.parse_args()
    waves = [{"hosts": hosts, "bake": given.bake} for hosts in given.waves]
    chances = Chances(fails=given.fails)
    look = fleet(given.hosts, given.zones, racks=given.racks)
    print(f"{given.hosts} hosts in {given.zones} zones, {given.racks} racks, seed {given.seed}; a host takes about {chances.seconds:g} s,")
    print(f"{chances.slow:.0%} take {chances.slowness:g} times as long, {chances.fails:.1%} fail\n")
    print(
        f"{'limit':>6} {'batches':>8} {'planning':>9} {'serial':>9} {'window':>9} {'faster':>7} {'most out':>9} {'failed':>7} {'gate':>9} {'gate 99%':>9}"
    )
    for limit in given.limits:
        limits = policy(
            max_unavailable=limit, max_unavailable_per_zone=limit, max_failures="5%", progress_deadline="1d", waves=waves, ramp=given.ramp
        )
        plan, seconds = planned(look, limits)
        serial = Rolling(look, plan, limits, chances, given.seed).serial()
        window = Rolling(look, plan, limits, chances, given.seed).window(forks=plan.limit)
        print(_row(limit, len(plan.batches), seconds, serial, window))
    tracemalloc.start()
    plan, _seconds = planned(look, policy())
    kept = Standing(RolloutRecord(1, "web", plan.version, plan, tuple(map(HostRecord, plan.order)), 0.0, 0.0), look.members)
    memory, peak = (bytes_ / 2**20 for bytes_ in tracemalloc.get_traced_memory())
    del plan, kept
    whole = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nmemory: a plan and where it stands {memory:.1f} MiB, {peak:.1f} MiB at most; the whole process {whole:.0f} MiB")


def _row(limit: str, batches: int, planning: float, serial: Result, window: Result) -> str:
    for how, result in (("serial", serial), ("window", window)):
        if result.reason:
            print(f"{limit:>6} {how} halted after {_minutes(result.seconds)}: {result.reason}")
    times = sorted(window.decisions)
    faster = f"{serial.seconds / window.seconds:.1f}x" if not (serial.reason or window.reason) else "-"
    return (
        f"{limit:>6} {batches:>8} {planning * 1000:>6.0f} ms {_minutes(serial.seconds):>9} {_minutes(window.seconds):>9} {faster:>7} "
        f"{max(serial.most_out, window.most_out):>9} {window.failed:>7} {statistics.median(times) * 1e6:>6.0f} us "
        f"{times[len(times) * 99 // 100] * 1e6:>6.0f} us"
    )


def _minutes(seconds: float) -> str:
    return f"{seconds // 60:.0f}m {seconds % 60:02.0f}s"


if __name__ == "__main__":
    main()
