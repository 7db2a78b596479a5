"""The parts of a workflow file: triggers, permissions, concurrency, jobs and steps.

Sources: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax and, for called workflows,
https://docs.github.com/actions/how-tos/reuse-automations/reuse-workflows
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field, structs

from release_state.facts.workflow.script import split_commands

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)

DEFAULT_MINUTES = 360
"""GitHub's limit for a job without `timeout-minutes`."""
RIGHTS = (
    "actions", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues", "models",
    "packages", "pages", "pull-requests", "repository-projects", "security-events", "statuses",
)  # fmt: skip
_LEVELS = ("none", "read", "write")


class Permissions(Struct, frozen=True):
    """A `permissions` block; rights that it does not name have the level `other`."""

    levels: Mapping[str, str] = field(default_factory=dict)
    other: str = "none"

    @classmethod
    def from_setting(cls, setting: str | None) -> Permissions | None:
        """The rights of a workflow without a block, by the repository's setting; None if that is unknown."""
        if setting == "write":
            return cls({"id-token": "none"}, other="write")
        return cls({"contents": "read", "packages": "read"}) if setting == "read" else None

    def get(self, right: str) -> str:
        """The level of a right: "none", "read" or "write"; `id-token` has no "read"."""
        level = self.levels.get(right, self.other)
        return "none" if right == "id-token" and level == "read" else level

    @property
    def ceiling(self) -> Permissions:
        """The most that a called workflow may request; with write access by default, `id-token` too."""
        return structs.replace(self, levels={**self.levels, "id-token": "write"}) if self.other == "write" else self

    def limit_to(self, ceiling: Permissions) -> Permissions:
        """The lower level of each right."""
        return Permissions({right: min(self.get(right), ceiling.get(right), key=_rank) for right in RIGHTS})

    def find_excesses(self, ceiling: Permissions) -> Iterator[tuple[str, str, str]]:
        """Each right above the ceiling, with the requested and the allowed level."""
        for right in RIGHTS:
            if _rank(self.get(right)) > _rank(ceiling.get(right)):
                yield right, self.get(right), ceiling.get(right)


def _rank(level: str) -> int:
    return _LEVELS.index(level) if level in _LEVELS else 0


class Concurrency(Struct, frozen=True):
    """A `concurrency` block; `cancels` is the text of `cancel-in-progress`."""

    group: str
    cancels: str = "false"


class Input(Struct, frozen=True):
    """An input of `workflow_dispatch`; one of type choice has options, and one of type boolean has two."""

    name: str
    options: tuple[str, ...] = ()
    is_asked: bool = False
    """Whether GitHub refuses a start without it: it is required and has no default."""


class JobStep(Struct, frozen=True):
    """One step: `uses` or `run`."""

    number: int
    name: str = ""
    uses: str = ""
    run: str = ""
    shell: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Its `with`."""
    env: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    may_fail: bool = False
    folder: str = ""
    """Its `working-directory`."""

    @property
    def action(self) -> str:
        """The action that it uses, without a version and in lower case."""
        return self.uses.partition("@")[0].lower()

    @property
    def commands(self) -> list[tuple[tuple[str, ...], dict[str, str]]]:
        """The simple commands of its script, each with its variables."""
        return split_commands(self.run)

    @property
    def is_shell(self) -> bool:
        """Whether a shell runs its script, not another interpreter."""
        return self.shell.split(" ")[0] in ("", "bash", "sh", "pwsh")

    @property
    def label(self) -> str:
        """Its name, or its number."""
        return f"step “{self.name}”" if self.name else f"step {self.number}"


class WorkflowJob(Struct, frozen=True):
    """One job: its steps, or the reusable workflow that it `uses`."""

    id: str
    name: str = ""
    uses: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Its `with`."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Those that it gives to the reusable workflow."""
    permissions: Permissions | None = None
    """None if it has no block of its own."""
    minutes: str = ""
    """The text of `timeout-minutes`; empty if missing."""
    concurrency: Concurrency | None = None
    needs: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    may_fail: bool = False
    runs_on: str = ""
    """The label of its runner; may be an expression; empty for several labels."""
    runners: tuple[str, ...] = ()
    """The label of its runner, or those that its matrix names; empty: not known."""
    has_matrix: bool = False
    environment: str = ""
    """The name of the deployment environment; may be an expression."""
    steps: tuple[JobStep, ...] = ()

    @property
    def limit(self) -> int | None:
        """The limit in minutes; None if an expression sets it. Jobs of a reusable workflow have their own limits."""
        if not self.minutes:
            return DEFAULT_MINUTES
        try:
            return max(1, int(float(self.minutes)))
        except (ValueError, OverflowError):
            return None


class Workflow(Struct, frozen=True):
    """One workflow file, or the steps of a composite action."""

    triggers: tuple[str, ...] = ()
    by_tag: bool = False
    """Whether only a pushed tag or a GitHub Release starts it: its checkout then has that tag."""
    inputs: tuple[Input, ...] = ()
    permissions: Permissions | None = None
    concurrency: Concurrency | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    jobs: tuple[WorkflowJob, ...] = ()
    steps: tuple[JobStep, ...] = ()
    """Of a composite action."""

    def find_needed(self, job: str) -> set[str]:
        """The IDs of all jobs that a job needs, directly or through others."""
        needs = {each.id: each.needs for each in self.jobs}
        found, new = set[str](), set(needs.get(job, ()))
        while new:
            found |= new
            new = {name for each in new for name in needs.get(each, ())} - found
        return found


def find_expressions(text: str) -> list[str]:
    """The expressions inside `${{ }}`."""
    return [found.strip() for found in _EXPRESSION.findall(text)]
