"""Addresses: credentials in them, and which GitHub server one belongs to (pure).

A password with a raw `/`, `?` or `#` seems to end where a path begins, and every reader finds another host in it. An
`@` in a path is normal: `https://host/@scope/x`, `ssh://git@host/path@v1`.

Sources: https://docs.github.com/enterprise-server/rest/about-the-rest-api (HOST/api/v3) and
https://docs.github.com/enterprise-cloud@latest/admin/data-residency (api.SUBDOMAIN.ghe.com).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

HIDDEN = "***"
ENCODE = "write / ? # @ of a user name or password as %2F %3F %23 %40, and an @ of a path as %40"
_HOST = re.compile(r"(?:[\w-]+\.)+(?!git$)[^\W\d_][\w-]*\.?|localhost|\d+\.\d+\.\d+\.\d+|\[[0-9A-Fa-f:.]+\]", re.ASCII)
_PORT = re.compile(r":\d*")
_SCP_LIKE = re.compile(r"(?:[\w.+-]+@)?(?:[A-Za-z0-9_.][\w.-]*|\[[0-9A-Fa-f:.]+\]):(?![:-])[^\x00-\x20\x7f]+")
_NETLOC = re.compile(r"(?:[^@]*@)*(?:[A-Za-z0-9_.~][\w.~-]*|\[[0-9A-Fa-f:.]+\])(?::(\d{0,5}))?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]|%(?:0[0-9A-Fa-f]|1[0-9A-Fa-f]|7[Ff])")


def may_hold_password(url: str) -> bool:
    """Return whether a part behind the host may be the rest of a password: then it must be percent-encoded."""
    scheme, separator, rest = url.partition("://")
    if url.startswith("/"):
        return url.startswith("//") and "@" in url
    if not separator:
        # `user:password@host:path`, which git takes for a path on a host `user`; a user alone is no secret.
        before, _, path = url.partition(":")
        return "@" not in before and re.search(r"[^/]@(?:[^@]*[:/]|$)", path) is not None
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
    # What follows an `@` could be the host.
    pieces = (re.split(r"[/?#]", piece)[0] for piece in behind.split("@")[1:])
    if any(_HOST.fullmatch(_PORT.sub("", piece)) for piece in pieces):
        return bool(user or port or not _HOST.fullmatch(name))
    # Behind a slash it begins a name of its own, as of a scope.
    is_within = re.search(r"[^/]@", behind) is not None
    return is_within and (":" in user or (not at and bool(port) and not _HOST.fullmatch(name)))


def find_git_fault(url: str) -> str:
    """Return why git must not get this address: "password", "character", "query" or "form"; empty if it may."""
    if may_hold_password(url):
        return "password"
    if url.startswith("-") or _CONTROL.search(url):
        return "character"
    if url.startswith("/"):
        return ""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "" if _SCP_LIKE.fullmatch(url) else "form"
    if re.search(r"[?#]", rest):
        # Git would put it into the arguments of a process, which everybody on the machine can read.
        return "query"
    authority = rest.partition("/")[0]
    netloc = _NETLOC.fullmatch(authority)
    is_host = netloc is not None and int(netloc[1] or 0) < 2**16
    # Git's own protocol knows no user: git would look up all of it as a host, and show it.
    is_right = {"file": rest.startswith("/"), "git": is_host and "@" not in authority}
    return "" if is_right.get(scheme, is_host and scheme in ("https", "http", "ssh")) else "form"


def strip_credentials(url: str) -> str:
    """Return the address without password, token, query and fragment; `***` if password and path look alike."""
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


GITHUB = "github.com"
_DEFAULT_PORTS = {"https": 443, "http": 80}


def parse_host(address: str) -> str:
    """`HOST` or `HOST:PORT` in lower case, without the scheme's default port."""
    parts = urlsplit(address)
    host = (parts.hostname or "").removesuffix(".")
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{parts.port}"


def derive_web_address(api: str) -> str:
    """Return the web address of the GitHub server with this REST API address."""
    host, scheme = parse_host(api), urlsplit(api).scheme
    return f"{scheme}://{host.removeprefix('api.') if has_api_host(host.removeprefix('api.')) else host}"


def derive_api_address(web: str) -> str:
    """Return the REST API address of the GitHub server with this web address."""
    host, scheme = parse_host(web), urlsplit(web).scheme
    return f"{scheme}://api.{host}" if has_api_host(host) else f"{scheme}://{host}/api/v3"


def is_github_api(api: str) -> bool:
    """Return whether the address has the form of a GitHub API; a proxy's address has not."""
    host = parse_host(api)
    return (host.startswith("api.") and has_api_host(host[4:])) or urlsplit(api).path.rstrip("/") == "/api/v3"


def has_api_host(host: str) -> bool:
    """Return whether a host is github.com or a tenant of it, whose API has a host of its own."""
    return host == GITHUB or host.endswith(".ghe.com")
