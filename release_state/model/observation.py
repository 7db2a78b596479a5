"""`Model`, the frozen and strict base, and `Observation`: a fact, or why it is unavailable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from msgspec import Meta, Struct, StructMeta, field

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: object) -> Callable[[type], type]:
        """Stand in for the decorator, which only a type checker reads."""
        return lambda made: made


T = TypeVar("T")
U = TypeVar("U")

AwareDatetime = Annotated[datetime, Meta(tz=True)]
"""A moment with its time zone."""


class _KeywordsOnly(StructMeta):
    """Makes the fields of every model keywords: one without a default may follow one with a default."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> _KeywordsOnly:
        return super().__new__(cls, name, bases, namespace, **{"kw_only": True, **options})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Model(Struct, metaclass=_KeywordsOnly, frozen=True, forbid_unknown_fields=True):
    """An immutable record.

    A constructor and `msgspec.structs.replace` check nothing: mypy does. What comes from outside goes through
    `msgspec.convert` or `msgspec.json.decode`, which refuse a wrong type, an unknown field and a naive time. A model
    with a cached property has `dict=True`; a copy does not take over its value.
    """


NO_SOURCE = "snapshot"
"""The source of a fact that no service was asked for."""


class Problem(Model):
    """Why a look-up failed, for a person."""

    source: str
    """What was asked: "git remote", "index pypi", "GitHub", "clone"."""
    why: str
    """One line: what happened instead of an answer. May hold remote text: escape it when shown."""
    retry_at: AwareDatetime | None = None
    """When to retry (UTC), if the service names a time."""
    remedy: str | None = None
    """What a person can do: grant the token a right, set an option."""
    is_temporary: bool = False
    """Whether a retry may work: a time-out, an outage, a rate limit."""


class NotObserved(Exception):  # noqa: N818 - a statement about a fact; the check that meets it ends as "unknown"
    """Raised when an unavailable fact is used; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.why if problem.source == NO_SOURCE else f"{problem.source}: {problem.why}")
        self.problem = problem


class Observation(Model, Generic[T]):
    """A known fact (None or empty means *known to be absent*), or why it is unavailable."""

    # Neither has a default: a document that lost a field must not read as "known to be absent".
    value: T | None
    unavailable: Problem | None

    def __post_init__(self) -> None:
        if self.value is not None and self.unavailable is not None:
            raise ValueError("an observation is known or unavailable, not both")

    @property
    def is_known(self) -> bool:
        """Whether the service answered: with the fact, or that it is absent."""
        return self.unavailable is None

    def known(self) -> T | None:
        """Return the value, None for a known absence. Raises NotObserved where the look-up failed."""
        if self.unavailable is not None:
            raise NotObserved(self.unavailable)
        return self.value

    def present(self) -> T:
        """Return a value that is never absent (a list may be empty). Raises NotObserved if the look-up failed."""
        value = self.known()
        if value is None:
            raise NotObserved(Problem(source="snapshot", why="a fact that is always there was recorded as absent"))
        return value


def known(value: T | None) -> Observation[T]:
    """Return an observation of a present value; of a known absence where it is None."""
    return Observation(value=value, unavailable=None)


def value_or(default: U, look: Callable[[], T]) -> T | U:
    """What a function returns; the default where that depends on an unavailable fact."""
    try:
        return look()
    except NotObserved:
        return default


def unavailable(source: str, why: str, remedy: str | None = None, *, temporary: bool = False) -> Observation[T]:
    """Return an observation that failed."""
    problem = Problem(source=source, why=why, remedy=remedy, is_temporary=temporary)
    return Observation(value=None, unavailable=problem)
