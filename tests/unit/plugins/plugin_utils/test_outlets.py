# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.pictures import big_picture

from ansible_collections.convoy.rolling.plugins.plugin_utils import outlets
from ansible_collections.convoy.rolling.plugins.plugin_utils.history import Picture
from ansible_collections.convoy.rolling.plugins.plugin_utils.outlet_settings import OutletSettings, WebhookSettings
from ansible_collections.convoy.rolling.plugins.plugin_utils.outlets import (
    EventsFile,
    MetricsFile,
    OutletTrouble,
    Pushgateway,
    ReportFile,
    Webhook,
)

PICTURE = big_picture(4, failed=["web3"])


def first(count: int) -> Picture:
    return Picture(PICTURE.rollout, PICTURE.events[:count])


def fails(call: t.Callable[[], object]) -> str:
    with pytest.raises(OutletTrouble) as caught:
        call()
    return str(caught.value)


class Server:
    """Takes what is sent; answers what it was told to, in order, and then 200."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, dict[str, str], str]] = []
        self.answers: list[int] = []
        mine = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                mine.taken.append((self.command, self.path, dict(self.headers), body))
                self.send_response(mine.answers.pop(0) if mine.answers else 200)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            do_PUT = do_POST

            def log_message(self, *_said: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> t.Iterator[Server]:
    one = Server()
    yield one
    one.close()


# -- files -------------------------------------------------------------------------------------------------------------


def test_each_event_is_one_line_and_is_there_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("of an earlier run\n")
    file = EventsFile(str(path))
    for count in (2, 2, 5):
        file.give(first(count), last=False)
    lines = path.read_text().splitlines()
    assert lines[0] == "of an earlier run"
    assert [json.loads(line)["number"] for line in lines[1:]] == [1, 2, 3, 4, 5]


def test_disk_that_is_full_leaves_whole_lines_and_the_rest_follows_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events.jsonl"
    file = EventsFile(str(path))
    file.give(first(1), last=False)
    write, left = os.write, [30]

    def full(target: int, text: bytes) -> int:
        if not left[0]:
            raise OSError(28, "No space left on device")
        done = write(target, text[: left[0]])
        left[0] = 0
        return done

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert fails(lambda: file.give(first(3), last=False)) == f"{path} can't be written: No space left on device"
    assert [json.loads(line)["number"] for line in path.read_text().splitlines()] == [1]
    file.give(first(3), last=True)
    assert [json.loads(line)["number"] for line in path.read_text().splitlines()] == [1, 2, 3]


def test_pipe_that_nobody_reads_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "No such device" in fails(lambda: EventsFile(str(pipe)).give(first(1), last=False))


def test_metrics_and_report_are_replaced_as_a_whole(tmp_path: Path) -> None:
    path, page = tmp_path / "web.prom", tmp_path / "web.html"
    metrics = MetricsFile(str(path), lambda: 9.0)
    metrics.give(PICTURE, last=False)
    first_inode = path.stat().st_ino
    metrics.give(PICTURE, last=False)
    assert path.stat().st_ino == first_inode, "nothing is new"
    metrics.give(PICTURE, last=True)
    assert path.stat().st_ino != first_inode and path.read_text().endswith("# EOF\n")
    assert path.stat().st_mode & 0o777 == 0o644
    report = ReportFile(str(page))
    report.give(PICTURE, last=False)
    assert not page.exists()
    report.give(PICTURE, last=True)
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["web.html", "web.prom"], "nothing half done is left"


def test_directory_that_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "web.prom"
    assert fails(lambda: MetricsFile(str(path)).give(PICTURE, last=False)) == f"{path} can't be written: No such file or directory"


# -- over HTTP ---------------------------------------------------------------------------------------------------------


def webhook(server: Server, **different: t.Any) -> tuple[Webhook, list[float]]:
    slept: list[float] = []
    settings = WebhookSettings(f"{server.url}/hook/T0KEN", **{"headers": {"Authorization": "Bearer s3cret"}, **different})
    return Webhook(settings, slept.append), slept


def test_webhook_gets_what_a_person_wants_to_know(server: Server) -> None:
    webhook(server)[0].give(PICTURE, last=True)
    method, path, headers, _body = server.taken[0]
    assert (method, path, headers["Authorization"]) == ("POST", "/hook/T0KEN", "Bearer s3cret")
    events = [json.loads(body) for *_rest, body in server.taken]
    assert [(event["kind"], event["host"]) for event in events] == [
        ("opened", None),
        ("deployed", "web3"),
        ("halted", None),
        ("ended", None),
    ]


@pytest.mark.parametrize(("kinds", "sent"), [(("ended",), 1), (("all",), len(PICTURE.events)), (("baking",), 0)])
def test_webhook_gets_the_kinds_it_is_for(server: Server, kinds: tuple[str, ...], sent: int) -> None:
    webhook(server, kinds=kinds)[0].give(PICTURE, last=True)
    assert len(server.taken) == sent


def test_slack_gets_a_line_of_text_that_mentions_nobody(server: Server) -> None:
    picture = big_picture(1, failed=["web1"], why="<!channel> & <b>")
    webhook(server, format="slack")[0].give(picture, last=True)
    texts = [json.loads(body)["text"] for *_rest, body in server.taken]
    assert texts[1] == ':x: rollout 1 of "web" to 2.0: web1 deployed: failed: &lt;!channel&gt; &amp; &lt;b&gt;'


def test_webhook_is_tried_again_a_few_times_and_then_given_up(server: Server) -> None:
    hook, slept = webhook(server, kinds=("opened", "ended"))
    server.answers = [500, 429, 200, 503, 503, 503, 503]
    assert fails(lambda: hook.give(PICTURE, last=True)) == f"event {PICTURE.events[-1].number} (ended) was not taken: it answered 503"
    assert (len(server.taken), slept) == (7, [0.5, 1.0, 0.5, 1.0, 2.0])
    hook.give(PICTURE, last=True)
    assert len(server.taken) == 7, "what was given up is not sent later"


@pytest.mark.parametrize("answer", [400, 404, 302])
def test_webhook_that_refuses_or_sends_us_elsewhere_is_asked_once(server: Server, answer: int) -> None:
    hook, _slept = webhook(server, kinds=("ended",))
    server.answers = [answer]
    assert str(answer) in fails(lambda: hook.give(PICTURE, last=True))
    assert len(server.taken) == 1


def test_secrets_of_the_webhook_are_in_no_body_and_no_error(server: Server) -> None:
    why = f"GET {server.url}/hook/T0KEN with Bearer s3cret failed"
    webhook(server, kinds=("deployed",))[0].give(big_picture(1, failed=["web1"], why=why), last=True)
    assert all("s3cret" not in body and "T0KEN" not in body for *_rest, body in server.taken)
    nobody = Webhook(WebhookSettings("http://127.0.0.1:1/T0KEN", headers={"X": "s3cret"}, kinds=("ended",)), lambda _seconds: None)
    said = fails(lambda: nobody.give(PICTURE, last=True))
    assert said.endswith("was not taken: ConnectionError")


def test_pushgateway_gets_the_metrics_of_the_app_when_something_is_new(server: Server) -> None:
    gateway = Pushgateway(server.url, lambda: 9.0)
    for count in (1, 1, 2):
        gateway.give(first(count), last=False)
    assert [taken[:2] for taken in server.taken] == [("PUT", "/metrics/job/convoy_rolling/app/web")] * 2
    server.answers = [400]
    assert fails(lambda: gateway.give(first(3), last=False)) == "the metrics were not taken: it answered 400"


def test_only_what_is_wanted_is_there() -> None:
    assert outlets.file_outlets(OutletSettings()) == outlets.network_outlets(OutletSettings()) == []
    everything = OutletSettings("/a", "/b", "/c", "http://d", WebhookSettings("http://e"))
    both = outlets.file_outlets(everything) + outlets.network_outlets(everything)
    assert sorted(outlet.name for outlet in both) == [
        "rollout_events_path",
        "rollout_metrics_path",
        "rollout_pushgateway",
        "rollout_report_path",
        "rollout_webhook",
    ]
