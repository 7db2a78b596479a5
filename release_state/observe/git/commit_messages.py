"""Commits of a history with their whole messages, and the tags that lie in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from release_state.model.snapshot import Tag
from release_state.observe.git.messages import readable
from release_state.observe.git.store import Store

_FORMAT = ("-z", "--encoding=UTF-8", "--no-show-signature", "--format=%H%x1f%P%x1f%B")


@dataclass(frozen=True)
class Message:
    """A commit and what its author wrote."""

    sha: str
    is_merge: bool
    text: str

    @property
    def subject(self) -> str:
        """The first line."""
        return self.text.split("\n", 1)[0]


def tags_in_history(store: Store, head: str, tags: Iterable[Tag]) -> list[tuple[str, str]]:
    """Name and commit of those tags whose commit is `head` or an ancestor of it."""
    history = set(store.run("rev-list", head, "--").text.split())
    return [(tag.name, tag.commit) for tag in tags if tag.commit in history]


def messages_since(store: Store, head: str, last: str | None) -> list[Message]:
    """The commits that `head` holds and `last` (None: nothing) does not, newest first."""
    return _messages(store.run("log", *_FORMAT, head, *([f"^{last}"] if last else []), "--").output)


def messages_of(store: Store, commits: Sequence[str]) -> list[Message]:
    """These commits, in this order."""
    stdin = "".join(f"{sha}\n" for sha in commits).encode()
    return _messages(store.run("log", *_FORMAT, "--no-walk=unsorted", "--stdin", stdin=stdin).output) if commits else []


def _messages(output: bytes) -> list[Message]:
    messages = []
    for entry in output.split(b"\0"):
        sha, parents, text = [*readable(entry).split("\x1f", 2), "", ""][:3]
        if sha.strip():
            messages.append(Message(sha.strip(), " " in parents, text.strip("\n")))
    return messages


def changed_contents(store: Store, head: str) -> set[str]:
    """The contents of files that the commits of a history changed, before and after."""
    options = ("--format=", "--raw", "--no-abbrev", "--no-renames", "-m", "--root", "-z")
    fields = (entry.split(b" ") for entry in store.run("log", *options, head, "--").output.split(b"\0"))
    names = {readable(name) for entry in fields if entry[0].startswith(b":") and len(entry) > 4 for name in entry[2:4]}
    return {name for name in names if name.strip("0")}
