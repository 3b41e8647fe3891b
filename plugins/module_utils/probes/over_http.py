# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP(S) probes, through requests."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import traceback
import typing as t
from urllib.parse import urlsplit

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.probes.options import Target
from ansible_collections.convoy.rolling.plugins.module_utils.probes.transports import Wire, reason, too_slow
from ansible_collections.convoy.rolling.plugins.module_utils.probes.verdicts import Answer

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
except ImportError:
    REQUESTS_TRACEBACK: str | None = traceback.format_exc()
    # So that the classes below can be read; none is used.
    HTTPAdapter = HTTPConnection = HTTPSConnection = HTTPConnectionPool = HTTPSConnectionPool = object  # type: ignore[assignment, misc]
else:
    REQUESTS_TRACEBACK = None

LARGEST_BODY = 64 * 1024
"""Bytes that are read of a body; a health answer is far smaller."""

_this_thread = threading.local()


class HttpProbe:
    """Asks each target over a connection of its own, so that a dead process cannot hide behind a pooled one.

    A prepared request goes straight to an adapter. Without a session there are no redirects, no proxies or netrc from
    the environment, and no cookies.

    :raises InputError: for headers or certificates that cannot be used.
    :raises RollingError: when requests is not installed.
    """

    def __init__(self, targets: t.Iterable[Target], params: t.Mapping[str, t.Any]) -> None:
        if REQUESTS_TRACEBACK is not None:
            raise RollingError(missing_required_lib("requests", reason="for url"), {"exception": REQUESTS_TRACEBACK})
        self._requests = {target.name: _prepare(target, params) for target in targets}
        self._tls: dict[str, t.Any] = {}
        if any((request.url or "").startswith("https:") for request in self._requests.values()):
            self._tls["ssl_context"] = _tls_context(params)
            if params["host_header"]:
                self._tls["server_hostname"] = _host_name(params["host_header"])

    def __call__(self, target: Target, seconds: float, wire: Wire) -> Answer:
        request = self._requests[target.name]
        _this_thread.wire = wire
        adapter = _FreshAdapter(self._tls if (request.url or "").startswith("https:") else {})
        try:
            response = adapter.send(request, stream=True, timeout=seconds)
            try:
                body = _read(response)
            finally:
                response.close()
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            return too_slow(seconds)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return Answer(error=reason(error))
        finally:
            adapter.close()
            wire.release()
        return Answer(response.status_code, body[:LARGEST_BODY].decode("utf-8", "replace"), is_cut=len(body) > LARGEST_BODY)


def _read(response: requests.Response) -> bytes:
    """The body, up to one byte more than may be.

    :raises urllib3.exceptions.HTTPError: for one that breaks off; the read after the last byte is the one that tells.
    """
    body = b""
    while len(body) <= LARGEST_BODY:
        piece = response.raw.read(LARGEST_BODY + 1 - len(body))
        if not piece:
            break
        body += piece
    return body


class _Held:
    """A connection that can be cut from outside as soon as it exists: before TLS, before the first byte."""

    def _new_conn(self) -> socket.socket:
        connection: socket.socket = super()._new_conn()  # type: ignore[misc]
        _this_thread.wire.hold(connection)
        return connection


class _HttpConnection(_Held, HTTPConnection):
    pass


class _HttpsConnection(_Held, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


class _FreshAdapter(HTTPAdapter):
    """An adapter for one request, with one TLS context for all: requests would load the authorities for each connection."""

    def __init__(self, tls: t.Mapping[str, t.Any]) -> None:
        self._tls = tls
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: t.Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs, **self._tls)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def cert_verify(self, conn: t.Any, url: str, verify: t.Any, cert: t.Any) -> None:
        """The context knows already."""
        if "ssl_context" in self._tls:
            conn.cert_reqs = self._tls["ssl_context"].verify_mode


def _prepare(target: Target, params: t.Mapping[str, t.Any]) -> requests.PreparedRequest:
    headers = {"User-Agent": "convoy.rolling", "Accept": "*/*"}
    for name, value in params["headers"].items():
        if isinstance(value, (dict, list)) or value is None:
            raise InputError(f"headers: the value of {name} is no text; give a string or a number.")
        headers[str(name)] = str(value)
    if params["host_header"]:
        headers["Host"] = params["host_header"]
    headers["Connection"] = "close"
    try:
        return requests.Request(params["method"], target.address, headers=headers).prepare()
    except requests.exceptions.InvalidHeader:
        raise InputError("headers: a name or value cannot be sent; leave out line breaks and leading blanks, in host_header too.") from None
    except (requests.RequestException, ValueError) as error:
        raise InputError(f"url of {target.name!r}: no URL that can be asked for ({type(error).__name__}); correct it.") from None


def _tls_context(params: t.Mapping[str, t.Any]) -> ssl.SSLContext:
    """The context of all probes. It trusts the authorities of the system unless ``ca_path`` names others."""
    authorities, certificate, key = params["ca_path"], params["client_cert"], params["client_key"]
    try:
        context = ssl.create_default_context(**{"capath" if os.path.isdir(authorities) else "cafile": authorities} if authorities else {})
    except OSError as error:
        raise InputError(f"ca_path: {authorities!r} gives no certificates ({reason(error)}); give a PEM file or a directory.") from error
    if key and not certificate:
        raise InputError("client_key: given without client_cert; give both.")
    if certificate:
        try:
            context.load_cert_chain(certificate, key, password="")  # without one, OpenSSL asks on the terminal for an encrypted key's
        except OSError as error:
            raise InputError(
                f"client_cert: {certificate!r} with client_key {key!r} cannot be used ({reason(error)});"
                " give readable PEM files, the key not encrypted."
            ) from error
    if not params["validate_certs"]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return context


def _host_name(host_header: str) -> str:
    """The name in a Host header, without its port."""
    return urlsplit(f"//{host_header}").hostname or host_header
