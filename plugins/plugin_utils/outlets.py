# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where events go to: files on the controller, and whoever wants to be notified. What fails here raises ``OutletTrouble`` and nothing else happens."""

from __future__ import annotations

import json
import os
import stat
import tempfile
import time
import typing as t
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote, urlsplit

from ansible_collections.convoy.rolling.plugins.module_utils.probes.secrets import mask, secrets_in
from ansible_collections.convoy.rolling.plugins.plugin_utils.board import board_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.events import Event
from ansible_collections.convoy.rolling.plugins.plugin_utils.history import Picture
from ansible_collections.convoy.rolling.plugins.plugin_utils.metrics import metrics_text
from ansible_collections.convoy.rolling.plugins.plugin_utils.outlet_settings import OutletSettings, WebhookSettings, report_file

_TRIES = 4
_TIMEOUT = 3.0
_WORTH_A_RETRY = frozenset({408, 425, 429})


class OutletTrouble(Exception):
    """It could not be told; the text says why, without a secret."""


class Outlet:
    """One place that is told of a rollout."""

    name = ""  # the role variable that asked for it

    def give(self, picture: Picture, last: bool) -> None:
        """Tell what is new.

        :param last: nothing will follow.
        :raises OutletTrouble: it can't be told now; it is tried again the next time.
        """
        raise NotImplementedError


def file_outlets(settings: OutletSettings) -> list[Outlet]:
    """Those that take no time."""
    found: list[Outlet] = []
    if settings.events_path:
        found.append(EventsFile(settings.events_path))
    if settings.metrics_path:
        found.append(MetricsFile(settings.metrics_path))
    if settings.report_path:
        found.append(ReportFile(settings.report_path))
    return found


def network_outlets(settings: OutletSettings) -> list[Outlet]:
    """Those that may take their time."""
    found: list[Outlet] = []
    if settings.webhook:
        found.append(Webhook(settings.webhook))
    if settings.pushgateway:
        found.append(Pushgateway(settings.pushgateway))
    return found


class EventsFile(Outlet):
    """One line of JSON an event, at the end of a file. A line is there as a whole or not at all."""

    name = "rollout_events_path"

    def __init__(self, path: str) -> None:
        self._path = path
        self._given = 0

    def give(self, picture: Picture, last: bool) -> None:
        fresh = picture.events[self._given :]
        if not fresh:
            return
        text = "".join(json.dumps(event.data(), ensure_ascii=True) + "\n" for event in fresh).encode()
        try:
            # Not blocking: a named pipe that nobody reads is trouble, not a reason to wait.
            target = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o644)
            try:
                _append(target, text)
            finally:
                os.close(target)
        except OSError as error:
            raise OutletTrouble(f"{self._path} can't be written: {error.strerror}") from error
        self._given += len(fresh)


def _append(target: int, text: bytes) -> None:
    before = os.fstat(target)
    written = 0
    try:
        while written < len(text):
            written += os.write(target, text[written:])
    except OSError:
        if stat.S_ISREG(before.st_mode):
            os.ftruncate(target, before.st_size)
        raise


class _StateFile(Outlet):
    """What is so now, in a file that is replaced as a whole when something is new."""

    def __init__(self, path: str, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now
        self._given = -1

    def give(self, picture: Picture, last: bool) -> None:
        if len(picture.events) != self._given or last:
            write_whole(self._path, self._text(picture))
            self._given = len(picture.events)

    def _text(self, picture: Picture) -> str:
        raise NotImplementedError


class MetricsFile(_StateFile):
    """The metrics."""

    name = "rollout_metrics_path"

    def _text(self, picture: Picture) -> str:
        return metrics_text(picture, self._now())


class ReportFile(Outlet):
    """The report, once all is known."""

    name = "rollout_report_path"

    def __init__(self, path: str, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now

    def give(self, picture: Picture, last: bool) -> None:
        if last:
            # Not above: only who writes a report needs what draws it.
            from ansible_collections.convoy.rolling.plugins.plugin_utils.report import report_html

            write_whole(report_file(self._path, picture.rollout.app, picture.rollout.number), report_html(picture, self._now()))


class BoardFile(_StateFile):
    """What the callback draws, in a file of the run."""

    name = "convoy.rolling.convergence"

    def _text(self, picture: Picture) -> str:
        return json.dumps(board_of(picture, self._now()))


def write_whole(path: str, text: str) -> None:
    """Replace a file by one with this text, so that nobody ever reads half of it.

    :raises OutletTrouble: it can't be written; the file is as it was.
    """
    try:
        number, fresh = tempfile.mkstemp(prefix=".convoy-", dir=os.path.dirname(path) or ".")
        try:
            with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            os.chmod(fresh, 0o644)
            os.replace(fresh, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(fresh)
            raise
    except OSError as error:
        raise OutletTrouble(f"{path} can't be written: {error.strerror}") from error


class Webhook(Outlet):
    """Each event that is wanted is sent once it arrived; after a few tries it is given up."""

    name = "rollout_webhook"

    def __init__(self, settings: WebhookSettings, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._given = 0
        path = urlsplit(settings.url).path
        self._secrets = (
            secrets_in({"url": settings.url, "headers": settings.headers}) | {settings.url} | ({path} if len(path) > 4 else set())
        )

    def give(self, picture: Picture, last: bool) -> None:
        trouble = ""
        for event in picture.events[self._given :]:
            self._given += 1
            if self._wants(event):
                trouble = self._send(event) or trouble
        if trouble:
            raise OutletTrouble(trouble)

    def _wants(self, event: Event) -> bool:
        kinds = self._settings.kinds
        return event.kind in kinds if kinds and "all" not in kinds else event.is_notable or "all" in kinds

    def _send(self, event: Event) -> str:
        """Why it did not arrive; empty when it did."""
        body = {"text": _slack_text(event)} if self._settings.format == "slack" else event.data()
        trouble = ""
        for attempt in range(_TRIES):
            if attempt:
                self._sleep(0.5 * 2 ** (attempt - 1))
            trouble, again = _post("POST", self._settings.url, json.dumps(mask(body, self._secrets)), self._settings.headers)
            if not again:
                break
        return f"event {event.number} ({event.kind}) was not taken: {trouble}" if trouble else ""


def _slack_text(event: Event) -> str:
    marks = {"failed": ":x:", "halted": ":x:", "unreachable": ":x:", "converged": ":white_check_mark:"}
    text = event.sentence.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{marks.get(str(event.detail.get('verdict') or event.kind), ':truck:')} {text}"


class Pushgateway(Outlet):
    """The metrics as they are now, at a Prometheus Pushgateway."""

    name = "rollout_pushgateway"

    def __init__(self, url: str, now: Callable[[], float] = time.time) -> None:
        self._url = url
        self._now = now
        self._given = -1

    def give(self, picture: Picture, last: bool) -> None:
        if len(picture.events) == self._given and not last:
            return
        url = f"{self._url}/metrics/job/convoy_rolling/app/{quote(picture.rollout.app, safe='')}"
        trouble, _again = _post("PUT", url, metrics_text(picture, self._now()), {"Content-Type": "text/plain; version=0.0.4"})
        if trouble:
            raise OutletTrouble(f"the metrics were not taken: {trouble}")
        self._given = len(picture.events)


def _post(method: str, url: str, body: str, headers: dict[str, str]) -> tuple[str, bool]:
    """Why it was not taken, and whether another try is worth it. Nothing of the URL is in it, which is often a secret itself."""
    import requests  # not above: only who sends needs it

    sent: dict[str, t.Any] = {"Content-Type": "application/json", "User-Agent": "convoy.rolling", **headers}
    try:
        # A redirection would carry the headers to somebody else.
        answer = requests.request(method, url, data=body.encode(), headers=sent, timeout=_TIMEOUT, allow_redirects=False)
    except (requests.RequestException, OSError, ValueError) as error:
        return type(error).__name__, True
    if 200 <= answer.status_code < 300:
        return "", False
    return f"it answered {answer.status_code}", answer.status_code >= 500 or answer.status_code in _WORTH_A_RETRY
