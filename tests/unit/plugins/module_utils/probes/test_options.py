# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.module_utils.probes.options import host_and_port, parse_pace, parse_targets


def refusal(params: dict) -> str:
    with pytest.raises(InputError) as error:
        parse_pace(params)
        parse_targets(params)
    return error.value.message


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, ["targets", "nothing"]),
        ({"targets": []}, ["targets", "empty"]),
        ({"targets": [{"name": "web1"}]}, ["targets[1] (web1)", "nothing"]),
        ({"targets": [{"tcp": "a:1"}, {"url": "http://a", "tcp": "a:1"}]}, ["targets[2]", "url and tcp"]),
        ({"targets": [{"tcp": "a:1"}, {"tcp": "a:1"}]}, ["targets", "'a:1'", "twice"]),
        ({"targets": [{"tcp": "a:1"}], "tcp": "b:1"}, ["targets", "together with tcp"]),
        ({"url": "http://a", "command": "true"}, ["url and command"]),
        ({"url": "ftp://a"}, ["url", "'ftp://a'"]),
        ({"url": "http:///health"}, ["url"]),
        ({"url": "http://a:99999/"}, ["url"]),
        ({"url": "http://a b/"}, ["url"]),
        ({"url": "http://[::1/"}, ["url"]),
        ({"targets": [{"name": "web1", "url": "a"}]}, ["url of 'web1'"]),
        ({"tcp": "web1"}, ["tcp", "'web1'"]),
        ({"tcp": "::1:80"}, ["tcp"]),
        ({"tcp": "a:0"}, ["tcp"]),
        ({"tcp": "a:65536"}, ["tcp"]),
        ({"command": "sh -c 'a"}, ["command", "quotes"]),
        ({"command": "  "}, ["command", "empty"]),
        ({"url": "http://a", "status": ["99"]}, ["status", "'99'"]),
        ({"url": "http://a", "status": ["299-200"]}, ["status", "'299-200'"]),
        ({"url": "http://a", "status": ["200,204-x"]}, ["status"]),
        ({"url": "http://a", "status": []}, ["status", "empty"]),
        ({"targets": [{"name": "web1", "url": "http://a", "status": ["x"]}]}, ["status of 'web1'"]),
        ({"targets": [{"tcp": "a:1", "status": ["200"]}]}, ["status of 'a:1'"]),
        ({"tcp": "a:1", "conditions": ["up"]}, ["conditions", "TCP"]),
        ({"tcp": "a:1", "extract": {"v": "version"}}, ["extract", "TCP"]),
        ({"url": "http://a", "method": "HEAD", "conditions": ["up"]}, ["conditions", "HEAD"]),
        ({"targets": [{"name": "web1", "url": "http://a", "conditions": ["up["]}]}, ["conditions of 'web1'", "up["]),
        ({"url": "http://a", "extract": {"version": "v["}}, ["extract, version", "v["]),
        ({"tcp": "a:1", "interval": "soon"}, ["interval", "'soon'"]),
        ({"tcp": "a:1", "interval": "0"}, ["interval", "'0'"]),
        ({"tcp": "a:1", "timeout": "0ms"}, ["timeout"]),
        ({"tcp": "a:1", "success_threshold": 0}, ["success_threshold", "0"]),
        ({"tcp": "a:1", "concurrency": -1}, ["concurrency", "-1"]),
        ({"tcp": "a:1", "interval": "10s", "deadline": "20s"}, ["deadline", "2 x interval 10 s = 20 s"]),
        ({"tcp": "a:1", "initial_delay": "1m"}, ["deadline", "initial_delay 60 s"]),
    ],
)
def test_bad_input_is_one_sentence_that_names_the_option(params, given, words):
    message = refusal(params(**given))
    assert all(word in message for word in words), message
    assert message.endswith(".") and "\n" not in message


def test_a_target_takes_over_what_it_does_not_say_itself(params):
    first, second, third = parse_targets(
        params(
            targets=[
                {"name": "a", "url": "http://a", "conditions": [], "extract": {}, "status": ["204"]},
                {"name": "b", "url": "http://b"},
                {"name": "c", "command": "true"},
            ],
            conditions=["up"],
            extract={"v": "version"},
            status=["200", "300 - 399"],
        )
    )
    assert (first.statuses, first.conditions, first.extract) == (((204, 204),), (), {})
    assert second.statuses == ((200, 200), (300, 399))
    assert [condition.text for condition in second.conditions] == ["up"]
    assert list(second.extract) == ["v"]
    assert third.statuses == ((0, 0),)
    assert [condition.text for condition in third.conditions] == ["up"]


def test_a_url_that_names_its_target_shows_no_secret(params):
    (target,) = parse_targets(params(url="https://admin:hunter2@a:8443/health?token=abc&full=1"))
    assert target.name == "https://********@a:8443/health?token=********&full=********"
    assert target.address == "https://admin:hunter2@a:8443/health?token=abc&full=1"


@pytest.mark.parametrize("url", ["http://admin:hunter2@a:x/", "http://admin:hun/ter2@a/", "http://admin:hun#ter2@a/", "http://hunter2@/"])
def test_a_url_that_is_refused_shows_no_secret(params, url):
    assert "ter2" not in refusal(params(url=url))


def test_observing_needs_no_time(params):
    pace = parse_pace(params(tcp="a:1", observe=True, initial_delay="5m", success_threshold=9, interval="1h"))
    assert (pace.once, pace.threshold, pace.initial_delay) == (True, 1, 0.0)


@pytest.mark.parametrize(
    ("address", "parts"), [("a.b:80", ("a.b", 80)), ("[::1]:80", ("::1", 80)), ("[fe80::1%eth0]:80", ("fe80::1%eth0", 80))]
)
def test_host_and_port(address, parts):
    assert host_and_port(address) == parts
