"""Evaluate a condition of a workflow (`if:`) as far as it can be known before a run (pure).

Conditions are untrusted: the reader takes time proportional to the text and refuses nesting deeper than fifty.
Source: https://docs.github.com/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Final

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*(?:\s*\.\s*(?:[A-Za-z_][\w-]*"
    r"|\*))*)|(?P<sign>==|!=|<=|>=|&&|\|\||[!<>()\[\],.]))"
)
_DEEPEST = 50
_LONGEST = 10_000
"""Characters of a condition that are read; a longer one is unknown."""


class Unknown(Enum):
    """What only a run can tell."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
Value = str | float | bool | None | Unknown
_STATUS: Mapping[str, bool] = {"success": True, "always": True, "failure": False, "cancelled": False}


class _UnreadableError(ValueError):
    """The text is no expression."""


def evaluate(condition: str, known: Mapping[str, Value]) -> bool | None:
    """Return whether the condition of a job or step holds; None if only a run can tell.

    `known` gives contexts by lower-case dotted name: `{"github.event_name": "push"}`; a name stands for all that begins
    with it and a dot. Every job before it is taken to have succeeded. A condition that cannot be read is None.
    """
    text = condition.strip()
    if text.startswith("${{") and text.endswith("}}") and text.count("${{") == 1:
        text = text[3:-2].strip()
    if not text:
        return True
    if "${{" in text or len(text) > _LONGEST:
        return None
    try:
        value = _Reader(text, known).read()
    except _UnreadableError:
        return None
    return None if value is UNKNOWN else bool(value)


class _Reader:
    """Reads an expression from left to right, each operator by its precedence."""

    def __init__(self, text: str, known: Mapping[str, Value]) -> None:
        self._tokens, self._known, self._at, self._depth = _split(text), known, 0, 0

    def read(self) -> Value:
        value = self._either()
        if self._at != len(self._tokens):
            raise _UnreadableError
        return value

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "")

    def _take(self, *signs: str) -> str:
        kind, text = self._next()
        if kind == "sign" and text in signs:
            self._at += 1
            return text
        return ""

    def _either(self) -> Value:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _UnreadableError
        value = self._both()
        while self._take("||"):
            value = _or(value, self._both())
        self._depth -= 1
        return value

    def _both(self) -> Value:
        value = self._compared()
        while self._take("&&"):
            value = _and(value, self._compared())
        return value

    def _compared(self) -> Value:
        value = self._single()
        while sign := self._take("==", "!=", "<", ">", "<=", ">="):
            value = _compare(sign, value, self._single())
        return value

    def _single(self) -> Value:
        negations = 0
        while self._take("!"):
            negations += 1
        value = self._operand()
        if not negations or value is UNKNOWN:
            return value
        return bool(value) is (negations % 2 == 0)

    def _operand(self) -> Value:
        if self._take("("):
            value = self._either()
            self._expect(")")
            return self._followed(value)
        kind, text = self._next()
        self._at += 1
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text)
        if kind != "name":
            raise _UnreadableError
        name = re.sub(r"\s", "", text).lower()
        if self._take("("):
            return self._followed(_call(name, self._arguments()))
        if name in ("true", "false", "null"):
            return {"true": True, "false": False}.get(name)
        # The value of a context is that of the longest beginning that is known, `inputs` for all of them.
        while name not in self._known and "." in name:
            name = name.rpartition(".")[0]
        return self._followed(self._known.get(name, UNKNOWN))

    def _followed(self, value: Value) -> Value:
        """A value with an index or property behind it is unknown."""
        while sign := self._take("[", "."):
            value = UNKNOWN
            if sign == "[":
                self._either()
                self._expect("]")
            elif self._next()[0] == "name":
                self._at += 1
        return value

    def _arguments(self) -> list[Value]:
        found: list[Value] = []
        while not self._take(")"):
            if found:
                self._expect(",")
            found.append(self._either())
        return found

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise _UnreadableError


def _split(text: str) -> list[tuple[str, str]]:
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _UnreadableError
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return tokens


def _call(name: str, given: Sequence[Value]) -> Value:
    if name in _STATUS:
        return _STATUS[name] if not given else UNKNOWN
    tests: dict[str, Callable[[str, str], bool]] = {
        "startswith": str.startswith,
        "endswith": str.endswith,
        "contains": str.__contains__,
    }
    if name in tests and len(given) == 2 and UNKNOWN not in given:
        whole, part = (_text(value).lower() for value in given)
        return tests[name](whole, part)
    return UNKNOWN


def _or(one: Value, other: Value) -> Value:
    if one is not UNKNOWN:
        return one if bool(one) else other
    return True if other is not UNKNOWN and bool(other) else UNKNOWN


def _and(one: Value, other: Value) -> Value:
    if one is not UNKNOWN:
        return other if bool(one) else one
    return False if other is not UNKNOWN and not bool(other) else UNKNOWN


def _compare(sign: str, one: Value, other: Value) -> Value:
    if one is UNKNOWN or other is UNKNOWN or sign not in ("==", "!="):
        return UNKNOWN
    if isinstance(one, str) and isinstance(other, str):
        equal = one.lower() == other.lower()
    else:
        equal = one == other if type(one) is type(other) else _number(one) == _number(other)
    return equal is (sign == "==")


def _number(value: str | float | bool | None) -> float:
    """What GitHub compares of two values of different types; not a number is equal to none."""
    try:
        return float(value or 0)
    except ValueError:
        return float("nan")


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
