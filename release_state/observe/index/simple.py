"""Parses pages of the Simple API strictly: JSON (PEP 691) and HTML (PEP 503). Pure: no network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from packaging.utils import canonicalize_name
from packaging.version import Version
from pydantic import ValidationError
from pypi_simple import DistributionPackage, Link, ProjectPage

from release_state.observe.http.response import get_header, load_json

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPE = "application/vnd.pypi.simple.v1+html"

ACCEPT = f"{JSON_TYPE}, {HTML_TYPE};q=0.2, text/html;q=0.1"
"""JSON if the index has it: HTML names no sizes, upload times or versions without files."""

_META = "pypi:"
_CHARSETS = ("utf-8", "us-ascii", "iso-8859-1", "windows-1252")
_LONGEST_NAME = 300
_MOST_DASHES = 12
"""Dashes in a file name that is parsed: the pattern takes minutes on a hostile one."""
_MOST_DECLARATIONS = 20
"""Declarations in a page, which needs one: the standard library's parser takes minutes on thousands."""
MOST_FILES = 200_000
"""Files of a project. The largest have some 30,000."""
_TAGS_OF_A_FILE = 4
_LINKS_FOR = re.compile(r"\blinks for\s+(\S+)", re.IGNORECASE)
_PUNCTUATION = ".,:;!?'\"()[]"
_SIMPLE_INDEX = re.compile(r"\bsimple (?:package )?(?:index|repository)\b", re.IGNORECASE)


class NotSimple(ValueError):  # noqa: N818 - a statement about an answer
    """The response is not a page of the Simple API; the text says why, without a full stop."""


@dataclass(frozen=True)
class IndexPage:
    """A project page as the index gave it."""

    packages: tuple[DistributionPackage, ...]
    versions: tuple[str, ...] = ()
    """As the index spells them; empty if it does not list them (before PEP 700)."""
    unreadable: tuple[str, ...] = ()
    """Names of files that were not parsed, and are not among the packages."""
    status: str | None = None
    """PEP 792."""
    status_reason: str | None = None


def parse_project_page(body: bytes, headers: Mapping[str, str], name: str, url: str) -> IndexPage:
    """Parse the page of the project `name` that came from `url`.

    Raises NotSimple for everything else: another content type, format version or project, a truncated page, a page of
    a captive portal. Sources: PEP 503, 592, 629, 691, 700, 740, 792.
    """
    document = _parse(body, headers, url)
    if not isinstance(document, _Html):
        return _parse_project_json(document, name, url)
    files = document.files
    packages = tuple(DistributionPackage.from_link(link, name) for link in files if _is_sane(link.text))
    for package in packages:
        package.provenance_url = urljoin(document.base, package.provenance_url) if package.provenance_url else None
    projects = {canonicalize_name(package.project) for package in packages if package.project}
    # By its title, or else by its files.
    if (names := document.titled_for or sorted(projects)) and name not in names:
        raise NotSimple(f"the page is of another project, {names[0]!r}")
    # text/html alone says nothing: captive portals and login pages answer 200 with it as well.
    if not document.is_declared and name not in (*document.titled_for, *projects):
        raise NotSimple("the HTML page is not a project page of a Simple index")
    return IndexPage(
        packages,
        unreadable=tuple(link.text for link in files if not _is_sane(link.text)),
        status=document.meta.get("project-status"),
        status_reason=document.meta.get("project-status-reason"),
    )


def parse_root(body: bytes, headers: Mapping[str, str], url: str) -> frozenset[str]:
    """Parse the root of a Simple index: the normalized names of its projects.

    Raises NotSimple if the response cannot be recognised as such a root. Sources: PEP 503, 629, 691.
    """
    document = _parse(body, headers, url)
    if isinstance(document, _Html):
        listed = [document.find_project(link) for link in document.links]
        if document.is_declared or _SIMPLE_INDEX.search(document.heading) or (listed and all(listed)):
            return frozenset(filter(None, listed))
        raise NotSimple("the index's root is an HTML page, but not that of a Simple index")
    projects = document.get("projects")
    if not isinstance(projects, list):
        raise NotSimple("the index's root has no list of projects")
    names = [item.get("name") if isinstance(item, dict) else None for item in projects]
    if not all(isinstance(name, str) for name in names):
        raise NotSimple("the index's root lists a project without a name")
    return frozenset(canonicalize_name(str(name)) for name in names)


def _parse(body: bytes, headers: Mapping[str, str], url: str) -> dict[str, Any] | _Html:
    """The document of a page, in a format version that is understood: an object of PEP 691, or HTML."""
    message = Message()
    message["Content-Type"] = get_header(headers, "Content-Type") or ""
    content_type = message["Content-Type"].partition(";")[0].strip().lower()
    charset = str(message.get_param("charset", "utf-8")).lower()
    if content_type == JSON_TYPE:
        return _parse_json(body)
    if content_type not in (HTML_TYPE, "text/html"):
        raise NotSimple(f"the content type is {content_type or 'missing'}, not that of a Simple index")
    # Others are mistakes, or codecs by which a hostile server turns bytes into anything (unicode_escape, punycode).
    text = _remove_comments(body.decode(charset if charset in _CHARSETS else "utf-8", errors="replace"))
    if text.count("<a") + text.count("<A") > MOST_FILES:
        raise NotSimple(f"it lists more than {MOST_FILES:,} files")
    html = _Html(url, is_declared=content_type == HTML_TYPE)
    try:
        html.feed(text)
        html.close()
    except (AssertionError, RecursionError) as error:  # the standard library's parser on a broken declaration
        raise NotSimple("the answer is not readable HTML") from error
    has_end = get_header(headers, "Content-Length") is not None or get_header(headers, "Transfer-Encoding") is not None
    if html.is_open and not has_end and "</html" not in text[-4096:].lower():
        # The transport does not show where such a response ends, only the page itself does.
        raise NotSimple("the HTML page is truncated")
    if (version := html.meta.get("repository-version")) is not None:
        _check_version(version)
        html.is_declared = True
    return html


def _parse_json(body: bytes) -> dict[str, Any]:
    try:
        data = load_json(body)
    except ValueError as error:
        raise NotSimple("the answer is not valid JSON, or holds too many values") from error
    meta = data.get("meta") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(meta, dict):
        raise NotSimple("the JSON is not of the shape of PEP 691")
    _check_version(meta.get("api-version"))
    return data


def _check_version(version: object) -> None:
    try:
        major = Version(str(version)).major
    except ValueError as error:  # InvalidVersion, and what int() says of thousands of digits
        raise NotSimple("the answer does not name the version of its format (PEP 629)") from error
    if major != 1:
        raise NotSimple(f"the answer has format version {version}; only 1.x is understood (PEP 629)")


def _is_sane(filename: str) -> bool:
    return len(filename) <= _LONGEST_NAME and filename.count("-") <= _MOST_DASHES


def _check_text(value: object, what: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise NotSimple(f"the JSON is not of the shape of PEP 691: {what}")


def _parse_project_json(data: dict[str, Any], name: str, url: str) -> IndexPage:
    files, versions, status = data.get("files"), data.get("versions") or [], data.get("project-status") or {}
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        raise NotSimple("the JSON is not of the shape of PEP 691: it has no list of files")
    if len(files) > MOST_FILES:
        raise NotSimple(f"it lists more than {MOST_FILES:,} files")
    if not isinstance(versions, list) or not isinstance(status, dict):
        raise NotSimple("the JSON is not of the shape of PEP 700 or PEP 792")
    if canonicalize_name(_check_text(data.get("name"), "the name of the project") or "") != name:
        raise NotSimple(f"the page is of another project, {data.get('name')!r}")
    names = [_check_text(file.get("filename"), "a file's name") or "" for file in files]
    sane = [file for file, filename in zip(files, names, strict=True) if _is_sane(filename)]
    # A newer minor version and an unknown status marker are allowed. pypi-simple warns about the one and refuses the
    # page for the other, so it gets neither.
    document = {
        "meta": {"api-version": "1.0"},
        "name": name,
        "versions": versions,
        # Some servers write null for what they do not know; provenance may be relative, which pypi-simple refuses.
        "files": [
            {"hashes": {}, **{key: value for key, value in file.items() if value is not None and key != "provenance"}}
            for file in sane
        ],
    }
    try:
        page = ProjectPage.from_json_data(document, url)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise NotSimple(f"the JSON is not of the shape of PEP 691: {place}: {first['msg']}") from error
    for package, file in zip(page.packages, sane, strict=True):
        provenance = _check_text(file.get("provenance"), "a file's provenance")
        package.provenance_url = urljoin(url, provenance) if provenance else None
    return IndexPage(
        packages=tuple(page.packages),
        versions=tuple(page.versions or ()),
        unreadable=tuple(filename for filename in names if not _is_sane(filename)),
        status=_check_text(status.get("status"), "the project's status"),
        status_reason=_check_text(status.get("reason"), "the project's status"),
    )


def _remove_comments(text: str) -> str:
    """The text up to its last tag, without comments: the standard library's parser searches for each end anew."""
    first, *others = text.split("<!--")
    parts = [first]
    for other in others:
        _, end, rest = other.partition("-->")
        if not end:
            raise NotSimple("a comment of the HTML page has no end")
        parts.append(rest)
    text = "".join(parts)
    if text.count("<!") + text.count("<?") > _MOST_DECLARATIONS:
        raise NotSimple(f"the HTML page has more than {_MOST_DECLARATIONS} declarations")
    if text.count("<") > _TAGS_OF_A_FILE * MOST_FILES:
        raise NotSimple(f"the HTML page has more tags than {MOST_FILES:,} files need")
    return text[: text.rfind(">") + 1]  # no tag ends after it


@dataclass
class _Html(HTMLParser):
    url: str
    links: list[Link] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    base_href: str | None = None
    heading: str = ""
    is_declared: bool = False
    """Whether its content type or itself says that it is of a Simple index."""
    is_open: bool = False
    _inside: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    @cached_property
    def base(self) -> str:
        return urljoin(self.url, self.base_href or "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self.is_open = self.is_open or tag == "html"
        if tag in ("a", "title", "h1"):
            self._inside = tag
        if tag == "a" and "href" in values:
            self.links.append(Link("", values["href"].strip(), dict(values)))
        elif tag == "base" and self.base_href is None:
            self.base_href = values.get("href")
        elif tag == "meta" and values.get("name", "").startswith(_META):
            self.meta.setdefault(values["name"].removeprefix(_META), values.get("content", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "a" and self.links:
            self.links[-1].text += data
        elif self._inside in ("title", "h1"):
            self.heading = f"{self.heading} {data}"[:1000]

    @property
    def titled_for(self) -> list[str]:
        """The projects in the page's "Links for …", which nearly every server writes."""
        return [canonicalize_name(name.strip(_PUNCTUATION)) for name in _LINKS_FOR.findall(self.heading)]

    @property
    def files(self) -> list[Link]:
        """The links, each with the file name at the end of its URL, which pip uses (not the text)."""
        urls = ((urljoin(self.base, link.url), link.attrs) for link in self.links)
        files = (Link(unquote(urlsplit(url).path.rpartition("/")[2]), url, attributes) for url, attributes in urls)
        return [file for file in files if file.text]

    def find_project(self, link: Link) -> str | None:
        """The project that a link of the root leads to; None if it is not directly below (PEP 503)."""
        url = urlsplit(urljoin(self.base, link.url))
        name = unquote(url.path.rstrip("/").rpartition("/")[2])
        fits = url.path.endswith("/") and canonicalize_name(name) == canonicalize_name(link.text.strip().rstrip("/"))
        return canonicalize_name(name) if fits and name and url.netloc == urlsplit(self.base).netloc else None
