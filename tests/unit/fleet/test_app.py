# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

import pytest

from fleet.app.app import App


@pytest.mark.parametrize(
    ("behaviour", "age", "path", "status"),
    [
        ({}, 0, "/", 200),
        ({}, 0, "/health", 200),
        ({}, 0, "/slow?seconds=0.001", 200),
        ({}, 0, "/sticky/", 200),
        ({"unready": 5}, 4, "/", 503),
        ({"unready": 5}, 4, "/health", 503),
        ({"unready": 5}, 6, "/health", 200),
        ({"healthy": False}, 60, "/health", 503),
        ({"healthy": False}, 60, "/", 200),
        ({"turns_bad_after": 5}, 4, "/health", 200),
        ({"turns_bad_after": 5}, 6, "/health", 503),
        ({"turns_bad_after": 5}, 6, "/", 200),
        ({"out_file": "/"}, 0, "/health", 503),
        ({"out_file": "/"}, 0, "/", 200),
        ({"out_file": "/not/there"}, 0, "/health", 200),
        ({"errors_after": 5}, 4, "/", 200),
        ({"errors_after": 5}, 6, "/", 500),
        ({"errors_after": 5}, 6, "/health", 200),
    ],
)
def test_behaviours(behaviour: dict[str, t.Any], age: float, path: str, status: int) -> None:
    app = App({"version": "2.0.0", "behaviour": behaviour}, "web1")
    app.listening_since = time.monotonic() - age
    assert app.answer(path)[0] == status


def test_an_answer_names_host_and_version() -> None:
    app = App({"version": "2.0.0"}, "web1")
    assert app.answer("/")[1] == {"host": "web1", "version": "2.0.0"}
    assert app.answer("/health")[1].items() >= {"status": "up", "version": "2.0.0", "host": "web1"}.items()
