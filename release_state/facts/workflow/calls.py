"""The release workflow with the local workflows and actions that it calls: jobs, their rights, and who needs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import islice

from msgspec import Struct, field, structs

from release_state.facts.workflow.document import NotReadable, find_called_path, is_local, list_action_paths
from release_state.facts.workflow.model import RIGHTS, JobStep, Permissions, Workflow, WorkflowJob
from release_state.facts.workflow.needs import Need, find_needs, uses_own_token
from release_state.facts.workflow.parsing import parse_workflow

_DEEPEST = 5
"""Levels of nested workflows, and of nested actions."""
_MOST_JOBS, _MOST_STEPS = 300, 3000
"""The rest is not read: files that call themselves have no end."""
_ALWAYS = frozenset({"", "always()", "success()", "!cancelled()", "true"})


class PlacedJob(Struct, frozen=True):
    """A job with its file, its caller and its rights."""

    job: WorkflowJob
    file: str
    workflow: Workflow
    permissions: Permissions | None
    """The rights of its token; None if the repository's setting decides and is unknown."""
    by_default: bool
    """Whether the repository's setting gives the rights, not a block."""
    caller: PlacedJob | None = None

    @property
    def where(self) -> str:
        """Its path of callers, job and file, in words."""
        own = f"job {self.job.id}"
        return f"{self.caller.where} → {own} of {self.file}" if self.caller else own

    @property
    def listed_name(self) -> str:
        """The name that GitHub lists it by, with its callers' before it; may hold expressions, and lacks a matrix."""
        own = self.job.name or self.job.id
        return f"{self.caller.listed_name} / {own}" if self.caller else own

    @property
    def top(self) -> PlacedJob:
        """The job of the workflow that a run is of: itself, or the one that calls it."""
        return self.caller.top if self.caller else self

    @property
    def is_conditional(self) -> bool:
        """Whether it or a caller may be skipped, or may fail without ending the run."""
        own = not _is_always(self.job.condition) or self.job.may_fail
        return own or (self.caller is not None and self.caller.is_conditional)

    @property
    def ceiling(self) -> Permissions | None:
        """The most that a workflow may request that it calls; None if unknown."""
        return self.permissions.ceiling if self.permissions and self.by_default else self.permissions


class LocatedStep(Struct, frozen=True):
    """A step of a job or of a local composite action, and the job."""

    job: PlacedJob
    step: JobStep
    is_conditional: bool
    """Whether it may be skipped, or may fail without ending the run."""

    @property
    def env(self) -> Mapping[str, str]:
        """The variables of its workflow, its job and itself."""
        return {**self.job.workflow.env, **self.job.job.env, **self.step.env}

    @property
    def where(self) -> str:
        """The job and the step, in words."""
        return f"{self.job.where}, {self.step.label}"


class PlacedNeed(Struct, frozen=True):
    """A need, and the step that has it."""

    need: Need
    at: LocatedStep

    @property
    def where(self) -> str:
        """The job, the step and the action or command, in words."""
        return f"{self.at.where} ({self.need.what})"


class Excess(Struct, frozen=True):
    """A right that a reusable workflow requests beyond its caller's: GitHub then starts no run."""

    where: str
    caller: str
    right: str
    asked: str
    allowed: str


class ReleaseWorkflow(Struct, frozen=True, dict=True):
    """The workflow file at `path`, and the texts of all local files that it uses, by path.

    `default` is the repository's setting for workflows without a block: "read", "write", or None if unknown.
    """

    path: str
    texts: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None

    @cached_property
    def problem(self) -> str | None:
        """Why the file cannot be read; None if it can."""
        if self.path not in self.texts:
            return "too large, or not UTF-8"
        try:
            parse_workflow(self.texts[self.path])
        except NotReadable as refusal:
            return str(refusal)
        return None

    @cached_property
    def file(self) -> Workflow:
        """The file itself; empty if it has a problem."""
        return self._parsed(self.path) or Workflow()

    @cached_property
    def jobs(self) -> tuple[PlacedJob, ...]:
        """All jobs, each caller before the jobs that it calls."""
        return tuple(islice(self._placed(self.path, self.file, None, 0), _MOST_JOBS))

    @cached_property
    def steps(self) -> tuple[LocatedStep, ...]:
        """All steps, in order."""
        steps = (
            LocatedStep(placed, step, is_conditional)
            for placed in self.jobs
            for step, is_conditional in self._steps(placed.job.steps, placed.is_conditional, {}, 0)
        )
        return tuple(islice(steps, _MOST_STEPS))

    def find_steps_of(self, job: PlacedJob) -> list[LocatedStep]:
        """The steps of one job."""
        return [at for at in self.steps if at.job is job]

    @cached_property
    def needs(self) -> tuple[PlacedNeed, ...]:
        """All known needs of the steps."""
        return tuple(
            PlacedNeed(need, at)
            for at in self.steps
            for need in find_needs(at.step, at.env, pushes_with_own=_pushes_with_own(at.job.job))
        )

    def find_needs_for(self, right: str) -> tuple[PlacedNeed, ...]:
        """The needs of one right, with any token."""
        return tuple(placed for placed in self.needs if placed.need.right == right)

    @property
    def remote_calls(self) -> tuple[PlacedJob, ...]:
        """Jobs that call a reusable workflow of another repository, which is not read."""
        return tuple(placed for placed in self.jobs if placed.job.uses and not is_local(placed.job.uses))

    @property
    def called_paths(self) -> tuple[str, ...]:
        """Paths of the local reusable workflows that it calls, also of missing ones."""
        paths = (find_called_path(placed.job.uses) for placed in self.jobs)
        return tuple(dict.fromkeys(filter(None, paths)))

    @property
    def closed_paths(self) -> tuple[str, ...]:
        """Paths of the local workflows that it calls and that no workflow can call."""
        called = ((path, self._parsed(path)) for path in self.called_paths)
        return tuple(path for path, file in called if file is not None and "workflow_call" not in file.triggers)

    @property
    def missing_paths(self) -> tuple[str, ...]:
        """Local files that it uses and that are missing or invalid."""
        uses = [*((path,) for path in self.called_paths), *(list_action_paths(at.step.uses) for at in self.steps)]
        missing = [paths[0] for paths in uses if paths and all(self._parsed(path) is None for path in paths)]
        return tuple(dict.fromkeys(missing))

    @cached_property
    def excesses(self) -> tuple[Excess, ...]:
        """Rights that reusable workflows request beyond their callers' known rights."""
        excesses: dict[tuple[str, str], Excess] = {}
        for placed in self.jobs:
            if (caller := placed.caller) is None or (ceiling := caller.ceiling) is None:
                continue
            for block in filter(None, (placed.workflow.permissions, placed.job.permissions)):
                for right, asked, allowed in block.find_excesses(ceiling):
                    excess = Excess(placed.where, caller.where, right, asked, allowed)
                    excesses.setdefault((placed.where, right), excess)
        return tuple(excesses.values())

    @cached_property
    def minutes(self) -> int | None:
        """The time limit of a whole run, with the sum for jobs that wait for each other.

        None if an expression sets a limit, or a job calls a workflow that is not read.
        """
        return self._compute_minutes(self.path, {})

    def _compute_minutes(self, path: str, known: dict[str, int | None]) -> int | None:
        if path in known:
            return known[path]
        known[path] = None  # until it is computed: a workflow that calls itself has no end
        workflow = self._parsed(path)
        jobs = {job.id: job for job in workflow.jobs} if workflow else {}
        try:
            order = tuple(TopologicalSorter({name: job.needs for name, job in jobs.items()}).static_order())
        except CycleError:
            return None
        if workflow is None or not jobs.keys() >= set(order):
            return None
        ends: dict[str, int] = {}
        for job in map(jobs.__getitem__, order):
            minutes = self._compute_minutes(find_called_path(job.uses), known) if job.uses else job.limit
            if minutes is None:
                return None
            ends[job.id] = minutes + max((ends[name] for name in job.needs), default=0)
        known[path] = max(ends.values(), default=0)
        return known[path]

    def _parsed(self, path: str) -> Workflow | None:
        try:
            return parse_workflow(self.texts[path]) if path in self.texts else None
        except NotReadable:
            return None

    def _placed(self, path: str, workflow: Workflow, caller: PlacedJob | None, depth: int) -> Iterator[PlacedJob]:
        for job in workflow.jobs:
            block = job.permissions or workflow.permissions
            if caller is None:
                rights = block or Permissions.from_setting(self.default)
            elif block is None or caller.ceiling is None:
                # A block without rights gives none, even if the caller's are unknown.
                rights = block if block and all(block.get(right) == "none" for right in RIGHTS) else caller.permissions
            else:
                rights = block.limit_to(caller.ceiling)
            by_default = block is None and (caller is None or caller.by_default)
            placed = PlacedJob(job, path, workflow, rights, by_default, caller)
            yield placed
            called = find_called_path(job.uses)
            inner = self._parsed(called) if called else None
            if inner is not None and depth < _DEEPEST:
                yield from self._placed(called, inner, placed, depth + 1)

    def _steps(
        self, steps: tuple[JobStep, ...], is_conditional: bool, env: Mapping[str, str], depth: int
    ) -> Iterator[tuple[JobStep, bool]]:
        for step in steps:
            may_skip = is_conditional or not _is_always(step.condition) or step.may_fail
            merged = structs.replace(step, env={**env, **step.env})
            yield merged, may_skip
            action = next(filter(None, map(self._parsed, list_action_paths(step.uses))), None)
            if action is not None and depth < _DEEPEST:
                yield from self._steps(action.steps, may_skip, merged.env, depth + 1)


def _pushes_with_own(job: WorkflowJob) -> bool:
    """Whether the checkouts of a job leave the run's own token for `git push`, and no other key."""
    inputs = (step.inputs for step in job.steps if step.action == "actions/checkout")
    return all(
        uses_own_token(each.get("token", "")) and not each.get("ssh-key") and each.get("persist-credentials") != "false"
        for each in inputs
    )


def _is_always(condition: str) -> bool:
    return condition.strip().removeprefix("${{").removesuffix("}}").strip() in _ALWAYS
