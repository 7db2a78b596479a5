"""What the token of a job may do: blocks, the repository's setting, and the ceiling that a caller sets.

Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#permissions and
https://docs.github.com/actions/how-tos/reuse-automations/reuse-workflows
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from release_state.facts.workflow.model import Permissions

RIGHTS = (
    "actions", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues", "models",
    "packages", "pages", "pull-requests", "repository-projects", "security-events", "statuses",
)  # fmt: skip
_LEVELS = ("none", "read", "write")


def derive_from_setting(setting: str | None) -> Permissions | None:
    """What a workflow may do that names no permissions; None where the repository's setting is not known."""
    if setting == "write":
        return Permissions({"id-token": "none"}, other="write")
    return Permissions({"contents": "read", "packages": "read"}) if setting == "read" else None


def derive_ceiling(rights: Permissions) -> Permissions:
    """The same as a ceiling of what is called: of one owner, a generous setting lets it ask for `id-token` too."""
    return replace(rights, levels={**rights.levels, "id-token": "write"}) if rights.other == "write" else rights


def limit_rights(block: Permissions | None, ceiling: Permissions | None) -> Permissions | None:
    """What is left of a block below a ceiling; None where it is not known."""
    if block is None or ceiling is None:
        # A block that gives nothing gives nothing below any ceiling.
        return block if block is not None and all(block.of(right) == "none" for right in RIGHTS) else ceiling
    return Permissions({right: min(block.of(right), ceiling.of(right), key=_rank) for right in RIGHTS})


def find_excesses(asked: Permissions, allowed: Permissions) -> Iterator[tuple[str, str, str]]:
    """Right, level asked for and level allowed, where more is asked for."""
    for right in RIGHTS:
        if _rank(asked.of(right)) > _rank(allowed.of(right)):
            yield right, asked.of(right), allowed.of(right)


def _rank(level: str) -> int:
    return _LEVELS.index(level) if level in _LEVELS else 0
