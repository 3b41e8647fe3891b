# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.readiness_address import connections, switch
from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 4 0 10 -1
   2: 0100007F:D431 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 0 10 -1
   3: 0100007F:1F90 0100007F:D432 06 00000000:00000000 00:00000000 00000000     0        0 0 3 0
   4: 0100007F:1F90 0100007F:D433 01 00000000:00000000 00:00000000 00000000     0        0 4 1 0 20 4 0 10 -1
"""


def test_a_file() -> None:
    way = switch("file:/srv/web/shared/out?port=8080&interval=500ms&fall=2")
    assert (way.file, way.health, way.out, way.back) == ("/srv/web/shared/out", None, None, None)
    assert (way.port, way.falls, way.rises, way.in_flight, way.pool, way.member) == (8080, 1.0, 1.0, None, "local", "self")
    way = switch("file:/o?health=https://a.example/h?x=1&in_flight=busy&pool=p&member=m&rise=4")
    assert (way.health, way.port, way.falls, way.rises, way.in_flight, way.pool, way.member) == (
        "https://a.example/h?x=1",
        443,
        6.0,
        8.0,
        "busy",
        "p",
        "m",
    )


def test_calls() -> None:
    way = switch("http://127.0.0.1:8080/h?x=1#out=/admin/out&in=/admin/in%3Fnow%3D1&interval=1s&fall=1")
    assert (way.file, way.health, way.port, way.falls) == (None, "http://127.0.0.1:8080/h?x=1", 8080, 1.0)
    assert (way.out, way.back) == ("http://127.0.0.1:8080/admin/out", "http://127.0.0.1:8080/admin/in?now=1")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "out and in"),
        ("/srv/out", "out and in"),
        ("file:out?port=1", "must be absolute"),
        ("file:/out/?port=1", "must be absolute"),
        ("file:/out", "port must be"),
        ("file:/out?port=0", "port must be"),
        ("file:/out?port=x", "invalid literal"),
        ("file:/out?port=70000", "port must be"),
        ("file:/out?port=1&interval=soon", "is no duration"),
        ("file:/out?port=1&fall=0", "at least 1"),
        ("file:/out?port=1&fal=3", "fal is not among"),
        ("file:/out?port=1&port=2", "port is there twice"),
        ("file:/out?port=1&out=/x", "out is not among"),
        ("file:/out?port=1&in_flight=x", "give health=URL"),
        ("file:/out?port=1&member=", "cannot be empty"),
        ("file:/out?health=ftp://a", "no http or https URL"),
        ("file:/out?port", "bad query field"),
        ("http://a/h", "out and in"),
        ("http://a/h#out=/o", "out and in"),
        ("ftp://a/h#out=/o&in=/i", "no http or https URL"),
        ("http://a:x/h#out=/o&in=/i", "Port could not"),
    ],
)
def test_what_is_no_address(address: str, why: str) -> None:
    with pytest.raises(InputError, match=rf"address: .* is no readiness address \(.*{why}.*\); write file:/PATH\?port=8080"):
        switch(address)


@given(st.text(max_size=40), st.sampled_from(["", "file:/x?", "http://a/h#", "http://a:1/h#out=/o&in=/i&"]))
def test_any_text_is_an_address_or_bad_input(text: str, start: str) -> None:
    try:
        way = switch(start + text)
    except InputError:
        return
    assert 0 < way.port < 65536 and way.falls >= 0 and bool(way.file) != bool(way.out and way.back)


def test_connections_of_a_port() -> None:
    assert connections(TABLE, 8080) == (2, True)
    assert connections(TABLE, 0xD431) == (1, False)
    assert connections(TABLE, 80) == (0, False)
