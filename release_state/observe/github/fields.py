"""A JSON object of GitHub's, read field by field: what is not as documented is a failed look-up, never an absence."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from release_state.common.strict import is_sane
from release_state.model.observation import Problem
from release_state.observe.http.response import LookupFailed

T = TypeVar("T")

SOURCE = "GitHub"
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def failure(why: str, remedy: str | None = None) -> LookupFailed:
    """The error of a look-up that GitHub did not answer."""
    return LookupFailed(Problem(source=SOURCE, why=why, remedy=remedy))


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

    def optional_text(self, name: str) -> str | None:
        """A text that may be null, or missing on an older GitHub Enterprise Server."""
        return None if self._data.get(name) is None else self.text(name)

    def number(self, name: str) -> int:
        """A whole number that is always there."""
        value = self._typed(name, int)
        if isinstance(value, bool):
            raise self._unexpected(name, value)
        return value

    def optional_number(self, name: str) -> int | None:
        """A whole number, or null."""
        return None if self._data.get(name) is None else self.number(name)

    def flag(self, name: str) -> bool:
        """True or false, always there."""
        return self._typed(name, bool)

    def optional_flag(self, name: str) -> bool | None:
        """True, false or nothing."""
        return None if self._data.get(name) is None else self.flag(name)

    def sha(self, name: str) -> str:
        """A full object hash."""
        value = self.text(name)
        if not _SHA.fullmatch(value):
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

    def optional_moment(self, name: str) -> datetime | None:
        """A date and time, or null."""
        return None if self._data.get(name) is None else self.moment(name)

    def nullable_moment(self, name: str) -> datetime | None:
        """A date and time or null, and always there: what is missing must not read as "did not happen"."""
        if name not in self._data:
            raise self._unexpected(name, None)
        return self.optional_moment(name)

    def child(self, name: str) -> Fields:
        """An object that is always there."""
        return Fields(self._data.get(name), f"{self._where}.{name}")

    def optional_child(self, name: str) -> Fields | None:
        """An object that may be null: a deleted account or fork."""
        return None if self._data.get(name) is None else self.child(name)

    def objects(self, name: str) -> list[Fields]:
        """A list of objects."""
        return [Fields(item, f"{self._where}.{name}") for item in self._typed(name, list)]

    def optional_objects(self, name: str) -> list[Fields]:
        """A list of objects; empty where it is null or missing."""
        return [] if self._data.get(name) is None else self.objects(name)

    def optional_texts(self, name: str) -> list[str]:
        """A list of texts; empty where it is null or missing."""
        found = [] if self._data.get(name) is None else self._typed(name, list)
        if wrong := [item for item in found if not isinstance(item, str)]:
            raise self._unexpected(name, wrong[0])
        return found

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
        found = "missing or null" if value is None else f"{type(value).__name__} {value!r:.60}"
        return failure(f"unexpected shape of the answer: {field} is {found}")


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


def require_address(found: Fields, place: str, what: str, end: str = "") -> None:
    """Raise LookupFailed unless the `url` of the object is below the repository's, and ends with `end`."""
    path = unquote(urlsplit(found.text("url")).path)
    if f"/repos/{parse_name(place)}/".lower() not in path.lower() or not path.endswith(end):
        raise failure(f"requested {what} of {parse_name(place)}, GitHub answered for {path:.150}", "try again")


def require_commit(found: Fields, name: str, sha: str, what: str) -> None:
    """Raise LookupFailed unless the field of this name has the hash of the requested commit."""
    if found.sha(name) != sha:
        raise failure(f"requested {what} of {sha[:12]}, GitHub answered for another commit, {found.sha(name)[:12]}")
