# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from unit.plugins.plugin_utils.fleets import balancer, fleet, probe

from ansible_collections.convoy.rolling.plugins.plugin_utils.bake_looks import can_look, take_look
from ansible_collections.convoy.rolling.plugins.plugin_utils.baking import Look
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet

NOBODY = "http://127.0.0.1:1/health"


@pytest.mark.parametrize(
    ("seen", "can"),
    [
        (fleet(1), True),
        (fleet(1, probe=None), True),
        (fleet(1, balancer(host="lb1")), False),
        (fleet(1, balancer(become=True)), False),
        (fleet(1, probe=probe(local=False)), False),
        (fleet(1, probe=probe(kind="command", target="true")), False),
    ],
)
def test_what_can_be_seen_from_here(seen: Fleet, can: bool) -> None:
    assert can_look(seen) is can


def test_what_does_not_answer_is_a_value() -> None:
    down = fleet(2, balancer(address="/no/such.sock"), probe=probe(target=NOBODY))
    assert take_look(down, ["web2"], {"timeout": "1s"}) == Look((), {"web2": "Connection refused"}, True)
