"""GitHub's REST API as a source of checked shapes: one object, or a whole list over all of its pages."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from release_state.observe.answer import Answer, clean_url, is_of_another_host, origin_of
from release_state.observe.fields import SOURCE, Fields, failed
from release_state.observe.http import HttpClient

__all__ = ["SOURCE", "Fields", "GitHubApi", "failed"]

T = TypeVar("T")

PAGE_SIZE = 100
MAX_PAGES = 100
_HEADERS = {"X-GitHub-Api-Version": "2022-11-28"}
_ACCEPT = "application/vnd.github+json"


class GitHubApi:
    """Asks GitHub's API below one root URL, and asks what several need only once."""

    def __init__(self, client: HttpClient, api_url: str) -> None:
        self.client = client
        self.root = api_url.rstrip("/")
        self._shared: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()

    @property
    def has_token(self) -> bool:
        """Whether the requests carry a token."""
        return self.client.has_token_for(self.root)

    def once(self, key: str, ask: Callable[[], T]) -> T:
        """The answer of whoever asks first; the others wait for it. A failure is shared, too."""
        with self._lock:
            future = self._shared.get(key)
            first = future is None
            if future is None:
                future = self._shared[key] = Future()
        if first:
            try:
                future.set_result(ask())
            except BaseException as error:
                future.set_exception(error)
        answer: T = future.result()
        return answer

    def found(self, key: str, read: Callable[[Any], T]) -> T | None:
        """A part of what was asked for under this key; None where there is no answer yet, or none that can be used."""
        with self._lock:
            future = self._shared.get(key)
        return read(future.result()) if future is not None and future.done() and not future.exception() else None

    def forget(self, *kept: str) -> None:
        """Let everything be asked again but for what is known of these keys; not while somebody asks."""
        with self._lock:
            known = {key: future for key, future in self._shared.items() if future.exception() is None}
            self._shared = {key: known[key] for key in kept if key in known}

    def one(self, path: str, where: str, *, absent: bool = False, deadline: float | None = None) -> Fields | None:
        """One object; None for a 404 where `absent` says that this is an answer."""
        data, answer = self._ask(self.root + path, None, absent=absent, deadline=deadline, may_keep=True)
        if answer.status == 404:
            return None
        self.client.keep(answer)
        return Fields(data, where)

    def one_with_headers(
        self, path: str, where: str, *, absent: bool = False, deadline: float | None = None
    ) -> tuple[Fields | None, Mapping[str, str]]:
        """As `one`, with the headers of the answer, which are never those of an earlier one."""
        data, answer = self._ask(self.root + path, None, absent=absent, deadline=deadline)
        return None if answer.status == 404 else Fields(data, where), answer.headers

    def one_or_message(self, path: str, where: str) -> tuple[Fields | None, str]:
        """One object, or None and GitHub's own words for a 404, which can mean one thing or another."""
        data, answer = self._ask(self.root + path, None, absent=True, deadline=None)
        return (None, Fields(data, where).text("message")) if answer.status == 404 else (Fields(data, where), "")

    def all(
        self,
        path: str,
        where: str,
        *,
        params: Mapping[str, str | int] | None = None,
        key: str | None = None,
        absent: bool = False,
        deadline: float | None = None,
        enough: Callable[[list[Fields], datetime], bool] = lambda page, date: False,
    ) -> list[Fields] | None:
        """
        Every object of a list, over all pages; None for a 404 of the first where `absent` says that this is an answer.

        `key` names the list inside an object (None: the answer is the list); `enough` is shown each page with the
        service's time, and may end the reading.
        Of a list of several pages the first is read twice: where an item of it is gone meanwhile, the first one of the
        second page has moved up and would be missed. Items of one `id` are one.
        Raises LookupFailed rather than give a part of a list. Source: https://docs.github.com/rest, "Using pagination".
        """
        end = self.client.deadline() if deadline is None else deadline
        first: str = self.root + path
        asked: Mapping[str, str | int] = {"per_page": PAGE_SIZE, **(params or {})}
        url, query = first, dict(asked) or None
        found: list[Fields] = []
        urls, bodies = {url}, set[bytes]()
        for _ in range(MAX_PAGES):
            data, answer = self._ask(url, query, absent=absent and not bodies, deadline=end, may_keep=not bodies)
            if answer.status == 404:
                return None
            page, total = _items(data, key, where)
            body = hashlib.sha256(answer.body).digest()
            if body in bodies:
                raise failed(f"the pagination repeats: two pages of {where} are the same")
            bodies.add(body)
            found += page
            is_enough = enough(page, answer.date)
            following = None if is_enough else _next(answer, where)
            if following is None:
                is_cut = total is not None and len(found) < total and len(page) >= int(asked["per_page"])
                if is_cut and not is_enough:
                    raise failed(f"GitHub lists only {len(found)} of {total} {where}")
                if len(bodies) == 1 and following is None and len(page) < int(asked["per_page"]):
                    self.client.keep(answer)  # a full page's ETag does not tell whether there are more by now
                if len(bodies) > 1:
                    data, _ = self._ask(first, asked, absent=False, deadline=end)
                    found += _items(data, key, where)[0]
                return _distinct(found)
            if origin_of(following) != origin_of(self.root):
                raise failed(f"the next page of {where} is on another host, which is not followed")
            if following in urls:
                raise failed(f"the pagination repeats: {where} lead back to a page that was read")
            urls.add(following)
            url, query = following, None
        raise failed(f"{where} have more than {MAX_PAGES} pages")

    def page(self, path: str, where: str, number: int) -> tuple[list[Fields], int | None]:
        """One page of a list, counted from 1, and the number of the last: None where there is no later one, 0 where
        GitHub does not say which it is.
        """
        params = {"per_page": PAGE_SIZE, **({"page": number} if number > 1 else {})}
        data, answer = self._ask(self.root + path, params, absent=False, deadline=None)
        try:
            last = None if not answer.links.get("next") else 0
            if last == 0 and "last" in answer.links:
                last = int(parse_qs(urlsplit(answer.links["last"]).query)["page"][0])
        except (ValueError, KeyError):
            raise failed(f"the address of the last page of {where} cannot be read") from None
        return _items(data, None, where)[0], last

    def _ask(
        self,
        url: str,
        params: Mapping[str, str | int] | None,
        *,
        absent: bool,
        deadline: float | None,
        may_keep: bool = False,
    ) -> tuple[Any, Answer]:
        data, answer = self.client.get_json(
            url,
            params=params,
            accept=_ACCEPT,
            headers=_HEADERS,
            allow_status={404} if absent else set(),
            deadline=deadline,
            source=SOURCE,
            may_keep=may_keep,
        )
        if is_of_another_host(url, answer.url):
            # Renamed repositories stay on the host. What another one says, and what it does not know, is no fact.
            host = origin_of(answer.url)[1]
            raise failed(f"GitHub sent the question on to another host, {host}", "give its address: --github-api-url")
        return data, answer


def _next(answer: Answer, where: str) -> str | None:
    try:
        following = answer.links.get("next")
        return None if following is None else clean_url(following)
    except ValueError:
        raise failed(f"the address of the next page of {where} cannot be read") from None


def _distinct(items: list[Fields]) -> list[Fields]:
    """Without those whose `id` came before: the first reading of each, in the order of the pages."""
    held: dict[object, Fields] = {}
    for number, item in enumerate(items):
        held.setdefault(item.identity or ("no id", number), item)
    return list(held.values())


def _items(data: object, key: str | None, where: str) -> tuple[list[Fields], int | None]:
    if key is not None:
        holder = Fields(data, where)
        return holder.objects(key), holder.number("total_count")
    if not isinstance(data, list):
        raise failed(f"unexpected shape of the answer: {where} are no list but {type(data).__name__}")
    return [Fields(item, where) for item in data], None
