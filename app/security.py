"""What every request passes before a route sees it. One plain ASGI layer; knows no run and no store.

Host allowlist, body and address limits, rates per client and for all, security headers, the request id.
Slow heads and connection counts are watched a layer below, in app/server.py.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import re
import time
from collections import OrderedDict

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import Problem
from app.metrics import Metrics
from app.settings import Settings

log = logging.getLogger("backstep")

HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"x-frame-options", b"DENY"),
]
COOKIE = "backstep"
TOKEN = re.compile(rb"(?:^|; )backstep=([0-9a-f]{32})(?:;|$)")
"""Tells pages behind one address apart, so that a classroom is not one client. It proves nothing: whoever makes
tokens up is still held by what one address may do."""
API_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
CLIENTS = 20_000  # clients remembered at most, about 200 bytes each
SHORTER = "shorten the program, or make its data inside it; BACKSTEP_MAX_BODY_KB raises the limit"
FREE = ("/healthz", "/readyz", "/metrics", "/static/")


class Bucket:
    """A token bucket: `rate` per second on average, `burst` at once."""

    __slots__ = ("stamp", "tokens")

    def __init__(self, burst: float, now: float) -> None:
        self.tokens, self.stamp = burst, now

    def take(self, rate: float, burst: float, now: float) -> float:
        """0 when a token was there, else the seconds until the next one."""
        # monotonic time never goes back; max() keeps a bucket whole all the same
        self.tokens = min(burst, self.tokens + max(0.0, now - self.stamp) * rate)
        self.stamp = now
        if self.tokens >= 1.0:
            self.tokens -= 1.0
            return 0.0
        return (1.0 - self.tokens) / rate


class Rates:
    """Buckets by client, the least recently seen forgotten first, so memory is bounded."""

    def __init__(self, rate: float, *, burst: float | None = None, clients: int = CLIENTS) -> None:
        self.rate, self.burst, self.clients = rate, burst or max(1.0, rate * 10), clients
        self.buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, client: str) -> float:
        now = time.monotonic()
        bucket = self.buckets.get(client)
        if bucket is None:
            bucket = self.buckets[client] = Bucket(self.burst, now)
            if len(self.buckets) > self.clients:
                self.buckets.popitem(last=False)
        else:
            self.buckets.move_to_end(client)
        return bucket.take(self.rate, self.burst, now)


def client_of(address: str) -> str:
    """Whom a quota counts: an IPv4 address, or the /64 that one IPv6 subscriber has."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return address


def host_allowed(host: str, allowed: tuple[str, ...]) -> bool:
    name = host.lower()
    if name.startswith("["):
        name = name.partition("]")[0] + "]"
    else:
        name = name.partition(":")[0]
    return any(rule in ("*", name) or (rule.startswith("*.") and name.endswith(rule[1:])) for rule in allowed)


class Guard:
    """The layer. Sets scope["state"]["client"]: the address, or address/token."""

    def __init__(self, app: ASGIApp, *, settings: Settings, metrics: Metrics | None = None) -> None:
        self.app, self.settings = app, settings
        self.metrics = metrics or Metrics()
        self.answers = {kind: self.metrics.requests.labels(f"{kind}xx") for kind in range(1, 6)}
        self.hosts = settings.hosts
        self.proxies = {part.strip() for part in settings.trusted_proxies.split(",") if part.strip()}
        self.rates = Rates(settings.client_rate)
        self.addresses = Rates(settings.address_rate)
        self.everyone = Rates(settings.global_rate, burst=max(settings.global_rate, 1.0))
        self.token = settings.token.encode()
        self.max_body = settings.max_body_kb * 1024

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            else:
                await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        peer = scope["client"][0] if scope.get("client") else "local"
        if peer in self.proxies and (forwarded := headers.get(b"x-forwarded-for")):
            peer = self._behind(forwarded.decode("latin-1"), peer)
        address = client_of(peer)
        token = TOKEN.search(headers.get(b"cookie", b""))
        client = f"{address}/{token[1].decode()}" if token else address
        scope.setdefault("state", {})["client"] = client
        path: str = scope["path"]
        is_api = path.startswith("/api/")

        started = False

        async def protected(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self.answers[message["status"] // 100].inc()
                out = message["headers"] = [*message.get("headers", ()), *HEADERS]
                if not any(name == b"content-security-policy" for name, _ in out):
                    out.append(API_POLICY)
                if is_api and not any(name == b"cache-control" for name, _ in out):
                    out.append((b"cache-control", b"no-store"))
            await send(message)

        verdict: list[Problem] = []

        async def quiet(message: Message) -> None:
            if not verdict or started:  # who reads the body takes our refusal for a body that it cannot parse
                await protected(message)

        try:
            self._admit(scope, headers, address, client)
        except Problem as problem:
            self.metrics.refused.labels(problem.slug).inc()
            await problem.response()(scope, receive, protected)
            return
        if scope["method"] not in ("GET", "HEAD"):
            receive = self._limited(receive, verdict)
        try:
            await self.app(scope, receive, quiet)
        except Problem as problem:
            verdict.append(problem)
        except Exception:
            if not verdict:
                log.exception("unexpected: %s %s", scope["method"], path)
                verdict.append(Problem("internal", "it has been noted; the next request is not affected"))
            if started:
                raise
        if verdict and not started:
            await verdict[0].response()(scope, receive, protected)

    def _behind(self, forwarded: str, peer: str) -> str:
        """The nearest address that no trusted proxy has."""
        for part in reversed([p.strip() for p in forwarded.split(",")]):
            if part and part not in self.proxies:
                return part
        return peer

    def _admit(self, scope: Scope, headers: dict[bytes, bytes], address: str, client: str) -> None:
        host = headers.get(b"host", b"").decode("latin-1")
        if not host_allowed(host, self.hosts):
            raise Problem("host", f"Host is {host[:100]!r}", hint="name it in BACKSTEP_ALLOWED_HOSTS")
        if len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"") > 8192:
            raise Problem("uri-too-long", "addresses end at 8192 bytes")
        if sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > self.settings.max_header_kb * 1024:
            raise Problem("headers-too-large", f"heads end at {self.settings.max_header_kb} KiB")
        origin = headers.get(b"origin")
        if origin and scope["method"] not in ("GET", "HEAD") and origin.split(b"//")[-1] != headers.get(b"host"):
            raise Problem("malformed", "requests from other origins are refused", hint="call from outside a page")
        if not scope["path"].startswith(FREE):
            if self.token and not self._knows(scope, headers):
                raise Problem("token", "open the address that the server printed at its start")
            if client != address and (wait := self.addresses.take(address)):
                raise Problem("rate", f"at most {self.settings.address_rate:g} per second", retry=wait)
            if wait := self.rates.take(client):
                raise Problem("rate", f"at most {self.settings.client_rate:g} per second", retry=wait)
            if wait := self.everyone.take(""):
                raise Problem("rate", "the server has more requests than it can answer", retry=wait)
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.max_body:
            raise Problem("body-too-large", f"bodies end at {self.max_body} bytes, this has {int(length)}", hint=SHORTER)

    def _knows(self, scope: Scope, headers: dict[bytes, bytes]) -> bool:
        """Whether the token comes with the request: as a cookie, as a bearer, or in the address (see templating)."""
        given = [headers.get(b"authorization", b"").removeprefix(b"Bearer ")]
        given += re.findall(rb"(?:^|; )backstep_token=([\w-]+)", headers.get(b"cookie", b""))
        given += re.findall(rb"(?:^|&)token=([\w-]+)", scope.get("query_string") or b"")
        return any(hmac.compare_digest(one, self.token) for one in given)

    def _limited(self, receive: Receive, verdict: list[Problem]) -> Receive:
        """`receive` that counts bytes and watches the clock; a refusal is raised and noted."""
        got, more = 0, True
        deadline = time.monotonic() + self.settings.body_seconds

        async def limited() -> Message:
            nonlocal got, more
            if not more:
                return await receive()
            try:
                async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                seconds = self.settings.body_seconds
                verdict.append(Problem("body-timeout", f"a body has to arrive within {seconds:g} s"))
                raise verdict[0] from None
            if message["type"] == "http.request":
                got += len(message.get("body", b""))
                more = message.get("more_body", False)
                if got > self.max_body:
                    verdict.append(Problem("body-too-large", f"bodies end at {self.max_body // 1024} KiB", hint=SHORTER))
                    raise verdict[0]
            else:
                more = False
            return message

        return limited
