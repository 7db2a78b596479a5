"""Requests to GitHub's REST API for one object of a checked shape; for lists see `lists`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from release_state.common.strict import OBJECT_NAME, is_sane
from release_state.model.observation import Problem
from release_state.observe.http.client import HttpClient
from release_state.observe.http.response import LookupFailed, Response, is_other_host, origin_of

T = TypeVar("T")

_HEADERS = {"X-GitHub-Api-Version": "2022-11-28"}
_ACCEPT = "application/vnd.github+json"
SOURCE = "GitHub"


def failure(why: str, remedy: str | None = None) -> LookupFailed:
    """The error of a look-up that GitHub did not answer."""
    return LookupFailed(Problem(source=SOURCE, why=why, remedy=remedy))


def _optional(read: Callable[[Fields, str], T]) -> Callable[[Fields, str], T | None]:
    """A method that reads a field that may be null, or missing on an older GitHub Enterprise Server."""
    return lambda fields, name: read(fields, name) if fields.has(name) else None


class Fields:
    """A JSON object of a response. Every method raises LookupFailed if a field is not as documented."""

    def __init__(self, data: object, where: str) -> None:
        self._where = where
        if not isinstance(data, dict):
            raise self._unexpected("", data)
        self._data: dict[str, Any] = data

    @property
    def identity(self) -> str | int | None:
        """The object's `id`, where it has one."""
        value = self._data.get("id")
        return value if isinstance(value, (str, int)) else None

    def text(self, name: str) -> str:
        """A text that is always there."""
        return self._typed(name, str)

    def number(self, name: str) -> int:
        """A whole number that is always there."""
        value = self._typed(name, int)
        if isinstance(value, bool):
            raise self._unexpected(name, value)
        return value

    def flag(self, name: str) -> bool:
        """True or false, always there."""
        return self._typed(name, bool)

    def sha(self, name: str) -> str:
        """A full object hash."""
        value = self.text(name)
        if not OBJECT_NAME.fullmatch(value):
            raise self._unexpected(name, value)
        return value

    def moment(self, name: str) -> datetime:
        """A date and time with its zone."""
        value = self.text(name)
        try:
            # Python 3.10 does not parse a Z.
            moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            raise self._unexpected(name, value) from None
        if moment.tzinfo is None or not is_sane(moment):
            raise self._unexpected(name, value)
        return moment

    def child(self, name: str) -> Fields:
        """An object that is always there."""
        return Fields(self._data.get(name), f"{self._where}.{name}")

    def objects(self, name: str) -> list[Fields]:
        """A list of objects."""
        return [Fields(item, f"{self._where}.{name}") for item in self._typed(name, list)]

    def optional_objects(self, name: str) -> list[Fields]:
        """A list of objects; empty where it is null or missing."""
        return self.objects(name) if self.has(name) else []

    def optional_texts(self, name: str) -> list[str]:
        """A list of texts; empty where it is null or missing."""
        texts = self._typed(name, list) if self.has(name) else []
        if wrong := [item for item in texts if not isinstance(item, str)]:
            raise self._unexpected(name, wrong[0])
        return texts

    optional_text, optional_number, optional_flag = _optional(text), _optional(number), _optional(flag)
    optional_moment, optional_child = _optional(moment), _optional(child)

    def nullable_moment(self, name: str) -> datetime | None:
        """A date and time or null, and always there: what is missing must not read as "did not happen"."""
        self._require(name)
        return self.optional_moment(name)

    def nullable_child(self, name: str) -> Fields | None:
        """An object or null, and always there."""
        self._require(name)
        return self.optional_child(name)

    def _require(self, name: str) -> None:
        if name not in self._data:
            raise self._unexpected(name, None)

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._data.get(name) is not None

    def login(self, name: str) -> str | None:
        """The account's name; None where the account is gone."""
        account = self.optional_child(name)
        return None if account is None else account.optional_text("login")

    def _typed(self, name: str, kind: type[T]) -> T:
        value = self._data.get(name)
        if not isinstance(value, kind):
            raise self._unexpected(name, value)
        return value

    def _unexpected(self, name: str, value: object) -> LookupFailed:
        field = f"{self._where}.{name}" if name else self._where
        content = "missing or null" if value is None else f"{type(value).__name__} {value!r:.60}"
        return failure(f"unexpected shape of the answer: {field} is {content}")


class GitHubApi:
    """Sends requests to GitHub's API; one that several look-ups share is sent once."""

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
            is_first = key not in self._shared
            future = self._shared.setdefault(key, Future())
        if is_first:
            try:
                future.set_result(ask())
            except BaseException as error:
                future.set_exception(error)
        result: T = future.result()
        return result

    def read_shared(self, key: str, read: Callable[[Any], T]) -> T | None:
        """A part of the shared result under this key; None if there is none yet, or if it failed."""
        with self._lock:
            future = self._shared.get(key)
        return read(future.result()) if future is not None and future.done() and not future.exception() else None

    def forget(self, *but: str) -> None:
        """Drop the shared results but those of these keys; not while a look-up runs."""
        with self._lock:
            shared = self._shared.items()
            self._shared = {key: future for key, future in shared if key in but and future.exception() is None}

    def one(self, path: str, where: str, *, absent: bool = False) -> Fields | None:
        """One object; None for a 404 if `absent` is true."""
        data, response = self.get(self.root + path, absent=absent, may_keep=True)
        if response.status == 404:
            return None
        self.client.keep(response)
        return Fields(data, where)

    def get(self, url: str, *, absent: bool = False, **options: Any) -> tuple[Any, Response]:
        """The decoded JSON and the response; with status 404 only if `absent` is true. For `options` see the client."""
        status = {404} if absent else set()
        data, response = self.client.get_json(
            url, accept=_ACCEPT, headers=_HEADERS, allow_status=status, source=SOURCE, **options
        )
        if is_other_host(url, response.url):
            # A renamed repository stays on the host. What another host says or does not know is no fact.
            why = f"GitHub redirected the request to another host, {origin_of(response.url)[1]}"
            raise failure(why, "give its address: --github-api-url")
        return data, response


def parse_name(place: str) -> str:
    """The name of the repository at a place: `owner/name`."""
    return unquote(place.removeprefix("/repos/"))


def is_named(name: str | None, place: str) -> bool:
    """Whether this is the name of the repository at a place."""
    return name is not None and name.lower() == parse_name(place).lower()


def require_repository(repository: Fields, place: str, what: str) -> None:
    """Raise LookupFailed unless the `repository` in a response is the one at the place."""
    if not is_named(name := repository.text("full_name"), place):
        raise failure(f"requested {what} of {parse_name(place)}, GitHub answered for {name:.100}", "try again")


def require_address(item: Fields, place: str, what: str, end: str = "") -> None:
    """Raise LookupFailed unless the `url` of the object is below the repository's, and ends with `end`."""
    try:
        path = unquote(urlsplit(item.text("url")).path)
    except ValueError:  # such as a character in the host that is normalized to a slash
        raise failure(
            f"requested {what} of {parse_name(place)}, GitHub answered with an address that is none"
        ) from None
    if f"/repos/{parse_name(place)}/".lower() not in path.lower() or not path.endswith(end):
        raise failure(f"requested {what} of {parse_name(place)}, GitHub answered for {path:.150}", "try again")


def require_commit(item: Fields, name: str, sha: str, what: str) -> None:
    """Raise LookupFailed unless the field of this name has the hash of the requested commit."""
    if (answered := item.sha(name)) != sha:
        raise failure(f"requested {what} of {sha[:12]}, GitHub answered for another commit, {answered[:12]}")
