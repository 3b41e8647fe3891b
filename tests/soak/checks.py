# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must be true after a roll, looked at from outside. Each function returns sentences; none is good."""

from __future__ import annotations

import re
import time
import typing as t
from collections.abc import Callable

from soak.scene import Controller, Scene
from soak.schedule import HOSTS
from soak.watchman import is_ordered, serves

_NAMED = r"(out of rotation|held|failed|unreachable)[^\n]*\b{host}\b"


def settled(check: Callable[[], list[str]], seconds: float = 6) -> list[str]:
    """What a check says once it is content, or when its time is over: faults that ended a moment ago wear off."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            broken = check()
        except OSError as error:
            broken = [f"soak: {error!r}"]
        if not broken or time.monotonic() > deadline:
            return broken
        time.sleep(0.1)


def nobody_is_forgotten(scene: Scene, runs: t.Sequence[Controller]) -> list[str]:
    """Who is out of rotation is in the journal, or a person's doing; and the last run that could speak named whom we have out."""
    absent, broken = scene.absent(), []
    spoken = "".join(run.output for run in runs)
    for host in HOSTS:
        words = scene.words(host)
        out = {place: word for place, word in words.items() if not serves(word)}
        if out and host not in absent | scene.held:
            broken.append(f"forgotten: {host} is out of rotation and not in the journal: {out}")
        elif any(map(is_ordered, out.values())) and host not in scene.held and not any(run.killed for run in runs):
            broken += (
                [] if re.search(_NAMED.format(host=host), spoken) else [f"unnamed: {host} is out of rotation, and no run said so: {out}"]
            )
    return broken


def nothing_unproven_serves(scene: Scene, version: str) -> list[str]:
    """No client was answered by a release whose process never passed its probe."""
    answers = scene.answers[version]
    return [f"unproven: {answers} requests were answered by {version}"] if answers and not scene.let_in else []


def weights_are_kept(scene: Scene) -> list[str]:
    """A person's weights are still there."""
    return [
        f"weight: {member['svname']} has {member['weight']} on {member['balancer']}/{member['pxname']}, a person gave it {weight}"
        for member in scene.fleet.stat()
        if (weight := scene.weights.get((member["balancer"], member["svname"]))) and member["weight"] != str(weight)
    ]


def whole(scene: Scene, version: str) -> list[str]:
    """Every host that nobody holds runs the version and serves everywhere, and the journal has nobody out."""
    broken = [f"not whole: {host} is out by the journal" for host in scene.absent()]
    for host in set(HOSTS) - scene.held:
        out = {place: word for place, word in scene.words(host).items() if not serves(word)}
        runs = scene.fleet.version(host)
        broken += [f"not whole: {host} runs {runs}, {out or 'serves'}"] if out or runs != version else []
    return broken
