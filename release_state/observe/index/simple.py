"""Parses pages of the Simple API strictly: JSON (PEP 691) into typed structs, HTML (PEP 503) beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import DecodeError, Struct, ValidationError
from packaging.utils import canonicalize_name

from release_state.common.strict import describe_invalid
from release_state.observe.http.response import get_header, load_json, refuse_too_many
from release_state.observe.index.page import (
    HTML_TYPE,
    JSON_TYPE,
    MOST_FILES,
    IndexPage,
    ListedFile,
    NotSimple,
    check_version,
)

if TYPE_CHECKING:
    from release_state.observe.index.html_page import HtmlPage

ACCEPT = f"{JSON_TYPE}, {HTML_TYPE};q=0.2, text/html;q=0.1"
"""JSON if the index has it: HTML names no sizes, upload times or versions without files."""

T = TypeVar("T")


class _Meta(Struct, frozen=True, rename="kebab"):
    api_version: str | float = ""


class _Head(Struct, frozen=True):
    meta: _Meta


class _Status(Struct, frozen=True):
    status: str | None = None
    reason: str | None = None


class _Project(Struct, frozen=True, rename="kebab"):
    """The page of a project (PEP 691, 700, 792)."""

    meta: _Meta
    name: str
    files: tuple[ListedFile, ...]
    versions: tuple[str, ...] | None = None
    project_status: _Status | None = None


class _Listed(Struct, frozen=True):
    name: str


class _Root(Struct, frozen=True):
    """The root of an index (PEP 691)."""

    meta: _Meta
    projects: tuple[_Listed, ...]


def parse_project_page(body: bytes, headers: Mapping[str, str], name: str, url: str) -> IndexPage:
    """Parse the page of the project `name` that came from `url`.

    Raises NotSimple for everything else: another content type, format version or project, a truncated page, a page of
    a captive portal. Sources: PEP 503, 592, 629, 691, 700, 740, 792.
    """
    found = _parse(body, headers, url, _Project)
    if not isinstance(found, _Project):
        return found.read_project(name)
    if len(found.files) > MOST_FILES:
        raise NotSimple(f"it lists more than {MOST_FILES:,} files")
    if canonicalize_name(found.name) != name:
        raise NotSimple(f"the page is of another project, {found.name!r}")
    status = found.project_status or _Status()
    return IndexPage(url, found.files, found.versions or (), status.status, status.reason)


def parse_root(body: bytes, headers: Mapping[str, str], url: str) -> frozenset[str]:
    """Parse the root of a Simple index: the normalized names of its projects.

    Raises NotSimple if the response cannot be recognised as such a root. Sources: PEP 503, 629, 691.
    """
    found = _parse(body, headers, url, _Root)
    if not isinstance(found, _Root):
        return found.read_root()
    return frozenset(canonicalize_name(project.name) for project in found.projects)


def _parse(body: bytes, headers: Mapping[str, str], url: str, model: type[T]) -> T | HtmlPage:
    """The document of a page, in a format version that is understood: an object of PEP 691, or HTML."""
    message = Message()
    message["Content-Type"] = get_header(headers, "Content-Type") or ""
    content_type = message["Content-Type"].partition(";")[0].strip().lower()
    if content_type == JSON_TYPE:
        return _parse_json(body, model)
    if content_type not in (HTML_TYPE, "text/html"):
        raise NotSimple(f"the content type is {content_type or 'missing'}, not that of a Simple index")
    from release_state.observe.index.html_page import parse_html  # slow to import, and most indexes answer JSON

    is_framed = any(get_header(headers, name) is not None for name in ("Content-Length", "Transfer-Encoding"))
    charset = str(message.get_param("charset", "utf-8")).lower()
    return parse_html(body, url, charset, is_declared=content_type == HTML_TYPE, is_framed=is_framed)


def _parse_json(body: bytes, model: type[T]) -> T:
    try:
        refuse_too_many(body)
        check_version(_decode(body, _Head).meta.api_version)
        return _decode(body, model)
    except ValidationError as error:
        raise NotSimple(f"the JSON is not of the shape of PEP 691: {describe_invalid(error)}") from error
    except NotSimple:
        raise
    except (ValueError, RecursionError) as error:
        raise NotSimple("the answer is not valid JSON, or holds too many values") from error


def _decode(body: bytes, model: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=model)
    except ValidationError:
        raise
    except DecodeError:
        return msgspec.convert(load_json(body), model)  # it also reads a byte-order mark, and half a surrogate pair
