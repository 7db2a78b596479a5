"""One HTTP request: a GET with its retries, pauses and redirects, until a usable response or a problem."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from base64 import b64decode
from collections.abc import Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from requests import Session

from release_state.common.redaction import list_spellings
from release_state.common.text import sanitize
from release_state.model.observation import Problem
from release_state.observe.http.cache import ResponseCache, explain_staleness, is_revalidated
from release_state.observe.http.limits import PAUSES, SharedLimit
from release_state.observe.http.refusal import NOT_REACHED, Refusal, get_header, read_refusal
from release_state.observe.http.response import LookupFailed, Origin, Response, clean_url, display_url, origin_of
from release_state.observe.http.transport import Cancellation, Interrupted, Unusable, send

_POLL_SECONDS = 0.1
TRIES = 3
MAX_REDIRECTS = 5
_WAIT = "wait for the reset, or give the run another token"
_SHORTEST_SECRET = 12
"""Characters. A shorter password may occur in a response by chance, and the response must not be changed then."""
_OF_BODY = re.compile("content-|etag$", re.IGNORECASE)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Client(Protocol):
    """What a request needs of `HttpClient`."""

    session: Session
    cancel: threading.Event
    token: str | None
    token_origin: Origin | None
    shared_limit: SharedLimit | None

    @property
    def limit(self) -> float:
        """Seconds of the look-up."""

    def has_token_for(self, url: str) -> bool:
        """Whether a request of this URL carries the token."""

    def count(self, origin: Origin, headers: Mapping[str, str]) -> None:
        """Record a response, with its rate limit."""


class Request:
    """One GET with its retries and redirects."""

    def __init__(
        self,
        client: Client,
        url: str,
        headers: dict[str, str],
        max_bytes: int,
        wanted: frozenset[int],
        end: float,
        source: str | None,
        into: Path | None = None,
    ) -> None:
        self._client, self._headers = client, headers
        self._max_bytes, self._wanted, self._end = max_bytes, wanted, end
        self._url = url
        self._source, self._into = source, into
        self._secrets: tuple[str, ...] = ()
        try:
            self._url = clean_url(url)
        except ValueError as error:
            self._url = ""
            raise self._failure(str(error)) from None
        if client.has_token_for(self._url) and not get_header(headers, "Authorization"):
            headers["Authorization"] = f"Bearer {client.token}"
        self._secrets = collect_secrets(client.token, get_header(headers, "Authorization"))

    def ask(self, cache: ResponseCache | None = None) -> Response:
        """Send the request until there is a usable response: a new one, or a cached one that still holds.

        Raises LookupFailed.
        """
        failures = 0
        seen = {self._url}
        # Another caller may be shown something else, so the caller is a part of the key, as a hash.
        caller = hashlib.sha256((get_header(self._headers, "Authorization") or "").encode()).hexdigest()
        versions = (self._headers["Accept"], get_header(self._headers, "X-GitHub-Api-Version") or "")
        key = (self._url, *versions, caller) if cache else ()
        cached = cache.get(key) if cache else None
        if cached is not None:
            self._headers["If-None-Match"] = cached.etag
        while True:
            try:
                received = self._send()
            except Interrupted as error:
                refusal = Refusal(str(error), is_temporary=True, remedy=NOT_REACHED)
            else:
                if received.status in _REDIRECTS:
                    self._headers.pop("If-None-Match", None)  # the ETag is of the first address
                    cached, key = None, ()
                    self._follow(received, seen)
                    continue
                if received.status == 304 and cached is not None:
                    if is_revalidated(received.headers, cached.etag):
                        others = {name: text for name, text in received.headers.items() if not _OF_BODY.match(name)}
                        return Response(200, {**others, **cached.headers}, cached.body, self._url)
                    # It confirms another response, or an old one. Without the ETag every cache has to send the whole.
                    self._headers.pop("If-None-Match", None)
                    cached = None
                    continue
                if why := self._explain_staleness(received):
                    refusal = Refusal(why, is_temporary=True, remedy=NOT_REACHED)
                elif received.status in self._wanted:
                    return replace(received, cache_key=key)
                else:
                    refusal = self._read_refusal(received)
            failures += 1
            self._pause(refusal, failures)

    def _send(self) -> Response:
        """Send it once. Raises Interrupted where the connection failed, LookupFailed where trying again is no use."""
        self._respect_limit()
        left = self._end - time.monotonic()
        if left <= 0:
            raise self._out_of_time()
        cancellation, future, url, headers = Cancellation(), Future[Response](), self._url, dict(self._headers)

        def work() -> None:
            try:
                future.set_result(
                    send(
                        self._client.session, cancellation, url, headers,
                        seconds=left, limit=self._max_bytes, wanted=self._wanted, into=self._into,
                    )
                )  # fmt: skip
            except BaseException as error:
                future.set_exception(error)

        # In a thread: neither a resolver that hangs nor a server that sends a byte a second ends by itself.
        threading.Thread(target=work, name="release-state-http", daemon=True).start()
        while not future.done() and not self._client.cancel.is_set() and (rest := self._end - time.monotonic()) > 0:
            wait([future], min(rest, _POLL_SECONDS))
        if not future.done() or time.monotonic() >= self._end:
            cancellation.cut()
            raise self._out_of_time()
        try:
            received = future.result()
        except Unusable as error:
            raise self._failure(str(error)) from None
        self._client.count(origin_of(url), received.headers)
        if self._limit is not None:
            self._limit.note_response(received.status, received.headers)
        return self._without_secrets(received)

    def _without_secrets(self, received: Response) -> Response:
        """The response without the secrets of the request: a service may repeat them."""
        body, headers = received.body, received.headers
        long_ones = (secret for secret in self._secrets if len(secret) >= _SHORTEST_SECRET)
        for secret in dict.fromkeys(spelling for each in long_ones for spelling in list_spellings(each)):
            body = body.replace(secret.encode(), b"***")
            if any(secret in value for value in headers.values()):
                headers = {name: value.replace(secret, "***") for name, value in headers.items()}
        return replace(received, headers=headers, body=body)

    def _explain_staleness(self, received: Response) -> str | None:
        """Say how a response of the API shows that a cache kept it; None if it does not, and for other services.

        The caches of an index are a part of it: it empties them when a page changes.
        """
        return explain_staleness(received.headers) if origin_of(self._url) == self._client.token_origin else None

    @property
    def _limit(self) -> SharedLimit | None:
        return self._client.shared_limit if origin_of(self._url) == self._client.token_origin else None

    def _respect_limit(self) -> None:
        """Wait until the rate limit ends, or raise if that is too late for this look-up."""
        until = self._limit.until() if self._limit is not None else None
        if until is None:
            return
        pause = (until - datetime.now(timezone.utc)).total_seconds()
        if pause >= self._end - time.monotonic():
            raise self._failure("not requested: the rate limit is used up, as another request found", until, _WAIT)
        self._client.cancel.wait(max(0.0, pause))

    def _follow(self, received: Response, seen: set[str]) -> None:
        location = get_header(received.headers, "Location")
        if not location:
            raise self._failure(f"answered {received.status} without a Location header")
        try:
            target = clean_url(urljoin(self._url, location))
        except ValueError as error:
            raise self._failure(f"redirected to an unusable address: {error}") from None
        if target in seen:
            raise self._failure("redirects in a loop")
        if len(seen) > MAX_REDIRECTS:
            raise self._failure(f"redirects more than {MAX_REDIRECTS} times")
        if self._url.startswith("https:") and target.startswith("http:"):
            raise self._failure("redirects from https to http, which is not followed")
        if origin_of(target) != origin_of(self._url):
            # Dropped for good: another host must not choose what is requested with the token either.
            self._headers = {name: text for name, text in self._headers.items() if name.lower() != "authorization"}
        seen.add(target)
        self._url = target

    def _read_refusal(self, received: Response) -> Refusal:
        with_token = get_header(self._headers, "Authorization") is not None
        return read_refusal(received.status, received.headers, received.body, with_credentials=with_token)

    def _pause(self, refused: Refusal, failures: int) -> None:
        """Wait before the next try, or raise if there is none."""
        if not refused.is_temporary:
            raise self._failure(refused.why, refused.retry_at, refused.remedy, may_pass=refused.may_pass)
        pause = PAUSES[min(failures, len(PAUSES)) - 1] if refused.wait is None else refused.wait
        if failures >= TRIES or pause >= self._end - time.monotonic():
            tried = f" ({failures} tries)" if failures > 1 else ""
            raise self._failure(refused.why + tried, refused.retry_at, refused.remedy, may_pass=True)
        self._client.cancel.wait(pause)
        if self._client.cancel.is_set():
            raise self._failure("the run was interrupted")

    def _out_of_time(self) -> LookupFailed:
        limit = f"{self._client.limit:g}"
        remedy = "try again, or raise --lookup-timeout"
        return self._failure(f"no complete answer within {limit} s", remedy=remedy, may_pass=True)

    def _failure(
        self, why: str, retry_at: datetime | None = None, remedy: str | None = None, *, may_pass: bool = False
    ) -> LookupFailed:
        where = f"{display_url(self._url)}: " if self._url else ""
        text = where + why
        for secret in (spelling for each in self._secrets for spelling in list_spellings(each)):
            text = text.replace(secret, "***")
        source = self._source or (urlsplit(self._url).netloc if self._url else "") or "HTTP"
        why = sanitize(text, 500)
        return LookupFailed(Problem(source=source, why=why, retry_at=retry_at, remedy=remedy, is_temporary=may_pass))


def collect_secrets(token: str | None, authorization: str | None) -> tuple[str, ...]:
    """The secrets of a request: the token, the header, and the password in it."""
    found = [token or "", authorization or ""]
    kind, _, coded = (authorization or "").partition(" ")
    if kind == "Basic":
        with suppress(ValueError):
            found += [coded, b64decode(coded).decode("utf-8", "replace").partition(":")[2]]
    return tuple(secret for secret in found if secret)
