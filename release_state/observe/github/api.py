"""Requests to GitHub's REST API for one object of a checked shape; for lists see `lists`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from release_state.observe.github.fields import SOURCE, Fields, failure
from release_state.observe.http.client import HttpClient
from release_state.observe.http.response import Response, is_other_host, origin_of

__all__ = ["SOURCE", "Fields", "GitHubApi", "failure"]

T = TypeVar("T")

_HEADERS = {"X-GitHub-Api-Version": "2022-11-28"}
_ACCEPT = "application/vnd.github+json"


class GitHubApi:
    """Sends requests below the root URL of GitHub's API, and those that several look-ups share only once."""

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
        """The result of the first caller; the others wait for it. A failure is shared, too."""
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
        """A part of the shared result under this key; None if there is none yet, or if it failed."""
        with self._lock:
            future = self._shared.get(key)
        return read(future.result()) if future is not None and future.done() and not future.exception() else None

    def forget(self, *kept: str) -> None:
        """Drop the shared results but those of these keys; not while a look-up runs."""
        with self._lock:
            known = {key: future for key, future in self._shared.items() if future.exception() is None}
            self._shared = {key: known[key] for key in kept if key in known}

    def one(self, path: str, where: str, *, absent: bool = False) -> Fields | None:
        """One object; None for a 404 if `absent` is true."""
        data, answer = self.get(self.root + path, absent=absent, may_keep=True)
        if answer.status == 404:
            return None
        self.client.keep(answer)
        return Fields(data, where)

    def one_with_answer(self, path: str, where: str, *, absent: bool = False) -> tuple[Fields | None, Response]:
        """As `one`, with the response, which is never a cached one."""
        data, answer = self.get(self.root + path, absent=absent)
        return None if answer.status == 404 else Fields(data, where), answer

    def one_or_message(self, path: str, where: str) -> tuple[Fields | None, str]:
        """One object, or None and GitHub's message for a 404, which can have several reasons."""
        data, answer = self.get(self.root + path, absent=True)
        return (None, Fields(data, where).text("message")) if answer.status == 404 else (Fields(data, where), "")

    def get(
        self,
        url: str,
        params: Mapping[str, str | int] | None = None,
        *,
        absent: bool = False,
        deadline: float | None = None,
        may_keep: bool = False,
    ) -> tuple[Any, Response]:
        """The decoded JSON and the response; with status 404 only if `absent` is true."""
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
        if is_other_host(url, answer.url):
            # A renamed repository stays on the host. What another host says or does not know is no fact.
            host = origin_of(answer.url)[1]
            raise failure(
                f"GitHub redirected the request to another host, {host}", "give its address: --github-api-url"
            )
        return data, answer
