"""Texts of errors without secrets: whatever is shown of something that broke goes through `redacted`.

What is looked for: what the run has learnt (`hide`), what this process's environment holds, each in the spellings in
which it travels, and what stands before the host of any address. Where a runner hides secrets, it does likewise.
Source: `ValueEncoders` of actions/runner
"""

from __future__ import annotations

import json
import os
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, unquote

from release_state.common.addresses import HIDDEN, may_hold_password

_GUESSED = 6
"""Characters: what is shorter and only has the name of a secret, or stands where one can, is a word like any other."""
_NAMES = re.compile(r"TOKEN|PASSW|SECRET|CREDENTIAL|(?:API|PRIVATE|ACCESS)_?KEY|_(?:AUTH|PAT)$", re.IGNORECASE)
_USER = re.compile(r"(?P<scheme>https?://|://|^)(?P<user>[^/\s@]+(?:@[^/\s@]+)*)@", re.IGNORECASE)
_BEFORE_HOST = re.compile(r"://[^/\s]+@")
_ADDRESS = re.compile(r"\w+://\S+@|(?<!\S)(?://)?[\w.+-]+:\S+@", re.ASCII)
_told: set[str] = set()
"""Of this process, as its output is: an error can come before there is a run, and from any of its threads."""


def hide(secret: str) -> None:
    """Keep a secret out of every text of an error from now on."""
    _told.add(secret)


def hide_passwords_in(addresses: Iterable[str | None]) -> None:
    """Keep what signs in at these addresses out of every text of an error from now on."""
    _told.update(secret for address in addresses for secret in _of_address(address or ""))


def redact(text: str) -> str:
    """The text without any secret that is known."""
    named = (value for name, value in os.environ.items() if _NAMES.search(name) and len(value) >= _GUESSED)
    of_addresses = (secret for value in os.environ.values() if "@" in value for secret in _of_address(value))
    pattern = _pattern(frozenset((*tuple(_told), *named, *of_addresses)))
    return _BEFORE_HOST.sub(f"://{HIDDEN}@", pattern.sub(HIDDEN, text) if pattern else text)


def _of_address(text: str) -> Iterator[str]:
    """The passwords of the addresses in a text; a name without one is a token where the scheme is http or https."""
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
    """A secret in each spelling in which it travels, the longest first."""
    return tuple(sorted({spelling for spelling in _spellings(secret) if spelling}, key=len, reverse=True))


@lru_cache(maxsize=1)
def _pattern(secrets: frozenset[str]) -> re.Pattern[str] | None:
    spelt = {spelling for secret in secrets for spelling in _spellings(secret) if spelling}
    # The longest first: one secret can begin like another.
    return re.compile("|".join(map(re.escape, sorted(spelt, key=len, reverse=True)))) if spelt else None


def _spellings(secret: str) -> Iterator[str]:
    """A secret as it is, and as it stands in an address, a literal, a JSON text or a Basic header."""
    lines = [line for line in secret.splitlines() if len(line) >= _GUESSED]
    for plain in {secret, unquote(secret), *lines}:
        yield from (plain, quote(plain), quote(plain, safe=""), repr(plain)[1:-1], json.dumps(plain)[1:-1])
        if len(plain) >= _GUESSED:
            yield from _coded(plain.encode("utf-8", "surrogateescape"))


def _coded(secret: bytes) -> Iterator[str]:
    """What base64 makes of it behind whatever stands before it: the characters that hang on it alone."""
    for before in range(3):
        first, end = -(-8 * before // 6), 8 * (before + len(secret)) // 6
        for code in (b64encode, urlsafe_b64encode):
            yield code(bytes(before) + secret).decode()[first:end]
