"""What CI and the release workflow did: checks of a commit, runs, and what the log of a failed one says."""

from __future__ import annotations

from pydantic import AwareDatetime

from release_state.model.observation import Model

ACTIONS = "github-actions"
"""The slug of the app whose check runs are jobs of workflows."""
_OF_CODE = ("push", "merge_group", "pull_request", "workflow_dispatch", "repository_dispatch")
"""Events that start a workflow for a commit, or by hand: comments, issues and releases start others on whatever commit
the default branch has."""


class CICheck(Model):
    """The newest check run or commit status of its name, or a workflow run that has none, on one commit."""

    name: str
    state: str
    """"success", "failure", "pending", "neutral" or "skipped"; every other red conclusion counts as "failure"."""
    conclusion: str | None = None
    """GitHub's own word: "timed_out", "cancelled", "action_required", "error"."""
    since: AwareDatetime | None = None
    html_url: str | None = None
    workflow_run: int | None = None
    workflow: str = ""
    """File name of the workflow whose job it is; empty: it is no job of a run on this commit."""
    event: str = ""
    """What started that run: "push", "schedule", "dynamic" (GitHub Pages and what else GitHub runs by itself)."""
    app: str = ""
    """The app's slug of a check run; of a commit status its context, which GitHub names no app for."""
    commit: str | None = None
    """The ancestor that it is of; None: it is of the commit that was asked for."""


class PushedWorkflow(Model):
    """A workflow whose file at the commit starts on pushes to the base branch."""

    file: str
    """Its file name."""
    state: str
    """"starts", "kept away" (of this push), "disabled" or "unknown"."""
    why: str
    """What shows that."""
    filtered: bool = False
    """Whether it depends on the paths that were changed."""


class Push(Model):
    """How a commit became the head of a branch, as GitHub's activity log says."""

    before: str
    """What the branch held; zeros where the push created it."""
    at: AwareDatetime
    by: str | None = None
    kind: str
    """GitHub's word: "push", "force_push", "branch_creation", "pr_merge", "merge_queue_merge"."""
    asked_at: AwareDatetime
    """When GitHub said so, by its own clock."""


class ExpectedCI(Model):
    """What has to be green on a commit, and what shows that."""

    workflows: tuple[PushedWorkflow, ...] = ()
    required: tuple[str, ...] = ()
    """The checks that the base branch requires and that reported on one of its commits."""
    apps: tuple[str, ...] = ()
    """Apps, and contexts of statuses, seen on each of `apps_of`; those of workflows are in `workflows`."""
    apps_of: tuple[str, ...] = ()
    """The last commits before this one that have CI, five at the most."""
    apps_unasked: str = ""
    """Why they were not looked at; empty: they were."""
    skip: str = ""
    """What in the commit's own message keeps CI away: "[skip ci]"."""
    testing: tuple[str, ...] = ()
    """File names of the workflows that pushes or pull requests start, on whatever branch."""
    push: Push | None = None
    """None: not asked for, as nothing is missing; or GitHub does not list it."""
    push_unknown: str = ""
    """Why it is not known though something is missing."""

    def is_of_ci(self, result: CICheck) -> bool:
        """Whether a result, whatever it is, is of CI: one of whatever app is not, nor of a workflow for something else.

        What a schedule alone starts is no CI where other workflows are for pushes or pull requests.
        """
        is_nightly = result.event == "schedule" and (not self.testing or result.workflow in self.testing)
        is_of_workflow = bool(result.workflow) and (result.event in _OF_CODE or is_nightly)
        return is_of_workflow or result.app in self.apps or result.name in self.required

    def is_vouched_by(self, result: CICheck) -> bool:
        """Whether a result says that the commit was tested."""
        return result.state == "success" and self.is_of_ci(result)

    @property
    def kept_away(self) -> tuple[PushedWorkflow, ...]:
        """The workflows that this push did not start, though others do."""
        return self._in("kept away")

    @property
    def switched_off(self) -> tuple[PushedWorkflow, ...]:
        """The workflows that no push starts as long as nobody switches them on."""
        return self._in("disabled")

    @property
    def has_begun(self) -> bool:
        """Whether the push started a workflow: then what else is told of a push was told of this one."""
        return bool(self._in("starts"))

    def _in(self, state: str) -> tuple[PushedWorkflow, ...]:
        return tuple(workflow for workflow in self.workflows if workflow.state == state)


class CommitChecks(Model):
    """CI of exactly one commit. `left_out` names what belongs to the run that is asking."""

    sha: str
    results: tuple[CICheck, ...] = ()
    ran: tuple[str, ...] = ()
    """File names of the workflows that have a run for this commit, in whatever state: that is in `results`."""
    asking: str = ""
    """File name of the workflow whose run is asking; empty: none of this commit is."""
    left_out: tuple[str, ...] = ()
    expected: ExpectedCI | None = None
    """None: not asked for, as something is red or pending, which decides; or as the phase does not judge CI."""
    nearest: str | None = None
    """Where no workflow started: the nearest ancestor whose CI is complete; its results are `nearest_results`."""
    nearest_distance: int | None = None
    nearest_results: tuple[CICheck, ...] = ()
    """What the commit itself has no result of."""

    @property
    def apps(self) -> frozenset[str]:
        """The apps, and contexts of statuses, that have a result; but for Actions, whose workflows count each."""
        return frozenset(result.app for result in self.results if result.app and result.app != ACTIONS)


class WorkflowRun(Model):
    """A run of the release workflow."""

    id: int
    number: int
    title: str
    status: str
    """"queued", "in_progress", "waiting", "pending", "requested" or "completed"."""
    conclusion: str | None = None
    event: str
    head_branch: str | None
    head_sha: str
    created_at: AwareDatetime
    started_at: AwareDatetime | None = None
    updated_at: AwareDatetime
    actor: str | None = None
    html_url: str
    workflow: str = ""
    """File name of its workflow."""

    @property
    def is_finished(self) -> bool:
        """Whether GitHub calls it completed."""
        return self.status == "completed"

    def tests(self, base: str) -> bool:
        """Whether a run of the release workflow judges the commit that it stands on, as CI does.

        Where one file tests and releases: a push to the base branch, the merge queue or a pull request started it.
        """
        return self.event.startswith(("pull_request", "merge_group")) or (
            self.event == "push" and self.head_branch == base
        )


class WorkflowRuns(Model):
    """The runs of the release workflow that can still be unfinished: those of the last 70 days, newest first."""

    workflow: str
    exists: bool = True
    """False where GitHub knows no workflow of that file name."""
    runs: tuple[WorkflowRun, ...] = ()
    left_out: tuple[str, ...] = ()


class ExplainedRun(Model):
    """The last finished run of the release workflow for this version and channel, and what its log says."""

    run: WorkflowRun
    attributed_by: str
    """What shows that it was for this version and channel: "log", "job name", "head branch"."""
    job: str | None = None
    step: str | None = None
    """The step that failed."""
    scenario: str | None = None
    """The runbook's letter, or a name of ours, that the log's decisive line matches."""
    meaning: str = ""
    """What that line means, in a sentence."""
    lines: tuple[str, ...] = ()
    """The decisive lines of the log, ten at most, without time stamps; remote text: escape it where it is shown."""
