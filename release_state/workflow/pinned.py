"""Which actions and reusable workflows from elsewhere are not pinned to a commit."""

from __future__ import annotations

import re

from release_state.workflow.calls import ReleaseWorkflow
from release_state.workflow.paths import is_local

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def unpinned(workflow: ReleaseWorkflow) -> tuple[str, ...]:
    """What is used by a tag or a branch, those of others than GitHub first; a `docker://` image has a digest."""
    used = [placed.job.uses for placed in workflow.jobs if placed.job.uses]
    used += [placed.step.uses for placed in workflow.steps if placed.step.uses]
    found = [name for name in dict.fromkeys(used) if not is_local(name) and not _is_pinned(name)]
    return tuple(sorted(found, key=lambda name: (name.startswith(("actions/", "github/")), name)))


def _is_pinned(uses: str) -> bool:
    if uses.startswith("docker://"):
        return "@sha256:" in uses
    return _COMMIT.fullmatch(uses.rpartition("@")[2]) is not None
