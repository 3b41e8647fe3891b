# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
import time

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.probes import over_http, run


@pytest.fixture
def check(params, clock):
    """The whole check, without waiting between probes."""

    def run_check(run_command=None, **given):
        return run(params(**given), False, run_command, clock)

    return run_check


def in_turn(answers):
    """One answer after the other."""

    def answer(handler):
        answers_now = next(answers)
        return answers_now(handler)

    return answer


def failure(check, **given):
    with pytest.raises(RollingError) as error:
        check(**given)
    return error.value


def test_a_flapping_app_is_healthy_only_after_enough_passes_in_a_row(server, say, check):
    answers = itertools.chain([say(503), say(), say(), say(500), say(302)], itertools.repeat(say()))
    server.answer = in_turn(answers)
    assert check(url=server.url) == {
        "changed": False,
        "ok": True,
        "targets": [
            {
                "name": server.url,
                "ok": True,
                "passes": 3,
                "attempts": 8,
                "seconds": pytest.approx(0, abs=1),
                "status": 200,
                "failed": None,
                "body": None,
                "extracted": {},
                "at": 7.0,
            }
        ],
    }


def test_one_bad_target_does_not_hide_the_others(server, say, check):
    server.answer = say(200, '{"version": "2.4.1"}')
    error = failure(
        check,
        targets=[
            {"name": "good", "url": server.url},
            {"name": "old", "url": server.url, "conditions": ["version == '2.4.2'"]},
            {"name": "tcp", "tcp": server.address, "extract": {}},
        ],
        extract={"version": "version"},
        deadline="3s",
    )
    assert error.message == "Not healthy within 3 s: 1 of 3 targets. old: condition version == '2.4.2' came out false, not true."
    assert error.result["ok"] is False
    good, old, tcp = error.result["targets"]
    assert (good["ok"], old["ok"], tcp["ok"]) == (True, False, True)
    assert old["extracted"] == {"version": "2.4.1"}
    assert old["body"] == '{"version": "2.4.1"}'
    assert (old["status"], old["attempts"], old["passes"], old["at"]) == (200, 3, 0, None)


def test_the_message_names_the_first_few(check):
    targets = [{"name": f"web{number}", "tcp": "127.0.0.1:1"} for number in range(5)]
    message = failure(check, targets=targets, deadline="3s").message
    assert message.startswith("Not healthy within 3 s: 5 of 5 targets. web0: Connection refused; web1: ")
    assert "web3" not in message and message.endswith("; and 2 more.")


def test_too_few_passes_say_what_went_before(server, say, check):
    answers = itertools.chain([say(503, "starting")], itertools.repeat(say()))
    server.answer = in_turn(answers)
    (target,) = failure(check, url=server.url, deadline="3s").result["targets"]
    assert target["failed"] == "only 2 of 3 passes in a row before the deadline of 3 s; before them: status 503 is not 200"
    assert (target["passes"], target["body"]) == (2, "starting")


def test_observing_looks_once_and_does_not_fail(server, say, check):
    server.answer = say(503, '{"version": "2.4.1"}')
    result = check(url=server.url, observe=True, extract={"version": "version"}, initial_delay="1h")
    (target,) = result["targets"]
    assert (result["ok"], target["attempts"], target["extracted"]) == (False, 1, {"version": "2.4.1"})
    assert len(server.seen) == 1


def test_a_body_is_cut_after_its_secrets_are_masked(server, say, check):
    server.answer = say(500, "x" * 195 + "hunter2-and-more")
    (target,) = check(url=server.url, observe=True, headers={"X-Token": "hunter2-and-more"})["targets"]
    assert target["body"] == "x" * 195 + "*****"


def test_no_secret_shows_anywhere(server, check):
    def echo(handler):
        body = json.dumps({"auth": handler.headers["Authorization"], "token": handler.headers["X-Token"]}).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    server.answer = echo
    error = failure(
        check,
        url=server.url.replace("//", "//me:hunter2@"),
        headers={"X-Token": "Bearer s3cr3t"},
        conditions=["token"],
        extract={"token": "token", "auth": "auth"},
        deadline="3s",
    )
    told = error.message + json.dumps(error.result)
    assert "condition token came out" in told
    assert not [secret for secret in ("hunter2", "s3cr3t", "bWU6aHVudGVyMg==") if secret in told]


def test_a_dripping_body_does_not_outlive_the_timeout(server, params):
    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _number in range(100):
            handler.wfile.write(b"x")
            time.sleep(0.02)

    server.answer = drip
    started = time.monotonic()
    (target,) = run(params(url=server.url, timeout="200ms", observe=True), False)["targets"]
    assert target["failed"] == "no answer within 0.2 s"
    assert time.monotonic() - started < 1.5


def test_check_mode_probes_too(server, params):
    assert run(params(url=server.url, observe=True), True)["ok"]


def test_commands_are_probed_with_what_the_caller_brings(check):
    def run_command(args, **options):
        return 0, '{"version": "2.4.1"}', ""

    result = check(run_command, command="app --status", conditions=["version == '2.4.1'"], extract={"version": "version"})
    assert result["targets"][0]["name"] == "app --status"
    assert result["targets"][0]["extracted"] == {"version": "2.4.1"}


def test_commands_need_a_way_to_run_them_and_to_end_them(check, monkeypatch):
    assert "on the host" in failure(check, command="true").message
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "coreutils" in failure(check, command="true", run_command=print).message


def test_nothing_is_probed_when_anything_is_wrong(server, check):
    good = {"name": "good", "url": server.url}
    for bad in (
        {"url": "http://a", "conditions": ["up["]},
        {"url": "a"},
        {"tcp": "a"},
        {"name": "good", "url": server.url},
        {"command": "true"},
    ):
        with pytest.raises(RollingError):
            check(targets=[good, bad])
    with pytest.raises(InputError):
        check(url=server.url, headers={"X": "a\nb"})
    assert server.connections == 0


def test_what_needs_no_library_works_without_any():
    script = """
import sys
sys.modules.update(requests=None, urllib3=None, jmespath=None)
from ansible_collections.convoy.rolling.plugins.module_utils.probes import health, over_http, expressions
assert over_http.REQUESTS_TRACEBACK and expressions.JMESPATH_TRACEBACK
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_requests_is_asked_for_only_for_a_url(server, check, monkeypatch):
    monkeypatch.setattr(over_http, "REQUESTS_TRACEBACK", "Traceback")
    assert check(tcp=server.address)["ok"]
    assert "(requests)" in failure(check, url=server.url).message
