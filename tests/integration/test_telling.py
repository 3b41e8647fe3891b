# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a rollout is told of: files, a webhook, a report afterwards; and that nothing of it can hurt the rollout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import typing as t
import urllib.request
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from unit.plugins.plugin_utils.pictures import big_picture
from unit.plugins.plugin_utils.test_outlets import Server

from ansible_collections.convoy.rolling.plugins.plugin_utils.outlets import Pushgateway
from fleet.fleet import Fleet
from fleet.play import CHECKOUT
from fleet.ports import Ports
from fleet.waiting import wait_until

Fixture = t.Callable[..., t.Any]

SCHEMA = Draft202012Validator(json.loads((CHECKOUT / "docs/convoy-1.schema.json").read_text()))
HOST_STEPS = ["leaving", "drained", "deployed", "verified", "back"]


def events_of(path: Path) -> list[dict[str, t.Any]]:
    events = [json.loads(line) for line in path.read_text().splitlines()]
    for event in events:
        SCHEMA.validate(event)
    return events


def test_rollout_is_told_everywhere_and_its_report_can_be_had_later(play: Fixture) -> None:
    server = Server()
    with Fleet(3) as fleet:
        fleet.release("2.0.0")
        told = fleet.directory / "told"
        told.mkdir()
        run = play(
            fleet,
            {
                "rollout_version": "2.0.0",
                "rollout_max_unavailable": 1,
                "rollout_cause": "<b>because</b>",
                "rollout_events_path": f"{told}/events.jsonl",
                "rollout_metrics_path": f"{told}/web.prom",
                "rollout_report_path": f"{told}/",
                "rollout_webhook": {"url": f"{server.url}/planted-token", "headers": {"X-Key": "planted-key"}},
            },
            "-vvv",
        )
        server.close()
        assert run.rc == 0
        assert "planted-token" not in run.output and "planted-key" not in run.output
        events = events_of(told / "events.jsonl")
        assert [event["number"] for event in events] == sorted({event["number"] for event in events})
        assert (events[0]["kind"], events[-1]["kind"], events[-1]["detail"]["verdict"]) == ("opened", "ended", "converged")
        for host in fleet.hosts:
            assert [event["kind"] for event in events if event["host"] == host] == ["planned", *HOST_STEPS]
        looks = [
            event["detail"]["places"]["lb1/web"] for event in events if event["kind"] == "seen" and "lb1/web" in event["detail"]["places"]
        ]
        assert min(look["serving"] for look in looks) == 2
        assert looks[-1]["requests"] >= looks[0]["requests"] and looks[-1]["errors"] is not None
        values = {
            (sample.name, sample.labels.get("state")): sample.value
            for family in text_string_to_metric_families((told / "web.prom").read_text())
            for sample in family.samples
        }
        assert values["convoy_rollout_state", "converged"] == values["convoy_rollout_convergence_ratio", None] == 1
        page = (told / "web-1.html").read_text()
        assert "&lt;b&gt;because&lt;/b&gt;" in page and page.count("<svg") == 3
        assert [(path, json.loads(body)["kind"]) for _method, path, _headers, body in server.taken] == [
            ("/planted-token", "opened"),
            ("/planted-token", "ended"),
        ]
        assert server.taken[0][2]["X-Key"] == "planted-key"

        later = play(fleet, {"rollout_report_path": f"{told}/later.html", "rollout_id": 1}, playbook=CHECKOUT / "playbooks/report.yml")
        assert later.rc == 0 and f"converged: {told}/later.html" in later.text
        assert (told / "later.html").read_text() == page
        assert {path.name for path in told.iterdir()} == {"events.jsonl", "web.prom", "web-1.html", "later.html"}


def test_nothing_that_is_wrong_with_telling_hurts_the_rollout(play: Fixture) -> None:
    with Fleet(3) as fleet:
        fleet.release("2.0.0")
        pipe = fleet.directory / "pipe"
        os.mkfifo(pipe)
        run = play(
            fleet,
            {
                "rollout_version": "2.0.0",
                "rollout_max_unavailable": 1,
                "rollout_events_path": "/dev/full",
                "rollout_metrics_path": str(pipe / "web.prom"),
                "rollout_report_path": "/nowhere/at/all/",
                "rollout_pushgateway": "http://127.0.0.1:1",
                "rollout_webhook": {"url": "http://127.0.0.1:1/planted-token", "kinds": ["opened"]},
            },
            settings={"ANSIBLE_FORCE_COLOR": "false", "COLUMNS": "1000"},
        )
        assert run.rc == 0
        assert set(fleet.versions().values()) == {"2.0.0"}
        for outlet in ("events_path", "metrics_path", "report_path", "pushgateway", "webhook"):
            assert run.text.count(f"rollout_{outlet}: ") == 1, "one warning"
        assert "planted-token" not in run.output


def test_wrong_webhook_is_refused_before_anything_is_touched(play: Fixture, untouched: Fixture) -> None:
    with Fleet(2) as fleet, untouched(fleet):
        run = play(fleet, {"rollout_version": "2.0.0", "rollout_webhook": {"url": "planted-token"}})
        assert run.rc != 0
        assert "planted-token" not in run.output


@pytest.mark.exhaustive
def test_real_pushgateway_takes_the_metrics() -> None:
    binary = shutil.which("prometheus-pushgateway")
    if not binary:
        pytest.skip("no prometheus-pushgateway here (Debian: apt install prometheus-pushgateway)")
    ports = Ports()
    url = f"http://127.0.0.1:{ports.take()}"
    with subprocess.Popen([binary, f"--web.listen-address={url.removeprefix('http://')}"], stderr=subprocess.DEVNULL) as gateway:
        try:
            wait_until(lambda: _text(f"{url}/-/ready") is not None, 60, "the Pushgateway to be ready")
            Pushgateway(url).give(big_picture(30, failed=["web1"]), last=True)
            wait_until(lambda: "convoy_rollout_info" in (_text(f"{url}/metrics") or ""), 60, "the metrics to be there")
            seen = _text(f"{url}/metrics") or ""
        finally:
            gateway.terminate()
            ports.release()
    assert 'convoy_rollout_state{app="web",instance="",job="convoy_rolling",state="halted"} 1' in seen
    assert 'convoy_rollout_step_duration_seconds_bucket{app="web",instance="",job="convoy_rolling",step="drain",le="+Inf"}' in seen


def _text(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return None
