"""When commits were committed and tags were made, as far as git records it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from release_state.moments import of_epoch
from release_state.observe.git_messages import GitFailed
from release_state.observe.git_store import OBJECT_NAME, Store
from release_state.snapshot import Commit

_TAGGER = re.compile(rb"^tagger [^\n]*> (\d{1,12}) [+-]\d{4}$", re.MULTILINE)


def read_commits(store: Store, names: Sequence[str]) -> tuple[Commit, ...]:
    """The first line and the date of commits that are there; none where git's answer cannot be read."""
    if not names:
        return ()
    options = ("--no-walk=unsorted", "--no-show-signature", "--no-color", "--encoding=UTF-8", "--format=%H %ct %s")
    lines = store.run("log", *options, "--end-of-options", *names).text.splitlines()
    found = (line.split(" ", 2) for line in lines)
    commits = (
        (name, of_epoch(seconds), subject) for name, seconds, subject in (part for part in found if len(part) == 3)
    )
    return tuple(Commit(sha=name, subject=subject, committed_at=at) for name, at, subject in commits if at)


def read_tag_dates(store: Store, names: Sequence[str]) -> dict[str, datetime]:
    """When annotated tags were made, by their objects; those alone that are there: a date is worth no failure."""
    dates = {}
    for name in names:
        if not OBJECT_NAME.fullmatch(name):
            continue
        try:
            # The headers end at the first empty line; what follows is a stranger's text.
            head = store.run("cat-file", "tag", name, first=16_384).output.partition(b"\n\n")[0]
        except GitFailed as failed:
            if failed.stopped:
                raise
            continue
        if (found := _TAGGER.search(head)) and (at := of_epoch(found[1])):
            dates[name] = at
    return dates
