"""`UsageProblem` for bad input, and `redact`, which everything shown about a failure goes through.

Redacted are the secrets that the run learnt (`hide`) and those in the environment, in every encoding in which they may
appear, and the user part of any address. GitHub's runner does the same. Source: `ValueEncoders` of actions/runner
"""

from __future__ import annotations

import json
import os
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from traceback import format_exception
from urllib.parse import quote, unquote

from release_state.common.addresses import HIDDEN, may_hold_password

_GUESSED = 6
"""Shortest guessed secret, in characters: anything shorter may be an ordinary word."""
_NAMES = re.compile(r"TOKEN|PASSW|SECRET|CREDENTIAL|(?:API|PRIVATE|ACCESS)_?KEY|_(?:AUTH|PAT)$", re.IGNORECASE)
_USER = re.compile(r"(?P<scheme>https?://|://|^)(?P<user>[^/\s@]+(?:@[^/\s@]+)*)@", re.IGNORECASE)
_BEFORE_HOST = re.compile(r"://[^/\s]+@")
_ADDRESS = re.compile(r"\w+://\S+@|(?<!\S)(?://)?[\w.+-]+:\S+@", re.ASCII)
_secrets: set[str] = set()
"""Shared by the process: an error can come before a run exists, and from any thread."""


def hide(secret: str) -> None:
    """Redact this secret in every error text from now on."""
    _secrets.add(secret)


def hide_passwords_in(addresses: Iterable[str | None]) -> None:
    """Redact the credentials in these addresses from now on."""
    _secrets.update(secret for address in addresses for secret in _find_passwords(address or ""))


def redact(text: str) -> str:
    """Return the text with every known secret redacted."""
    named = (value for name, value in os.environ.items() if _NAMES.search(name) and len(value) >= _GUESSED)
    of_addresses = (secret for value in os.environ.values() if "@" in value for secret in _find_passwords(value))
    pattern = _pattern(frozenset((*tuple(_secrets), *named, *of_addresses)))
    return _BEFORE_HOST.sub(f"://{HIDDEN}@", pattern.sub(HIDDEN, text) if pattern else text)


def _find_passwords(text: str) -> Iterator[str]:
    """Yield the passwords in a text's addresses; with http(s), a user name alone is a token."""
    for found in _USER.finditer(text):
        name, _, password = found["user"].partition(":")
        if password:
            yield password
        elif found["scheme"].lower().startswith("http") and len(name) >= _GUESSED:
            yield name
    for found in _ADDRESS.finditer(text):
        # One that ends where the address seems to have a path: all of it.
        if may_hold_password(f"{found[0]}host.example/"):
            signs_in = (found[0].partition("://")[2] or found[0])[:-1]
            yield signs_in.partition(":")[2] or signs_in


@lru_cache(maxsize=64)
def list_spellings(secret: str) -> tuple[str, ...]:
    """Return every encoding of a secret, the longest first."""
    return tuple(sorted({spelling for spelling in _spell(secret) if spelling}, key=len, reverse=True))


@lru_cache(maxsize=1)
def _pattern(secrets: frozenset[str]) -> re.Pattern[str] | None:
    spellings = {spelling for secret in secrets for spelling in list_spellings(secret)}
    # The longest first: one secret can begin like another.
    return re.compile("|".join(map(re.escape, sorted(spellings, key=len, reverse=True)))) if spellings else None


def _spell(secret: str) -> Iterator[str]:
    """Yield a secret as it is, and as written in an address, a literal, JSON or a Basic header."""
    lines = [line for line in secret.splitlines() if len(line) >= _GUESSED]
    for plain in {secret, unquote(secret), *lines}:
        yield from (plain, quote(plain), quote(plain, safe=""), repr(plain)[1:-1], json.dumps(plain)[1:-1])
        if len(plain) >= _GUESSED:
            yield from _encode_base64(plain.encode("utf-8", "surrogateescape"))


def _encode_base64(secret: bytes) -> Iterator[str]:
    """Yield the base64 characters that depend on the secret alone, at each of three offsets."""
    for before in range(3):
        first, end = -(-8 * before // 6), 8 * (before + len(secret)) // 6
        for code in (b64encode, urlsafe_b64encode):
            yield code(bytes(before) + secret).decode()[first:end]


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
