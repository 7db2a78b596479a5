"""Observe the remote's refs with one `git ls-remote`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING

from release_state.common.addresses import ENCODE, find_git_fault, strip_credentials
from release_state.model.observation import Observation
from release_state.model.snapshot import Branch, Clone, Remote, Tag
from release_state.observe.git.command import Git, GitFailed, ask_patiently, decode_output, observe_git
from release_state.observe.git.environment import (
    Settings,
    add_credentials,
    add_settings,
    build_ssh_command,
    cut_network,
    hide_repositories,
)
from release_state.observe.git.reader import CloneReader
from release_state.observe.process import LISTING_MEMORY

if TYPE_CHECKING:
    from release_state.observe.git.access import TokenAccess

SOURCE = "git remote"

NO_REFS = "answered without any ref: an empty repository, or the page of a captive portal or proxy"
"""Git reads a page of one line with status 200 as the ref list of an old server, and finds no ref in it."""

_FAULTS = {
    "character": "it starts with a dash or holds a control character",
    "password": "an @ behind its host may end a password",
    "query": "it holds a query or a fragment",
    "form": "it is not an https, ssh, git or file URL, host:path or an absolute path",
}
_REF_LINE = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64})[\t ](refs/[^\x00-\x20\x7f]+)")


def observe_remote(
    url: str, timeout: float, *, cancel: Event | None = None, access: TokenAccess | None = None
) -> Observation[Remote]:
    """Ask a remote for its branches, tags and default branch; `timeout` in seconds.

    `access` is tried where the remote refuses what the user's own git has: credentials, or none.
    One connection, with retries after trouble that passes. A local repository without refs is known and empty. Every
    failure is unavailable, and so is a remote that answers without any ref.
    """

    def ask() -> Remote:
        check_url(url)
        git = Git(timeout, cancel, access)
        # Patterns match at any "/", so the result is filtered again. Git asks the server for certain prefixes only with
        # --heads and --tags, which leave out HEAD and so the default branch. One full list costs less than a second
        # connection, and the patterns keep refs/pull out of what is read here.
        asked = ("--symref", "--"), ("HEAD", "refs/heads/*", "refs/tags/*")
        try:
            answer = list_refs(git, url, *asked)
        except GitFailed as failed:
            if access is None or access.is_needed or not failed.is_refusal:
                raise
            access.is_needed = True
            try:
                answer = list_refs(git, url, *asked)
            except GitFailed as again:
                access.is_needed = False
                raise failed if again.is_refusal else again from None
        found = parse_refs(strip_credentials(url), answer)
        if not answer and not is_local(url):
            raise GitFailed(NO_REFS, "open the address in a browser: a proxy may want a login; and check the address")
        return found

    return observe_git(SOURCE, ask)


def list_refs(git: Git, url: str, options: Sequence[str], patterns: Sequence[str]) -> bytes:
    """Return what `git ls-remote` prints, after retries. Raises GitFailed."""
    with TemporaryDirectory(prefix="release-state-") as empty:
        folder = Path(empty)
        env, name = build_network_environment(git, folder, url)
        command = ("ls-remote", *options, name, *patterns)
        return ask_patiently(git, lambda: git.run(*command, cwd=folder, env=env, memory=LISTING_MEMORY)).output


def is_local(url: str) -> bool:
    """Return whether the address is a folder of this machine, with no proxy in between."""
    return url.startswith(("/", "file://"))


def check_url(url: str) -> None:
    """Raise GitFailed if git must not get this address. Its text repeats no part of it: that may be a password."""
    if fault := find_git_fault(url):
        remedy = ENCODE if fault == "password" else None
        raise GitFailed(f"the remote's address was refused: {_FAULTS[fault]}", remedy)


def build_network_environment(git: Git, folder: Path, url: str) -> tuple[dict[str, str], str]:
    """Return the environment for commands that talk to the remote at `url`, and the name that they call it by.

    Git finds no repository around `folder`. The environment holds the address and the password: otherwise git would
    pass both on as arguments, also those of the user's `url.*.insteadOf`. Raises GitFailed.
    """
    sees_no_repository = hide_repositories(git.environ, folder)
    settings = _read_network_settings(git, folder)
    address = url
    if strip_credentials(url) == url and (address := _rewrite(url, settings)) != url:
        check_url(address)
    env = add_credentials(sees_no_repository, address)
    if git.access and git.access.is_needed and address == url == git.access.address:
        env = git.access.add_to(env)
    # Rewritten here; git rewrites only once, from our own name to the address.
    env = add_settings(env, [(f"url.{strip_credentials(address)}.insteadOf", _NAME)])
    own_ssh = (env.get("GIT_SSH_COMMAND"), env.get("GIT_SSH"), dict(settings).get("core.sshcommand", "").strip())
    if not any(own_ssh):
        env["GIT_SSH_COMMAND"] = build_ssh_command(git.seconds)
    return env, _NAME


_NAME = "release-state-remote:/"
"""The name that git gets instead of the address."""


def _rewrite(url: str, settings: Settings) -> str:
    """Return the address as git would rewrite it: the longest matching beginning wins."""
    rules = [(name[4:-10], start) for name, start in settings if name.endswith(".insteadof") and url.startswith(start)]
    if not rules:
        return url
    base, start = max(rules, key=lambda rule: len(rule[1]))
    return base + url[len(start) :]


def _read_network_settings(git: Git, folder: Path) -> Settings:
    """Return the user's own settings for ssh and for rewriting addresses. Read once."""
    key = git.program, tuple(sorted(git.environ.items()))
    if key not in _settings:
        env = hide_repositories(cut_network(git.environ), folder)
        wanted = r"^(core\.sshcommand|url\..*\.insteadof)$"
        configured = git.run("config", "-z", "--get-regexp", wanted, cwd=folder, env=env, accept=(0, 1))
        entries = (os.fsdecode(entry).partition("\n") for entry in configured.output.split(b"\0") if entry)
        _settings[key] = tuple((name, value) for name, _, value in entries)
    return _settings[key]


_settings: dict[tuple[str, tuple[tuple[str, str], ...]], Settings] = {}


def parse_refs(url: str, output: bytes) -> Remote:
    """Return the refs in the output of `git ls-remote --symref`. Raises GitFailed for a line of another form."""
    default: str | None = None
    refs: list[tuple[str, str]] = []
    seen: dict[bytes, bytes] = {}
    for line in output.split(b"\n"):
        if line.startswith(b"ref: refs/heads/") and line.endswith(b"\tHEAD"):
            default = decode_output(line[len(b"ref: refs/heads/") : -len(b"\tHEAD")])
            # Git itself makes no branch with such a name: it would be an option in every command.
            default = None if default.startswith("-") else default
        elif found := _REF_LINE.fullmatch(line):
            if seen.setdefault(found[2], found[1]) != found[1]:
                raise GitFailed(f"git ls-remote answered two hashes for {decode_output(found[2])}")
            refs.append((decode_output(found[2]), decode_output(found[1])))
        elif line and not line.startswith(b"ref: ") and not re.fullmatch(rb"[0-9a-f]+\tHEAD", line):
            raise GitFailed("git ls-remote answered a line that is no ref")
    heads = "refs/heads/"
    branches = (Branch(name=ref[len(heads) :], sha=sha) for ref, sha in refs if ref.startswith(heads))
    return Remote(url=url, default_branch=default, branches=tuple(branches), tags=parse_tags(refs))


def foresee_refs(reader: CloneReader, clone: Clone, remote_name: str, url: str) -> Remote | None:
    """Return the refs that the clone last saw of the remote; None if it has none of them. Raises GitFailed.

    They are no fact: the remote's own answer says what is there now.
    """
    if clone.remote_url != strip_credentials(url):
        return None
    prefix = f"refs/remotes/{remote_name}/"
    listed = reader.run("for-each-ref", "--format=%(refname) %(objectname) %(symref)", prefix).text.splitlines()
    entries = [line.removeprefix(prefix).split(" ", 2) for line in listed]
    branches = tuple(Branch(name=name, sha=sha) for name, sha, of in entries if not of)
    default = next((of.removeprefix(prefix) for name, _, of in entries if name == "HEAD" and of), clone.branch)
    return Remote(url=strip_credentials(url), default_branch=default, branches=branches, tags=clone.tags)


def parse_tags(refs: Iterable[tuple[str, str]]) -> tuple[Tag, ...]:
    """Return the tags among pairs of ref and hash; `<ref>^{}` holds what an annotated tag finally peels to."""
    prefix = "refs/tags/"
    hashes = {ref[len(prefix) :]: sha for ref, sha in refs if ref.startswith(prefix)}
    return tuple(
        Tag(name=name, object=sha, commit=hashes.get(f"{name}^{{}}", sha), annotated=f"{name}^{{}}" in hashes)
        for name, sha in hashes.items()
        if not name.endswith("^{}")
    )
