"""What git gets to see: an environment without inherited steering, and settings that no repository can override."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

Settings = tuple[tuple[str, str], ...]
"""Configuration entries (name, value); later ones win."""

_KEPT = re.compile(
    # How the user's git authenticates, verifies, reaches the network and finds its own programs and settings. All else
    # that starts with GIT_ goes: inside a hook GIT_DIR and GIT_INDEX_FILE would send commands to another repository.
    r"GIT_(SSH|SSH_COMMAND|SSH_VARIANT|SSL_\w+|HTTP_\w+|PROXY_\w+|EXEC_PATH"
    r"|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+))"
)

TRANSPORTS = "file:git:http:https:ssh"
"""What git may use at all, also after `url.*.insteadOf` changed an address: not `ext::`, not a remote helper."""

_ALWAYS: Settings = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.untrackedCache", "false"),
    # Less than this, and a changed file of the same size and time passes for unchanged. What differs by these alone is
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
    """The environment for every git command: no prompts, no pager, no optional locks, untranslated messages."""
    env = {
        name: value
        for name, value in environ.items()
        # Ours are not git's: addresses with passwords are among them.
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
        # Replace refs and grafts would show another history than the one that others see.
        GIT_NO_REPLACE_OBJECTS="1",
        GIT_GRAFT_FILE=os.devnull,
        GIT_ALLOW_PROTOCOL=TRANSPORTS,
    )
    return add_settings(env, _ALWAYS)


def cut_network(env: Mapping[str, str]) -> dict[str, str]:
    """
    The same environment, in which git can reach nothing: a partial clone must not fetch what it lacks.

    Without tokens and passwords, which only a helper needs that signs in.
    """
    # GIT_NO_LAZY_FETCH is new (2.45, and maintenance releases); the empty list of transports holds for every git.
    kept = {name: value for name, value in env.items() if not _SECRETS.fullmatch(name)}
    return {**kept, "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}


def add_settings(env: Mapping[str, str], settings: Iterable[tuple[str, str]]) -> dict[str, str]:
    """
    The environment with configuration added that wins over every file, as `-c` would.

    By environment and not by `-c`: names of filter drivers may hold "=", and no credential shows in a process list.
    """
    merged = dict(env)
    count = int(merged["GIT_CONFIG_COUNT"]) if merged.get("GIT_CONFIG_COUNT", "").isdecimal() else 0
    for name, value in settings:
        merged[f"GIT_CONFIG_KEY_{count}"], merged[f"GIT_CONFIG_VALUE_{count}"] = name, value
        count += 1
    merged["GIT_CONFIG_COUNT"] = str(count)
    return merged


def build_ssh_command(seconds: float) -> str:
    """
    How ssh is run where the user does not say it: never asking, giving up on a silent host in time.

    It learns no host key, refreshes none, and leaves no connection open behind it.
    """
    never = ("BatchMode=yes", "UpdateHostKeys=no", "ControlMaster=no", "ForwardAgent=no")
    return " ".join(("ssh", *(f"-o{option}" for option in never), f"-oConnectTimeout={max(1, math.floor(seconds))}"))


def hide_repositories(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    """
    The environment in which git sees no repository around an empty `folder`.

    A scratch folder can lie below the inspected clone (TMPDIR), whose configuration would then say how ssh is run.
    """
    # No ceiling: that is a list with separators, and a path may hold one.
    return {**env, "GIT_DIR": str(folder / "no-repository")}


def add_credentials(env: Mapping[str, str], url: str) -> dict[str, str]:
    """
    The environment in which git knows the user name and password of an http or https address.

    Git hands addresses on as arguments, which everybody on the machine can read; an environment only its owner can.
    """
    parts = urlsplit(url)
    user, given, host = parts.netloc.rpartition("@")
    if not given or parts.scheme not in ("http", "https"):
        return dict(env)
    name, has_password, password = user.partition(":")
    scope = f"credential.{parts.scheme}://{host}"
    if not has_password:
        return add_settings(env, [(f"{scope}.username", unquote(name))])
    # An empty helper first: the user's own are neither asked nor told to keep this password.
    settings = [(f"{scope}.helper", ""), (f"{scope}.helper", _HELPER)]
    return add_settings({**env, _USER: unquote(name), _PASSWORD: unquote(password)}, settings)


def find_password(env: Mapping[str, str]) -> str:
    """The password that `with_credentials_of` put there; empty where there is none."""
    return env.get(_PASSWORD, "")


_USER, _PASSWORD = "RELEASE_STATE_GIT_USER", "RELEASE_STATE_GIT_PASSWORD"
_SECRETS = re.compile(rf"(?:GITHUB|GH)_(?:ENTERPRISE_)?TOKEN|{_USER}|{_PASSWORD}")
"""Git that reaches the remote keeps them: `gh auth git-credential`, the usual helper, answers with them."""
_ANSWER = f'printf \'username=%s\\npassword=%s\\n\' "${_USER}" "${_PASSWORD}"'
_HELPER = f'!answer() {{ test "$1" = get && {_ANSWER}; }}; answer'
"""Git runs helpers through a shell; nothing from elsewhere is filled into this text, and `printf` starts no process."""


def list_filter_settings(configured: Iterable[str]) -> Settings:
    """Settings that switch off every filter driver among the configured names: `git status` would run `clean`."""
    drivers = {found[1]: None for name in configured if (found := _FILTER.fullmatch(name))}
    parts = (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false"))
    return tuple((f"filter.{driver}.{part}", value) for driver in drivers for part, value in parts)


_FILTER = re.compile(r"filter\.(.+)\.[^.]+", re.DOTALL)
