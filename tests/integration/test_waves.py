# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waves on a real fleet: they bake by time and by requests, wait for a person, and end where a condition fails."""

from __future__ import annotations

import http.server
import json
import threading
import typing as t
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RolloutRecord, Step, Verdict
from fleet.fleet import POOLS, Fleet

Fixture = t.Callable[..., t.Any]

SECRET = "nobody-may-see-this"


def updated(fleet: Fleet) -> list[str]:
    return [name for name, version in fleet.versions().items() if version == "2.0.0"]


def ask(fleet: Fleet, count: int) -> None:
    """Requests to the pool `web`, each over a connection of its own."""
    for _number in range(count):
        with urllib.request.urlopen(fleet.balancers[0].url, timeout=30) as answer:
            answer.read()


@contextmanager
def monitoring(errors: t.Callable[[], int]) -> Iterator[str]:
    """Something that tells how many errors there are, to whoever has the token; its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = self.headers.get("Authorization") == f"Bearer {SECRET}"
            body = json.dumps({"errors": errors()}).encode()
            self.send_response(200 if allowed else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_what: t.Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/errors"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_wave_bakes_by_time_and_requests_and_the_next_waits_for_a_person(tmp_path: Path, start: Fixture, play: Fixture) -> None:
    waves = [
        {"name": "one-box", "hosts": 1, "bake": {"time": "2s", "requests": 20}},
        {"name": "others", "hosts": "rest", "approve": True, "max_unavailable": 2},
    ]
    journal = Journal(f"sqlite:///{tmp_path}/state.db")

    def now() -> RolloutRecord:
        return journal.rollout(1)

    with Fleet(4, tmp_path) as fleet:
        fleet.release("2.0.0")
        run = start(fleet, {"rollout_version": "2.0.0", "rollout_waves": waves, "rollout_max_unavailable": 3, "rollout_ramp": True})
        run.wait_until(lambda: "wave one-box bakes for" in run.output, "the first wave bakes")
        ended = {host.host: host.changed for host in now().hosts}["web1"]
        run.wait_until(lambda: now().waves[0].baking.looked > ended + 2, "its time is over")
        assert (now().waves[0].baking.requests, now().waves[0].passed, updated(fleet)) == (0, None, ["web1"])
        ask(fleet, 200)
        run.wait_until(lambda: "wave others waits for approval" in run.output, "the second wave waits")
        assert now().waves[0].baking.requests >= 20 and now().waves[0].passed is not None
        tell = {"inventory": fleet.inventory(fleet.directory / "elsewhere.yml", unreachable=fleet.hosts)}
        assert play(fleet, {"rollout_reason": "an alarm"}, playbook="convoy.rolling.pause", **tell).rc == 0
        run.wait_until(lambda: "an alarm" in run.output, "it is paused as well")
        unknown = play(fleet, {"rollout_approve": "one-box"}, playbook="convoy.rolling.approve", **tell)
        assert (unknown.rc, "has no wave one-box; those that do are others. Nothing was changed." in unknown.text) == (2, True)
        approved = play(fleet, {"rollout_reason": "it looks good"}, playbook="convoy.rolling.approve", **tell)
        assert (approved.rc, approved.changed) == (0, 1) and "wave others is approved." in approved.text
        assert updated(fleet) == ["web1"], "it is paused still"
        assert play(fleet, {}, playbook="convoy.rolling.resume", **tell).rc == 0
        end = run.end()
        assert end.rc == 0 and end.batches == [["web1"], ["web2", "web3"], ["web4"]]
        assert "wave one-box 1 of 4: web1; then bakes for 2 s and 20 requests" in end.text
        assert "wave others all that are left: web2, web3, web4; waits for approval" in end.text
        assert set(fleet.versions().values()) == {"2.0.0"}
        mark = now().waves[1].approved
        assert mark is not None and mark.why == "it looks good"
        assert mark.at < min(host.left for host in now().hosts if host.host != "web1")


def test_condition_that_fails_after_the_first_wave_leaves_the_others_alone(tmp_path: Path, play: Fixture) -> None:
    with Fleet(3, tmp_path) as fleet, monitoring(lambda: 9 * len(updated(fleet))) as url:
        fleet.release("2.0.0")
        # Reached on a host, so that the bake is watched by tasks.
        balancers = [{"name": "lb1", "host": "web3", "address": str(fleet.balancers[0].socket), "pools": list(POOLS)}]
        roll = {
            "rollout_version": "2.0.0",
            "rollout_max_unavailable": 1,
            "rollout_waves": [{"hosts": "canary", "bake": "1s"}],
            "rollout_balancers": balancers,
            "rollout_conditions": [
                {"name": "errors", "http": {"url": url, "condition": "errors < `5`", "headers": {"Authorization": f"Bearer {SECRET}"}}},
                {"name": "shell", "command": "test -d /"},
            ],
        }
        inventory = fleet.inventory()
        groups = json.loads(inventory.read_text())
        inventory.write_text(json.dumps({**groups, "canary": {"hosts": {"web2": {}}}}))
        before = {name: fleet.health(name)[1]["pid"] for name in ("web1", "web3")}
        halted = play(fleet, roll, "-vvv", inventory=inventory)
        assert halted.rc == 2 and SECRET not in halted.output
        assert 'rollout of "web" to 2.0.0: halted: condition errors: fail: errors < `5` is false in {"errors": 9}' in halted.text
        assert updated(fleet) == ["web2"] and before == {name: fleet.health(name)[1]["pid"] for name in before}
        record = Journal(f"sqlite:///{tmp_path}/state.db").rollout(1)
        assert record.verdict is Verdict.HALTED and record.waves[0].baking.looked > 0
        assert {host.host: (host.step, host.left) for host in record.hosts if host.host in before} == dict.fromkeys(
            before, (Step.PLANNED, 0)
        )
        # It would fail again: now before anything is touched.
        refused = play(fleet, roll, inventory=inventory)
        assert refused.rc == 2 and "It is so before anything was rolled" in refused.text and updated(fleet) == ["web2"]
        assert play(fleet, roll | {"rollout_override": "they are known"}, inventory=inventory).rc == 0
        assert "in spite of condition errors: fail" in Journal(f"sqlite:///{tmp_path}/state.db").rollout(2).cause
        assert len(updated(fleet)) == 3
