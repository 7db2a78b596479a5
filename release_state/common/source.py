"""Literal assignments in Python source, told from its tokens: nothing is compiled or run (pure)."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from types import MappingProxyType

from msgspec import Struct

_LONGEST = 2**17
"""Characters of source that are read; more is no file that states a version."""
_STRING = re.compile(r"[rRuU]?('''|\"\"\"|'|\")(.*)\1", re.DOTALL)
_JOINED = re.compile(r"(['\"])\.\1\.join\(map\(str,(\w+)\)\)")
_BLOCKS = ("def", "class", "async", "@")
_COMPOUND = ("if", "elif", "else", "try", "except", "finally", "for", "while", "with", "match", "case")
_SKIPPED = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER)
_MOST_HOPS = 5
_MOST_CALLS = 5
_MOST_WORDS = 100
"""Tokens of an expression that can be a literal."""


class Imported(Struct, frozen=True):
    """A name that a module takes from another one."""

    module: str
    """With leading dots if it is relative."""
    name: str
    through: bool = False
    """Whether `module` is a name that the module itself imports."""


class _Alias(Struct, frozen=True):
    name: str


Value = str | Imported | _Alias | None
"""A literal, what it is taken from, or None for what only running it tells."""
_Words = Sequence[tuple[int, str]]
"""Kind and text of tokens."""


def find_value(text: str, name: str) -> str | Imported | None:
    """Return what a module assigns to a name at its top: a literal, what it imports, or None if that is not certain.

    A name that gets different values, as in both branches of a condition, has none. A tuple of numbers is joined by
    dots, as setuptools does.
    """
    assigned = read_assignments(text)
    for _ in range(_MOST_HOPS):
        values = set(assigned.get(name, ()))
        if len(values) != 1:
            return None
        value = values.pop()
        if isinstance(value, Imported) and value.through:
            sources = set(assigned.get(value.module, ()))
            source = sources.pop() if len(sources) == 1 else None
            return Imported(_join(source), value.name) if isinstance(source, Imported) else None
        if not isinstance(value, _Alias):
            return value
        name = value.name
    return None


def _join(source: Imported) -> str:
    """The module that `from x import y` names if y is a module."""
    return f"{source.module}{'' if source.module.endswith('.') else '.'}{source.name}"


@lru_cache(maxsize=256)
def read_assignments(text: str) -> Mapping[str, tuple[Value, ...]]:
    """Return the different values that the names of a module get outside of functions and classes."""
    found: dict[str, dict[Value, None]] = {}
    for name, value in _assignments(text):
        found.setdefault(name, {})[value] = None
    return MappingProxyType({name: tuple(values) for name, values in found.items()})


@lru_cache(maxsize=64)
def read_setup_call(text: str) -> Mapping[str, tuple[Value, str]]:
    """Return the keyword arguments of `setup(…)`: the value (None if calls differ), and its source without blanks."""
    words = [(token.type, token.string) for token in _tokens(text) if token.type not in _SKIPPED]
    found: dict[str, tuple[Value, str]] = {}
    named = (at for at in range(len(words) - 1) if words[at][1] == "setup" and words[at + 1][1] == "(")
    calls = [at + 2 for at in named if words[at - 1][1] != "def"]
    for start in calls[:_MOST_CALLS]:
        for argument in _split(words[start : _end(words, start)], ","):
            if len(argument) == 2 and argument[0][1] == "**":
                for key, text_of in _read_dictionary(words, argument[1][1]):
                    found.setdefault(key, (text_of, repr(text_of)))
            elif len(argument) > 2 and argument[1][1] == "=":
                value = _read_value(argument[2:])
                if isinstance(value, _Alias):
                    value = find_value(text, value.name)
                given = value, "".join(word for _, word in argument[2:])
                found[argument[0][1]] = given if found.get(argument[0][1], given) == given else (None, "two calls")
    return MappingProxyType(found)


def _read_dictionary(words: _Words, name: str) -> Iterator[tuple[str, str]]:
    """The keys and literal texts of a dictionary that is made once, but for keys that it gets again."""
    texts = [word for _, word in words]
    made = [at for at in range(len(texts) - 2) if texts[at : at + 2] == [name, "="]]
    made = [at for at in made if at == 0 or texts[at - 1] not in ("(", ",", ".")]
    if len(made) != 1 or texts[made[0] + 2] not in ("{", "dict"):
        return
    is_call = texts[made[0] + 2] == "dict"
    start = made[0] + 3 + is_call
    for part in _split(words[start : _end(words, start)], ","):
        if len(part) > 2 and part[1][1] == ("=" if is_call else ":"):
            key = part[0][1] if is_call else _read_string(part[0][1])
            value = _read_value(part[2:])
            again = [at for at in range(len(texts) - 2) if texts[at : at + 2] == [name, "["]]
            is_set_again = any(_read_string(texts[at + 2]) == key for at in again)
            if key and isinstance(value, str) and not is_set_again:
                yield key, value


@lru_cache(maxsize=64)
def list_strings(text: str) -> tuple[str, ...]:
    """Return the plain string literals of a module, in their order."""
    values = (_read_string(token.string) for token in _tokens(text) if token.type == tokenize.STRING)
    return tuple(value for value in values if value)


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    if len(text) > _LONGEST or "\0" in text:
        return
    with suppress(tokenize.TokenError, SyntaxError, ValueError):
        yield from tokenize.generate_tokens(io.StringIO(text).readline)


def _assignments(text: str) -> Iterator[tuple[str, Value]]:
    for words, is_nested in _statements(text):
        if words[0][1] == "from":
            yield from _read_imports(words)
        elif words[0][1] == "import":
            yield from ((part[-1][1], None) for part in _split(words[1:], ",") if part)
        else:
            is_certain = not is_nested and words[0][1] not in _COMPOUND
            if words[0][1] == "del":
                continue
            *targets, value = _split(words, "=")
            read = _read_value(value)
            for target in targets:
                name = target[0] if is_certain and target else (target or [(0, "")])[-1]
                is_plain = len(target) == 1 or (is_certain and len(target) > 1 and target[1][1] == ":")
                if name[0] == tokenize.NAME and (is_plain or not is_certain):
                    yield name[1], read
            if not targets and len(words) > 2 and words[1][1] in ("+=", ":="):
                yield words[0][1], None


def _statements(text: str) -> Iterator[tuple[list[tuple[int, str]], bool]]:
    """Yield the statements outside of functions and classes, and whether each is within a block."""
    depth, hidden = 0, False
    line: list[tuple[int, str]] = []
    for token in _tokens(text):
        if token.type == tokenize.INDENT:
            depth += 1
        elif token.type == tokenize.DEDENT:
            depth -= 1
        elif token.type == tokenize.NEWLINE:
            if line and depth == 0:
                hidden = line[0][1] in _BLOCKS
            if line and not hidden:
                yield from ((part, depth > 0) for part in _split(line, ";") if part)
            line = []
        elif token.type not in _SKIPPED:
            line.append((token.type, token.string))


def _read_imports(words: _Words) -> Iterator[tuple[str, Value]]:
    texts = [word for _, word in words]
    if "import" not in texts:
        return
    at = texts.index("import")
    module = "".join(texts[1:at])
    names = [(kind, word) for kind, word in words[at + 1 :] if word not in "()"]
    for part in _split(names, ","):
        if part:
            yield part[-1][1], Imported(module, part[0][1])


def _read_value(words: _Words) -> Value:
    if len(words) > _MOST_WORDS:
        return None
    while len(words) > 2 and words[0][1] == "(" and _end(words, 1) == len(words) - 1:
        if len(_split(words[1:-1], ",")) > 1:
            break
        words = words[1:-1]
    if len(words) == 1:
        kind, word = words[0]
        return _read_string(word) if kind == tokenize.STRING else _Alias(word) if kind == tokenize.NAME else None
    if len(words) == 3 and words[1][1] == "." and words[0][0] == words[2][0] == tokenize.NAME:
        return Imported(words[0][1], words[2][1], through=True)
    if found := _JOINED.fullmatch("".join(word for _, word in words)):
        return _Alias(found[2])
    if len(words) > 2 and words[0][1] + words[-1][1] in ("()", "[]"):
        parts = [part for part in _split(words[1:-1], ",") if part]
        if parts and all(len(part) == 1 and part[0][1].isdecimal() for part in parts):
            return ".".join(part[0][1] for part in parts)
    return None


def _read_string(word: str) -> str | None:
    found = _STRING.fullmatch(word)
    return found[2] if found and "\\" not in found[2] else None


def _split(words: _Words, separator: str) -> list[list[tuple[int, str]]]:
    """The parts between separators that stand in no brackets."""
    parts: list[list[tuple[int, str]]] = [[]]
    depth = 0
    for kind, word in words:
        depth += _opens((kind, word))
        if word == separator and kind == tokenize.OP and depth == 0:
            parts.append([])
        else:
            parts[-1].append((kind, word))
    return parts


def _end(words: _Words, start: int) -> int:
    """The position of the bracket that closes the one before `start`."""
    depth = 1
    for at in range(start, len(words)):
        depth += _opens(words[at])
        if depth == 0:
            return at
    return len(words)


def _opens(word: tuple[int, str]) -> int:
    return 0 if word[0] != tokenize.OP else (word[1] in ("(", "[", "{")) - (word[1] in (")", "]", "}"))
