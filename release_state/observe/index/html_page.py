"""Parses HTML pages of the Simple API (PEP 503), with pypi-simple: imported only where an index answers HTML. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

from packaging.utils import canonicalize_name
from pypi_simple import DistributionPackage, Link

from release_state.observe.index.page import MOST_FILES, IndexPage, ListedFile, NotSimple, check_version, is_sane

_META = "pypi:"
_CHARSETS = ("utf-8", "us-ascii", "iso-8859-1", "windows-1252")
_MOST_DECLARATIONS = 20
"""Declarations in a page, which needs one: the standard library's parser takes minutes on thousands."""
_TAGS_OF_A_FILE = 4
_LINKS_FOR = re.compile(r"\blinks for\s+(\S+)", re.IGNORECASE)
_SIMPLE_INDEX = re.compile(r"\bsimple (?:package )?(?:index|repository)\b", re.IGNORECASE)
_PUNCTUATION = ".,:;!?'\"()[]"


def parse_html(body: bytes, url: str, charset: str, *, is_declared: bool, is_framed: bool) -> HtmlPage:
    """Parse a page in HTML that came from `url`. Raises NotSimple if it is none, is truncated, or lists too much.

    `is_declared`: whether its content type says that it is of a Simple index; `is_framed`: whether its headers show
    where it ends.
    """
    # Others are mistakes, or codecs by which a hostile server turns bytes into anything (unicode_escape, punycode).
    text = _remove_comments(body.decode(charset if charset in _CHARSETS else "utf-8", errors="replace"))
    if text.count("<a") + text.count("<A") > MOST_FILES:
        raise NotSimple(f"it lists more than {MOST_FILES:,} files")
    html = HtmlPage(url, is_declared=is_declared)
    try:
        html.feed(text)
        html.close()
    except (AssertionError, RecursionError) as error:  # the standard library's parser on a broken declaration
        raise NotSimple("the answer is not readable HTML") from error
    if html.is_open and not is_framed and "</html" not in text[-4096:].lower():
        # The transport does not show where such a response ends, only the page itself does.
        raise NotSimple("the HTML page is truncated")
    if (version := html.meta.get("repository-version")) is not None:
        check_version(version)
        html.is_declared = True
    return html


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


def _read_file(package: DistributionPackage) -> ListedFile:
    return ListedFile(
        filename=package.filename,
        url=package.url,
        hashes=package.digests,
        requires_python=package.requires_python,
        yanked=package.is_yanked if package.yanked_reason is None else package.yanked_reason,
        provenance=package.provenance_url,
    )


@dataclass
class HtmlPage(HTMLParser):
    """What a page says: its links, its `meta` tags of the Simple API, and its headings."""

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
        """The address that its links are relative to."""
        return urljoin(self.url, self.base_href or "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what a tag says."""
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
        """Leave a tag."""
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        """Take the text of a link, or of a heading."""
        if self._inside == "a" and self.links:
            self.links[-1].text += data
        elif self._inside in ("title", "h1"):
            self.heading = f"{self.heading} {data}"[:1000]

    def read_project(self, name: str) -> IndexPage:
        """The page, as that of a project. Raises NotSimple if it is not that of the project `name`."""
        files = self.files
        packages = [DistributionPackage.from_link(link, name) for link in files if is_sane(link.text)]
        projects = {canonicalize_name(package.project) for package in packages if package.project}
        # By its title, or else by its files.
        if (names := self.titled_for or sorted(projects)) and name not in names:
            raise NotSimple(f"the page is of another project, {names[0]!r}")
        # text/html alone says nothing: captive portals and login pages answer 200 with it as well.
        if not self.is_declared and name not in (*self.titled_for, *projects):
            raise NotSimple("the HTML page is not a project page of a Simple index")
        others = (ListedFile(link.text, link.url) for link in files if not is_sane(link.text))
        status, reason = (self.meta.get(key) for key in ("project-status", "project-status-reason"))
        return IndexPage(self.base, (*map(_read_file, packages), *others), status=status, status_reason=reason)

    def read_root(self) -> frozenset[str]:
        """The normalized names of its projects, as the root of an index. Raises NotSimple if it is none."""
        listed = [self._find_project(link) for link in self.links]
        if self.is_declared or _SIMPLE_INDEX.search(self.heading) or (listed and all(listed)):
            return frozenset(filter(None, listed))
        raise NotSimple("the index's root is an HTML page, but not that of a Simple index")

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

    def _find_project(self, link: Link) -> str | None:
        """The project that a link of the root leads to; None if it is not directly below (PEP 503)."""
        url = urlsplit(urljoin(self.base, link.url))
        name = unquote(url.path.rstrip("/").rpartition("/")[2])
        fits = url.path.endswith("/") and canonicalize_name(name) == canonicalize_name(link.text.strip().rstrip("/"))
        return canonicalize_name(name) if fits and name and url.netloc == urlsplit(self.base).netloc else None
