# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.outlet_settings import OutletSettings, WebhookSettings, report_file


def test_what_nobody_wants_is_empty() -> None:
    blank = {"rollout_events_path": "", "rollout_webhook": {}, "rollout_pushgateway": None}
    assert OutletSettings.parse(blank) == OutletSettings.parse({}) == OutletSettings()


def test_what_is_wanted_is_read() -> None:
    settings = OutletSettings.parse(
        {
            "rollout_events_path": "/var/log/e.jsonl",
            "rollout_report_path": "~/reports/",
            "rollout_pushgateway": "http://push:9091/",
            "rollout_webhook": {"url": "https://hooks.example.com/T0/B1", "format": "slack", "headers": {"X-A": 1}, "kinds": ["ended"]},
        }
    )
    assert settings.events_path == "/var/log/e.jsonl"
    assert settings.report_path.endswith("/reports/") and not settings.report_path.startswith("~")
    assert settings.pushgateway == "http://push:9091"
    assert settings.webhook == WebhookSettings("https://hooks.example.com/T0/B1", "slack", {"X-A": "1"}, ("ended",))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"rollout_events_path": ["a"]}, "rollout_events_path"),
        ({"rollout_pushgateway": "push:9091"}, "rollout_pushgateway"),
        ({"rollout_webhook": "https://secret"}, "rollout_webhook"),
        ({"rollout_webhook": {"url": "https://secret", "colour": 1}}, "rollout_webhook"),
        ({"rollout_webhook": {"format": "slack"}}, "rollout_webhook.url"),
        ({"rollout_webhook": {"url": "ftp://secret"}}, "rollout_webhook.url"),
        ({"rollout_webhook": {"url": "https://secret:99999"}}, "rollout_webhook.url"),
        ({"rollout_webhook": {"url": "https://secret", "format": "xml"}}, "rollout_webhook.format"),
        ({"rollout_webhook": {"url": "https://secret", "headers": ["secret"]}}, "rollout_webhook.headers"),
        ({"rollout_webhook": {"url": "https://secret", "headers": {"X": "secret\r\nHost: a"}}}, "rollout_webhook.headers"),
        ({"rollout_webhook": {"url": "https://secret", "kinds": "all"}}, "rollout_webhook.kinds"),
    ],
)
def test_what_is_wrong_is_refused_by_name_before_anything_is_touched(given: dict[str, t.Any], name: str) -> None:
    with pytest.raises(InputError) as caught:
        OutletSettings.parse(given)
    assert caught.value.message.startswith(f"{name}: ") and caught.value.message.endswith(" Nothing was touched.")
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("path", "app", "file"),
    [
        ("/r/x.html", "web", "/r/x.html"),
        ("/r/", "web", "/r/web-7.html"),
        ("/r/", "../../etc/x y", "/r/_.._etc_x_y-7.html"),
        ("/r/", "..", "/r/_-7.html"),
    ],
)
def test_report_in_a_directory_is_named_after_its_rollout_and_stays_there(path: str, app: str, file: str) -> None:
    assert report_file(path, app, 7) == file
