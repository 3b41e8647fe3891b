# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest
from unit.plugins.plugin_utils.fleets import rollout

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice
from ansible_collections.convoy.rolling.plugins.plugin_utils.state import State, state_of_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.verdict import Conclusion

PAUSED = dataclasses.replace(rollout(), paused=Notice("ann", "", 0.0))


@pytest.mark.parametrize(
    ("verdict", "live", "paused", "timed_out", "state"),
    [
        (Verdict.CONVERGED, False, False, False, State.CONVERGED),
        (Verdict.CONVERGED, False, False, True, State.CONVERGED),
        (Verdict.CONVERGED, True, False, False, State.PROGRESSING),
        (Verdict.HALTED, True, True, False, State.PAUSED),
        (Verdict.HALTED, True, True, True, State.TIMED_OUT),
        (Verdict.HALTED, False, True, False, State.HALTED),
        (Verdict.HALTED, False, False, True, State.HALTED),
    ],
)
def test_state_in_a_word(verdict: Verdict, live: bool, paused: bool, timed_out: bool, state: State) -> None:
    assert state_of_fleet(Conclusion(verdict, "", ()), PAUSED if paused else rollout(), live, timed_out) is state
