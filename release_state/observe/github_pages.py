"""A long list of GitHub's, its pages asked for side by side.

A page of a hundred takes GitHub about a second: a history of two thousand releases would take half a minute, one page
after the other. The first answer says which page is the last.
"""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from release_state.observe.github_api import MAX_PAGES, Fields, GitHubApi, failed

AT_ONCE = 6
"""Requests under way for one list; GitHub refuses a caller that asks for too much at once."""


def all_at_once(api: GitHubApi, path: str, where: str, *, first_again: bool = False) -> list[Fields]:
    """
    Every object of a list, over all pages; each page is a look-up with a time limit of its own.

    `first_again`: read the first page of several a second time, which shows whether items moved from page to page.
    Where GitHub does not name the last page, one is read after the other.
    Raises LookupFailed rather than give a part of a list: also where the list changed meanwhile. Source:
    https://docs.github.com/rest, "Using pagination".
    """
    first, last = api.page(path, where, 1)
    if last is None:
        return first
    if last == 0:
        return api.all(path, where) or []
    if last > MAX_PAGES:
        raise failed(f"{where} have more than {MAX_PAGES} pages")
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="release-state-page") as pool:
        context = copy_context()  # the stage of the look-up, and its time
        ask = functools.partial(api.page, path, where)
        rest = list(pool.map(lambda number: context.copy().run(ask, number), range(2, last + 1)))
    moved = first_again and [item.identity for item in ask(1)[0]] != [item.identity for item in first]
    if moved or any(page_last not in (last, None) for _, page_last in rest):
        raise failed(f"{where} changed while their pages were read", "ask again")
    return [*first, *(item for page, _ in rest for item in page)]
