"""What the release workflow's file means for one release: shared by checks (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from release_state.facts.release import Release
from release_state.facts.workflow.calls import PlacedNeed, ReleaseWorkflow
from release_state.facts.workflow.model import Input, find_expressions
from release_state.facts.workflow.needs import CONTENTS, ID_TOKEN, PULLS
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import NotApplicable, Phase
from release_state.model.plan import Step, step
from release_state.model.snapshot import WorkflowFiles

SOURCE = "release workflow"


@dataclass(frozen=True)
class LackingStep:
    """A step that needs a right which its job's token does not have."""

    where: str
    level: str
    """What it has instead: "none" or "read"."""


@dataclass(frozen=True)
class Lack:
    """All of them, for one right."""

    needs: tuple[LackingStep, ...]
    certain: bool
    """Whether the release fails on it for certain."""


def read_workflow(release: Release) -> ReleaseWorkflow:
    """The release workflow as it stands at the head of the base branch.

    Raises NotObserved where it cannot be read, NotApplicable where there is none.
    """
    files = release.snapshot.workflow_files.known()
    if files is None:
        raise NotApplicable("the project names no release workflow")
    if not files.exists:
        raise NotApplicable(f"the base branch has no {files.path}")
    settings = release.snapshot.actions_settings.value
    workflow = _built(files, settings.default_permissions if settings else None)
    if problem := _unread(files) or workflow.problem:
        why = f"{files.path} cannot be read: {problem}"
        raise NotObserved(Problem(source=SOURCE, why=why, remedy="see WORKFLOW-1"))
    return workflow


def explain_unreadable(release: Release) -> str | None:
    """Why the release workflow's file, which is there, cannot be read; None where it can."""
    files = release.snapshot.workflow_files.present()
    return _unread(files) or _built(files, None).problem


def _unread(files: WorkflowFiles) -> str | None:
    return "too large, or no UTF-8" if files.path in files.unread else None


@lru_cache(maxsize=8)
def _built(files: WorkflowFiles, default: str | None) -> ReleaseWorkflow:
    return ReleaseWorkflow(files.path, files.texts, default)


def find_time_limit(release: Release) -> int | None:
    """How long a run of the release workflow may work; None where that is not known."""
    try:
        return read_workflow(release).minutes
    except (NotObserved, NotApplicable):
        return None


def is_before_release(release: Release) -> bool:
    """Whether the release is still to be made: only then can something make it fail for certain."""
    return release.snapshot.phase == Phase.PRE_RELEASE


def find_lack(release: Release, right: str) -> Lack | None:
    """Steps that work with the run's own token and lack a right; None where all of them have it.

    Raises NotApplicable where no step is known to need it; NotObserved where what decides could not be seen.
    """
    workflow = read_workflow(release)
    needs = workflow.needs_for(right)
    own = [found for found in needs if found.need.own_token]
    if not needs:
        _nobody_needs(workflow, right)
    levels = [(found, _level(found, right)) for found in own]
    if lacking := [(found, level) for found, level in levels if level not in ("write", None)]:
        surely = any(found.need.certain and not found.at.is_conditional for found, _ in lacking)
        # Under whatever condition: a release needs one of them, and none of them can do it.
        none_can = len(lacking) == len(needs) and all(found.need.certain for found, _ in lacking)
        named = tuple(LackingStep(found.where, level or "none") for found, level in lacking)
        return Lack(named, is_before_release(release) and (surely or none_can))
    if unknown := [found for found, level in levels if level is None]:
        raise _setting_unknown(release, f"{unknown[0].where} needs {right}: write", right)
    return None


def _level(found: PlacedNeed, right: str) -> str | None:
    """What the job's token may do; None where a setting decides that is not known. No setting gives `id-token`."""
    rights = found.at.job.permissions
    if rights is None:
        return "none" if right == ID_TOKEN else None
    return rights.of(right)


def _nobody_needs(workflow: ReleaseWorkflow, right: str) -> None:
    """What it means that no step is known to need the right: nothing, as long as something is not read."""
    for call in workflow.remote_calls:
        if call.permissions is None or call.permissions.of(right) != "write":
            raise NotObserved(
                Problem(
                    source=SOURCE,
                    why=f"{call.where} calls {call.job.uses}, which lies elsewhere and is not read",
                    remedy=f"see there whether it needs {right}: write, which it does not get here",
                )
            )
    raise NotApplicable("no step that is known here needs it")


def _setting_unknown(release: Release, need: str, right: str) -> NotObserved:
    problem = release.snapshot.actions_settings.unavailable
    why = f": {problem.why}" if problem else ""
    remedy = f"name `{right}: write` in the workflow" + (f", or {problem.remedy}" if problem and problem.remedy else "")
    return NotObserved(
        Problem(
            source=SOURCE,
            why=f"{need}, no block names permissions, and the repository's default could not be seen{why}",
            remedy=remedy,
        )
    )


def find_pull_request_steps(release: Release) -> tuple[PlacedNeed, ...]:
    """The steps of the release workflow that create pull requests; none where its file cannot be looked at."""
    try:
        needs = read_workflow(release).needs_for(PULLS)
    except (NotObserved, NotApplicable):
        return ()
    return tuple(found for found in needs if found.need.what not in ("gh pr merge", "gh pr comment", "gh pr close"))


def find_pushes_to_base(release: Release) -> tuple[PlacedNeed, ...]:
    """The steps that push to the base branch by its name, with the run's own token."""
    try:
        needs = read_workflow(release).needs_for(CONTENTS)
    except (NotObserved, NotApplicable):
        return ()
    base = release.base_branch
    names = {base, f"HEAD:{base}", f"HEAD:refs/heads/{base}", f"refs/heads/{base}", f"{base}:{base}"}
    return tuple(found for found in needs if found.need.own_token and names.intersection(found.need.words))


def make_file_step(release: Release, title: str, reason: str = "") -> Step:
    """The step that changes the workflow's file."""
    files = release.snapshot.workflow_files.present()
    web = f"{release.target.github_web}/{release.target.repository}"
    return step(title, reason=reason, link=f"{web}/blob/{files.commit}/{files.path}")


def find_channel_input(workflow: ReleaseWorkflow, release: Release) -> Input | None:
    """The input of a dispatch that chooses the channel: that which offers this one, else any channel by its name."""
    names = {channel.name for channel in release.target.channels}
    offering = [given for given in workflow.file.inputs if names.intersection(given.options)]
    return next((given for given in offering if release.channel.name in given.options), next(iter(offering), None))


@dataclass(frozen=True)
class WorkflowStart:
    """How a person starts the release workflow for a channel."""

    fields: tuple[str, ...] = ()
    """Its inputs, as `name=value`."""
    hindrance: str = ""
    """Why no command can be given; empty where one can."""


def find_start(release: Release) -> WorkflowStart:
    """How the workflow is started for this channel: by its own inputs, as far as its file is known."""
    channel = release.channel.name
    try:
        workflow = read_workflow(release)
    except (NotObserved, NotApplicable):
        return WorkflowStart((f"target_environment={channel}",))
    if "workflow_dispatch" not in workflow.file.triggers:
        return WorkflowStart(
            hindrance=f"it is not started by hand, but by: {', '.join(workflow.file.triggers) or 'nothing'}"
        )
    chosen = find_channel_input(workflow, release)
    if chosen is not None and channel in chosen.options:
        return WorkflowStart((f"{chosen.name}={channel}",))
    if any(given.name == "target_environment" and not given.options for given in workflow.file.inputs):
        return WorkflowStart((f"target_environment={channel}",))
    # Started with its defaults, it might publish to another index than the one that is meant.
    return (
        WorkflowStart(hindrance="which of its inputs chooses the channel is not known")
        if workflow.file.inputs
        else WorkflowStart()
    )


def find_variation(group: str, workflow: ReleaseWorkflow, chosen: Input | None) -> str | None:
    """What makes the name of a concurrency group differ between channels or runs; None: nothing does."""
    for expression in find_expressions(group):
        words = expression.replace("'", " ").lower()
        for run in ("github.run_id", "github.run_number", "github.run_attempt", "github.sha"):
            if run in words:
                return run
        inputs = [given.name for given in workflow.file.inputs if f"inputs.{given.name.lower()}" in words]
        if chosen is not None and chosen.name in inputs:
            return f"inputs.{chosen.name}"
        if chosen is None and inputs:
            return f"inputs.{inputs[0]}"
        if set(workflow.file.triggers) - {"workflow_dispatch"} and "github.ref" in words:
            return "github.ref"
    return None
