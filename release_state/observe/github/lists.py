"""A list of GitHub's, read to its end: what it counts, its pages and its links have to agree.

| how a list ends | what is believed |
|---|---|
| a page that is not full, without a `Link` to a next one | this was the last page |
| a full page without a `Link` | the next page is asked for by its number: a proxy may have taken the `Link` away |
| it says `total_count` | every page says the same, and there are as many items |
| it says none, and has several pages | the first page still shows what it showed, but for what is new |
| workflow runs by branch, commit, event, … | fewer than 1,000: there GitHub's search ends, whatever it counts |
| `enough` | only while what was read is sorted from new to old |

A list that changed while it was read is read once more. Source: https://docs.github.com/rest, "Using pagination",
and "List workflow runs for a repository".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from release_state.observe.github.fields import Fields, failure
from release_state.observe.http.response import Response, clean_url, origin_of

PAGE_SIZE = 100
MAX_PAGES = 100
MOST_FOUND = 1000
"""Where GitHub's search for workflow runs ends."""
AT_ONCE = 6
"""Requests under way for one list; GitHub refuses a caller that asks for too much at once."""
DISORDER = timedelta(hours=1)
"""By how much a list may deviate from its order: moments are given in seconds, by many machines."""
_SEARCHED = frozenset(("actor", "branch", "check_suite_id", "created", "event", "head_sha", "status"))

Enough = Callable[[list[Fields], datetime], bool]
"""Shown a page with the service's time: whether the reading may end with it."""


class _Changed(Exception):  # noqa: N818 - no error yet: the list is read once more
    """The list changed while it was read, or contradicts itself; says how."""


@dataclass(frozen=True)
class ListRequest:
    """A list: where it is, and how it is read.

    `key` names the list inside an object (None: the answer is the list); `fits` raises LookupFailed where the object
    answers another question. `enough` may end the reading of what is sorted by the moments of `newest_first`, from new
    to old. `at_once`: ask for the pages side by side, as GitHub names the last one in the first answer.
    """

    path: str
    where: str
    """What it lists, for messages."""
    params: Mapping[str, str | int] = field(default_factory=dict)
    key: str | None = None
    fits: Callable[[Fields], None] | None = None
    enough: Enough | None = None
    newest_first: str | None = None
    at_once: bool = False

    @property
    def asked(self) -> dict[str, str | int]:
        """The parameters of the first page."""
        return {"per_page": PAGE_SIZE, **self.params}

    @property
    def size(self) -> int:
        """Items of a full page."""
        return int(self.asked["per_page"])

    @property
    def ends_at(self) -> int | None:
        """How many items GitHub gives at the most; None where there is no such limit."""
        named = {*self.params, *parse_qs(urlsplit(self.path).query)}
        return MOST_FOUND if urlsplit(self.path).path.endswith("/runs") and named & _SEARCHED else None


@dataclass(frozen=True)
class ListPage:
    """One page of a list, as it came."""

    url: str
    items: list[Fields]
    total: int | None
    answer: Response
    digest: bytes

    @property
    def ids(self) -> list[str | int | None]:
        """The `id` of each item."""
        return [item.identity for item in self.items]


class FetchPage(Protocol):
    """Asks for one page."""

    def __call__(
        self, url: str, params: Mapping[str, str | int] | None, *, is_first: bool, own_time: bool
    ) -> tuple[Any, Response]:
        """
        The page at an address, decoded, and its answer.

        `is_first`: a 404 may be an answer, and the answer of an earlier run may be asked after. `own_time`: it is asked
        beside others, and has the time of a whole look-up.
        """


class ListReader:
    """Reads one list; `root` is the API's own, which no page may leave."""

    def __init__(self, question: ListRequest, root: str, ask: FetchPage) -> None:
        self._question, self._root, self._ask = question, root, ask
        self._where = question.where

    def read(self) -> tuple[list[Fields], Response | None] | None:
        """
        Every item, each `id` once, in the order of the pages; and the one answer, where it is the whole list.

        None where the first page is a 404 that is an answer. Raises LookupFailed rather than give a part.
        """
        for is_last_try in (False, True):
            try:
                return self._read()
            except _Changed as changed:
                if is_last_try:
                    raise failure(str(changed), "ask again") from None
        raise AssertionError("unreachable")

    def _read(self) -> tuple[list[Fields], Response | None] | None:
        question = self._question
        url = self._root + question.path
        data, answer = self._ask(url, question.asked, is_first=True, own_time=False)
        if answer.status == 404:
            return None
        first = self._page_of(url, data, answer)
        pages = [first]
        if question.at_once and question.enough is None:
            pages += self._side_by_side(first)
        is_enough = self._is_enough(pages)
        while not is_enough and (following := self._following(pages)) is not None:
            if len(pages) == MAX_PAGES:
                raise failure(f"{self._where} have more than {MAX_PAGES} pages")
            page = self._page(*following)
            if page.digest in {each.digest for each in pages}:
                raise failure(f"the pagination repeats: two pages of {self._where} are the same")
            pages.append(page)
            is_enough = self._is_enough(pages)
        found = self._whole(pages, is_enough=is_enough)
        is_one = len(pages) == 1 and not is_enough and len(first.items) < question.size
        return found, first.answer if is_one else None  # a full page's ETag does not tell whether there are more by now

    def _page(self, url: str, params: Mapping[str, str | int] | None, *, own_time: bool = False) -> ListPage:
        return self._page_of(url, *self._ask(url, params, is_first=False, own_time=own_time))

    def _page_of(self, url: str, data: Any, answer: Response) -> ListPage:
        question = self._question
        if question.key is None:
            if not isinstance(data, list):
                raise failure(f"unexpected shape of the answer: {self._where} are no list but {type(data).__name__}")
            items, total = [Fields(item, self._where) for item in data], None
        else:
            holder = Fields(data, self._where)
            if question.fits is not None:
                question.fits(holder)
            items, total = holder.objects(question.key), holder.number("total_count")
        return ListPage(url, items, total, answer, hashlib.sha256(answer.body).digest())

    def _following(self, pages: list[ListPage]) -> tuple[str, Mapping[str, str | int] | None] | None:
        """Where the page is that comes after these; None where there is none."""
        following = self._link(pages[-1], "next")
        if following is None:
            is_full = len(pages[-1].items) >= self._question.size
            return self._numbered(len(pages) + 1) if is_full else None
        if following in {page.url for page in pages}:
            raise failure(f"the pagination repeats: {self._where} lead back to a page that was read")
        return following, None

    def _numbered(self, number: int) -> tuple[str, Mapping[str, str | int]]:
        return self._root + self._question.path, {**self._question.asked, "page": number}

    def _link(self, page: ListPage, relation: str) -> str | None:
        try:
            link = page.answer.links.get(relation)
            address = None if link is None else clean_url(link)
        except ValueError:
            raise failure(f"the address of the {relation} page of {self._where} cannot be read") from None
        if address is not None and origin_of(address) != origin_of(self._root):
            raise failure(f"the {relation} page of {self._where} is on another host, which is not followed")
        return address

    def _last(self, page: ListPage) -> int | None:
        """The number of the last page, where GitHub says it; some lists have only a next one."""
        if self._link(page, "next") is None or (address := self._link(page, "last")) is None:
            return None
        try:
            return int(parse_qs(urlsplit(address).query)["page"][0])
        except (ValueError, KeyError):
            raise failure(f"the address of the last page of {self._where} cannot be read") from None

    def _side_by_side(self, first: ListPage) -> list[ListPage]:
        """The pages up to that which the first one names as the last; none where it names none."""
        last = self._last(first)
        if last is None:
            return []
        if last > MAX_PAGES:
            raise failure(f"{self._where} have more than {MAX_PAGES} pages")
        context = copy_context()  # the stage of the look-up, and its time

        def ask(number: int) -> ListPage:
            url, params = self._numbered(number)
            return context.copy().run(self._page, url, params, own_time=True)

        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="release-state-page") as pool:
            rest = list(pool.map(ask, range(2, last + 1)))
        if lasts := [other for page in rest if (other := self._last(page)) not in (last, None)]:
            raise self._changed(f"there were {last} pages, and then {lasts[0]}")
        if len({page.digest for page in (first, *rest)}) <= len(rest):
            raise failure(f"the pagination repeats: two pages of {self._where} are the same")
        return rest

    def _is_enough(self, pages: list[ListPage]) -> bool:
        """Whether the reading may end: `enough` says so, and what was read is in the order that it relies on."""
        question, page = self._question, pages[-1]
        if question.enough is None or not question.enough(page.items, page.answer.date):
            return False
        if question.newest_first is None:
            return True
        moments = [item.moment(question.newest_first) for each in pages for item in each.items]
        oldest = accumulate(moments, min)
        return all(moment <= before + DISORDER for before, moment in zip(oldest, moments[1:], strict=False))

    def _whole(self, pages: list[ListPage], *, is_enough: bool) -> list[Fields]:
        """All items, once it is sure that none is missing; where it is enough, none of these pages."""
        found = _distinct([item for page in pages for item in page.items])
        totals, ends_at = [page.total for page in pages], self._question.ends_at
        total = totals[0]
        if ends_at is not None and not is_enough and len(found) >= ends_at:
            raise failure(f"GitHub ends a search for {self._where} at {ends_at:,}, and this one has as many")
        if other := [each for each in totals if each != total]:
            raise self._changed(f"GitHub counted {total}, and then {other[0]}")
        if total is not None and len(found) != total and not is_enough:
            why = f"GitHub lists only {len(found)} of {total} {self._where}"
            if len(found) > total:
                why = f"GitHub lists {len(found)} {self._where} and counts {total}"
            raise _Changed(why) if len(pages) > 1 else failure(why)
        return found if total is not None or len(pages) == 1 else self._with_news(pages[0], found)

    def _with_news(self, first: ListPage, found: list[Fields]) -> list[Fields]:
        """The same with what came meanwhile; what has no count is complete only where nothing went."""
        again = self._page(self._root + self._question.path, self._question.asked)
        if again.digest == first.digest or not first.items:
            return found
        before, now = first.ids, again.ids
        news = now.index(before[0]) if before[0] is not None and before[0] in now else None
        # Where an item of the first page is gone, the first one of the second page has moved up and was missed. What is
        # new moves others down, onto pages that are read later; side by side, they may have been read already.
        if news is None or (news and self._question.at_once) or now[news:] != before[: len(now) - news]:
            raise self._changed("what was on the first page has moved")
        return _distinct([*again.items[:news], *found])

    def _changed(self, how: str) -> _Changed:
        return _Changed(f"{self._where} changed while their pages were read: {how}")


def _distinct(items: list[Fields]) -> list[Fields]:
    """Without those whose `id` came before: the first reading of each, in the order of the pages."""
    held: dict[object, Fields] = {}
    for number, item in enumerate(items):
        held.setdefault(item.identity or ("no id", number), item)
    return list(held.values())
