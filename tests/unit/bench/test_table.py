# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from bench.table import Round, table


def test_the_table_has_a_row_a_setting_and_the_ratio_of_medians() -> None:
    rounds = {
        (10, "local", "recipe"): [Round(cpu, 20, [5.0, 6.0], 100, 1) for cpu in (10, 30, 20)],
        (10, "local", "ours"): [Round(2, 5, [0.4], 90, 0)],
        (10, "local", "rollback"): [Round(1.8, 6, [0.3], 80, 0)],
        (10, "ssh", "recipe"): [Round(9, 9, [], 0, 0)],
    }
    assert table(rounds).splitlines()[2:] == [
        "| 10 | local | recipe | 10.0 / 20.0 / 30.0 | 20.0 / 20.0 / 20.0 | 5.0 / 5.5 / 6.0 | 3 of 300 |",
        "| 10 | local | ours | 2.0 / 2.0 / 2.0 | 5.0 / 5.0 / 5.0 | 0.4 / 0.4 / 0.4 | 0 of 90 |",
        "| 10 | local | rollback | 1.8 / 1.8 / 1.8 | 6.0 / 6.0 / 6.0 | 0.3 / 0.3 / 0.3 | 0 of 80 |",
        "| 10 | ssh | recipe | 9.0 / 9.0 / 9.0 | 9.0 / 9.0 / 9.0 | - | 0 of 0 |",
        "| 10 | local | recipe / ours | 10.0 x | 4.0 x | | |",
        "| 10 | local | rollback / ours | 0.90 x | 1.20 x | | |",
    ]
