# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Standing in the middle of a run: it waits before a task until it is told to go on, or is killed there."""

from __future__ import annotations

from pathlib import Path

_PLUGINS = Path(__file__).with_name("callbacks")


class Breakpoints:
    """Where one run has to wait. A place is a task's name and how often it has begun: ``Drain#1`` is the first batch's drain.

    :param directory: of this run alone; it is made.
    :param places: before which tasks the run waits.
    """

    def __init__(self, directory: Path, *places: str) -> None:
        self._here = directory
        directory.mkdir(parents=True)
        for place in places:
            (directory / f"stop {place}").touch()

    @property
    def settings(self) -> dict[str, str]:
        """What the run needs in its environment."""
        return {
            "ANSIBLE_CALLBACK_PLUGINS": str(_PLUGINS),
            "ANSIBLE_CALLBACKS_ENABLED": "convoy.rolling.convergence,breakpoints",
            "FLEET_BREAKPOINTS": str(self._here),
        }

    def reached(self, place: str) -> bool:
        """Whether the run waits there, or has waited."""
        return (self._here / f"reached {place}").exists()

    def go(self, place: str) -> None:
        """Let it go on from there."""
        (self._here / f"go {place}").touch()

    @property
    def trace(self) -> list[str]:
        """The places it has come by, in order."""
        path = self._here / "trace"
        return path.read_text().splitlines() if path.exists() else []
