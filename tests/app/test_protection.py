"""What a client cannot do to the server: hosts, sizes, slowness, rates, other origins, garbage on every input."""

from __future__ import annotations

import json
import socket
import time

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import PROBLEMS
from app.security import Rates, client_of, host_allowed
from tests.app.conftest import lines
from tests.app.stories import count_to, forever

RUNS = "/api/v1/runs"


def answer(sock):
    """What comes until the server closes, or the first answer when it does not."""
    sock.settimeout(5)
    got = b""
    try:
        while chunk := sock.recv(65536):
            got += chunk
            if b"\r\n\r\n" in got and b"connection: close" not in got.lower():
                break
    except (TimeoutError, ConnectionResetError):
        pass
    return got


def is_problem(response, slug):
    assert response.headers["content-type"] == "application/problem+json", response.text
    assert response.json()["type"] == f"/api/v1/problems#{slug}"
    assert response.status_code == response.json()["status"] == PROBLEMS[slug][0]
    return True


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "", "[::2]", "*"])
def test_other_host_headers_are_refused(served, host):
    with served.raw() as sock:
        sock.sendall(f"GET /healthz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode())
        assert b" 400 " in answer(sock).split(b"\r\n")[0]


@pytest.mark.parametrize(
    ("host", "rules", "expected"),
    [
        ("localhost:8000", ("localhost",), True),
        ("[::1]:8000", ("[::1]",), True),
        ("LOCALHOST", ("localhost",), True),
        ("a.example.org", ("*.example.org",), True),
        ("example.org", ("*.example.org",), False),
        ("anything", ("*",), True),
        ("", ("localhost",), False),
    ],
)
def test_host_rules(host, rules, expected):
    assert host_allowed(host, rules) is expected


def test_a_post_from_another_origin_is_refused_and_none_is_invited(served):
    told = served.client.post(RUNS, json={"code": "1"}, headers={"origin": "http://evil.example"})
    assert told.status_code == 400
    assert "access-control-allow-origin" not in served.client.get("/healthz", headers={"origin": "http://x"}).headers
    same = served.client.post(RUNS, json={"code": "1"}, headers={"origin": served.url})
    assert same.status_code == 200


def test_every_answer_has_the_security_headers(served):
    for told in (served.client.get("/healthz"), served.client.get("/nothing"), served.post("1")):
        assert told.headers["x-content-type-options"] == "nosniff"
        assert told.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in told.headers["content-security-policy"]


def test_a_body_too_large_is_refused_before_it_is_read(served):
    with served.raw() as sock:
        sock.sendall(b"POST /api/v1/runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                     b"content-length: 99999999999\r\nconnection: close\r\n\r\n")  # fmt: skip
        assert b" 413 " in answer(sock).split(b"\r\n")[0]


def test_a_chunked_body_is_counted_too(served):
    def chunks():
        for _ in range(200):
            yield b"x" * 4096

    try:
        told = served.client.post(RUNS, content=chunks(), headers={"content-type": "application/json"})
        assert is_problem(told, "body-too-large")
    except httpx.WriteError:
        pass  # the server hung up while we were still sending: as good
    assert served.client.get("/healthz").status_code == 200


def test_a_program_too_large_is_refused(served):
    assert is_problem(served.post("#" * 70_000), "body-too-large")


def test_a_head_too_large_is_refused(served):
    assert is_problem(served.client.get("/healthz", headers={"x-long": "y" * 20_000}), "headers-too-large")


def test_an_endless_head_is_cut_off(served):
    with served.raw() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n")
        with pytest.raises((BrokenPipeError, ConnectionResetError, AssertionError)):
            for k in range(200):
                sock.sendall(b"x-%d: " % k + b"y" * 8000 + b"\r\n")
                time.sleep(0.001)
            raise AssertionError
    assert served.client.get("/healthz").status_code == 200


def test_an_address_too_long_is_refused(served):
    assert is_problem(served.client.get("/healthz?" + "x" * 9000), "uri-too-long")


def test_a_head_that_comes_too_slowly_is_cut_off(serve):
    served = serve(header_seconds=0.3)
    with served.raw() as sock:
        start = time.monotonic()
        sock.sendall(b"GET / HTTP/1.1\r\nhost: localh")
        assert answer(sock) == b"" and time.monotonic() - start < 2


def test_a_connection_that_says_nothing_is_closed(serve):
    served = serve(header_seconds=0.3)
    with served.raw() as sock:
        start = time.monotonic()
        assert answer(sock) == b"" and time.monotonic() - start < 2


def test_a_body_that_comes_too_slowly_is_a_408(serve):
    served = serve(body_seconds=0.3)
    with served.raw() as sock:
        sock.sendall(b"POST /api/v1/runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                     b"content-length: 100\r\nconnection: close\r\n\r\n{")  # fmt: skip
        assert b" 408 " in answer(sock).split(b"\r\n")[0]


def test_a_reader_that_takes_nothing_is_cut_off_and_its_run_cancelled(serve):
    def flood(program):
        for thing in count_to(200_000)(program):
            if hasattr(thing, "text"):
                yield type(thing)(text="x" * 2000)
            else:
                yield thing

    served = serve(flood, stall_seconds=0.4, leave_seconds=0.1)
    with served.raw() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        body = b'{"code": "1"}'
        sock.sendall(b"POST /api/v1/runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                     b"content-length: %d\r\n\r\n" % len(body) + body)  # fmt: skip
        start = time.monotonic()
        while served.service.streams.total() or served.service.live or not served.runner.runs:
            assert time.monotonic() - start < 8, "the stalled reader still costs something"
            time.sleep(0.02)
    assert served.runner.cancelled == 1


def test_a_client_that_vanished_without_a_word_is_noticed(serve):
    served = serve(forever, leave_seconds=0.1)
    sock = served.raw()
    body = b'{"code": "1"}'
    sock.sendall(b"POST /api/v1/runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                 b"content-length: %d\r\n\r\n" % len(body) + body)  # fmt: skip
    sock.recv(100)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # closing sends a reset
    sock.close()
    start = time.monotonic()
    while served.service.live or not served.runner.runs:
        assert time.monotonic() - start < 2
        time.sleep(0.02)


def test_requests_beyond_the_rate_get_429_and_a_time_to_wait(serve):
    served = serve(client_rate=0.5)
    codes = [served.client.get("/api/v1/problems").status_code for _ in range(10)]
    assert codes[:5] == [200] * 5 and codes[-1] == 429
    told = served.client.get("/api/v1/problems")
    assert is_problem(told, "rate") and int(told.headers["retry-after"]) >= 1
    assert served.client.get("/healthz").status_code == 200


def test_new_runs_have_a_rate_of_their_own_and_shared_ones_are_free(serve):
    served = serve(client_run_rate=0.5)
    codes = [served.post(str(k)).status_code for k in range(8)]
    assert codes[:5] == [200] * 5 and codes[-1] == 429
    assert served.post("0").status_code == 200


def test_a_cookie_tells_clients_behind_one_address_apart(serve):
    served = serve(client_rate=1)
    for k in range(3):
        with httpx.Client(base_url=served.url, cookies={"backstep": f"{k:032x}"}) as one:
            assert [one.get("/api/v1/lessons").status_code for _ in range(10)] == [200] * 10


def test_what_is_remembered_of_clients_is_bounded():
    rates = Rates(1.0, clients=100)
    for k in range(10_000):
        rates.take(str(k))
    assert len(rates.buckets) == 100


def test_one_subscriber_of_ipv6_is_one_client():
    assert client_of("2001:db8::1") == client_of("2001:db8::ffff") != client_of("2001:db8:0:1::1")
    assert client_of("::ffff:10.0.0.1") == client_of("10.0.0.1")


def test_a_forwarded_address_is_believed_from_trusted_proxies_only(serve):
    for proxies, expected in (("", 429), ("127.0.0.1", 200)):
        served = serve(client_rate=0.1, trusted_proxies=proxies)
        told = [
            served.client.get("/api/v1/lessons", headers={"x-forwarded-for": f"10.0.0.{k}"}).status_code
            for k in range(3)
        ]
        assert told[-1] == expected


# -- garbage

GARBAGE = [
    b"", b"{", b"null", b"[]", b'"x"', b"7", b"\xff\xfe", b"{}", b'{"code": 7}', b'{"code": null}', b"NaN",
    b'{"code": "x", "y": 1}', b'{"code": "x", "seed": -1}', b'{"code": "x", "seed": 1e400}', b'{"code": NaN}',
    b'{"code": "x", "detail": [-1]}', b'{"code": "\\ud800"}', b'{"code": "a\\u0000b"}',
    b'{"code": "x", "expression": "y"}', b'{"code": "x", "detail": "' + b"9" * 5000 + b'"}',
    b"[" * 50_000, b'{"a":' * 20_000, b'{"code": "x", "seed": ' + b"9" * 5000 + b"}",
    b'{"expression": "x", "inputs": {"x": ' + b"[" * 500 + b"]" * 500 + b"}}",
]  # fmt: skip
ROUTES = ["/api/v1/runs", "/api/v1/graphs", "/api/v1/broadcast", "/api/v1/runs/" + "0" * 64 + "/probe"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("body", GARBAGE, ids=[repr(one[:20]) for one in GARBAGE])
def test_garbage_in_a_body_is_a_clear_4xx(served, route, body):
    told = served.client.post(route, content=body, headers={"content-type": "application/json"})
    assert 400 <= told.status_code < 500, told.text
    assert told.headers["content-type"] == "application/problem+json" and told.json()["title"]
    assert "Traceback" not in told.text


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"]
)
def test_a_body_that_is_not_declared_as_json_is_refused(served, kind):
    told = served.client.post(RUNS, content=b'{"code": "1"}', headers={"content-type": kind})
    assert 400 <= told.status_code < 500


WHOLE = ["-1", "x", "1e9", "99999999999999999999", "", "%00", "1.5", "٣", "NaN"]


@pytest.mark.parametrize("value", WHOLE)
def test_garbage_in_a_cursor_is_a_clear_4xx(serve, value):
    served = serve(count_to(3))
    run = served.post("a").headers["backstep-run"]
    for path in ("events?from=", "steps/", "graph?step=", "graph?at=", "tensors/", "tensors/1?step=", "graph?format="):
        told = served.client.get(f"{RUNS}/{run}/{path}{value}")
        if told.status_code == 200:
            assert value in ("", "٣")  # an empty `from` or a digit of another script may mean a number
        else:
            assert 400 <= told.status_code < 500 and told.headers["content-type"] == "application/problem+json"
    assert lines(served.client.get(f"{RUNS}/{run}/events").content)[-1]["kind"] == "end"


HEADS = [
    b"GARBAGE\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET  /\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"POST /api/v1/runs HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
    b"POST /api/v1/runs HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n12345",
    b"POST /api/v1/runs HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
    b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil\r\nconnection: close\r\n\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    b"CONNECT evil:443 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
]  # fmt: skip


@pytest.mark.parametrize("head", HEADS, ids=[repr(one[:28]) for one in HEADS])
def test_garbage_instead_of_http_costs_one_connection_only(served, head):
    with served.raw() as sock:
        sock.sendall(head)
        sock.shutdown(socket.SHUT_WR)
        got = answer(sock)
    assert not got or (got.startswith(b"HTTP/1.1 ") and not got.startswith(b"HTTP/1.1 5"))
    assert served.client.get("/healthz").status_code == 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("code", "expression", "inputs", "seed", "detail", "backward", "shapes")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    route=st.sampled_from(ROUTES[:3]),
    body=json_values | st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=4),
)
def test_no_json_whatever_makes_a_5xx(served, route, body):
    told = served.client.post(route, json=body)
    assert told.status_code < 500, (body, told.text)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet="xyw012.+-*/@()[],=<> sumexplogrelu.T\n'\"_", max_size=40))
def test_no_formula_whatever_makes_a_5xx(served, text):
    told = served.client.post("/api/v1/graphs", json={"expression": text})
    assert told.status_code in (200, 422), (text, told.text)
    json.loads(told.content)
