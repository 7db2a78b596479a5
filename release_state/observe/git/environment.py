"""The environment of git: nothing inherited that steers it, and settings that no repository can override."""

from __future__ import annotations

import base64
import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

Settings = tuple[tuple[str, str], ...]
"""Configuration entries (name, value); later ones win."""

_KEPT = re.compile(
    # How the user's git authenticates, verifies, reaches the network and finds its programs and settings. Every other
    # GIT_ variable goes: inside a hook, GIT_DIR and GIT_INDEX_FILE would send commands to another repository.
    r"GIT_(SSH|SSH_COMMAND|SSH_VARIANT|SSL_\w+|HTTP_\w+|PROXY_\w+|EXEC_PATH"
    r"|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+))"
)

TRANSPORTS = "file:git:http:https:ssh"
"""The transports that git may use, also after `url.*.insteadOf` changed an address: no `ext::`, no remote helper."""

_ALWAYS: Settings = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.untrackedCache", "false"),
    # With less, a changed file of the same size and time counts as unchanged. Files that differ only by these are
    # compared by content.
    ("core.checkStat", "default"),
    ("core.trustctime", "true"),
    ("core.pager", "cat"),
    ("diff.external", ""),
    ("protocol.ext.allow", "never"),
    ("protocol.version", "2"),
    ("log.showSignature", "false"),
    ("status.submoduleSummary", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("transfer.bundleURI", "false"),
    ("credential.interactive", "false"),
    # Several runs share a cache: wait for a lock rather than fail.
    ("core.filesRefLockTimeout", "5000"),
    ("core.packedRefsTimeout", "10000"),
)


def build_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for every git command: no prompts, no pager, no optional locks, untranslated messages."""
    env = {
        name: value
        for name, value in environ.items()
        # Our own variables are not for git: some hold addresses with passwords.
        if not name.startswith(("GIT_", "RELEASE_STATE_")) or _KEPT.fullmatch(name)
    }
    env.pop("LANGUAGE", None)
    env.update(
        LC_ALL="C",
        GIT_TERMINAL_PROMPT="0",
        GIT_ASKPASS="",
        SSH_ASKPASS="",
        SSH_ASKPASS_REQUIRE="never",
        GCM_INTERACTIVE="never",
        GIT_OPTIONAL_LOCKS="0",
        GIT_PAGER="cat",
        # With replace refs and grafts, git would show a history that nobody else sees.
        GIT_NO_REPLACE_OBJECTS="1",
        GIT_GRAFT_FILE=os.devnull,
        GIT_ALLOW_PROTOCOL=TRANSPORTS,
    )
    return add_settings(env, _ALWAYS)


def cut_network(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without network and secrets: a partial clone must not fetch what it lacks."""
    # GIT_NO_LAZY_FETCH is new (2.45, and maintenance releases); the empty list of transports holds for every git.
    kept = {name: value for name, value in env.items() if not _SECRETS.fullmatch(name)}
    headers = dict.fromkeys(_find_headers(env), "")
    return {**kept, **headers, "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}


def _find_headers(env: Mapping[str, str]) -> list[str]:
    """Return the names of the variables with HTTP headers in configuration entries: tokens."""
    keys = (name for name, value in env.items() if name.startswith(_KEY) and value.lower().endswith(".extraheader"))
    return [name.replace(_KEY, "GIT_CONFIG_VALUE_", 1) for name in keys]


def add_settings(env: Mapping[str, str], settings: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the environment with added configuration that overrides every file, as `-c` does."""
    # Not by `-c`: names of filter drivers may hold "=", and a process list would show credentials.
    merged = dict(env)
    count = int(merged["GIT_CONFIG_COUNT"]) if merged.get("GIT_CONFIG_COUNT", "").isdecimal() else 0
    for name, value in settings:
        merged[f"GIT_CONFIG_KEY_{count}"], merged[f"GIT_CONFIG_VALUE_{count}"] = name, value
        count += 1
    merged["GIT_CONFIG_COUNT"] = str(count)
    return merged


def build_ssh_command(seconds: float) -> str:
    """Return the ssh command if the user configured none: no prompts, no new host keys, no waiting without end."""
    never = ("BatchMode=yes", "UpdateHostKeys=no", "ControlMaster=no", "ForwardAgent=no")
    return " ".join(("ssh", *(f"-o{option}" for option in never), f"-oConnectTimeout={max(1, math.floor(seconds))}"))


def hide_repositories(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment in which git finds no repository around an empty `folder`."""
    # A scratch folder can lie inside the clone (TMPDIR): its configuration would choose the ssh command.
    # No ceiling: that is a list with separators, and a path may hold one.
    return {**env, "GIT_DIR": str(folder / "no-repository")}


def add_credentials(env: Mapping[str, str], url: str) -> dict[str, str]:
    """Return the environment with the user name and password of an http or https address."""
    # Everybody on the machine can read the arguments that git passes on, only their owner an environment.
    parts = urlsplit(url)
    user, given, host = parts.netloc.rpartition("@")
    if not given or parts.scheme not in ("http", "https"):
        return dict(env)
    name, has_password, password = user.partition(":")
    scope = f"credential.{parts.scheme}://{host}"
    if not has_password:
        return add_settings(env, [(f"{scope}.username", unquote(name))])
    # An empty helper first: the user's own helpers neither answer nor store this password.
    settings = [(f"{scope}.helper", ""), (f"{scope}.helper", _HELPER)]
    return add_settings({**env, _USER: unquote(name), _PASSWORD: unquote(password)}, settings)


def list_secrets(env: Mapping[str, str]) -> list[str]:
    """Return the passwords and tokens that an environment of git holds."""
    headers = [env.get(name, "").rpartition(" ")[2] for name in _find_headers(env)]
    return [secret for secret in (env.get(_PASSWORD, ""), *headers, *map(_decode_basic, headers)) if secret]


def _decode_basic(encoded: str) -> str:
    """Return the password of basic authentication; empty if it is something else."""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


_KEY = "GIT_CONFIG_KEY_"
_USER, _PASSWORD = "RELEASE_STATE_GIT_USER", "RELEASE_STATE_GIT_PASSWORD"
_SECRETS = re.compile(rf"(?:GITHUB|GH)_(?:ENTERPRISE_)?TOKEN|{_USER}|{_PASSWORD}")
"""A git that reaches the remote keeps them: the usual helper, `gh auth git-credential`, answers with them."""
_ANSWER = f'printf \'username=%s\\npassword=%s\\n\' "${_USER}" "${_PASSWORD}"'
_HELPER = f'!answer() {{ test "$1" = get && {_ANSWER}; }}; answer'
"""Git runs helpers through a shell. This text holds nothing from elsewhere, and `printf` starts no process."""


def list_filter_settings(configured: Iterable[str]) -> Settings:
    """Settings that switch off every configured filter driver: `git status` would run its `clean` command."""
    drivers = {found[1]: None for name in configured if (found := _FILTER.fullmatch(name))}
    parts = (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false"))
    return tuple((f"filter.{driver}.{part}", value) for driver in drivers for part, value in parts)


_FILTER = re.compile(r"filter\.(.+)\.[^.]+", re.DOTALL)
