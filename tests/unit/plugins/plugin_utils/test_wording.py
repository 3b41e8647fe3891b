# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.convoy.rolling.plugins.plugin_utils.wording import listed


@pytest.mark.parametrize(
    ("hosts", "shown"),
    [("", ""), ("a", "a"), ("abcde", "a, b, c, d, e"), ("abcdef", "a, b, c, d, e and 1 more")],
)
def test_five_are_named(hosts: str, shown: str) -> None:
    assert listed(iter(hosts), len(hosts)) == shown
