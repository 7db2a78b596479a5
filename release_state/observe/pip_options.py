"""What pip is told of an index, and what is kept out of sight of it: addresses, certificates, passwords."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

_URL = ":/?#[]@!$&()*+,;=%~-._"
"""What stays as it is in an URL; a quote or a space would end it in pip's options file."""


def index_options(url: str, folder: Path) -> list[str]:
    """The options that name the index; its address stands in a file in `folder` where it holds a password."""
    parts = urlsplit(url)
    trusted = ["--trusted-host", parts.netloc.rpartition("@")[2]] if parts.scheme == "http" else []
    if "@" not in parts.netloc:
        return ["--index-url", url, *trusted]
    # Everybody on the machine can read the arguments of a process.
    options = folder / "index.txt"
    options.touch(mode=0o600)
    options.write_text(f"--index-url '{quote(url, safe=_URL)}'\n", encoding="utf-8")
    return ["--requirement", str(options), *trusted]


def certificates(environ: Mapping[str, str]) -> list[str]:
    """The option that names the certificates which the environment trusts; none where it names none."""
    for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        if (path := environ.get(name)) and Path(path).exists():
            return ["--cert", str(Path(path).absolute())]
    return []


def proxies(environ: Mapping[str, str]) -> list[str]:
    """The addresses of the environment's proxies."""
    return [value for name, value in environ.items() if name.lower().endswith("_proxy") and "://" in value]


def without_passwords(text: str, urls: Iterable[str]) -> str:
    """What pip says, without the passwords of these addresses and without what stands before the host of any other."""
    for url in urls:
        password = urlsplit(url).password
        for secret in {password, unquote(password)} if password else ():
            text = text.replace(secret, "****")
    return re.sub(r"://[^/@\s]+@", "://", text)
