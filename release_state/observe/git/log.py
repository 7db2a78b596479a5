"""What git's log records: commits with their dates and messages, the dates of tags, and which tags lie in a history."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from release_state.common.strict import convert_epoch
from release_state.model.snapshot import Commit, Tag
from release_state.observe.git.messages import GitFailed, decode_output
from release_state.observe.git.store import OBJECT_NAME, Store

_MESSAGES = ("-z", "--encoding=UTF-8", "--no-show-signature", "--format=%H%x1f%P%x1f%B")
_TAGGER = re.compile(rb"^tagger [^\n]*> (\d{1,12}) [+-]\d{4}$", re.MULTILINE)


def read_commits(store: Store, names: Sequence[str]) -> tuple[Commit, ...]:
    """Return the first line and the date of commits in the store; leaves out a commit whose line cannot be read."""
    if not names:
        return ()
    options = ("--no-walk=unsorted", "--no-show-signature", "--no-color", "--encoding=UTF-8", "--format=%H %ct %s")
    lines = store.run("log", *options, "--end-of-options", *names).text.splitlines()
    found = (line.split(" ", 2) for line in lines)
    commits = (
        (name, convert_epoch(seconds), subject) for name, seconds, subject in (part for part in found if len(part) == 3)
    )
    return tuple(Commit(sha=name, subject=subject, committed_at=at) for name, at, subject in commits if at)


def read_tag_dates(store: Store, names: Sequence[str]) -> dict[str, datetime]:
    """Return when annotated tags were made, by object; leaves out missing ones: a date is not worth a failure."""
    dates = {}
    for name in names:
        if not OBJECT_NAME.fullmatch(name):
            continue
        try:
            # The headers end at the first empty line. What follows is free text.
            head = store.run("cat-file", "tag", name, first=16_384).output.partition(b"\n\n")[0]
        except GitFailed as failed:
            if failed.stopped:
                raise
            continue
        if (found := _TAGGER.search(head)) and (at := convert_epoch(found[1])):
            dates[name] = at
    return dates


@dataclass(frozen=True)
class Message:
    """A commit and its message."""

    sha: str
    is_merge: bool
    text: str

    @property
    def subject(self) -> str:
        """The first line."""
        return self.text.split("\n", 1)[0]


def find_tags_in_history(store: Store, head: str, tags: Iterable[Tag]) -> list[tuple[str, str]]:
    """Return the name and commit of each tag that points to `head` or an ancestor of it."""
    history = set(store.run("rev-list", head, "--").text.split())
    return [(tag.name, tag.commit) for tag in tags if tag.commit in history]


def read_messages_since(store: Store, head: str, last: str | None) -> list[Message]:
    """Return the commits in the history of `head` and not in that of `last` (None: all), newest first."""
    return _messages(store.run("log", *_MESSAGES, head, *([f"^{last}"] if last else []), "--").output)


def read_messages(store: Store, commits: Sequence[str]) -> list[Message]:
    """Return these commits, in this order."""
    stdin = "".join(f"{sha}\n" for sha in commits).encode()
    return (
        _messages(store.run("log", *_MESSAGES, "--no-walk=unsorted", "--stdin", stdin=stdin).output) if commits else []
    )


def _messages(output: bytes) -> list[Message]:
    messages = []
    for entry in output.split(b"\0"):
        sha, parents, text = [*decode_output(entry).split("\x1f", 2), "", ""][:3]
        if sha.strip():
            messages.append(Message(sha.strip(), " " in parents, text.strip("\n")))
    return messages


def find_changed_contents(store: Store, head: str) -> set[str]:
    """Return the objects of files that the commits of a history changed, before and after the change."""
    options = ("--format=", "--raw", "--no-abbrev", "--no-renames", "-m", "--root", "-z")
    fields = (entry.split(b" ") for entry in store.run("log", *options, head, "--").output.split(b"\0"))
    entries = (entry for entry in fields if entry[0].startswith(b":") and len(entry) > 4)
    return {decode_output(name) for entry in entries for name in entry[2:4] if name.strip(b"0")}
