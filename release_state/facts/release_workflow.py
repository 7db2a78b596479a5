"""What the release workflow's file means for one release (pure)."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct, structs

from release_state.common.text import join_items
from release_state.facts.process import explain_unknown
from release_state.facts.release import Release
from release_state.facts.workflow.calls import PlacedNeed, ReleaseWorkflow
from release_state.facts.workflow.document import FOLDER
from release_state.facts.workflow.making import find_made
from release_state.facts.workflow.model import Input
from release_state.facts.workflow.needs import CONTENTS, ID_TOKEN, PULLS
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import NotApplicable, Phase
from release_state.model.plan import Step, step
from release_state.model.snapshot import WorkflowFiles

SOURCE = "release workflow"


class Lack(Struct, frozen=True):
    """The steps that lack a right, with the level that they have, and whether the release is certain to fail."""

    steps: tuple[str, ...]
    certain: bool


def read_workflow(release: Release) -> ReleaseWorkflow:
    """The release workflow at the head of the base branch.

    Raises NotObserved if it cannot be read, NotApplicable if it is missing.
    """
    files = release.snapshot.workflow_files.known()
    if files is None:
        raise NotApplicable("the project has no release workflow")
    if not files.path:
        raise NotObserved(explain_unknown(release.target))
    if not files.exists:
        raise NotApplicable(f"the base branch has no {files.path}")
    settings = release.snapshot.actions_settings.value
    workflow = _build(files, settings.default_permissions if settings else None)
    if workflow.problem:
        why = f"{files.path} cannot be read: {workflow.problem}"
        raise NotObserved(Problem(source=SOURCE, why=why, remedy="see WORKFLOW-1"))
    return workflow


def require_workflow(release: Release) -> None:
    """Raise NotApplicable if the project has no release workflow, NotObserved if nobody knows which one it is."""
    if not release.target.workflow:
        if release.target.process.candidates:
            raise NotObserved(explain_unknown(release.target))
        raise NotApplicable("the project has no release workflow")


def explain_unreadable(release: Release) -> str | None:
    """Why the existing file of the release workflow cannot be read; None if it can."""
    return _build(release.snapshot.workflow_files.present(), None).problem


@lru_cache(maxsize=8)
def _build(files: WorkflowFiles, default: str | None) -> ReleaseWorkflow:
    return ReleaseWorkflow(files.path, files.texts, default)


def _read_known(release: Release) -> ReleaseWorkflow | None:
    """The release workflow; None if it is missing or cannot be read."""
    try:
        return read_workflow(release)
    except (NotObserved, NotApplicable):
        return None


def find_time_limit(release: Release) -> int | None:
    """The time limit of a release run in minutes; None if unknown."""
    workflow = _read_known(release)
    return workflow.minutes if workflow else None


def is_before_release(release: Release) -> bool:
    """Whether the release has not started: only then is a failure certain."""
    return release.snapshot.phase == Phase.PRE_RELEASE


def find_lack(release: Release, right: str) -> Lack | None:
    """The steps that use the run's own token and lack a right; None if there are none.

    Raises NotApplicable if no step is known to need it, NotObserved if the level of a step is unknown.
    """
    workflow = read_workflow(release)
    needs = workflow.find_needs_for(right)
    if not needs:
        raise _explain_no_need(workflow, right)
    levels = [(need, _find_level(need, right)) for need in needs if need.need.own_token]
    if lacking := [(need, level) for need, level in levels if level not in ("write", None)]:
        has_certain = any(need.need.certain and not need.at.is_conditional for need, _ in lacking)
        # A release needs one of them, under whatever condition, and none has the right.
        has_none = len(lacking) == len(needs) and all(need.need.certain for need, _ in lacking)
        steps = tuple(f"{need.where} has `{right}: {level}`" for need, level in lacking)
        return Lack(steps, is_before_release(release) and (has_certain or has_none))
    if unknown := next((need for need, level in levels if level is None), None):
        raise _explain_unknown_setting(release, unknown.where, right)
    return None


def _find_level(need: PlacedNeed, right: str) -> str | None:
    """The level of a right; None if an unknown setting decides, which never gives `id-token`."""
    if rights := need.at.job.permissions:
        return rights.get(right)
    return "none" if right == ID_TOKEN else None


def _explain_no_need(workflow: ReleaseWorkflow, right: str) -> NotObserved | NotApplicable:
    """The statement if no known step needs a right; a workflow that is not read may need it."""
    for call in workflow.remote_calls:
        if call.permissions is None or call.permissions.get(right) != "write":
            why = f"{call.where} calls {call.job.uses} in another repository, which is not read"
            remedy = f"check whether it needs {right}: write, which this job does not give it"
            return NotObserved(Problem(source=SOURCE, why=why, remedy=remedy))
    return NotApplicable("no known step needs it")


def _explain_unknown_setting(release: Release, where: str, right: str) -> NotObserved:
    problem = release.snapshot.actions_settings.unavailable
    cause = f": {problem.why}" if problem else ""
    why = f"{where} needs {right}: write, no block sets permissions, and the repository's default is unknown{cause}"
    remedy = f"set `{right}: write` in the workflow" + (f", or {problem.remedy}" if problem and problem.remedy else "")
    return NotObserved(Problem(source=SOURCE, why=why, remedy=remedy))


def find_pull_request_steps(release: Release) -> tuple[PlacedNeed, ...]:
    """The steps of the release workflow that create pull requests; empty if it cannot be read."""
    workflow = _read_known(release)
    needs = workflow.find_needs_for(PULLS) if workflow else ()
    return tuple(need for need in needs if need.need.what not in ("gh pr merge", "gh pr comment", "gh pr close"))


def find_pushes_to_base(release: Release) -> tuple[PlacedNeed, ...]:
    """The steps that push to the base branch by name with the run's own token; empty if the file cannot be read."""
    if (workflow := _read_known(release)) is None:
        return ()
    base = release.base_branch
    names = {base, f"HEAD:{base}", f"HEAD:refs/heads/{base}", f"refs/heads/{base}", f"{base}:{base}"}
    needs = workflow.find_needs_for(CONTENTS)
    return tuple(need for need in needs if need.need.own_token and names.intersection(need.need.words))


def make_file_step(release: Release, title: str, reason: str = "") -> Step:
    """The step of a plan that changes the workflow file."""
    files = release.snapshot.workflow_files.present()
    return step(title, reason=reason, link=f"{release.target.web}/blob/{files.commit}/{files.path}")


def find_channel_input(workflow: ReleaseWorkflow, release: Release) -> Input | None:
    """The manual input that chooses the channel: one that offers this channel, else one that offers another."""
    names = {channel.name for channel in release.target.channels}
    choices = [choice for choice in workflow.file.inputs if names.intersection(choice.options)]
    return next((choice for choice in choices if release.channel.name in choice.options), next(iter(choices), None))


class WorkflowStart(Struct, frozen=True):
    """How a person starts the release workflow: its inputs as `name=value`, or why no command can start it."""

    fields: tuple[str, ...] = ()
    hindrance: str = ""


def find_start(release: Release) -> WorkflowStart:
    """How to start the workflow for this channel, as far as its file is known."""
    try:
        workflow = read_workflow(release)
    except NotObserved:
        return WorkflowStart((f"target_environment={release.channel.name}",))
    except NotApplicable as missing:  # GitHub starts none by hand that the default branch lacks
        return WorkflowStart(hindrance=str(missing))
    return _start(release, workflow)


def find_start_at_tag(release: Release) -> WorkflowStart:
    """How to start the workflow on the version's tag: the tag's own file says which inputs it takes."""
    try:
        workflow, files = read_workflow(release), release.snapshot.workflow_files.present()
    except (NotObserved, NotApplicable) as missing:
        return WorkflowStart(hindrance=str(missing))
    if files.at_tag is not None:
        workflow = _build(structs.replace(files, files=files.at_tag), None)
        if files.path not in workflow.texts or files.path in files.unread or workflow.problem:
            return WorkflowStart(hindrance=f"the tag has no {files.path} that can be read")
    return _start(release, workflow)


def _start(release: Release, workflow: ReleaseWorkflow) -> WorkflowStart:
    channel, triggers, inputs = release.channel.name, workflow.file.triggers, workflow.file.inputs
    if release.target.workflow.startswith("-"):
        return WorkflowStart(hindrance="its file name begins with -, which gh takes for an option")
    if "workflow_dispatch" not in triggers:
        return WorkflowStart(hindrance=f"it is not started by hand, but by: {', '.join(triggers) or 'nothing'}")
    chosen = find_channel_input(workflow, release)
    if chosen is None or channel not in chosen.options:
        chosen = next((each for each in inputs if each.name == "target_environment" and not each.options), None)
    if chosen is None and inputs:  # with its defaults, it might publish to another index
        return WorkflowStart(hindrance=f"it asks a person for {join_items(each.name for each in inputs)}")
    if asked := [each.name for each in inputs if each.is_asked and each != chosen]:
        return WorkflowStart(hindrance=f"it asks a person for {join_items(asked)}, too")
    return WorkflowStart((f"{chosen.name}={channel}",) if chosen else ())


def find_tag_maker(release: Release) -> tuple[str, str] | None:
    """Return the workflow that a person starts to make the version's tag, and the input that takes the version.

    It publishes nothing itself. None if there is none, or several.
    """
    files, found = release.snapshot.workflow_files.value, list[tuple[str, str]]()
    publishing = {each.workflow for each in release.target.process.publishers}
    if files is None:
        return None
    for path in files.workflow_paths:
        workflow, name = ReleaseWorkflow(path, files.texts), path.removeprefix(f"{FOLDER}/")
        asked = [each.name for each in workflow.file.inputs if not each.options and "version" in each.name.lower()]
        is_by_hand = set(workflow.file.triggers) <= {"workflow_dispatch", "workflow_call"}
        if name not in publishing and len(asked) == 1 and is_by_hand and "tag" in find_made(workflow):
            found.append((name, asked[0]))
    return found[0] if len(found) == 1 else None


_CHANNEL_WORDS = ("environment", "channel", "index", "repository", "target")


def has_free_channel_input(workflow: ReleaseWorkflow) -> bool:
    """Whether a person types the channel, by the name of an input without options."""
    names = (field.name.lower() for field in workflow.file.inputs if not field.options)
    return any(word in name for name in names for word in _CHANNEL_WORDS)
