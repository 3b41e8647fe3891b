# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must not show in a result or an error: header values, the userinfo of URLs, and the secret ones among the values of a query."""

from __future__ import annotations

import base64
import re
import typing as t
from urllib.parse import unquote, unquote_plus, urlsplit

MASK = "********"

_SECRET_NAME = re.compile("auth|cred|key|pass|secret|sig|token", re.IGNORECASE)
"""Names of a query's values that are secret. Another's, such as a version, may be part of what is extracted."""

_SHORTEST = 4
"""Shorter values are no secrets, and masking ``1`` (``X-Probe: 1``) would turn version 2.4.1 into nonsense."""


def secrets_in(params: t.Mapping[str, t.Any]) -> set[str]:
    """The texts to mask, from parameters that may still be malformed."""
    targets = [params, *(params.get("targets") or [])]
    names = [str(target.get(key) or "") for target in targets for key in ("name", "url", "tcp", "command")]
    found: set[str] = set()
    for value in map(str, (params.get("headers") or {}).values()):
        # Of ``Bearer abc``, abc alone is secret as well. What a target's name holds (``Host: web``, web1) is shown anyway.
        found.update(text for text in (value, value.partition(" ")[2]) if not any(text in name for name in names))
    for url in filter(None, (target.get("url") for target in targets)):
        userinfo = _userinfo(url)
        user, _colon, password = userinfo.partition(":")
        basic = f"{unquote(user)}:{unquote(password)}".encode()
        if userinfo:
            found.update({userinfo, password or user, unquote(password or user), base64.b64encode(basic).decode()})
        for pair in url.partition("?")[2].partition("#")[0].split("&"):
            name, _equals, value = pair.partition("=")
            if _SECRET_NAME.search(name):
                found.update({value, unquote_plus(value)})
    return {text for text in found if len(text) >= _SHORTEST}


def shown_url(url: str) -> str:
    """The URL without its userinfo and without the values of its query, fit to be shown."""
    userinfo = _userinfo(url)
    shown = url.replace(f"{userinfo}@", f"{MASK}@", 1) if userinfo else url
    address, mark, query = shown.partition("?")
    return address + mark + re.sub(r"=[^&#]*", f"={MASK}", query)


def mask(value: t.Any, secrets: t.Collection[str]) -> t.Any:
    """The value (text, or what JSON can hold) with every secret in it masked."""
    if isinstance(value, str):
        for secret in sorted(secrets, key=len, reverse=True):
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, list):
        return [mask(entry, secrets) for entry in value]
    if isinstance(value, dict):
        return {mask(key, secrets): mask(entry, secrets) for key, entry in value.items()}
    return value


def _userinfo(url: str) -> str:
    try:
        userinfo = urlsplit(url).netloc.rpartition("@")[0]
    except ValueError:
        userinfo = ""
    if userinfo:
        return userinfo
    # A password with a bare slash or hash in it ends the host part too early. Such a URL has no usable port.
    match = re.match(r"[a-z]+://([^@]*:[^@]*)@", url, re.IGNORECASE)
    return match.group(1) if match else ""
