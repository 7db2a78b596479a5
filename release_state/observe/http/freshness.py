"""Whether an answer is one of this moment, or one that a cache on the way kept (pure).

A `304` counts for the ETag that was sent and no other. Source: RFC 9110, 8.8.3.2 and 15.4.5; RFC 9111, 5.1 and 5.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from release_state.observe.http.refusal import header, http_date

OLDEST = timedelta(minutes=5)
"""How old an answer may be: GitHub lets caches keep one for a minute."""
_STALE = re.compile(r"\b11[012] ")
"""Of the header `Warning`: stale, not revalidated, disconnected."""


def why_old(headers: Mapping[str, str]) -> str | None:
    """Why an answer is one that a cache kept; None where it does not say so.

    Its date says nothing: a clock may be wrong, and a cache has to send the age.
    """
    age = header(headers, "Age") or ""
    if age.strip().isdecimal() and int(age.strip()[:9]) > OLDEST.total_seconds():
        return f"answered with something that a cache kept for {int(age.strip()[:9])} s"
    if _STALE.search(header(headers, "Warning") or ""):
        return "answered with something that a cache kept and did not ask about"
    return None


def confirms(headers: Mapping[str, str], etag: str) -> bool:
    """Whether a `304` says that the answer with this ETag still holds.

    One that seems old does not, though this machine's clock may be wrong: asking for the whole costs little.
    """
    told, given = header(headers, "ETag"), http_date(header(headers, "Date"))
    if told is None or _opaque(told) != _opaque(etag) or why_old(headers):
        return False
    return given is None or datetime.now(timezone.utc) - given <= OLDEST


def _opaque(etag: str) -> str:
    """What is compared weakly."""
    return etag.strip().removeprefix("W/")
