# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a rollout is told of, as it was typed, checked before anything is touched. Pure."""

from __future__ import annotations

import os
import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError

FORMATS = ("json", "slack")
_NOTHING = "Nothing was touched."
_PATHS = ("rollout_events_path", "rollout_metrics_path", "rollout_report_path")


@dataclass(frozen=True)
class WebhookSettings:
    """Whom to notify, of what, and how."""

    url: str
    format: str = "json"
    headers: dict[str, str] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()  # of events; empty: the notable ones


@dataclass(frozen=True)
class OutletSettings:
    """Where a rollout is told of; what is empty is not wanted."""

    events_path: str = ""
    metrics_path: str = ""
    report_path: str = ""
    pushgateway: str = ""
    webhook: WebhookSettings | None = None

    @classmethod
    def parse(cls, given: Mapping[str, t.Any]) -> OutletSettings:
        """From role variables by name.

        :raises InputError: one sentence that names the variable and what is allowed; never its value, which may hold a secret.
        """
        paths = {name.removeprefix("rollout_"): _path(name, given.get(name)) for name in _PATHS}
        gateway = given.get("rollout_pushgateway") or ""
        if gateway:
            _check_url("rollout_pushgateway", gateway)
        return cls(**paths, pushgateway=str(gateway).rstrip("/"), webhook=_webhook(given.get("rollout_webhook")))


def report_file(path: str, app: str, rollout: int) -> str:
    """The file of a report; a path that ends with a slash is a directory of them."""
    return os.path.join(path, f"{re.sub(r'[^A-Za-z0-9._-]', '_', app).lstrip('.') or '_'}-{rollout}.html") if path.endswith("/") else path


def _path(name: str, given: t.Any) -> str:
    if not given:
        return ""
    if not isinstance(given, str):
        raise InputError(f"{name}: {given!r} is no path; give that of a file on the controller. {_NOTHING}")
    path = os.path.abspath(os.path.expanduser(given))
    return f"{path}/" if given.endswith("/") else path


def _webhook(given: t.Any) -> WebhookSettings | None:
    if not given:
        return None
    if not isinstance(given, Mapping) or set(given) - {"url", "format", "headers", "kinds"}:
        raise InputError(f"rollout_webhook: it is a dictionary of url, and if wanted format, headers and kinds. {_NOTHING}")
    _check_url("rollout_webhook.url", given.get("url"))
    form = given.get("format") or "json"
    if form not in FORMATS:
        raise InputError(f"rollout_webhook.format: {form!r} is not among {', '.join(FORMATS)}. {_NOTHING}")
    headers, kinds = given.get("headers") or {}, given.get("kinds") or ()
    if not isinstance(headers, Mapping) or any(re.search(r"[\r\n]", f"{name}{value}") for name, value in headers.items()):
        raise InputError(f"rollout_webhook.headers: it is a dictionary of header names and values, each of one line. {_NOTHING}")
    if isinstance(kinds, str) or not all(isinstance(kind, str) for kind in kinds):
        raise InputError(f"rollout_webhook.kinds: it is a list of kinds of events, such as [opened, ended]. {_NOTHING}")
    return WebhookSettings(str(given["url"]), form, {str(name): str(value) for name, value in headers.items()}, tuple(kinds))


def _check_url(name: str, url: t.Any) -> None:
    try:
        parts = urlsplit(str(url or ""))
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fine = False
    if not fine:
        raise InputError(f"{name}: it must be an http or https URL. {_NOTHING}")
