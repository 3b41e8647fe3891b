# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP for the providers that speak it, through requests."""

from __future__ import annotations

import dataclasses
import json
import traceback
import typing as t

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.probes.transports import reason

try:
    import requests
except ImportError:
    REQUESTS_TRACEBACK: str | None = traceback.format_exc()
else:
    REQUESTS_TRACEBACK = None


@dataclasses.dataclass(frozen=True)
class Reply:
    status: int
    headers: t.Mapping[str, str]
    text: str

    def value(self) -> t.Any:
        """The JSON in it; None when it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


class NoReply(RollingError):
    """Nothing answered, or not in time.

    :param is_cut: somebody was there, and ended the connection without an answer.
    """

    def __init__(self, message: str, is_cut: bool = False) -> None:
        super().__init__(message)
        self.is_cut = is_cut


class HttpCalls:
    """A connection for each call: a server that swaps its listeners, as Caddy does at each change, closes the kept ones.

    :param timeout: seconds for connecting, and again for the answer.
    :raises RollingError: when requests is not installed.
    """

    def __init__(self, timeout: float) -> None:
        if REQUESTS_TRACEBACK is not None:
            raise RollingError(missing_required_lib("requests", reason="for load balancers over HTTP"), {"exception": REQUESTS_TRACEBACK})
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False  # no proxies, no netrc
        self._session.headers.update({"User-Agent": "convoy.rolling", "Connection": "close"})

    def close(self) -> None:
        self._session.close()

    def send(self, method: str, url: str, body: t.Any = None, headers: t.Mapping[str, str] | None = None) -> Reply:
        """One call, with the body as JSON; redirects are not followed.

        :raises NoReply: says why.
        """
        try:
            answer = self._session.request(method, url, json=body, headers=headers, timeout=self._timeout, allow_redirects=False)
        except requests.Timeout as error:
            raise NoReply(f"no answer within {self._timeout:g}s") from error
        except (requests.RequestException, ValueError, OSError) as error:
            raise NoReply(reason(error), _is_cut(error)) from error
        return Reply(answer.status_code, answer.headers, answer.text)


def _is_cut(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, (ConnectionResetError, BrokenPipeError)):
            return True
        error = error.__cause__ or error.__context__
    return False
