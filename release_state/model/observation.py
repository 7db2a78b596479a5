"""`Model`, the frozen and strict base, and `Observation`: a fact, or why it is unavailable."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")
U = TypeVar("U")


class Model(BaseModel):
    """An immutable record; unknown fields are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def __copy__(self) -> Self:
        """Return a copy without the values of cached properties: they follow from fields that the copy may change."""
        copied = super().__copy__()
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied


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
        super().__init__(f"{problem.source}: {problem.why}")
        self.problem = problem


class Observation(Model, Generic[T]):
    """A known fact (None or empty means *known to be absent*), or why it is unavailable."""

    # Neither has a default: a document that lost a field must not read as "known to be absent".
    value: T | None
    unavailable: Problem | None

    @model_validator(mode="after")
    def _one_of_them(self) -> Observation[T]:
        if self.value is not None and self.unavailable is not None:
            raise ValueError("an observation is known or unavailable, not both")
        return self

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


def known(value: T) -> Observation[T]:
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
