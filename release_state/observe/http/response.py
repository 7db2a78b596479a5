"""An HTTP response: its headers, its URLs, its JSON, and why one is no answer.

Sources: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api and
https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from msgspec import Struct

from release_state.common.addresses import may_hold_password
from release_state.common.strict import convert_epoch, decode_json
from release_state.common.text import sanitize
from release_state.model.observation import Problem

MOST_VALUES = 2_000_000
"""Values of a JSON body: a few bytes of it can become a hundred in memory. The largest pages hold some 400,000."""
NOT_REACHED = "check the network or HTTPS_PROXY, then run again"
_FIRST_YEAR, _LAST_YEAR = 1970, 9000
"""Years that a plausible clock shows: its differences are added to other moments."""
_HTML = ("text/html", "application/xhtml+xml")
_LONGEST_WAIT = 366 * 86400
_SECONDARY_LIMIT_PAUSE = 60.0
"""Seconds to wait after GitHub's secondary rate limit, if it names no time."""
_TEMPORARY = frozenset({429, 502, 503, 504})

Origin = tuple[str, str, int]
"""Scheme, host and port."""


class LookupFailed(Exception):  # noqa: N818 - a look-up without an answer; what it means is the caller's to say
    """A look-up got no usable response; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.source}: {problem.why}")
        self.problem = problem


class Response(Struct, frozen=True, dict=True):
    """A complete response; `url` is its address after redirects, without user name and password."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    cache_key: tuple[str, ...] = ()
    """The key to cache it under; empty if it must not be cached."""

    @cached_property
    def links(self) -> dict[str, str]:
        """The absolute URLs of the `Link` header by their relation (RFC 8288).

        Raises ValueError if one is not a URL: without it, a part of a list would look like the whole.
        """
        from requests.utils import parse_header_links  # slow to import, and git needs this module too

        links = {}
        for link in parse_header_links(get_header(self.headers, "Link") or ""):
            for relation in link.get("rel", "").lower().split():
                links[relation] = urljoin(self.url, link["url"])
        return links

    @property
    def date(self) -> datetime:
        """When the service answered: by its clock, or by this machine's if it names no date (UTC)."""
        return read_date(self.headers)

    @property
    def content_type(self) -> str:
        """The type in lower case, without parameters; empty if it is missing."""
        return (get_header(self.headers, "Content-Type") or "").partition(";")[0].strip().lower()

    @property
    def is_html(self) -> bool:
        """Whether it is HTML by its header or its beginning, as those of captive portals and proxies are."""
        return self.content_type in _HTML or self.body.lstrip()[:1] == b"<"


class Refusal(Struct, frozen=True):
    """Why there is no usable response, and whether and when a retry can help."""

    why: str
    is_temporary: bool
    wait: float | None = None
    """Seconds; None: the service did not say."""
    retry_at: datetime | None = None
    """By this machine's clock."""
    remedy: str | None = None
    is_service_error: bool = False
    """Whether the service blames itself (5xx): a retry in some minutes can help."""


def get_header(headers: Mapping[str, str], name: str) -> str | None:
    """A header's value; its name in any case."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


def get_number(headers: Mapping[str, str], name: str) -> int | None:
    """A header's whole number, of at most nine digits; None if it has none."""
    value = (get_header(headers, name) or "").strip()
    return int(value[:9]) if value.isdecimal() else None


def measure_clock_ahead(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds by which `now`, by this machine, is ahead of the service's clock in a response that just came.

    None if it names no date. `Age` is how long a cache has held it since.
    """
    date = parse_http_date(get_header(headers, "Date"))
    return None if date is None else (now - date).total_seconds() - (get_number(headers, "Age") or 0)


def read_date(headers: Mapping[str, str]) -> datetime:
    """When a response was made: by the service's clock, or by this machine's if it names no date (UTC)."""
    return parse_http_date(get_header(headers, "Date")) or datetime.now(timezone.utc)


def read_reset(headers: Mapping[str, str]) -> datetime | None:
    """When GitHub's rate limit is reset (UTC); None if no plausible moment is named."""
    moment = convert_epoch(get_header(headers, "X-RateLimit-Reset") or "")
    return moment if moment and _FIRST_YEAR <= moment.year <= _LAST_YEAR else None


def parse_http_date(value: str | None) -> datetime | None:
    """The moment in a header (UTC); None if it is not a date, or not one of a plausible clock."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)


def to_local_clock(moment: datetime, now: datetime) -> datetime:
    """Convert a moment of a service's clock, which shows `now`, to this machine's, if they differ by a minute or more.

    A person who waits looks at this machine's clock. Smaller differences are transfer time and rounding.
    """
    ahead = now - datetime.now(timezone.utc)
    return moment if abs(ahead) < timedelta(minutes=1) else moment - timedelta(seconds=round(ahead.total_seconds()))


def read_service_message(headers: Mapping[str, str], body: bytes) -> str | None:
    """The `message` of a GitHub error; None if the body is not one."""
    if "json" not in (get_header(headers, "Content-Type") or "").lower():
        return None
    try:
        data = decode_json(body)
    except ValueError:
        return None
    message = data.get("message") if isinstance(data, dict) else None
    return message if isinstance(message, str) else None


def read_refusal(response: Response, *, with_credentials: bool) -> Refusal:
    """Read a response that is neither the wanted one nor a redirect."""
    status, headers = response.status, response.headers
    message = read_service_message(headers, response.body)
    quote = f": {sanitize(message, 200)}" if message else ""
    now = response.date
    wait = _read_retry_after(headers, now)
    if status in (403, 429):
        is_limited = message is None or "rate limit" in message.lower() or "abuse" in message.lower()
        if is_limited and (get_header(headers, "X-RateLimit-Remaining") or "").strip() == "0":
            # The hour's budget is used up: more requests would be refused, too.
            reset = read_reset(headers) or (now + timedelta(seconds=wait) if wait is not None else None)
            reset = None if reset is None else to_local_clock(reset, now)
            remedy = "wait for the reset" if with_credentials else "wait, or give a token: its limit is far higher"
            return Refusal(f"the rate limit is used up ({status}{quote})", False, retry_at=reset, remedy=remedy)
        if wait is None and status == 403 and message is not None and is_limited:
            wait = _SECONDARY_LIMIT_PAUSE
    is_too_many = status == 429 or (status == 403 and wait is not None)
    if is_too_many or status in _TEMPORARY:
        why = f"too many requests ({status}{quote})" if is_too_many else f"answered {status}{quote}"
        retry_at = to_local_clock(now + timedelta(seconds=wait), now) if wait is not None else None
        return Refusal(why, True, wait=wait, retry_at=retry_at)
    if status == 401:
        remedy = "give a valid token or password" if with_credentials else "give a token or password"
        return Refusal(f"the credentials were refused (401{quote})", False, remedy=remedy)
    if status == 403:
        return Refusal(f"not permitted (403{quote})", False, remedy=_name_missing_right(headers, with_credentials))
    return Refusal(f"answered {status}{quote}", False, is_service_error=status >= 500)


def _name_missing_right(headers: Mapping[str, str], with_credentials: bool) -> str:
    if (get_header(headers, "X-GitHub-SSO") or "").startswith("required"):
        return "authorize the token for the organisation's single sign-on"
    if permission := get_header(headers, "X-Accepted-GitHub-Permissions"):
        return f"use a token with the permission {sanitize(permission, 100)}"
    if scopes := get_header(headers, "X-Accepted-OAuth-Scopes"):
        return f"use a token with one of the scopes {sanitize(scopes, 100)}"
    return "use a token with the right to read this" if with_credentials else "give a token"


def _read_retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until `Retry-After`, which is a number of them or a date (RFC 9110, 10.2.3)."""
    if (seconds := get_number(headers, "Retry-After")) is not None:
        return float(min(seconds, _LONGEST_WAIT))
    moment = parse_http_date(get_header(headers, "Retry-After"))
    return None if moment is None else min(max(0.0, (moment - now).total_seconds()), float(_LONGEST_WAIT))


def origin_of(url: str) -> Origin:
    """Scheme, host and port of an URL: what a token is bound to."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or (443 if scheme == "https" else 80)


def is_other_host(requested: str, answered: str) -> bool:
    """Whether a response is of another host or port than requested; an upgrade to https on one host does not count."""
    (_, host, port), (_, its_host, its_port) = origin_of(requested), origin_of(answered)
    is_upgrade = requested.startswith("http:") and answered.startswith("https:")
    return host != its_host or (port != its_port and not is_upgrade)


def clean_url(url: str) -> str:
    """The URL without user name, password and fragment.

    Raises ValueError, without the URL in its text, if it is not an http or https URL.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("the address is not a URL") from None
    if may_hold_password(url):
        raise ValueError("the address has an @ behind its host")
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise ValueError("the address is not an http or https URL")
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme.lower(), host, parts.path or "/", parts.query, ""))


def display_url(url: str) -> str:
    """The URL as messages show it: without its query, which can hold a signature."""
    parts = urlsplit(url)
    return sanitize(f"{parts.scheme}://{parts.netloc}{parts.path}", 200)


def load_json(body: bytes) -> Any:
    """The JSON of a body. Raises ValueError if it is not valid, or holds more values than a run can keep."""
    refuse_too_many(body)
    return decode_json(body)


def refuse_too_many(body: bytes) -> None:
    """Raise ValueError if a body holds more values than a run can keep."""
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MOST_VALUES:
        raise ValueError("more values than a run can keep")


def parse_json(response: Response) -> Any:
    """The JSON of a response. Raises ValueError, whose text says what it holds instead."""
    content_type, size = response.content_type, len(response.body)
    if response.is_html:
        raise ValueError("answered HTML instead of JSON (a captive portal or proxy?)")
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise ValueError(f"answered {sanitize(content_type or 'no content type', 60)} instead of JSON")
    try:
        return load_json(response.body)
    except ValueError:
        raise ValueError(f"answered {size} bytes that are not valid JSON (cut off?), or hold too many values") from None
