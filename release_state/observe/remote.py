"""The remote's refs, by one `git ls-remote`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from release_state.model import Observation, known
from release_state.observe.bounds import LISTING_MEMORY
from release_state.observe.git_again import patiently
from release_state.observe.git_command import Git
from release_state.observe.git_environment import (
    outside_of_repositories,
    ssh_command,
    with_credentials_of,
    without_network,
)
from release_state.observe.git_messages import GitFailed, readable
from release_state.snapshot import Branch, Remote, Tag

SOURCE = "git remote"

NO_REFS = "answered without any ref: an empty repository, or the page of a captive portal or proxy"
"""Git takes a page of one line that it gets with 200 for the list of refs of an old server, and finds none in it."""

_SCP_LIKE = re.compile(r"(?:[\w.+-]+@)?(?:[A-Za-z0-9_.][\w.-]*|\[[0-9A-Fa-f:.]+\]):(?![:-])[^\x00-\x20\x7f]+")
_NETLOC = re.compile(r"(?:[^@]*@)*(?:[A-Za-z0-9_.~][\w.~-]*|\[[0-9A-Fa-f:.]+\])(?::\d*)?", re.ASCII)
_REF_LINE = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64})[\t ](refs/[^\x00-\x20\x7f]+)")


def observe_remote(url: str, timeout: float, *, cancel: Event | None = None) -> Observation[Remote]:
    """
    Ask a remote for its branches, tags and default branch; `timeout` in seconds.

    One connection, tried again where trouble passes. A local repository without refs is known and empty; every failure
    is unavailable, and so is a remote that answers without any ref.
    """
    try:
        check_url(url)
        git = Git(timeout, cancel)
        with TemporaryDirectory(prefix="release-state-") as empty:
            folder = Path(empty)
            # Patterns match at any "/", so what they let through is looked at again. Git asks the server for certain
            # prefixes only with --heads and --tags, which leave out HEAD, and the default branch with it: one full list
            # costs less than a second connection, and the patterns keep refs/pull out of what is read here.
            patterns = ("HEAD", "refs/heads/*", "refs/tags/*")
            env, address = network_environment(git, folder, url), without_credentials(url)
            command = ("ls-remote", "--symref", "--", address, *patterns)
            answer = patiently(git, lambda: git.run(*command, cwd=folder, env=env, memory=LISTING_MEMORY))
        found = parse_refs(address, answer.output)
        if not answer.output and not is_local(url):
            raise GitFailed(NO_REFS, "open the address in a browser: a proxy may want a login; and check the address")
        return known(found)
    except GitFailed as failed:
        return Observation[Remote](value=None, unavailable=failed.as_problem(SOURCE))


def is_local(url: str) -> bool:
    """Whether the address is a folder of this machine, where nothing lies in between."""
    return url.startswith(("/", "file://"))


def check_url(url: str) -> None:
    """Raise GitFailed unless it is an https, http, ssh, git or file URL, `host:path` or an absolute path."""
    if re.search(r"[\x00-\x1f\x7f]|%(?:0[0-9A-Fa-f]|1[0-9A-Fa-f]|7[Ff])", url) or url.startswith("-"):
        raise GitFailed("the remote's address was refused: it starts with a dash or holds a control character")
    if url.startswith("/"):
        return
    scheme, separator, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest)[0]
    if separator and scheme in ("https", "http") and re.search(r"[?#]", rest):
        # Git would put it into the arguments of a process, which everybody on the machine can read.
        raise GitFailed("the remote's address was refused: it holds a query or a fragment")
    if separator and scheme in ("https", "http", "ssh") and _NETLOC.fullmatch(authority):
        return
    # Git's own protocol knows no user: git would look the whole of it up as a host, and say so.
    if separator and scheme == "git" and "@" not in authority and _NETLOC.fullmatch(authority):
        return
    if (separator and scheme == "file" and rest.startswith("/")) or (not separator and _SCP_LIKE.fullmatch(url)):
        return
    # Not a word of it is repeated: it may hold a password.
    raise GitFailed(
        "the remote's address was refused: it is not an https, ssh, git or file URL, host:path or an absolute path"
    )


def without_credentials(url: str) -> str:
    """The address without password, token, query and fragment; of ssh the user name stays, for it is an address."""
    scheme, separator, rest = url.partition("://")
    if not separator or url.startswith("/"):
        return url
    authority = re.split(r"[/?#]", rest)[0]
    path = re.split(r"[?#]", rest[len(authority) :])[0]
    user, _, host = authority.rpartition("@")
    user = f"{user.partition(':')[0]}@" if scheme == "ssh" and user else ""
    return f"{scheme}://{user}{host}{path}"


def network_environment(git: Git, folder: Path, url: str) -> dict[str, str]:
    """
    The environment for commands that talk to the remote at `url`, outside of any repository that is not ours.

    It holds the address's password: the command itself is given the address `without_credentials`.
    """
    env = with_credentials_of(outside_of_repositories(git.environ, folder), url)
    if not env.get("GIT_SSH_COMMAND") and not env.get("GIT_SSH") and not _has_ssh_command(git, folder):
        env["GIT_SSH_COMMAND"] = ssh_command(git.seconds)
    return env


def _has_ssh_command(git: Git, folder: Path) -> bool:
    """Whether the user's own settings say how ssh is run: the variable would win over them. Asked once."""
    key = git.program, tuple(sorted(git.environ.items()))
    if key not in _ssh_is_configured:
        env = outside_of_repositories(without_network(git.environ), folder)
        configured = git.run("config", "--get", "core.sshCommand", cwd=folder, env=env, accept=(0, 1))
        _ssh_is_configured[key] = bool(configured.text.strip())
    return _ssh_is_configured[key]


_ssh_is_configured: dict[tuple[str, tuple[tuple[str, str], ...]], bool] = {}


def parse_refs(url: str, output: bytes) -> Remote:
    """
    The refs of `git ls-remote --symref`; anything that is no branch, tag or HEAD is left out.

    Raises GitFailed on a line that is not of that form.
    """
    default: str | None = None
    refs: list[tuple[str, str]] = []
    for line in output.split(b"\n"):
        if line.startswith(b"ref: refs/heads/") and line.endswith(b"\tHEAD"):
            default = readable(line[len(b"ref: refs/heads/") : -len(b"\tHEAD")])
            # A name that git itself makes for no branch: it would be an option in every command that it stands in.
            default = None if default.startswith("-") else default
        elif found := _REF_LINE.fullmatch(line):
            refs.append((readable(found[2]), readable(found[1])))
        elif line and not line.startswith(b"ref: ") and not re.fullmatch(rb"[0-9a-f]+\tHEAD", line):
            raise GitFailed("git ls-remote answered a line that is no ref")
    heads = "refs/heads/"
    branches = (Branch(name=ref[len(heads) :], sha=sha) for ref, sha in refs if ref.startswith(heads))
    return Remote(url=url, default_branch=default, branches=tuple(branches), tags=tags_of(refs))


def tags_of(refs: Iterable[tuple[str, str]]) -> tuple[Tag, ...]:
    """The tags among refs and hashes, where `<ref>^{}` gives what an annotated tag peels to in the end."""
    prefix = "refs/tags/"
    hashes = {ref[len(prefix) :]: sha for ref, sha in refs if ref.startswith(prefix)}
    return tuple(
        Tag(name=name, object=sha, commit=hashes.get(f"{name}^{{}}", sha), annotated=f"{name}^{{}}" in hashes)
        for name, sha in hashes.items()
        if not name.endswith("^{}")
    )
