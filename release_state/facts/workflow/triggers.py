"""When a push to a branch starts a workflow: its `on.push` with filters, and what keeps every workflow away (pure).

Source: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#push,
https://docs.github.com/actions/how-tos/manage-workflow-runs/skip-workflow-runs
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from release_state.facts.workflow.document import read_yaml
from release_state.facts.workflow.filters import is_taken, takes_any

BOT = "github-actions[bot]"
"""The account of a run's own token, whose pushes and merges start no workflow."""

_MARKER = re.compile(r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]")
_TRAILER = re.compile(r"^skip-checks: ?true\s*\Z", re.MULTILINE)


@dataclass(frozen=True)
class PushTrigger:
    """The filters of `on.push`; None: the file does not have this one."""

    branches: tuple[str, ...] | None = None
    branches_ignore: tuple[str, ...] | None = None
    only_tags: bool = False
    """Whether it names tags and no branches: then no push to a branch starts it."""
    paths: tuple[str, ...] | None = None
    paths_ignore: tuple[str, ...] | None = None

    @property
    def has_paths(self) -> bool:
        """Whether it depends on what was changed."""
        return self.paths is not None or self.paths_ignore is not None

    def is_for(self, branch: str) -> bool:
        """Whether pushes to this branch start the workflow, whatever they change."""
        if self.branches is not None:
            return is_taken(self.branches, branch)
        if self.branches_ignore is not None:
            return not is_taken(self.branches_ignore, branch)
        return not self.only_tags

    def takes(self, changed: Collection[str]) -> bool:
        """Whether a push that changed these paths starts the workflow."""
        if self.paths is not None and not takes_any(self.paths, changed):
            return False
        ignored = self.paths_ignore
        return ignored is None or not all(is_taken(ignored, path) for path in changed)


def read_events(text: str) -> dict[str, object]:
    """The events that start the workflow of this text, with the filters of each; one that is all comment has none.

    Raises NotReadable.
    """
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        return {}
    events = read_yaml(text).get("on")
    if isinstance(events, dict):
        return events
    return {str(event): None for event in (events if isinstance(events, list) else [events])}


def read_push_trigger(events: Mapping[str, object]) -> PushTrigger | None:
    """What a push does to the workflow of these events; None where it starts it on no branch and no tag."""
    if "push" not in events:
        return None
    given = events["push"]
    filters = given if isinstance(given, dict) else {}
    branches, ignored = _patterns(filters, "branches"), _patterns(filters, "branches-ignore")
    return PushTrigger(
        branches=branches,
        branches_ignore=ignored,
        only_tags=("tags" in filters or "tags-ignore" in filters) and branches is None and ignored is None,
        paths=_patterns(filters, "paths"),
        paths_ignore=_patterns(filters, "paths-ignore"),
    )


def find_skip_marker(message: str) -> str:
    """What in the message of a commit keeps workflows from starting on its push; empty: nothing."""
    if found := _MARKER.search(message):
        return found[0]
    return "skip-checks: true" if _TRAILER.search(message.rstrip()) else ""


def _patterns(filters: dict[str, object], name: str) -> tuple[str, ...] | None:
    value = filters.get(name)
    if value is None:
        return None
    return tuple(str(item) for item in (value if isinstance(value, list) else [value]))
