"""What has to come of each cell: unknown with its cause, or the true fact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from tests.proofs.faults.kinds import FAULTS, LONG, RESET, Fault
from tests.proofs.faults.rows import Kind, Row

GIT: frozenset[Kind] = frozenset({"advert", "rpc"})
PAGED: frozenset[Kind] = frozenset({"list"})


@dataclass(frozen=True)
class Expected:
    """What a cell has to come to."""

    outcome: str
    """"unknown", "true" (the very fact of a run without faults), "absent", "more" (the true fact and perhaps more)."""
    why: str = ""
    """What the cause has to say, a regular expression."""
    again: timedelta | datetime | None = None
    """When asking again makes sense, from now or on the clock; None: nobody said."""

    @property
    def word(self) -> str:
        """In the table."""
        if self.outcome == "unknown":
            return "unknown, when" if self.again else "unknown"
        return {"true": "true", "absent": "absent", "more": "true"}[self.outcome]


TRUE, ABSENT, MORE = Expected("true"), Expected("absent"), Expected("more")


def _unknown(why: str, again: timedelta | datetime | None = None) -> Expected:
    return Expected("unknown", why, again)


_SLOW = "no complete answer within|no answer came in time|gave no answer within"
_HOUR = timedelta(seconds=LONG)
_BROKEN = (
    "broke off|truncated|without an answer|valid JSON|hash differs|"
    # git, curl
    "RPC failed|Recv failure|Empty reply|hung up|transfer closed|bytes missing|early EOF|still expected|length header|"
    "curl|Encoding"
)
_SHAPE = (
    "unexpected shape|shape of PEP|not a provenance|no list of projects|not that of a Simple index|HTML|hash differs|"
    "told neither|without any ref|"
    # git
    "not a git repository|protocol error|no section header|unexpected|invalid|fatal"
)

_BASE: dict[str, Expected] = {
    # A machine without a name server may wait for one until the time is up.
    "name not resolved": _unknown(f"cannot be resolved|Could not resolve host|{_SLOW}"),
    "connection refused": _unknown("connection refused|Connection refused|Failed to connect"),
    "connect time-out": _unknown(_SLOW),
    "TLS: untrusted certificate": _unknown("TLS|certificate"),
    "read time-out": _unknown(_SLOW),
    "one byte a second": _unknown(_SLOW),
    "reset in the middle": _unknown(_BROKEN),
    "reset once": TRUE,
    "closed without an answer": _unknown("closed without an answer|Empty reply|RPC failed"),
    "cut off against Content-Length": _unknown(_BROKEN),
    "cut off between chunks": _unknown(_BROKEN),
    "301 to where it moved": TRUE,
    # There the token is missing.
    "redirect to another host": _unknown("another host|401: Requires"),
    "redirect loop": _unknown("redirects in a loop|redirects followed"),
    "401": _unknown("401|Authentication failed|could not read"),
    "403: lack of right": _unknown("not permitted|403"),
    "403: limit used up, with reset": _unknown("rate limit is used up", RESET),
    "403: limit used up, without reset": _unknown("rate limit is used up"),
    "403: secondary limit, an hour": _unknown("too many requests", _HOUR),
    "403: secondary limit, no time named": _unknown("too many requests", timedelta(seconds=60)),
    "403: secondary limit, a second": TRUE,
    "429: an hour": _unknown("too many requests", _HOUR),
    "429: no time named": _unknown("too many requests|429"),
    "429: a second": TRUE,
    "404 in the service's own words": _unknown("404|not found|answers 404"),
    "404 of a proxy": _unknown("404|not found"),
    "410": _unknown("410"),
    "451": _unknown("451"),
    "500": _unknown("500"),
    "502": _unknown("502"),
    "502 once": TRUE,
    "503: an hour": _unknown("503", _HOUR),
    "empty body": _unknown(f"valid JSON|{_BROKEN}|{_SHAPE}"),
    "truncated, Content-Length to match": _unknown(f"{_BROKEN}|{_SHAPE}"),
    "JSON of another shape": _unknown(_SHAPE),
    "JSON null": _unknown(_SHAPE),
    "captive portal: HTML with 200": _unknown(f"HTML|{_SHAPE}"),
    "captive portal, labelled as what was asked for": _unknown(f"HTML|valid JSON|{_SHAPE}"),
    "wrong content type": _unknown(f"instead of JSON|content type|without the service's error message|{_SHAPE}"),
    "wrong charset in the label": TRUE,
    "not UTF-8": _unknown(f"valid JSON|without the service's error message|{_BROKEN}|{_SHAPE}"),
    "coding that was not asked for": _unknown("not requested|Encoding|RPC failed|curl"),
    "gzip bomb": _unknown(f"more than|larger|memory|wrote more|{_SHAPE}|{_BROKEN}|{_SLOW}"),
    "100 MB, announced": _unknown(f"more than the limit|memory|{_SHAPE}|{_BROKEN}|{_SLOW}"),
    "100 MB, not announced": _unknown(f"larger than the limit|memory|{_SHAPE}|{_BROKEN}|{_SLOW}"),
    "500 pages": TRUE,
    "pagination that repeats": TRUE,
    "a page that changes between two requests": TRUE,
    "a clock a year ahead": TRUE,
    "a clock a year behind": TRUE,
    "a clock a year ahead, and a limit with reset": _unknown("rate limit is used up", _HOUR),
    "200 that uses the limit up": TRUE,
}

_OF_GIT = _unknown("40[13]|429|503|access|Authentication|could not read")
"""Git says no more than the status, and never when to try again."""

_OF_KIND: dict[Kind, dict[str, Expected]] = {
    "advert": {
        "redirect to another host": TRUE,
        "403: limit used up, with reset": _OF_GIT,
        "403: limit used up, without reset": _OF_GIT,
        "403: secondary limit, an hour": _OF_GIT,
        "403: secondary limit, no time named": _OF_GIT,
        "403: secondary limit, a second": _OF_GIT,
        "429: an hour": _OF_GIT,
        "503: an hour": _OF_GIT,
        "a clock a year ahead, and a limit with reset": _OF_GIT,
    },
    "page": {
        "403: secondary limit, no time named": _unknown("not permitted"),
    },
    "log": {
        # A redirect's body is not looked at.
        "wrong content type": TRUE,
        "not UTF-8": TRUE,
        "coding that was not asked for": TRUE,
        "gzip bomb": TRUE,
        "100 MB, announced": TRUE,
        "100 MB, not announced": TRUE,
        "cut off against Content-Length": TRUE,
        "cut off between chunks": TRUE,
        "reset in the middle": TRUE,
        "truncated, Content-Length to match": _unknown(_SHAPE),
        # Without the token, which stays here, nobody is shown a log.
        "redirect to another host": _unknown("not permitted"),
    },
    "list": {
        "500 pages": _unknown("more than 100 pages"),
        "pagination that repeats": _unknown("pagination repeats"),
        "a page that changes between two requests": MORE,
    },
}
_REDIRECT = _unknown("30[127]")
"""Git follows redirects of its first question only."""
_OF_KIND["rpc"] = {
    **_OF_KIND["advert"],
    "name not resolved": _REDIRECT,
    "connection refused": _REDIRECT,
    "connect time-out": _REDIRECT,
    "TLS: untrusted certificate": _REDIRECT,
    "301 to where it moved": _REDIRECT,
    "redirect to another host": _REDIRECT,
    "redirect loop": _REDIRECT,
    # Git reads what comes, whatever it is called.
    "wrong content type": TRUE,
}
_OF_KIND["root"] = dict(_OF_KIND["page"])
# The Simple API has no pages: the first one of several is a part.
_PARTS = {"500 pages": _unknown("a page of several"), "pagination that repeats": _unknown("a page of several")}
_OF_KIND["attestation"] = {**_OF_KIND["page"], "redirect to another host": TRUE}
# Bytes that are checked by their hash, and lines of a log: whatever they are called.
_OF_KIND["file"] = {**_OF_KIND["attestation"], "wrong content type": TRUE}
_OF_KIND["text"] = {**_OF_KIND["file"], "not UTF-8": TRUE}

# Nothing secret is asked there, and status pages do move to hosts of their own.
_OF_KIND["status"] = {**_OF_KIND["page"], "redirect to another host": TRUE}

_OF_KIND["page"] |= _PARTS
_OF_KIND["root"] |= _PARTS

# One page of them is enough.
_ONE_PAGE = {
    "500 pages": TRUE,
    "pagination that repeats": TRUE,
    "a page that changes between two requests": TRUE,
}

# What a row has of its own.
_OF_ROW: dict[str, dict[str, Expected]] = {
    "GitHub: release, absent": {"404 in the service's own words": TRUE},
    "GitHub: release": {"404 in the service's own words": ABSENT},
    # This version's other tag has no GitHub Release.
    "GitHub: release, another spelling": {"404 in the service's own words": TRUE},
    "GitHub: earlier releases": {"404 in the service's own words": ABSENT},
    "GitHub: latest release": {"404 in the service's own words": ABSENT},
    # The first run that names it makes it, without rules.
    "GitHub: environment": {"404 in the service's own words": ABSENT},
    "GitHub: release runs": {"404 in the service's own words": ABSENT},
    # The root says that it lists no such project, whatever the 404 looked like.
    "index: new project": {
        "404 in the service's own words": TRUE,
        "404 of a proxy": TRUE,
        "wrong content type": TRUE,
        "not UTF-8": TRUE,
    },
    # Commits are looked for in a second place, and the remote is asked again from there.
    "git: commits": {"403: secondary limit, a second": TRUE},
    "git: heads of pull requests": {"403: secondary limit, a second": TRUE},
    "GitHub: pushes": _ONE_PAGE,
    # Older GitHub Enterprise Servers know none.
    "GitHub: rulesets": {"404 in the service's own words": ABSENT},
    "GitHub: protection": {
        # GitHub says so to those who may not see it, too.
        "404 in the service's own words": _unknown("only to administrators"),
    },
}


def expected(row: Row, fault: Fault) -> Expected:
    """What has to come of a cell."""
    if row.kind == "opinion":
        return TRUE
    for rules in (_OF_ROW.get(row.name, {}), _OF_KIND.get(row.kind, {}), _BASE):
        if fault.name in rules:
            return rules[fault.name]
    raise KeyError(fault.name)


def is_near(moment: datetime | None, wanted: timedelta | datetime | None, asked: datetime) -> bool:
    """Whether a time to try again is the one that was expected, of a question asked at `asked`."""
    if wanted is None or moment is None:
        return moment is wanted
    exact = wanted if isinstance(wanted, datetime) else asked + wanted
    return abs(moment - exact) < timedelta(seconds=60) and moment > datetime.now(timezone.utc)


_KNOWN = {*_BASE}
assert set(FAULTS) == _KNOWN, set(FAULTS) ^ _KNOWN
