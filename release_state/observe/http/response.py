"""An HTTP response, the failure of a look-up, and the URLs in both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from requests.utils import parse_header_links

from release_state.common.addresses import may_hold_password
from release_state.common.strict import decode_json
from release_state.common.text import sanitize
from release_state.model.observation import Problem
from release_state.observe.http.refusal import get_header, read_date

MOST_VALUES = 2_000_000
"""Values of a JSON body: a few bytes of it can become a hundred in memory. The largest pages hold some 400,000."""
_HTML = ("text/html", "application/xhtml+xml")

Origin = tuple[str, str, int]
"""Scheme, host and port."""


class LookupFailed(Exception):  # noqa: N818 - a look-up without an answer; what it means is the caller's to say
    """A look-up got no usable response; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.source}: {problem.why}")
        self.problem = problem


@dataclass(frozen=True)
class Response:
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
        found = {}
        for link in parse_header_links(get_header(self.headers, "Link") or ""):
            for relation in link.get("rel", "").lower().split():
                found[relation] = urljoin(self.url, link["url"])
        return found

    @property
    def date(self) -> datetime:
        """When the service answered: by its clock, or by this machine's if it names no date (UTC)."""
        return read_date(self.headers)


def origin_of(url: str) -> Origin:
    """Scheme, host and port of an URL: what a token is bound to."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or (443 if scheme == "https" else 80)


def is_other_host(asked: str, answered: str) -> bool:
    """Whether a response is of another host or port than requested; an upgrade to https on one host does not count."""
    (_, host, port), (_, its_host, its_port) = origin_of(asked), origin_of(answered)
    upgraded = asked.startswith("http:") and answered.startswith("https:")
    return host != its_host or (port != its_port and not upgraded)


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


def is_html(answer: Response) -> bool:
    """Whether a response is HTML by its header or its beginning, as those of captive portals and proxies are."""
    return _content_type(answer) in _HTML or answer.body.lstrip()[:1] == b"<"


def _content_type(answer: Response) -> str:
    return (get_header(answer.headers, "Content-Type") or "").partition(";")[0].strip().lower()


def load_json(body: bytes) -> Any:
    """The JSON of a body. Raises ValueError if it is not valid, or holds more values than a run can keep."""
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MOST_VALUES:
        raise ValueError("more values than a run can keep")
    return decode_json(body)


def parse_json(answer: Response) -> Any:
    """The JSON of a response.

    Raises ValueError, whose text says what it holds instead.
    """
    content_type = _content_type(answer)
    if is_html(answer):
        raise ValueError("answered HTML instead of JSON (a captive portal or proxy?)")
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise ValueError(f"answered {sanitize(content_type or 'no content type', 60)} instead of JSON")
    try:
        return load_json(answer.body)
    except ValueError:
        raise ValueError(
            f"answered {len(answer.body)} bytes that are not valid JSON (cut off?), or hold too many values"
        ) from None
