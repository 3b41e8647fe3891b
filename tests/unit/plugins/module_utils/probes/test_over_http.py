# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.module_utils.probes.options import parse_targets
from ansible_collections.convoy.rolling.plugins.module_utils.probes.over_http import LARGEST_BODY, HttpProbe
from ansible_collections.convoy.rolling.plugins.module_utils.probes.transports import Wire


@pytest.fixture
def ask(params):
    """One probe of a URL, with the options given."""

    def probe(url, seconds=5.0, wire=None, **options):
        given = params(url=url, **options)
        (target,) = parse_targets(given)
        return HttpProbe([target], given)(target, seconds, wire or Wire())

    return probe


def test_status_and_body_come_back(server, say, ask):
    server.answer = say(503, "käputt")
    answer = ask(server.url)
    assert (answer.status, answer.body, answer.error, answer.is_cut) == (503, "käputt", None, False)


def test_a_redirect_is_not_followed(server, say, ask):
    server.answer = say(302, Location=server.url + "/else")
    assert ask(server.url).status == 302
    assert len(server.seen) == 1


def test_every_probe_is_a_connection_of_its_own(server, say, params):
    def answer_and_stay(handler):
        say()(handler)
        handler.close_connection = False

    server.answer = answer_and_stay
    given = params(url=server.url)
    (target,) = parse_targets(given)
    probe = HttpProbe([target], given)
    assert [probe(target, 5, Wire()).status for _number in range(3)] == [200, 200, 200]
    assert server.connections == 3
    assert {seen["Connection"] for seen in server.seen} == {"close"}


def test_a_proxy_in_the_environment_does_not_answer_for_the_host(server, ask, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert ask(server.url).status == 200


def test_what_is_sent(server, ask):
    ask(server.url.replace("//", "//me:p%40ss@"), method="HEAD", headers={"X-Probe": 1, "connection": "keep-alive"}, host_header="shop")
    (seen,) = server.seen
    assert seen["Host"] == "shop"
    assert seen["X-Probe"] == "1"
    assert seen["Authorization"] == "Basic bWU6cEBzcw=="
    assert [value for name, value in seen.items() if name.lower() == "connection"] == ["close"]


def test_a_large_body_is_read_only_so_far(server, say, ask):
    server.answer = say(200, "x" * LARGEST_BODY)
    assert not ask(server.url).is_cut
    server.answer = say(200, "x" * (LARGEST_BODY * 4))
    answer = ask(server.url)
    assert answer.is_cut and len(answer.body) == LARGEST_BODY


def test_no_answer_in_time(server, ask):
    server.answer = lambda handler: time.sleep(0.3)
    assert ask(server.url, seconds=0.1).error == "no answer within 0.1 s"


def test_a_connection_that_is_closed_without_an_answer(server, ask):
    server.answer = lambda handler: setattr(handler, "close_connection", True)
    assert "closed connection without response" in ask(server.url).error


def test_an_answer_that_is_no_http(server, ask):
    server.answer = lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    assert ask(server.url).error


def test_an_answer_that_breaks_off(server, ask):
    def answer(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        handler.close_connection = True

    server.answer = answer
    assert ask(server.url).error


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_dripping_answer_ends_when_the_wire_is_cut(server, ask, part):
    def drip(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" if part == "head" else b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
        for _number in range(100):
            handler.wfile.write(b"x")
            time.sleep(0.02)

    server.answer = drip
    wire = Wire()
    threading.Timer(0.2, wire.cut).start()
    started = time.monotonic()
    answer = ask(server.url, wire=wire)
    assert answer.error or answer.body != "x" * 5000
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("headers", [{"X": "a\nb"}, {"X": {"a": 1}}, {"X": None}, {"a b\n": "x"}])
def test_a_header_that_cannot_be_sent_is_refused_without_showing_it(ask, headers):
    with pytest.raises(InputError, match="headers") as error:
        ask("http://a", headers=headers)
    assert "a\nb" not in error.value.message


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"ca_path": "/nonexistent"}, "ca_path"),
        ({"ca_path": __file__}, "ca_path"),
        ({"client_cert": "/nonexistent"}, "client_cert"),
        ({"client_key": "/nonexistent"}, "client_key"),
    ],
)
def test_certificates_that_cannot_be_used_are_refused(ask, options, named):
    with pytest.raises(InputError, match=named):
        ask("https://127.0.0.1:1/", **options)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A PEM file with a key and a self-signed certificate for shop.example and 127.0.0.2."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example")])
    names = [x509.DNSName("shop.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))]
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "shop.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return str(path)


@pytest.fixture
def tls_url(server, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return f"https://{server.address}/"


def test_an_unknown_certificate_is_not_trusted(tls_url, ask):
    assert ask(tls_url).error == "the certificate is not trusted: self-signed certificate"


def test_a_certificate_must_have_the_name_that_is_asked_for(tls_url, ask, certificate):
    assert "not valid for '127.0.0.1'" in ask(tls_url, ca_path=certificate).error
    assert "not valid for 'other.example'" in ask(tls_url, ca_path=certificate, host_header="other.example").error


def test_the_host_header_is_the_name_that_is_asked_for(tls_url, ask, certificate, server):
    assert ask(tls_url, ca_path=certificate, host_header="shop.example:8443").status == 200
    assert server.seen[0]["Host"] == "shop.example:8443"


def test_certificates_can_be_taken_on_trust(tls_url, ask, recwarn):
    assert ask(tls_url, validate_certs=False).status == 200
    assert not recwarn.list


def test_a_client_certificate_is_shown(tls_url, ask, certificate, server):
    shown = []
    server.answer = lambda handler: (shown.append(handler.connection.getpeercert()), handler.send_error(403))
    ask(tls_url, validate_certs=False, client_cert=certificate)
    ask(tls_url, validate_certs=False)
    assert [bool(peer) for peer in shown] == [True, False]


def test_a_probe_over_tls_can_be_cut(tls_url, ask, server):
    server.answer = lambda handler: time.sleep(3)
    wire = Wire()
    threading.Timer(0.1, wire.cut).start()
    started = time.monotonic()
    assert ask(tls_url, validate_certs=False, wire=wire).error
    assert time.monotonic() - started < 2
