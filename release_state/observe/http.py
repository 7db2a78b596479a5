"""Questions over HTTP: GET with a limit of time and size, few retries, careful redirects; an answer or a problem."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from release_state import __version__
from release_state.model import Observation, Problem, known
from release_state.observe.answer import (
    Answer,
    LookupFailed,
    Origin,
    clean_url,
    is_of_another_host,
    origin_of,
    parsed_json,
    shown,
)
from release_state.observe.kept_answers import KeptAnswers
from release_state.observe.refusal import Refusal, header, refusal, service_message
from release_state.observe.shared_limit import SharedLimit
from release_state.observe.time_left import PAUSES, TimeLeft
from release_state.observe.transport import Interrupted, Line, Received, Unusable, exchange, open_session
from release_state.text import plain

__all__ = ["Answer", "HttpClient", "LookupFailed", "clean_url", "is_of_another_host", "observed", "origin_of"]

T = TypeVar("T")
_POLL_SECONDS = 0.1
TRIES = 3
MAX_REDIRECTS = 5
_WAIT = "wait for the reset, or give the run another token"
MAX_BYTES = 32 * 2**20
_SHORTEST_SECRET = 12
"""Characters: a shorter password may stand in an answer by chance, and what the answer says must stay."""
_OF_BODY = re.compile("content-|etag$", re.IGNORECASE)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class HttpClient:
    """
    Asks with GET, and only with GET, over shared connections; safe to use from many threads.

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
        kept: KeptAnswers | None = None,
    ) -> None:
        if token and not token_host:
            raise ValueError("a token needs the host that it is for")
        self.timeout = timeout
        self.cancel = cancel or threading.Event()
        """Once set, every look-up fails at once: the run was interrupted."""
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "gzip", **(headers or {})}
        self._token = token
        self._token_origin = origin_of(token_host) if token_host else None
        self.time_left = time_left
        """Shared with other look-ups; None: each has `timeout` for itself."""
        self._shared_limit = shared_limit
        """What others of the run were told of the limit of `token_host`."""
        self._kept = kept
        """Answers of earlier runs; None: nothing is kept."""
        self._session = open_session()
        self._limits: dict[Origin, Mapping[str, str]] = {}
        self._answers: dict[Origin, int] = {}
        self._lock = threading.Lock()

    def deadline(self) -> float:
        """The end of a look-up that begins now, for look-ups of several requests (`time.monotonic`)."""
        end = time.monotonic() + self.timeout
        return end if self.time_left is None else min(end, self.time_left.ends)

    @property
    def limit(self) -> float:
        """Seconds that the look-up has that is being asked, or that those before it in the round have had, too."""
        return self.timeout if self.time_left is None else min(self.timeout, self.time_left.limit)

    def has_token_for(self, url: str) -> bool:
        """Whether a request of this URL carries the token."""
        return self._token is not None and origin_of(url) == self._token_origin

    def rate_limit_headers(self, url: str) -> Mapping[str, str] | None:
        """The headers of the last answer of this URL's origin that told a rate limit."""
        with self._lock:
            return self._limits.get(origin_of(url))

    def answers_from(self, url: str) -> int:
        """How many answers came from this URL's origin, refusals among them."""
        with self._lock:
            return self._answers.get(origin_of(url), 0)

    def _count(self, origin: Origin, headers: Mapping[str, str]) -> None:
        with self._lock:
            self._answers[origin] = self._answers.get(origin, 0) + 1
            if header(headers, "X-RateLimit-Limit"):
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
    ) -> Answer:
        """
        Ask, and give the whole answer of status 200 or one of `allow_status`.

        `max_bytes` limits the body also after decompression. User name and password in `url` are not used. `may_keep`:
        ask whether an answer that was kept still holds; one that is told to `keep` is for the next time.
        Raises LookupFailed, whose text holds neither token nor credentials; `source` names the service in it.
        """
        end = self.deadline() if deadline is None else deadline
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        asked = {**self._headers, "Accept": accept, **(headers or {})}
        question = _Question(self, url, asked, max_bytes, frozenset(allow_status) | {200}, end, source)
        return question.ask(self._kept if may_keep else None)

    def keep(self, answer: Answer) -> None:
        """Keep an answer that turned out to be whole and of the right shape, so that it need not be sent again."""
        if self._kept is not None and answer.question and answer.status == 200:
            self._kept.put(answer.question, answer.headers, answer.body)

    def get_json(self, url: str, *, accept: str = "application/json", **options: Any) -> tuple[Any, Answer]:
        """
        Ask for JSON; the decoded body and the answer. Takes what `get` takes.

        An allowed status of 400 and more must have the JSON object with a `message` that GitHub's errors have.
        Raises LookupFailed, also where the body is not JSON.
        """
        answer = self.get(url, accept=accept, **options)
        source = options.get("source") or urlsplit(answer.url).netloc
        if answer.status >= 400 and service_message(answer.headers, answer.body) is None:
            why = f"{shown(answer.url)}: answered {answer.status} without the service's own words (a proxy?)"
            raise LookupFailed(Problem(source=source, why=why, is_temporary=answer.status >= 500))
        try:
            return parsed_json(answer), answer
        except ValueError as error:
            raise LookupFailed(Problem(source=source, why=f"{shown(answer.url)}: {error}", is_temporary=True)) from None


class _Question:
    """One GET with its retries and redirects."""

    def __init__(
        self,
        client: HttpClient,
        url: str,
        headers: dict[str, str],
        max_bytes: int,
        wanted: frozenset[int],
        end: float,
        source: str | None,
    ) -> None:
        self._client, self._headers = client, headers
        self._max_bytes, self._wanted, self._end = max_bytes, wanted, end
        self._url = url
        self._source = source
        self._secrets: tuple[str, ...] = ()
        try:
            self._url = clean_url(url)
        except ValueError as error:
            self._url = ""
            raise self._failed(str(error)) from None
        if client.has_token_for(self._url) and not header(headers, "Authorization"):
            headers["Authorization"] = f"Bearer {client._token}"
        self._secrets = secrets_of(client._token, header(headers, "Authorization"))

    def ask(self, answers: KeptAnswers | None = None) -> Answer:
        failures = 0
        seen = {self._url}
        # Another caller may be shown something else: who asks is a part of the question, though not in words.
        caller = hashlib.sha256((header(self._headers, "Authorization") or "").encode()).hexdigest()
        versions = (self._headers["Accept"], header(self._headers, "X-GitHub-Api-Version") or "")
        question = (self._url, *versions, caller) if answers else ()
        kept = answers.get(question) if answers else None
        if kept is not None:
            self._headers["If-None-Match"] = kept.etag
        while True:
            received, broken = self._once()
            if received is not None and received.status in _REDIRECTS:
                self._headers.pop("If-None-Match", None)  # the tag is of what was asked here
                kept, question = None, ()
                self._follow(received, seen)
                continue
            if received is not None and received.status == 304 and kept is not None:
                others = {name: text for name, text in received.headers.items() if not _OF_BODY.match(name)}
                return Answer(200, {**others, **kept.headers}, kept.body, self._url)
            if received is not None and received.status in self._wanted:
                return Answer(received.status, received.headers, received.body, self._url, question)
            failures += 1
            refused = self._refusal(received) if received is not None else Refusal(broken or "", is_temporary=True)
            self._pause(refused, failures)

    def _once(self) -> tuple[Received | None, str | None]:
        """One try: what came, or how the connection failed."""
        line, outcome = Line(), _Outcome()
        self._respect_limit()
        left = self._end - time.monotonic()
        if left <= 0:
            raise self._out_of_time()
        url, headers = self._url, dict(self._headers)

        def work() -> None:
            try:
                outcome.received = exchange(
                    self._client._session, line, url, headers, seconds=left, limit=self._max_bytes, wanted=self._wanted
                )
            except BaseException as error:
                outcome.error = error

        # A thread of its own: neither a resolver that hangs nor a server that sends a byte a second ends by itself.
        thread = threading.Thread(target=work, name="release-state-http", daemon=True)
        thread.start()
        while thread.is_alive() and not self._client.cancel.is_set() and (rest := self._end - time.monotonic()) > 0:
            thread.join(min(rest, _POLL_SECONDS))
        if thread.is_alive() or time.monotonic() >= self._end:
            line.cut()
            raise self._out_of_time()
        if isinstance(outcome.error, Unusable):
            raise self._failed(str(outcome.error))
        if isinstance(outcome.error, Interrupted):
            return None, str(outcome.error)
        if outcome.error is not None:
            raise outcome.error
        if outcome.received is not None:
            self._client._count(origin_of(self._url), outcome.received.headers)
            if self._limit is not None:
                self._limit.told(outcome.received.status, outcome.received.headers)
            return self._without_secrets(outcome.received), None
        return None, None

    def _without_secrets(self, received: Received) -> Received:
        """What came, but for what was sent in secret: a service that repeats it does not get it printed."""
        body, headers = received.body, received.headers
        for secret in (secret for secret in self._secrets if len(secret) >= _SHORTEST_SECRET):
            body = body.replace(secret.encode(), b"***")
            if any(secret in value for value in headers.values()):
                headers = {name: value.replace(secret, "***") for name, value in headers.items()}
        return Received(received.status, headers, body)

    @property
    def _limit(self) -> SharedLimit | None:
        return self._client._shared_limit if origin_of(self._url) == self._client._token_origin else None

    def _respect_limit(self) -> None:
        """Wait until the service may be asked again, where the time is enough; ask nothing where it is not."""
        until = self._limit.until() if self._limit is not None else None
        if until is None:
            return
        pause = (until - datetime.now(timezone.utc)).total_seconds()
        if pause >= self._end - time.monotonic():
            raise self._failed("not asked: the rate limit is used up, as another question was told", until, _WAIT)
        self._client.cancel.wait(max(0.0, pause))

    def _follow(self, received: Received, seen: set[str]) -> None:
        location = header(received.headers, "Location")
        if not location:
            raise self._failed(f"answered {received.status}, a redirect that does not say where")
        try:
            target = clean_url(urljoin(self._url, location))
        except ValueError as error:
            raise self._failed(f"redirected to an address that cannot be used: {error}") from None
        if target in seen:
            raise self._failed("redirects in a loop")
        if len(seen) > MAX_REDIRECTS:
            raise self._failed(f"redirects more than {MAX_REDIRECTS} times")
        if self._url.startswith("https:") and target.startswith("http:"):
            raise self._failed("redirects from https to http, which is not followed")
        if origin_of(target) != origin_of(self._url):
            # Gone for the rest of the way: a stranger must not choose what is asked with the token either.
            self._headers = {name: text for name, text in self._headers.items() if name.lower() != "authorization"}
        seen.add(target)
        self._url = target

    def _refusal(self, received: Received) -> Refusal:
        with_token = header(self._headers, "Authorization") is not None
        return refusal(received.status, received.headers, received.body, with_credentials=with_token)

    def _pause(self, refused: Refusal, failures: int) -> None:
        """Wait before the next try, or raise where there is none."""
        if not refused.is_temporary:
            raise self._failed(refused.why, refused.retry_at, refused.remedy, may_pass=refused.may_pass)
        pause = PAUSES[min(failures, len(PAUSES)) - 1] if refused.wait is None else refused.wait
        if failures >= TRIES or pause >= self._end - time.monotonic():
            tried = f" ({failures} tries)" if failures > 1 else ""
            raise self._failed(refused.why + tried, refused.retry_at, refused.remedy, may_pass=True)
        self._client.cancel.wait(pause)
        if self._client.cancel.is_set():
            raise self._failed("the run was interrupted")

    def _out_of_time(self) -> LookupFailed:
        limit = f"{self._client.limit:g}"
        remedy = "try again, or give a longer --lookup-timeout"
        return self._failed(f"no complete answer within {limit} s", remedy=remedy, may_pass=True)

    def _failed(
        self, why: str, retry_at: datetime | None = None, remedy: str | None = None, *, may_pass: bool = False
    ) -> LookupFailed:
        where = f"{shown(self._url)}: " if self._url else ""
        text = where + why
        for secret in self._secrets:
            text = text.replace(secret, "***")
        source = self._source or (urlsplit(self._url).netloc if self._url else "") or "HTTP"
        why = plain(text, 500)
        return LookupFailed(Problem(source=source, why=why, retry_at=retry_at, remedy=remedy, is_temporary=may_pass))


def secrets_of(token: str | None, authorization: str | None) -> tuple[str, ...]:
    """What must not be shown of a request: the token, the header, and the password that is coded in it."""
    found = [token or "", authorization or ""]
    kind, _, coded = (authorization or "").partition(" ")
    if kind == "Basic":
        with suppress(ValueError):
            found += [coded, b64decode(coded).decode("utf-8", "replace").partition(":")[2]]
    return tuple(secret for secret in found if secret)


class _Outcome:
    received: Received | None = None
    error: BaseException | None = None


def observed(ask: Callable[[], T | None]) -> Observation[T]:
    """What the function found, as an observation: a LookupFailed makes it unavailable, None a known absence."""
    try:
        return known(ask())  # type: ignore[arg-type]
    except LookupFailed as failed:
        return Observation(value=None, unavailable=failed.problem)
