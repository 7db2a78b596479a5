"""Find a GitHub token: in the environment, else from the GitHub CLI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from release_state.common.addresses import has_api_host
from release_state.common.errors import UsageProblem, hide
from release_state.observe.process import run_bounded

_GH_SECONDS = 5.0
_TOKEN = re.compile(r"[!-~]+")


def find_token(environ: Mapping[str, str], api_host: str) -> tuple[str | None, str | None]:
    """Return the token for GitHub's API at `api_host` (a URL or a host) and its source; None twice if there is none.

    The order: GH_ENTERPRISE_TOKEN and GITHUB_ENTERPRISE_TOKEN for a GitHub Enterprise Server, GITHUB_TOKEN, GH_TOKEN,
    `gh auth token` (5 s at most; silent if gh is missing or signed out). GITHUB_TOKEN and GH_TOKEN belong to
    github.com, as in gh. Another server gets them only if GITHUB_API_URL or GITHUB_SERVER_URL names it, as in GitHub
    Actions. Raises UsageProblem for a malformed token. Source: https://cli.github.com/manual/gh_help_environment
    """
    host = _web_host(api_host)
    enterprise = not has_api_host(host) and not _is_loopback(host)
    names = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN") if enterprise else ()
    if not enterprise or host in (_web_host(environ.get(name, "")) for name in ("GITHUB_API_URL", "GITHUB_SERVER_URL")):
        names = (*names, "GITHUB_TOKEN", "GH_TOKEN")
    for name in names:
        if token := environ.get(name):
            return _check(token, name), name
    if _is_loopback(host):
        return None, None
    if token := _ask_gh(environ, host):
        return _check(token, "gh auth token"), "gh auth token"
    return None, None


def _web_host(url: str) -> str:
    """Return the host as gh names it: without the `api.` of github.com and its tenants."""
    try:
        host = (urlsplit(url if "//" in url else f"//{url}").hostname or "").lower()
    except ValueError:
        return ""
    return host.removeprefix("api.") if has_api_host(host.removeprefix("api.")) else host


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _check(token: str, origin: str) -> str:
    hide(token)
    if not _TOKEN.fullmatch(token):
        raise UsageProblem(f"{origin}: the token has a space, a line break or another invalid character")
    return token


def _ask_gh(environ: Mapping[str, str], host: str) -> str | None:
    gh = shutil.which("gh", path=environ.get("PATH", os.defpath))
    # A relative entry of PATH could run a program in the checked repository.
    if gh is None or not Path(gh).is_absolute():
        return None
    command, env = [gh, "auth", "token", "--hostname", host], {**environ, "GH_PROMPT_DISABLED": "1"}
    try:
        # Over a pipe: a token must not reach a disk.
        ended = run_bounded(command, env=env, cwd=Path(os.sep), seconds=_GH_SECONDS, stderr=subprocess.DEVNULL)
    except OSError:
        return None
    return None if ended.stopped or ended.code else ended.text.split("\n")[0].strip()
