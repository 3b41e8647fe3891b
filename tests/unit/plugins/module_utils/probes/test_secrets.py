# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.probes.secrets import mask, secrets_in, shown_url


def test_the_parts_of_a_secret_are_secret_too():
    found = secrets_in({"headers": {"Authorization": "Bearer abcdef"}, "targets": [{"url": "http://me:p%40ss@a/"}]})
    assert found == {"Bearer abcdef", "abcdef", "me:p%40ss", "p%40ss", "p@ss", "bWU6cEBzcw=="}


def test_a_token_in_place_of_the_user_is_secret():
    assert "token" in secrets_in({"url": "http://token@a/"})


def test_a_value_of_the_query_is_secret_by_its_name():
    url = "http://a/health?access_token=abc%20def&version=2.4.1&apikey=hunter2&flag#x"
    assert secrets_in({"url": url}) == {"abc%20def", "abc def", "hunter2"}


def test_what_cannot_be_a_secret_stays_legible():
    assert secrets_in({"headers": {"X-Probe": 1}, "url": "http://a"}) == set()
    assert secrets_in({"headers": {"Host": "web1"}, "targets": [{"name": "web1.example.com", "url": "http://a"}]}) == set()


@pytest.mark.parametrize("params", [{}, {"headers": None, "targets": None, "url": None}, {"url": "http://[", "targets": [{"url": None}]}])
def test_malformed_parameters_have_no_secrets(params):
    assert secrets_in(params) == set()


def test_masking_reaches_every_text_and_takes_the_longest_first():
    value = {"a": ["x hunter2-long x", 7, None, True], "hunter2": {"b": "hunter2"}}
    assert mask(value, {"hunter2", "hunter2-long"}) == {"a": ["x ******** x", 7, None, True], "********": {"b": "********"}}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a/@me?x", "http://a/@me?x"),
        ("http://u:p@a/@me", "http://********@a/@me"),
        ("http://a:80/p?k=v&l=w#f", "http://a:80/p?k=********&l=********#f"),
    ],
)
def test_shown_url(url, shown):
    assert shown_url(url) == shown
