"""The package index: what the Simple API of one channel says of one version, and of the project as a whole."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Collection
from typing import TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from release_state.facts.index import may_be_of_version
from release_state.model.observation import Observation, Problem, known, unavailable
from release_state.model.snapshot import IndexProject
from release_state.model.snapshot.index import IndexHistory
from release_state.model.target import Channel
from release_state.observe.http.client import HttpClient, LookupFailed, Response, clean_url, is_other_host, origin_of
from release_state.observe.http.response import is_html
from release_state.observe.index.page import build_history, build_project, look_up_files, look_up_versions
from release_state.observe.index.simple import ACCEPT, IndexPage, parse_project_page, parse_root

T = TypeVar("T")

_PAGE_LIMIT = 64 * 2**20
"""Bytes. The largest project pages of the public index have some 20 MiB."""

_ROOT_LIMIT = 16 * 2**20
"""Bytes. A root larger than that is a mirror of everything, which is no answer to one question."""


def observe_index(
    client: HttpClient, channel: Channel, package: str, version: str, expected: Collection[str] = ()
) -> Observation[IndexProject]:
    """
    The project's page on the channel's index, with the files of `version` by PEP 440 equality.

    One request; a second one, of the index's root, where an index that is not PyPI or TestPyPI answers 404: only an
    index that shows itself as one can say that it lists nothing; one more, of the JSON API beside the Simple API,
    where a kind of file that is `expected` is missing: after an upload that one is right first; and one more of it
    where a file whose version cannot be read may be this one's, and the page lists no versions. User name and password
    in the index's URL are used and never kept. Never raises: what is no answer is unavailable. Sources: PEP 503, 592,
    691, 700, 740, 792.
    """
    deadline = client.deadline()
    try:
        wanted = Version(version)
    except InvalidVersion:
        return unavailable(f"index {channel.name}", f"{version!r} is no version by PEP 440")
    name = canonicalize_name(package)

    def read(page: IndexPage | None, url: str) -> IndexProject:
        return IndexProject(url=url, listed=False) if page is None else build_project(page, name, wanted, url)

    found = _observe(client, channel, name, read)
    project = found.value
    if project is None:
        return found
    if set(expected) - {file.kind for file in project.files}:
        held = {file.filename for file in project.files}
        coming = look_up_files(client, *split_credentials(channel.index_url), name, wanted, deadline)
        left = tuple(file for file in coming if file not in held)
        project = project.model_copy(update={"catching_up": left})
    if not (project.files or project.catching_up or project.lists_versions) and any(
        may_be_of_version(file, name, wanted) for file in project.skipped
    ):
        listed = look_up_versions(client, *split_credentials(channel.index_url), name, deadline)
        project = project.model_copy(update={"lists_versions": listed is not None and wanted not in listed})
    return known(project)


def observe_index_history(client: HttpClient, channel: Channel, package: str) -> Observation[IndexHistory]:
    """The project's page on the channel's index, with every version and its files; asks what `observe_index` asks."""
    name = canonicalize_name(package)

    def read(page: IndexPage | None, url: str) -> IndexHistory:
        return IndexHistory(url=url, listed=False) if page is None else build_history(page, name, url)

    return _observe(client, channel, name, read)


def _observe(
    client: HttpClient, channel: Channel, name: str, read: Callable[[IndexPage | None, str], T]
) -> Observation[T]:
    """Ask for the project's page, and read it; None stands for a project that the index does not list."""
    source = f"index {channel.name}"
    try:
        root, authorization = split_credentials(channel.index_url)
    except ValueError:
        why = "the index URL is none of http or https; a folder (file://) cannot be observed"
        return unavailable(source, why, "configure the index's address; a folder can be served with pypiserver")
    index = _Index(client, channel, source, root, authorization)
    try:
        return known(read(index.page(name), f"{root}{name}/"))
    except LookupFailed as failed:
        return Observation(value=None, unavailable=failed.problem)
    except (ValueError, OverflowError) as error:
        # NotSimple, and what a parser makes of a hostile page: an URL or a date that cannot be.
        return unavailable(source, f"{error}"[:300] or "the answer cannot be understood")


def split_credentials(url: str) -> tuple[str, str | None]:
    """
    An index URL without user name and password and with one slash at its end; and the Authorization header they make.

    Raises ValueError where the text is no http or https URL.
    """
    parts = urlsplit(url.strip())
    clean = clean_url(urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/", query="", fragment="")))
    if "@" not in parts.netloc:
        return clean, None
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    pair = f"{unquote(user)}:{unquote(password)}"
    return clean, f"Basic {b64encode(pair.encode()).decode()}"


def authorize(channel: Channel, url: str) -> dict[str, str]:
    """The headers for an address that the channel's index gave: its credentials go to its own origin alone.

    Raises ValueError where the index URL is none of http or https.
    """
    root, authorization = split_credentials(channel.index_url)
    own = authorization is not None and origin_of(url) == origin_of(root)
    return {"Authorization": str(authorization)} if own else {}


class _Index:
    def __init__(self, client: HttpClient, channel: Channel, source: str, root: str, authorization: str | None) -> None:
        self._client = client
        self._channel = channel
        self._source = source
        self._root = root
        self._deadline = client.deadline()
        self._headers = {"Authorization": authorization} if authorization else {}

    def page(self, name: str) -> IndexPage | None:
        """The project's page; None where the index says that it lists no such project."""
        answer = self._get(f"{self._root}{name}/", _PAGE_LIMIT, may_keep=True)
        if answer.status != 404:
            page = parse_project_page(answer.body, answer.headers, name, answer.url)
            self._client.keep(answer)
            return page
        if not self._channel.is_public_index:
            # A wrong path, a proxy or a closed door answers 404 as well.
            root = self._get(self._root, _ROOT_LIMIT)
            if root.status == 404:
                raise self._failed(
                    "neither the project's page nor the index's root is there (404)", "check the channel's index_url"
                )
            if name in parse_root(root.body, root.headers, root.url):
                raise self._failed("the index lists the project and answers 404 for its page")
        elif is_html(answer):
            # Its own 404 of a project page is a line of plain text.
            raise self._failed("answered 404 with an HTML page, which is not the index's own (a proxy?)", "try again")
        return None

    def _get(self, url: str, limit: int, *, may_keep: bool = False) -> Response:
        answer = self._client.get(
            url,
            headers=self._headers,
            accept=ACCEPT,
            max_bytes=limit,
            allow_status={404},
            deadline=self._deadline,
            source=self._source,
            may_keep=may_keep,
        )
        if is_other_host(url, answer.url):
            # pypiserver sends what it lacks on to another index, whose answer says nothing about this one.
            raise self._failed(
                f"the index sent the question on to another host, {origin_of(answer.url)[1]}",
                "configure the address that answers itself, or switch the index's fallback off",
            )
        if "next" in answer.links:
            # No Simple API has pages (PEP 503, 691); where a server makes some, the first is a part.
            raise self._failed(
                "the index gave a page of several, and the Simple API has one", "ask the index's operator"
            )
        return answer

    def _failed(self, why: str, remedy: str | None = None) -> LookupFailed:
        return LookupFailed(Problem(source=self._source, why=why, remedy=remedy))
