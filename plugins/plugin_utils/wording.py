# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many hosts become few words."""

from __future__ import annotations

import typing as t
from itertools import islice


def listed(hosts: t.Iterable[str], count: int, most: int = 5) -> str:
    """The first of some hosts, and how many more there are.

    :param count: how many there are; an iterator is not read to its end for that.
    """
    shown = ", ".join(islice(hosts, most))
    return f"{shown} and {count - most} more" if count > most else shown
