"""Hyperlinks of a terminal, to pages of the repository and of the index.

Sources: https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda (OSC 8), and `FORCE_HYPERLINK` as
https://github.com/chalk/supports-hyperlinks reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

_SITE = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?")
_SAFE = "/%:@!$&'()*+,;=~"
_LONGEST = 2_000
"""Characters of an address; terminals drop a longer one."""
_UNABLE = ("", "dumb", "linux")


def can_link(environ: Mapping[str, str], is_terminal: bool) -> bool:
    """Whether the output may hold hyperlinks: on a terminal that is no plain one; `FORCE_HYPERLINK` overrules."""
    if (forced := environ.get("FORCE_HYPERLINK")) is not None:
        return forced != "0"
    is_plain = environ.get("TERM", "") in _UNABLE or bool(environ.get("NO_COLOR")) or bool(environ.get("CI"))
    return is_terminal and not is_plain


def link(words: str, url: str, sites: Iterable[str]) -> str:
    """The words as a hyperlink, if the address is below one of these sites; else as they are."""
    address = _rebuild(url, sites)
    return f"\x1b]8;;{address}\x1b\\{words}\x1b]8;;\x1b\\" if address else words


def _rebuild(url: str, sites: Iterable[str]) -> str | None:
    """The address below its site, made anew in ASCII; None if it is none of them, or leads out of it."""
    for site in sites:
        base = site.rstrip("/")
        rest = url[len(base) :]
        if not _SITE.fullmatch(base) or not url.startswith(base) or (rest and rest[0] not in "/?#"):
            continue
        path, _, query = rest.partition("#")[0].partition("?")
        leads_out = any(unquote(segment) in (".", "..") for segment in re.split(r"[/\\]", path))
        address = base + quote(path, safe=_SAFE) + (f"?{quote(query, safe=_SAFE)}" if query else "")
        return None if leads_out or len(address) > _LONGEST else address
    return None
