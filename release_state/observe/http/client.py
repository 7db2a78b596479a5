"""The HTTP client: GET alone, limited in time and size, with few retries and careful redirects."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Any, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from msgspec import structs

from release_state import __version__
from release_state.common.errors import list_spellings
from release_state.common.text import sanitize
from release_state.model.observation import Observation, Problem, known
from release_state.observe.http.cache import ResponseCache, explain_staleness, is_revalidated
from release_state.observe.http.limits import PAUSES, SharedLimit, TimeLeft
from release_state.observe.http.response import (
    NOT_REACHED,
    LookupFailed,
    Origin,
    Refusal,
    Response,
    clean_url,
    display_url,
    get_header,
    is_other_host,
    measure_clock_ahead,
    origin_of,
    parse_json,
    read_refusal,
    read_service_message,
)
from release_state.observe.http.transport import Cancellation, Interrupted, Unusable, open_session, send

__all__ = ["HttpClient", "LookupFailed", "Response", "clean_url", "is_other_host", "observe", "origin_of"]

T = TypeVar("T")

MAX_BYTES = 32 * 2**20
MAX_REDIRECTS = 5
TRIES = 3
_POLL_SECONDS = 0.1
_SAME_CLOCK = 60.0
"""Seconds."""
_SHORTEST_SECRET = 12
"""Characters. A shorter password may occur in a response by chance, and the response must not be changed then."""
# Caches on the way have to revalidate, too.
_HEADERS = {"User-Agent": f"release-state/{__version__}", "Accept-Encoding": "gzip", "Cache-Control": "no-cache"}
_OF_BODY = re.compile("content-|etag$", re.IGNORECASE)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Service:
    """What the responses of one origin showed so far."""

    def __init__(self) -> None:
        self.responses = 0
        """Refusals included."""
        self.limit: Mapping[str, str] = {}
        """The headers of the last response that named a rate limit."""
        self._differences: list[float] = []
        self._lock = threading.Lock()

    def record(self, headers: Mapping[str, str]) -> None:
        """Record a response, with its rate limit and its time."""
        ahead = measure_clock_ahead(headers, datetime.now(timezone.utc))
        with self._lock:
            self.responses += 1
            self._differences += [] if ahead is None else [ahead]
            if get_header(headers, "X-RateLimit-Limit"):
                self.limit = headers

    @property
    def clock_ahead(self) -> float | None:
        """Seconds by which this machine's clock is ahead of the service's; None if no response has a date.

        The median of all responses: a cache or a single server may be wrong. Less than a minute is transfer time and
        rounding, and counts as zero.
        """
        with self._lock:
            middle = median(self._differences) if self._differences else None
        return middle if middle is None or abs(middle) >= _SAME_CLOCK else 0.0


class HttpClient:
    """Sends GET requests, and no others, over shared connections. Many threads may use one client.

    `timeout` (seconds) limits one look-up as a whole: name resolution, retries, pauses, redirects and body; where it
    shares its time with others, `time_left` does, too.
    `token` goes to the scheme, host and port of `token_host` (an URL) alone, also after redirects; passwords of
    `.netrc` are never sent, while the environment's proxies and CA bundles are honoured.
    `cancel`, once set, ends every look-up. `shared_limit` is the rate limit of `token_host`, shared with all that use
    the same token. `cache` has responses of earlier runs.
    """

    def __init__(
        self,
        timeout: float,
        *,
        token: str | None = None,
        token_host: str | None = None,
        cancel: threading.Event | None = None,
        shared_limit: SharedLimit | None = None,
        time_left: TimeLeft | None = None,
        cache: ResponseCache | None = None,
    ) -> None:
        if token and not token_host:
            raise ValueError("a token needs the host that it is for")
        self.timeout, self.time_left = timeout, time_left
        self.token, self.token_origin = token, origin_of(token_host) if token_host else None
        self.cancel = cancel or threading.Event()
        self.shared_limit, self.cache = shared_limit, cache
        self.session = open_session()
        self._services: dict[Origin, Service] = defaultdict(Service)
        self._lock = threading.Lock()

    def deadline(self) -> float:
        """The end of a look-up that begins now, for look-ups of several requests (`time.monotonic`)."""
        end = time.monotonic() + self.timeout
        return end if self.time_left is None else min(end, self.time_left.ends)

    @property
    def limit(self) -> float:
        """Seconds of the current look-up, or of the round up to the end of its stage."""
        return self.timeout if self.time_left is None else min(self.timeout, self.time_left.limit)

    def has_token_for(self, url: str) -> bool:
        """Whether a request of this URL carries the token."""
        return self.token is not None and origin_of(url) == self.token_origin

    def service(self, url: str) -> Service:
        """What the responses from this URL's origin showed so far."""
        with self._lock:
            return self._services[origin_of(url)]

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: str = "*/*",
        max_bytes: int = MAX_BYTES,
        allow_status: frozenset[int] | set[int] = frozenset(),
        deadline: float | None = None,
        source: str | None = None,
        may_keep: bool = False,
        into: Path | None = None,
    ) -> Response:
        """Return the complete response with status 200 or one of `allow_status`.

        `max_bytes` limits the body, before and after decompression. User name and password in `url` are not used.
        `may_keep`: ask whether a cached response still holds; `keep` stores a new one. `into`: a file that takes the
        body, which the response then lacks.
        Raises LookupFailed, whose text holds neither token nor credentials; `source` names the service in it.
        """
        end = self.deadline() if deadline is None else deadline
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        sent = {**_HEADERS, "Accept": accept, **(headers or {})}
        request = Request(self, url, sent, max_bytes, frozenset(allow_status) | {200}, end, source, into)
        return request.ask(self.cache if may_keep else None)

    def keep(self, response: Response) -> None:
        """Cache a response that turned out to be complete and of the right shape."""
        if self.cache is not None and response.cache_key and response.status == 200:
            self.cache.put(response.cache_key, response.headers, response.body)

    def get_json(self, url: str, *, accept: str = "application/json", **options: Any) -> tuple[Any, Response]:
        """Return the decoded JSON and the response. Takes what `get` takes.

        An allowed status of 400 and more must have the JSON object with a `message` that GitHub's errors have.
        Raises LookupFailed, also where the body is not JSON.
        """
        response = self.get(url, accept=accept, **options)
        try:
            if response.status < 400 or read_service_message(response.headers, response.body) is not None:
                return parse_json(response), response
            is_temporary = response.status >= 500
            why = f"answered {response.status} without the service's error message (a proxy?)"
        except ValueError as error:
            why, is_temporary = str(error), True
        source = options.get("source") or urlsplit(response.url).netloc
        why = f"{display_url(response.url)}: {why}"
        raise LookupFailed(Problem(source=source, why=why, is_temporary=is_temporary))


@dataclass(repr=False)  # it holds secrets
class Request:
    """One GET with its retries, pauses and redirects, until a usable response or a problem."""

    client: HttpClient
    address: str
    headers: dict[str, str]
    max_bytes: int
    wanted: frozenset[int]
    end: float
    source: str | None
    into: Path | None
    url: str = ""
    """Where the next try goes; empty until the address is known to be one."""
    secrets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        try:
            self.url = clean_url(self.address)
        except ValueError as error:
            raise self._failure(str(error)) from None
        if self.client.has_token_for(self.url) and not get_header(self.headers, "Authorization"):
            self.headers["Authorization"] = f"Bearer {self.client.token}"
        self.secrets = collect_secrets(self.client.token, get_header(self.headers, "Authorization"))

    def ask(self, cache: ResponseCache | None) -> Response:
        """Send the request until there is a usable response: a new one, or a cached one that still holds.

        Raises LookupFailed.
        """
        failures = 0
        seen = {self.url}
        # Another caller may be shown something else, so the caller is a part of the key, as a hash.
        caller = hashlib.sha256((get_header(self.headers, "Authorization") or "").encode()).hexdigest()
        versions = (self.headers["Accept"], get_header(self.headers, "X-GitHub-Api-Version") or "")
        key = (self.url, *versions, caller) if cache else ()
        cached = cache.get(key) if cache else None
        if cached is not None:
            self.headers["If-None-Match"] = cached.headers["etag"]
        while True:
            try:
                response = self._send()
            except Interrupted as error:
                refusal = Refusal(str(error), is_temporary=True, remedy=NOT_REACHED)
            else:
                if response.status in _REDIRECTS:
                    self.headers.pop("If-None-Match", None)  # the ETag is of the first address
                    cached, key = None, ()
                    self._follow(response, seen)
                    continue
                if response.status == 304 and cached is not None:
                    if is_revalidated(response.headers, cached.headers["etag"]):
                        others = {name: text for name, text in response.headers.items() if not _OF_BODY.match(name)}
                        return Response(200, {**others, **cached.headers}, cached.body, self.url)
                    # It confirms another response, or an old one. Without the ETag every cache has to send the whole.
                    self.headers.pop("If-None-Match", None)
                    cached = None
                    continue
                # The caches of an index are a part of it: it empties them when a page changes.
                if self._is_for_api and (why := explain_staleness(response.headers)):
                    refusal = Refusal(why, is_temporary=True, remedy=NOT_REACHED)
                elif response.status in self.wanted:
                    return structs.replace(response, cache_key=key)
                else:
                    has_credentials = get_header(self.headers, "Authorization") is not None
                    refusal = read_refusal(response, with_credentials=has_credentials)
            failures += 1
            self._pause(refusal, failures)

    @property
    def _is_for_api(self) -> bool:
        return origin_of(self.url) == self.client.token_origin

    def _send(self) -> Response:
        """Send it once. Raises Interrupted where the connection failed, LookupFailed where a retry is no use."""
        limit = self.client.shared_limit if self._is_for_api else None
        self._wait_for(limit)
        left = self.end - time.monotonic()
        if left <= 0:
            raise self._out_of_time()
        cancellation, future, url, headers = Cancellation(), Future[Response](), self.url, dict(self.headers)

        def work() -> None:
            try:
                future.set_result(
                    send(
                        self.client.session, cancellation, url, headers,
                        seconds=left, limit=self.max_bytes, wanted=self.wanted, into=self.into,
                    )
                )  # fmt: skip
            except BaseException as error:
                future.set_exception(error)

        # In a thread: neither a resolver that hangs nor a server that sends a byte a second ends by itself.
        threading.Thread(target=work, name="release-state-http", daemon=True).start()
        while not future.done() and not self.client.cancel.is_set() and (rest := self.end - time.monotonic()) > 0:
            wait([future], min(rest, _POLL_SECONDS))
        if not future.done() or time.monotonic() >= self.end:
            cancellation.cut()
            raise self._out_of_time()
        try:
            response = future.result()
        except Unusable as error:
            raise self._failure(str(error)) from None
        self.client.service(url).record(response.headers)
        if limit is not None:
            limit.note_response(response.status, response.headers)
        return self._remove_secrets(response)

    def _remove_secrets(self, response: Response) -> Response:
        """The response without the secrets of the request: a service may repeat them."""
        body, headers = response.body, response.headers
        long_ones = (secret for secret in self.secrets if len(secret) >= _SHORTEST_SECRET)
        for secret in dict.fromkeys(spelling for each in long_ones for spelling in list_spellings(each)):
            body = body.replace(secret.encode(), b"***")
            if any(secret in value for value in headers.values()):
                headers = {name: value.replace(secret, "***") for name, value in headers.items()}
        return structs.replace(response, headers=headers, body=body)

    def _wait_for(self, limit: SharedLimit | None) -> None:
        """Wait until the rate limit ends, or raise if that is too late for this look-up."""
        until = limit.until() if limit is not None else None
        if until is None:
            return
        pause = (until - datetime.now(timezone.utc)).total_seconds()
        if pause >= self.end - time.monotonic():
            why = "not requested: the rate limit is used up, as another request found"
            raise self._failure(why, until, "wait for the reset, or give the run another token")
        self.client.cancel.wait(max(0.0, pause))

    def _follow(self, response: Response, seen: set[str]) -> None:
        location = get_header(response.headers, "Location")
        if not location:
            raise self._failure(f"answered {response.status} without a Location header")
        try:
            target = clean_url(urljoin(self.url, location))
        except ValueError as error:
            raise self._failure(f"redirected to an unusable address: {error}") from None
        if target in seen:
            raise self._failure("redirects in a loop")
        if len(seen) > MAX_REDIRECTS:
            raise self._failure(f"redirects more than {MAX_REDIRECTS} times")
        if self.url.startswith("https:") and target.startswith("http:"):
            raise self._failure("redirects from https to http, which is not followed")
        if origin_of(target) != origin_of(self.url):
            # Dropped for good: another host must not choose what is requested with the token either.
            self.headers = {name: text for name, text in self.headers.items() if name.lower() != "authorization"}
        seen.add(target)
        self.url = target

    def _pause(self, refusal: Refusal, failures: int) -> None:
        """Wait before the next try, or raise if there is none."""
        if not refusal.is_temporary:
            may_pass = refusal.retry_at is not None or refusal.is_service_error
            raise self._failure(refusal.why, refusal.retry_at, refusal.remedy, may_pass=may_pass)
        pause = PAUSES[min(failures, len(PAUSES)) - 1] if refusal.wait is None else refusal.wait
        if failures >= TRIES or pause >= self.end - time.monotonic():
            tries = f" ({failures} tries)" if failures > 1 else ""
            raise self._failure(refusal.why + tries, refusal.retry_at, refusal.remedy, may_pass=True)
        if self.client.cancel.wait(pause):
            raise self._failure("the run was interrupted")

    def _out_of_time(self) -> LookupFailed:
        why = f"no complete answer within {self.client.limit:g} s"
        return self._failure(why, remedy="try again, or raise --lookup-timeout", may_pass=True)

    def _failure(
        self, why: str, retry_at: datetime | None = None, remedy: str | None = None, *, may_pass: bool = False
    ) -> LookupFailed:
        text = f"{display_url(self.url)}: {why}" if self.url else why
        for secret in (spelling for each in self.secrets for spelling in list_spellings(each)):
            text = text.replace(secret, "***")
        source = self.source or urlsplit(self.url).netloc or "HTTP"
        why = sanitize(text, 500)
        return LookupFailed(Problem(source=source, why=why, retry_at=retry_at, remedy=remedy, is_temporary=may_pass))


def collect_secrets(token: str | None, authorization: str | None) -> list[str]:
    """The secrets of a request: the token, the header, and the password in it."""
    secrets = [token or "", authorization or ""]
    kind, _, coded = (authorization or "").partition(" ")
    if kind == "Basic":
        with suppress(ValueError):
            secrets += [coded, b64decode(coded).decode("utf-8", "replace").partition(":")[2]]
    return [secret for secret in secrets if secret]


def observe(ask: Callable[[], T | None]) -> Observation[T]:
    """Call the function and return its result as an observation: LookupFailed is unavailable, None is known absent."""
    try:
        return known(ask())
    except LookupFailed as failed:
        return Observation(value=None, unavailable=failed.problem)
