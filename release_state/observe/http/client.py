"""The HTTP client: GET alone, limited in time and size, with few retries and careful redirects."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from release_state import __version__
from release_state.model.observation import Observation, Problem, known
from release_state.observe.http.cache import ResponseCache
from release_state.observe.http.limits import SharedLimit, TimeLeft
from release_state.observe.http.refusal import get_header, measure_clock_ahead, read_service_message
from release_state.observe.http.request import Request
from release_state.observe.http.response import (
    LookupFailed,
    Origin,
    Response,
    clean_url,
    display_url,
    is_other_host,
    origin_of,
    parse_json,
)
from release_state.observe.http.transport import open_session

__all__ = ["HttpClient", "LookupFailed", "Response", "clean_url", "is_other_host", "observe", "origin_of"]

T = TypeVar("T")
MAX_BYTES = 32 * 2**20
_SAME_CLOCK = 60.0
"""Seconds."""


class HttpClient:
    """Sends GET requests, and no others, over shared connections. Many threads may use one client.

    `timeout` (seconds) limits one look-up as a whole: name resolution, retries, pauses, redirects and body; where it
    shares its time with others, `time_left` does, too.
    `token` goes to the scheme, host and port of `token_host` (an URL) alone, also after redirects; passwords of
    `.netrc` are never sent, while the environment's proxies and CA bundles are honoured.
    """

    def __init__(
        self,
        timeout: float,
        *,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
        token_host: str | None = None,
        user_agent: str = f"release-state/{__version__}",
        cancel: threading.Event | None = None,
        shared_limit: SharedLimit | None = None,
        time_left: TimeLeft | None = None,
        kept: ResponseCache | None = None,
    ) -> None:
        if token and not token_host:
            raise ValueError("a token needs the host that it is for")
        self.timeout = timeout
        self.cancel = cancel or threading.Event()
        """Once set, every look-up fails at once: the run was interrupted."""
        # Caches on the way have to revalidate, too.
        own = {"User-Agent": user_agent, "Accept-Encoding": "gzip", "Cache-Control": "no-cache"}
        self._headers = {**own, **(headers or {})}
        self.token = token
        self.token_origin = origin_of(token_host) if token_host else None
        self.time_left = time_left
        """Shared with other look-ups; None: each has `timeout` for itself."""
        self.shared_limit = shared_limit
        """The rate limit of `token_host`, shared with all that use the same token."""
        self._kept = kept
        """Responses of earlier runs; None: no cache."""
        self.session = open_session()
        self._limits: dict[Origin, Mapping[str, str]] = {}
        self._answers: dict[Origin, int] = {}
        self._ahead: dict[Origin, list[float]] = {}
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

    def rate_limit_headers(self, url: str) -> Mapping[str, str] | None:
        """The headers of the last response from this URL's origin that named a rate limit."""
        with self._lock:
            return self._limits.get(origin_of(url))

    def answers_from(self, url: str) -> int:
        """How many responses came from this URL's origin, refusals included."""
        with self._lock:
            return self._answers.get(origin_of(url), 0)

    def clock_ahead(self, url: str) -> float | None:
        """Seconds by which this machine's clock is ahead of that of this URL's origin; None if no response has a date.

        The median of all responses: a cache or a single server may be wrong. Less than a minute is transfer time and
        rounding, and counts as zero.
        """
        with self._lock:
            told = self._ahead.get(origin_of(url))
            middle = median(told) if told else None
        return middle if middle is None or abs(middle) >= _SAME_CLOCK else 0.0

    def count(self, origin: Origin, headers: Mapping[str, str]) -> None:
        """Record a response, with its rate limit and its time."""
        ahead = measure_clock_ahead(headers, datetime.now(timezone.utc))
        with self._lock:
            if ahead is not None:
                self._ahead.setdefault(origin, []).append(ahead)
            self._answers[origin] = self._answers.get(origin, 0) + 1
            if get_header(headers, "X-RateLimit-Limit"):
                self._limits[origin] = headers

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
        asked = {**self._headers, "Accept": accept, **(headers or {})}
        request = Request(self, url, asked, max_bytes, frozenset(allow_status) | {200}, end, source, into)
        return request.ask(self._kept if may_keep else None)

    def keep(self, answer: Response) -> None:
        """Cache a response that turned out to be complete and of the right shape."""
        if self._kept is not None and answer.cache_key and answer.status == 200:
            self._kept.put(answer.cache_key, answer.headers, answer.body)

    def get_json(self, url: str, *, accept: str = "application/json", **options: Any) -> tuple[Any, Response]:
        """Return the decoded JSON and the response. Takes what `get` takes.

        An allowed status of 400 and more must have the JSON object with a `message` that GitHub's errors have.
        Raises LookupFailed, also where the body is not JSON.
        """
        answer = self.get(url, accept=accept, **options)
        source = options.get("source") or urlsplit(answer.url).netloc
        if answer.status >= 400 and read_service_message(answer.headers, answer.body) is None:
            why = f"{display_url(answer.url)}: answered {answer.status} without the service's error message (a proxy?)"
            raise LookupFailed(Problem(source=source, why=why, is_temporary=answer.status >= 500))
        try:
            return parse_json(answer), answer
        except ValueError as error:
            raise LookupFailed(
                Problem(source=source, why=f"{display_url(answer.url)}: {error}", is_temporary=True)
            ) from None


def observe(ask: Callable[[], T | None]) -> Observation[T]:
    """Call the function and return its result as an observation: LookupFailed is unavailable, None is known absent."""
    try:
        return known(ask())  # type: ignore[arg-type]
    except LookupFailed as failed:
        return Observation(value=None, unavailable=failed.problem)
