"""The release workflow with all that it calls inside the repository: jobs, the rights of each, and what needs them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

from release_state.facts.workflow.document import NotReadable
from release_state.facts.workflow.limits import (
    compute_longest,
    derive_ceiling,
    derive_from_setting,
    find_excesses,
    limit_rights,
)
from release_state.facts.workflow.model import (
    JobStep,
    Permissions,
    Workflow,
    WorkflowJob,
    find_called_path,
    is_local,
    list_action_paths,
    parse_workflow,
)
from release_state.facts.workflow.needs import Need, find_needs, uses_own_token

_DEEPEST = 5
"""Workflows inside of workflows, and actions inside of actions, that are followed."""
_MOST_JOBS = 300
_MOST_STEPS = 3000
"""Beyond these nothing is looked at: files that call themselves have no end."""
_ALWAYS = frozenset({"", "always()", "success()", "!cancelled()", "true"})


@dataclass(frozen=True)
class Placed:
    """A job where it runs: in which file, called by whom, and with which rights."""

    job: WorkflowJob
    file: str
    workflow: Workflow
    permissions: Permissions | None
    """What its token may do; None where the repository's setting decides and is not known."""
    by_default: bool
    """Whether no block says so, but the repository's setting."""
    caller: Placed | None = None

    @property
    def where(self) -> str:
        """How a person finds it."""
        own = f"job {self.job.id}"
        return f"{self.caller.where} → {own} of {self.file}" if self.caller else own

    @property
    def is_conditional(self) -> bool:
        """Whether it, or what calls it, may be left out or may fail without harm."""
        own = not _is_always(self.job.condition) or self.job.may_fail
        return own or (self.caller is not None and self.caller.is_conditional)

    @property
    def ceiling(self) -> Permissions | None:
        """The most that a workflow may have that it calls; None where not known."""
        if self.permissions is None or not self.by_default:
            return self.permissions
        return derive_ceiling(self.permissions)


@dataclass(frozen=True)
class LocatedStep:
    """A step, and the job that it is a step of; those of the repository's own composite actions too."""

    job: Placed
    step: JobStep
    is_conditional: bool
    """Whether it may be left out, or may fail without harm to the run."""

    @property
    def where(self) -> str:
        """How a person finds it."""
        return f"{self.job.where}, {self.step.label}"


@dataclass(frozen=True)
class PlacedNeed:
    """A need, and the step that has it."""

    need: Need
    at: LocatedStep

    @property
    def where(self) -> str:
        """How a person finds it."""
        return f"{self.at.where} ({self.need.what})"


@dataclass(frozen=True)
class Excess:
    """A reusable workflow asks for more than its caller allows: GitHub then starts no run at all."""

    job: Placed
    right: str
    asked: str
    allowed: str

    @property
    def caller(self) -> str:
        """The job that calls it."""
        return self.job.caller.where if self.job.caller else self.job.where


@dataclass(frozen=True)
class ReleaseWorkflow:
    """The workflow file at `path`, with the other files of the repository that it uses by their paths.

    `default` is the repository's setting for workflows that say nothing: "read", "write", or None where not known.
    """

    path: str
    texts: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None

    @cached_property
    def problem(self) -> str | None:
        """Why the file is no YAML that GitHub would take; None for a good one."""
        try:
            parse_workflow(self.texts.get(self.path, ""))
        except NotReadable as refused:
            return str(refused)
        return None

    @cached_property
    def file(self) -> Workflow:
        """The file itself; empty where it has a problem."""
        return self._parsed(self.path) or Workflow()

    @cached_property
    def jobs(self) -> tuple[Placed, ...]:
        """Every job, each caller before those of the workflow that it calls."""
        return tuple(islice(self._placed(self.path, self.file, None, 0), _MOST_JOBS))

    @cached_property
    def steps(self) -> tuple[LocatedStep, ...]:
        """Every step, in order."""
        found = (
            LocatedStep(placed, step, conditional)
            for placed in self.jobs
            for step, conditional in self._steps(placed.job.steps, placed.is_conditional, {}, 0)
        )
        return tuple(islice(found, _MOST_STEPS))

    @cached_property
    def needs(self) -> tuple[PlacedNeed, ...]:
        """Every need that is found."""
        found = []
        for at in self.steps:
            job = at.job
            env = {**job.workflow.env, **job.job.env, **at.step.env}
            pushes_with_own = _pushes_with_own(job.job)
            found += [PlacedNeed(need, at) for need in find_needs(at.step, env, pushes_with_own=pushes_with_own)]
        return tuple(found)

    def needs_for(self, right: str) -> tuple[PlacedNeed, ...]:
        """Those of one right, whichever token they use."""
        return tuple(found for found in self.needs if found.need.right == right)

    @property
    def remote_calls(self) -> tuple[Placed, ...]:
        """Jobs that call a reusable workflow of elsewhere: it is not read."""
        return tuple(placed for placed in self.jobs if placed.job.uses and not is_local(placed.job.uses))

    @property
    def called(self) -> tuple[str, ...]:
        """Paths of the reusable workflows of the repository that it calls, there or not."""
        paths = (find_called_path(placed.job.uses) for placed in self.jobs)
        return tuple(dict.fromkeys(filter(None, paths)))

    @property
    def missing(self) -> tuple[str, ...]:
        """Files of the repository that it uses and that are not there, or cannot be read."""
        used: list[tuple[str, ...]] = [(path,) for path in self.called]
        used += [paths for at in self.steps if (paths := list_action_paths(at.step.uses))]
        lacking = [paths[0] for paths in used if all(self._parsed(path) is None for path in paths)]
        return tuple(dict.fromkeys(lacking))

    @cached_property
    def excesses(self) -> tuple[Excess, ...]:
        """What reusable workflows ask for beyond what their callers allow, as far as that is known."""
        found: dict[tuple[str, str], Excess] = {}
        for placed in self.jobs:
            ceiling = placed.caller.ceiling if placed.caller else None
            for block in (placed.workflow.permissions, placed.job.permissions):
                for right, asked, allowed in find_excesses(block, ceiling) if block and ceiling else ():
                    found.setdefault((placed.where, right), Excess(placed, right, asked, allowed))
        return tuple(found.values())

    @cached_property
    def minutes(self) -> int | None:
        """How long a run may work at the most; None where that cannot be told."""
        return compute_longest(self.path, self._parsed)

    def _parsed(self, path: str) -> Workflow | None:
        try:
            return parse_workflow(self.texts[path]) if path in self.texts else None
        except NotReadable:
            return None

    def _placed(self, path: str, workflow: Workflow, caller: Placed | None, depth: int) -> Iterator[Placed]:
        for job in workflow.jobs:
            block = job.permissions or workflow.permissions
            if caller:
                rights = limit_rights(block, caller.permissions if block is None else caller.ceiling)
            else:
                rights = block or derive_from_setting(self.default)
            by_default = block is None and (caller is None or caller.by_default)
            placed = Placed(job, path, workflow, rights, by_default, caller)
            yield placed
            called = find_called_path(job.uses)
            inner = self._parsed(called) if called else None
            if inner is not None and depth < _DEEPEST:
                yield from self._placed(called, inner, placed, depth + 1)

    def _steps(
        self, steps: tuple[JobStep, ...], conditional: bool, env: Mapping[str, str], depth: int
    ) -> Iterator[tuple[JobStep, bool]]:
        for step in steps:
            inside = conditional or not _is_always(step.condition) or step.may_fail
            merged = replace(step, env={**env, **step.env})
            yield merged, inside
            actions = (self._parsed(path) for path in list_action_paths(step.uses))
            action = next((found for found in actions if found is not None), None)
            if action is not None and depth < _DEEPEST:
                yield from self._steps(action.steps, inside, merged.env, depth + 1)


def _pushes_with_own(job: WorkflowJob) -> bool:
    """Whether the checkouts of the job leave the run's own token for `git push`, and no other key."""
    checkouts = [step for step in job.steps if step.uses.lower().startswith("actions/checkout@")]
    return all(
        uses_own_token(step.given.get("token", ""))
        and not step.given.get("ssh-key")
        and step.given.get("persist-credentials", "true") != "false"
        for step in checkouts
    )


def _is_always(condition: str) -> bool:
    return condition.strip().removeprefix("${{").removesuffix("}}").strip() in _ALWAYS


_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def find_unpinned(workflow: ReleaseWorkflow) -> tuple[str, ...]:
    """What is used by a tag or a branch, those of others than GitHub first; a `docker://` image has a digest."""
    used = [placed.job.uses for placed in workflow.jobs if placed.job.uses]
    used += [placed.step.uses for placed in workflow.steps if placed.step.uses]
    found = [name for name in dict.fromkeys(used) if not is_local(name) and not _is_pinned(name)]
    return tuple(sorted(found, key=lambda name: (name.startswith(("actions/", "github/")), name)))


def _is_pinned(uses: str) -> bool:
    if uses.startswith("docker://"):
        return "@sha256:" in uses
    return _COMMIT.fullmatch(uses.rpartition("@")[2]) is not None
