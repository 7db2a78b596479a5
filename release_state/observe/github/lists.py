"""Reads a list of GitHub's completely: its count, its pages and its links have to agree.

| how a list ends | what makes it complete |
|---|---|
| a page that is not full, without a `Link` to a next one | this was the last page |
| a full page without a `Link` | the next page is read by its number: a proxy may have removed the `Link` |
| it has a `total_count` | every page has the same, and there are as many items |
| it has none, and several pages | the first page still has the same items, except for new ones |
| workflow runs by branch, commit, event, … | fewer than 1,000: there GitHub's search ends, whatever it counts |
| `enough` | only while what was read is sorted from new to old |

A list that changed while it was read is read once more. Source: https://docs.github.com/rest, "Using pagination",
and "List workflow runs for a repository".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct, field

from release_state.observe.github.api import Fields, GitHubApi, failure
from release_state.observe.http.limits import map_in_threads
from release_state.observe.http.response import Response, clean_url, origin_of

PAGE_SIZE = 100
MAX_PAGES = 100
MOST_FOUND = 1000
"""Where GitHub's search for workflow runs ends."""
AT_ONCE = 6
"""Requests under way for one list; GitHub refuses a caller that asks for too much at once."""
DISORDER = timedelta(hours=1)
"""How far a list may deviate from its order: its moments are in seconds, from many machines."""
_SEARCHED = frozenset(("actor", "branch", "check_suite_id", "created", "event", "head_sha", "status"))

Enough = Callable[[list[Fields], datetime], bool]
"""Decides from a page and the service's time whether reading may end with that page."""


class _Changed(Exception):  # noqa: N818 - no error yet: the list is read once more
    """The list changed while it was read, or contradicts itself; the text says how."""


class ListPage(Struct, frozen=True):
    """One page of a list."""

    url: str
    items: list[Fields]
    total: int | None
    response: Response
    digest: bytes


class GitHubList(Struct, frozen=True):
    """A list of GitHub's: where it is and how to read it. Every list of the API is read here.

    `key` names the list inside an object (None: the response is the list). `fits` is called with that object of each
    page, and raises LookupFailed if it answers another request. `enough` is called with each page and the service's
    time, and may end the reading of a list that is sorted by the moments of `newest_first`, from new to old (within an
    hour; otherwise all pages are read). `at_once`: pages are requested side by side, each with its own time limit.
    """

    api: GitHubApi
    path: str
    where: str
    """What it lists, for messages."""
    params: Mapping[str, str | int] = field(default_factory=dict)
    key: str | None = None
    absent: bool = False
    """Whether a 404 of the first page means that the list does not exist."""
    deadline: float | None = None
    fits: Callable[[Fields], None] | None = None
    enough: Enough | None = None
    newest_first: str | None = None
    at_once: bool = False

    def read(self) -> list[Fields]:
        """Every object of all pages, each `id` once; none for a 404 of the first page if `absent` is true.

        Raises LookupFailed if a part of the list is missing.
        """
        return self.read_or_none() or []

    def read_or_none(self) -> list[Fields] | None:
        """As `read`, but None for a 404."""
        deadline = self.api.client.deadline() if self.deadline is None else self.deadline
        with suppress(_Changed):
            return self._read(deadline)
        try:
            return self._read(deadline)
        except _Changed as changed:
            raise failure(str(changed), "try again") from None

    @property
    def _url(self) -> str:
        return self.api.root + self.path

    @property
    def _first_params(self) -> dict[str, str | int]:
        return {"per_page": PAGE_SIZE, **self.params}

    @property
    def _page_size(self) -> int:
        return int(self._first_params["per_page"])

    def _read(self, deadline: float) -> list[Fields] | None:
        data, response = self.api.get(
            self._url, params=self._first_params, absent=self.absent, deadline=deadline, may_keep=True
        )
        if response.status == 404:
            return None
        first = self._parse_page(self._url, data, response)
        pages = [first]
        if self.at_once and self.enough is None:
            pages += self._read_side_by_side(first)
        is_enough = self._is_enough(pages)
        while not is_enough and (following := self._next_page(pages)) is not None:
            if len(pages) == MAX_PAGES:
                raise failure(f"{self.where} have more than {MAX_PAGES} pages")
            page = self._fetch_page(*following, deadline)
            if page.digest in {each.digest for each in pages}:
                raise failure(f"the pagination repeats: two pages of {self.where} are the same")
            pages.append(page)
            is_enough = self._is_enough(pages)
        items = self._join(pages, deadline, is_enough=is_enough)
        if len(pages) == 1 and not is_enough and len(first.items) < self._page_size:
            self.api.client.keep(response)  # the ETag of a full page does not show whether a next page exists now
        return items

    def _fetch_page(self, url: str, params: Mapping[str, str | int] | None, deadline: float) -> ListPage:
        return self._parse_page(url, *self.api.get(url, params=params, deadline=deadline))

    def _parse_page(self, url: str, data: Any, response: Response) -> ListPage:
        if self.key is None:
            if not isinstance(data, list):
                raise failure(f"unexpected shape of the answer: {self.where} are {type(data).__name__}, not a list")
            items, total = [Fields(item, self.where) for item in data], None
        else:
            holder = Fields(data, self.where)
            if self.fits is not None:
                self.fits(holder)
            items, total = holder.objects(self.key), holder.number("total_count")
        return ListPage(url, items, total, response, hashlib.sha256(response.body).digest())

    def _next_page(self, pages: list[ListPage]) -> tuple[str, Mapping[str, str | int] | None] | None:
        """The address and parameters of the next page; None if there is none."""
        following = self._link(pages[-1], "next")
        if following is None:
            is_full = len(pages[-1].items) >= self._page_size
            return (self._url, {**self._first_params, "page": len(pages) + 1}) if is_full else None
        if following in {page.url for page in pages}:
            raise failure(f"the pagination repeats: {self.where} lead back to a page that was read")
        return following, None

    def _link(self, page: ListPage, relation: str) -> str | None:
        try:
            link = page.response.links.get(relation)
            address = None if link is None else clean_url(link)
        except ValueError:
            raise failure(f"the address of the {relation} page of {self.where} cannot be read") from None
        if address is not None and origin_of(address) != origin_of(self.api.root):
            raise failure(f"the {relation} page of {self.where} is on another host, which is not followed")
        return address

    def _last_number(self, page: ListPage) -> int | None:
        """The number of the last page, if GitHub names it; some lists have only a next page."""
        if self._link(page, "next") is None or (address := self._link(page, "last")) is None:
            return None
        try:
            return int(parse_qs(urlsplit(address).query)["page"][0])
        except (ValueError, KeyError):
            raise failure(f"the address of the last page of {self.where} cannot be read") from None

    def _read_side_by_side(self, first: ListPage) -> list[ListPage]:
        """The other pages, up to the last one that the first page names; none if it names none."""
        last = self._last_number(first)
        if last is None:
            return []
        if last > MAX_PAGES:
            raise failure(f"{self.where} have more than {MAX_PAGES} pages")

        def ask(number: int) -> ListPage:
            return self._fetch_page(self._url, {**self._first_params, "page": number}, self.api.client.deadline())

        rest = map_in_threads(ask, range(2, last + 1), AT_ONCE, "page")
        if lasts := [other for page in rest if (other := self._last_number(page)) not in (last, None)]:
            raise self._changed(f"there were {last} pages, and then {lasts[0]}")
        if len({page.digest for page in (first, *rest)}) <= len(rest):
            raise failure(f"the pagination repeats: two pages of {self.where} are the same")
        return rest

    def _is_enough(self, pages: list[ListPage]) -> bool:
        """Whether reading may end: `enough` says so, and the items are in the order that it relies on."""
        page = pages[-1]
        if self.enough is None or not self.enough(page.items, page.response.date):
            return False
        if self.newest_first is None:
            return True
        moments = [item.moment(self.newest_first) for each in pages for item in each.items]
        oldest = accumulate(moments, min)
        return all(moment <= before + DISORDER for before, moment in zip(oldest, moments[1:], strict=False))

    def _join(self, pages: list[ListPage], deadline: float, *, is_enough: bool) -> list[Fields]:
        """All items, once it is certain that none is missing (of the pages that were read, if these are enough)."""
        items = _distinct([item for page in pages for item in page.items])
        count, total, parts = len(items), pages[0].total, urlsplit(self.path)
        is_search = parts.path.endswith("/runs") and _SEARCHED & {*self.params, *parse_qs(parts.query)}
        if is_search and not is_enough and count >= MOST_FOUND:
            raise failure(f"GitHub ends a search for {self.where} at {MOST_FOUND:,}, and this one has as many")
        if others := [page.total for page in pages if page.total != total]:
            raise self._changed(f"GitHub counted {total}, and then {others[0]}")
        if total is not None and count != total and not is_enough:
            why = f"GitHub lists only {count} of {total} {self.where}"
            if count > total:
                why = f"GitHub lists {count} {self.where} and counts {total}"
            raise _Changed(why) if len(pages) > 1 else failure(why)
        return items if total is not None or len(pages) == 1 else self._add_news(pages[0], items, deadline)

    def _add_news(self, first: ListPage, items: list[Fields], deadline: float) -> list[Fields]:
        """Add the items that are new since; a list without a count is complete only if none was removed."""
        again = self._fetch_page(self._url, self._first_params, deadline)
        if again.digest == first.digest or not first.items:
            return items
        before, now = [[item.identity for item in page.items] for page in (first, again)]
        news = now.index(before[0]) if before[0] is not None and before[0] in now else None
        # If an item of the first page is gone, the first item of the second page moved up and was missed. New items
        # move others down, to pages that are read later; side by side, those may have been read before.
        if news is None or (news and self.at_once) or now[news:] != before[: len(now) - news]:
            raise self._changed("the items of its first page moved")
        return _distinct([*again.items[:news], *items])

    def _changed(self, how: str) -> _Changed:
        return _Changed(f"{self.where} changed while their pages were read: {how}")


def _distinct(items: list[Fields]) -> list[Fields]:
    """The items in the order of the pages, without those whose `id` came before."""
    by_id: dict[object, Fields] = {}
    for number, item in enumerate(items):
        by_id.setdefault(item.identity or ("no id", number), item)
    return list(by_id.values())
