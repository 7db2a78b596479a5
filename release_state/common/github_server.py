"""Which GitHub server an address is of: the web pages belong to the API that is asked, and so do gh's commands (pure).

Sources: https://docs.github.com/enterprise-server/rest/about-the-rest-api (HOST/api/v3) and
https://docs.github.com/enterprise-cloud@latest/admin/data-residency (api.SUBDOMAIN.ghe.com).
"""

from __future__ import annotations

from urllib.parse import urlsplit

GITHUB = "github.com"
_DEFAULT_PORTS = {"https": 443, "http": 80}


def parse_host(address: str) -> str:
    """`HOST` or `HOST:PORT` of an address, in lower case; without the port that its scheme has by itself."""
    parts = urlsplit(address)
    host = (parts.hostname or "").removesuffix(".")
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{parts.port}"


def derive_web_address(api: str) -> str:
    """The web address of the server whose REST API is at this address."""
    host, scheme = parse_host(api), urlsplit(api).scheme
    return f"{scheme}://{host.removeprefix('api.') if _has_api_host(host.removeprefix('api.')) else host}"


def derive_api_address(web: str) -> str:
    """The address of the REST API of the server whose web pages are at this address."""
    host, scheme = parse_host(web), urlsplit(web).scheme
    return f"{scheme}://api.{host}" if _has_api_host(host) else f"{scheme}://{host}/api/v3"


def is_github_api(api: str) -> bool:
    """Whether an API's address has one of GitHub's own forms, which say whose it is; a proxy's has not."""
    host = parse_host(api)
    return (host.startswith("api.") and _has_api_host(host[4:])) or urlsplit(api).path.rstrip("/") == "/api/v3"


def _has_api_host(host: str) -> bool:
    """Whether the API of a server has a host of its own."""
    return host == GITHUB or host.endswith(".ghe.com")
