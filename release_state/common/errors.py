"""Bad input, and the texts of errors without secrets."""

from __future__ import annotations

from traceback import format_exception

from release_state.common.redaction import redact

_LONGEST = 20_000
"""Characters of a traceback that is handed on: one of a recursion without end is longer."""


class UsageProblem(Exception):  # noqa: N818 - what the person typed is the problem, nothing failed
    """Bad input: one clear line for the person, exit code 4."""


def format_traceback(error: BaseException) -> str:
    """The lines that led to an error, its text and notes, and those of what it was raised from; without secrets."""
    return redact("".join(format_exception(type(error), error, error.__traceback__)))[-_LONGEST:]


def format_error(error: BaseException) -> str:
    """The type of an error and its text, without secrets."""
    return redact(f"{type(error).__name__}: {error}")
