"""Requests to one channel's index: its pages, its JSON API and its files, with the channel's credentials."""

from __future__ import annotations

import time
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from packaging.utils import canonicalize_name
from packaging.version import Version

from release_state.model.observation import Problem
from release_state.model.snapshot import IndexFile
from release_state.model.target import Channel, parse_version
from release_state.observe.http.client import HttpClient, LookupFailed, Response, clean_url, is_other_host, origin_of
from release_state.observe.http.response import is_html
from release_state.observe.index.simple import ACCEPT, IndexPage, parse_project_page, parse_root

_PAGE_LIMIT = 64 * 2**20
"""Bytes. The largest project pages of the public index have some 20 MiB."""
_ROOT_LIMIT = 16 * 2**20
"""Bytes. A larger root is that of a mirror of everything, which says nothing about one project."""
_JSON_LIMIT = 8 * 2**20
_JSON_SECONDS = 10.0
"""The longest wait for the JSON API: the Simple API has answered, and this is a second opinion."""
_SIMPLE = "/simple/"
_LONGEST_NAME = 300
_MOST_NAMES = 50


class Index:
    """The index of one channel. Its credentials are sent to its own origin alone.

    `source` names it in problems; `deadline` (`time.monotonic`) ends every request. Raises LookupFailed if the index
    URL is not http or https.
    """

    def __init__(self, client: HttpClient, channel: Channel, deadline: float, source: str | None = None) -> None:
        self._client, self._channel, self._deadline = client, channel, deadline
        self.source = source or f"index {channel.name}"
        try:
            self.root, self._authorization = split_credentials(channel.index_url)
        except ValueError:
            raise self.failure(
                "the index URL is not http or https; a folder (file://) cannot be observed",
                "configure the index's address; a folder can be served with pypiserver",
            ) from None

    def failure(self, why: str, remedy: str | None = None, *, is_temporary: bool = False) -> LookupFailed:
        """The error of a look-up that this index did not answer."""
        return LookupFailed(Problem(source=self.source, why=why, remedy=remedy, is_temporary=is_temporary))

    def page(self, name: str) -> IndexPage | None:
        """The project's page; None if the index says that it lists no such project. `name` is normalized."""
        answer = self._get(self.url_of(name), _PAGE_LIMIT, may_keep=True)
        if answer.status != 404:
            page = parse_project_page(answer.body, answer.headers, name, answer.url)
            self._client.keep(answer)
            return page
        if not self._channel.is_public_index:
            # A wrong path, a proxy or missing access answers 404 as well.
            root = self._get(self.root, _ROOT_LIMIT)
            if root.status == 404:
                raise self.failure(
                    "neither the project's page nor the index's root exists (404)", "check the channel's index_url"
                )
            if name in parse_root(root.body, root.headers, root.url):
                raise self.failure("the index lists the project and answers 404 for its page")
        elif is_html(answer):
            # The public index's own 404 of a project page is a line of plain text.
            raise self.failure("answered 404 with an HTML page, which is not the index's own (a proxy?)", "try again")
        return None

    def url_of(self, name: str) -> str:
        """The address of a project's page."""
        return f"{self.root}{name}/"

    def _get(self, url: str, limit: int, *, may_keep: bool = False) -> Response:
        answer = self._client.get(
            url, headers=self.headers(url), accept=ACCEPT, max_bytes=limit, allow_status={404},
            deadline=self._deadline, source=self.source, may_keep=may_keep,
        )  # fmt: skip
        if is_other_host(url, answer.url):
            # pypiserver redirects what it lacks to another index, whose answer says nothing about this one.
            raise self.failure(
                f"the index redirected the request to another host, {origin_of(answer.url)[1]}",
                "configure the address that answers itself, or switch the index's fallback off",
            )
        if "next" in answer.links:
            # No Simple API has pages (PEP 503, 691); where a server makes some, the first is a part.
            raise self.failure(
                "the index answered with a page of several, and the Simple API has one", "ask the index's operator"
            )
        return answer

    def headers(self, url: str) -> dict[str, str]:
        """The headers for an address that the index gave."""
        own = self._authorization is not None and origin_of(url) == origin_of(self.root)
        return {"Authorization": str(self._authorization)} if own else {}

    def download(self, file: IndexFile, most: int, into: Path | None = None) -> bytes:
        """The bytes of a file, at most `most`; written to `into` instead, if given."""
        # Without a content encoding: the hash is of the file's own bytes.
        headers = {**self.headers(file.url), "Accept-Encoding": "identity"}
        return self._client.get(
            file.url, headers=headers, max_bytes=most, deadline=self._deadline, source=self.source, into=into
        ).body

    def get_json(self, url: str, accept: str, most: int) -> tuple[Any, Response]:
        """The JSON document at an address that the index gave, and the response."""
        return self._client.get_json(
            url, accept=accept, max_bytes=most, headers=self.headers(url), deadline=self._deadline, source=self.source
        )

    def files_by_json(self, package: str, version: Version) -> tuple[str, ...]:
        """The names of the version's files by the JSON API; empty if there is none, or if its answer is not usable.

        It shows an upload at once, while the Simple API can be minutes behind. A failure says nothing: a file that the
        Simple API does not list then stays unpublished as far as known.
        """
        found = self._json_api(f"{canonicalize_name(package)}/{quote(str(version))}")
        if not _is_of(found, package, version):
            return ()
        names = [file.get("filename") for file in found["urls"] if isinstance(file, dict)]
        return tuple(name for name in names if isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME)[:_MOST_NAMES]

    def versions_by_json(self, package: str) -> frozenset[Version] | None:
        """Every version of the project by the JSON API, also without files; None if it gives no usable answer.

        An answer with a version that cannot be parsed does not show which versions exist.
        """
        found = self._json_api(canonicalize_name(package))
        releases = found.get("releases") if _is_of(found, package) else None
        if not isinstance(releases, dict):
            return None
        versions = [parse_version(text) for text in releases]
        told = [version for version in versions if version is not None]
        return frozenset(told) if told and len(told) == len(versions) else None

    def _json_api(self, path: str) -> Any:
        """The JSON API's document of a path; None if there is none or it cannot be read: it then settles nothing."""
        if not self.root.endswith(_SIMPLE):
            return None
        url = f"{self.root.removesuffix(_SIMPLE)}/pypi/{path}/json"
        deadline = min(self._deadline, time.monotonic() + _JSON_SECONDS)
        try:
            found, answer = self._client.get_json(
                url, headers=self.headers(url), max_bytes=_JSON_LIMIT, deadline=deadline
            )
        except LookupFailed:
            return None
        return found if origin_of(answer.url)[1:] == origin_of(url)[1:] else None


def _is_of(found: Any, package: str, version: Version | None = None) -> bool:
    """Whether a document of the JSON API is of this project (and of this version, if given)."""
    info = found.get("info") if isinstance(found, dict) else None
    if not isinstance(info, dict) or (version is not None and not isinstance(found.get("urls"), list)):
        return False
    name, spelt = info.get("name"), info.get("version")
    if not isinstance(name, str) or not isinstance(spelt, str):
        return False
    ours = canonicalize_name(name) == canonicalize_name(package)
    return ours and (version is None or parse_version(spelt) == version)


def split_credentials(url: str) -> tuple[str, str | None]:
    """
    The index URL with one slash at its end and without user name and password; and the header that these make.

    Raises ValueError if the text is not an http or https URL.
    """
    parts = urlsplit(url.strip())
    clean = clean_url(urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/", query="", fragment="")))
    if "@" not in parts.netloc:
        return clean, None
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    pair = f"{unquote(user)}:{unquote(password)}"
    return clean, f"Basic {b64encode(pair.encode()).decode()}"
