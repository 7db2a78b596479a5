"""`UsageProblem` for bad input, and error texts with secrets redacted."""

from __future__ import annotations

from traceback import format_exception

from release_state.common.redaction import redact

_LONGEST = 20_000
"""Longest traceback, in characters: endless recursion makes longer ones."""


class UsageProblem(Exception):  # noqa: N818 - what the person typed is the problem, nothing failed
    """Bad input: one clear line for the person, exit code 4."""


def format_traceback(error: BaseException) -> str:
    """Return the full traceback of an error with its causes, secrets redacted."""
    return redact("".join(format_exception(type(error), error, error.__traceback__)))[-_LONGEST:]


def format_error(error: BaseException) -> str:
    """Return the type and text of an error, secrets redacted."""
    return redact(f"{type(error).__name__}: {error}")
