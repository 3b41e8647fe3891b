# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The batches of a plan: hosts in order, each in the first batch that has room for it under every bound; and how they grow. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.convoy.rolling.plugins.plugin_utils.limits import Bound
from ansible_collections.convoy.rolling.plugins.plugin_utils.order import Candidate


def batches_of(
    order: t.Sequence[Candidate], bounds: t.Sequence[Bound], limit: int, zone_by_zone: bool = False, through: int | None = None
) -> tuple[tuple[str, ...], ...]:
    """Pack hosts into batches, none of which takes more of any bound than its room.

    Hosts that are away already fill the first batches, in their order, and nobody else leaves before the last of these. Whoever is
    out everywhere by our doing takes nothing away by being rolled, and only the limit bounds how many of them go together.

    :param limit: the most hosts of one batch.
    :param zone_by_zone: a batch has hosts of one zone only, once those that are away are through.
    :param through: with a ramp, the hosts of the batches before these; see `ramp`.
    """
    if not order:
        return ()
    packing = _Packing({one.seen.host for one in order}, bounds, max(1, limit), through)
    zone = None
    for one in order:
        if one.away:
            packing.put_last(one)
            continue
        if zone_by_zone and zone not in (None, one.seen.zone):
            packing.start = len(packing.batches)
        zone = one.seen.zone
        packing.put_first(one)
    return tuple(tuple(batch) for batch in packing.batches)


def ramp(through: int) -> int:
    """How many hosts may be out together after so many in a row that came back well: 1, then 2 after the 1, then 4 after the 2, and so on."""
    return 1 << ((through + 1).bit_length() - 1)


class _Packing:
    def __init__(self, hosts: t.Collection[str], bounds: t.Sequence[Bound], limit: int, through: int | None) -> None:
        self.batches: list[list[str]] = []
        self.start = 0  # the first batch that is still open to everybody
        self._through = through
        self._rooms = [limit, *(bound.room for bound in bounds)]
        self._takes: dict[str, list[tuple[int, int]]] = {}
        for column, bound in enumerate(bounds, 1):
            for host, units in bound.takes.items():
                if host not in hosts:
                    continue
                self._takes.setdefault(host, [(0, 1)]).append((column, units))
        self._left: list[list[int]] = [[] for _room in self._rooms]  # bound -> what is left of it in each batch
        self._open = [0 for _room in self._rooms]  # bound -> the first batch in which anything of it is left

    def put_last(self, one: Candidate) -> None:
        """Into the last batch, or a new one after it."""
        out = one.ours and not any(member.in_service for member in one.members)
        takes = self._takes[one.seen.host]
        number = max(0, len(self.batches) - 1)
        self._put(one.seen.host, number if self._fits(takes[:1] if out else takes, number) else number + 1)
        self.start = len(self.batches) - 1

    def put_first(self, one: Candidate) -> None:
        """Into the first batch with room."""
        takes = self._takes[one.seen.host]
        number = max(self.start, *(self._open[column] for column, _units in takes))
        while not self._fits(takes, number):
            number += 1
        self._put(one.seen.host, number)

    def _fits(self, takes: t.Sequence[tuple[int, int]], number: int) -> bool:
        return number >= len(self.batches) or all(self._left[column][number] >= units for column, units in takes)

    def _put(self, host: str, number: int) -> None:
        if number == len(self.batches):
            rooms = self._rooms
            if self._through is not None:
                rooms = [min(rooms[0], ramp(self._through + sum(map(len, self.batches)))), *rooms[1:]]
            self.batches.append([])
            for left, room in zip(self._left, rooms, strict=True):
                left.append(room)
        self.batches[number].append(host)
        for column, units in self._takes[host]:
            left = self._left[column]
            left[number] -= units
            while self._open[column] < len(left) and left[self._open[column]] < 1:
                self._open[column] += 1
