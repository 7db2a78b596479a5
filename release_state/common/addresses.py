"""Addresses with passwords in them: what may be shown of one, and which cannot be told apart from its password (pure).

A password that holds a raw `/`, `?` or `#` ends where its address seems to have a path: every reader takes another part
of it for the host. An `@` in a path is ordinary: `https://host/@scope/x`, `ssh://git@host/path@v1`.
"""

from __future__ import annotations

import re

HIDDEN = "***"
ENCODE = "write / ? # @ of a user name or password as %2F %3F %23 %40, and an @ of a path as %40"
_HOST = re.compile(r"(?:[\w-]+\.)+(?!git$)[^\W\d_][\w-]*\.?|localhost|\d+\.\d+\.\d+\.\d+|\[[0-9A-Fa-f:.]+\]", re.ASCII)
_PORT = re.compile(r":\d*")


def may_hold_password(url: str) -> bool:
    """Whether a part of the address behind its host may be the rest of a password: it has to be written otherwise."""
    scheme, separator, rest = url.partition("://")
    if url.startswith("/"):
        return url.startswith("//") and "@" in url
    if not separator:
        return _scp_like_may(url)
    authority = re.split(r"[/?#]", rest)[0]
    behind = rest[len(authority) :]
    if "@" not in behind:
        return False
    _, _, query = behind.replace("#", "?").partition("?")
    if scheme == "file" or "@" in query:
        return "@" in query
    user, at, host = authority.rpartition("@")
    name, _, port = host.partition(":") if not host.startswith("[") else (host, "", "")
    if port and not port.isdecimal():
        return True
    if any(_begins_with_host(piece) for piece in behind.split("@")[1:]):
        return bool(user or port or not _HOST.fullmatch(name))
    # Behind a slash it begins a name of its own, as of a scope.
    is_within = re.search(r"[^/]@", behind) is not None
    return is_within and (":" in user or (not at and bool(port) and not _HOST.fullmatch(name)))


def strip_credentials(url: str) -> str:
    """The address without password, token, query and fragment; of ssh the user name stays, for it is an address.

    Nothing is left of one whose password cannot be told from its path.
    """
    scheme, separator, rest = url.partition("://")
    if may_hold_password(url):
        return f"{scheme}://{HIDDEN}" if separator and scheme.isalpha() else HIDDEN
    if not separator or url.startswith("/"):
        return url
    authority = re.split(r"[/?#]", rest)[0]
    path = re.split(r"[?#]", rest[len(authority) :])[0]
    user, _, host = authority.rpartition("@")
    user = f"{user.partition(':')[0]}@" if scheme == "ssh" and user else ""
    return f"{scheme}://{user}{host}{path}"


def _begins_with_host(text: str) -> bool:
    """Whether what stands behind an `@` could be the host."""
    host = re.split(r"[/?#]", text)[0]
    return bool(_HOST.fullmatch(_PORT.sub("", host)))


def _scp_like_may(url: str) -> bool:
    """`user:password@host:path`, which git takes for a path on a host `user`; a user alone is no secret."""
    before, _, path = url.partition(":")
    return "@" not in before and re.search(r"[^/]@(?:[^@]*[:/]|$)", path) is not None
