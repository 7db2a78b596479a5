"""What CI and the release workflow did: checks of a commit, runs, and the log of a failed run."""

from __future__ import annotations

from release_state.model.observation import AwareDatetime, Model

ACTIONS = "github-actions"
"""The slug of the app whose check runs are jobs of workflows."""
_OF_CODE = ("push", "merge_group", "pull_request", "workflow_dispatch", "repository_dispatch")
"""Events that start a workflow for a commit, or by hand. Comments, issues and releases start one on whatever commit the
default branch has."""


class CICheck(Model):
    """The newest check run or commit status of its name on one commit, or a workflow run without either."""

    name: str
    state: str
    """"success", "failure", "pending", "neutral" or "skipped"; every other red conclusion counts as "failure"."""
    conclusion: str | None = None
    """GitHub's own word: "timed_out", "cancelled", "action_required", "error"."""
    since: AwareDatetime | None = None
    html_url: str | None = None
    workflow_run: int | None = None
    workflow: str = ""
    """The file name of the workflow whose job it is; empty if it is not a job of a run on this commit."""
    event: str = ""
    """What started that run: "push", "schedule", "dynamic" (GitHub Pages and other runs of GitHub's own)."""
    app: str = ""
    """The app's slug of a check run; the context of a commit status, for which GitHub names no app."""
    commit: str | None = None
    """The ancestor that it belongs to; None if it belongs to the commit itself."""
    is_needed: bool = False
    """Whether it is a job of this very run that the job which asks `needs`."""


class PushedWorkflow(Model):
    """A workflow whose file at the commit starts on pushes to the base branch."""

    file: str
    state: str
    """"starts", "kept away" (of this push), "disabled" or "unknown"."""
    why: str
    filtered: bool = False
    """Whether that depends on the changed paths."""


class Push(Model):
    """How a commit became the head of a branch, as GitHub's activity log says."""

    before: str
    """The previous head; zeros if the push created the branch."""
    at: AwareDatetime
    by: str | None = None
    kind: str
    """GitHub's word: "push", "force_push", "branch_creation", "pr_merge", "merge_queue_merge"."""
    asked_at: AwareDatetime
    """When GitHub answered, by its own clock."""


class ExpectedCI(Model):
    """What must be green on a commit, and the evidence."""

    workflows: tuple[PushedWorkflow, ...] = ()
    required: tuple[str, ...] = ()
    """The checks that the base branch requires and that reported on one of its commits."""
    apps: tuple[str, ...] = ()
    """Apps and status contexts seen on each commit of `apps_of`; workflows are in `workflows`."""
    apps_of: tuple[str, ...] = ()
    """The last five commits before this one that have CI."""
    apps_unasked: str = ""
    """Why these commits were not looked up; empty if they were."""
    skip: str = ""
    """What in the commit's message skips CI: "[skip ci]"."""
    testing: tuple[str, ...] = ()
    """File names of workflows that pushes or pull requests start, on any branch."""
    push: Push | None = None
    """None if nothing is missing, so it was not looked up, or if GitHub does not list it."""
    push_unknown: str = ""
    """Why the push is unknown although something is missing."""

    def is_of_ci(self, result: CICheck) -> bool:
        """Return whether a result belongs to CI, and not to another app or a workflow for something else."""
        # A workflow that only a schedule starts is not CI if others start on pushes or pull requests.
        is_nightly = result.event == "schedule" and (not self.testing or result.workflow in self.testing)
        is_of_workflow = bool(result.workflow) and (result.event in _OF_CODE or is_nightly)
        return result.is_needed or is_of_workflow or result.app in self.apps or result.name in self.required

    def is_vouched_by(self, result: CICheck) -> bool:
        """Return whether a result shows that the commit was tested."""
        return result.state == "success" and self.is_of_ci(result)

    @property
    def kept_away(self) -> tuple[PushedWorkflow, ...]:
        """The workflows that this push did not start, though other pushes do."""
        return self._in("kept away")

    @property
    def switched_off(self) -> tuple[PushedWorkflow, ...]:
        """The disabled workflows, which no push starts."""
        return self._in("disabled")

    @property
    def has_begun(self) -> bool:
        """Whether the push started a workflow: then GitHub also notified other apps of it."""
        return bool(self._in("starts"))

    def _in(self, state: str) -> tuple[PushedWorkflow, ...]:
        return tuple(workflow for workflow in self.workflows if workflow.state == state)


class CommitChecks(Model):
    """CI of exactly one commit. `left_out` names the checks of this very run."""

    sha: str
    results: tuple[CICheck, ...] = ()
    ran: tuple[str, ...] = ()
    """File names of the workflows with a run for this commit, in any state (see `results`)."""
    asking: str = ""
    """The file name of this very run's workflow; empty if it does not run on this commit."""
    left_out: tuple[str, ...] = ()
    expected: ExpectedCI | None = None
    """None if something red or pending decides already, or the phase does not judge CI."""
    nearest: str | None = None
    """If no workflow started: the nearest ancestor with complete CI; see `nearest_results`."""
    nearest_distance: int | None = None
    nearest_results: tuple[CICheck, ...] = ()
    """The results that the commit itself lacks."""

    @property
    def apps(self) -> frozenset[str]:
        """The apps and status contexts with a result, without Actions, whose workflows count one by one."""
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
    """The file name of its workflow."""

    @property
    def is_finished(self) -> bool:
        """Whether GitHub calls it completed."""
        return self.status == "completed"

    def tests(self, base: str) -> bool:
        """Return whether a run of the release workflow tests its commit, as CI does: one file may do both."""
        return self.event.startswith(("pull_request", "merge_group")) or (
            self.event == "push" and self.head_branch == base
        )


class WorkflowState(Model):
    """Whether GitHub starts runs of a workflow."""

    file: str
    """Its file name."""
    state: str
    """"active", "disabled_manually", "disabled_inactivity", "disabled_fork", "deleted"."""

    @property
    def is_off(self) -> bool:
        """Whether no event starts it: a person or sixty days without activity switched it off."""
        return self.state.startswith("disabled")


class WorkflowRuns(Model):
    """The runs of the release workflow in the last 70 days, newest first; older ones cannot be unfinished."""

    workflow: str
    exists: bool = True
    """False if GitHub knows no workflow with that file name."""
    runs: tuple[WorkflowRun, ...] = ()
    left_out: tuple[str, ...] = ()


class OwnRun(Model):
    """The workflow run that this run is a step of, as its environment says."""

    id: int
    ref: str
    """The tag that started it: "refs/tags/v0.2.0"."""
    sha: str
    workflow: str
    """The file name of its workflow; empty if the environment does not say."""
    job: str
    """The ID of the job that asks, in the workflow's file; empty as above."""


class OwnJob(Model):
    """A job of this very run, in one of its attempts."""

    name: str
    attempt: int
    state: str
    """"queued", "in_progress", "waiting"; of a completed job its conclusion."""
    has_begun: bool
    """Whether one of its steps may have run."""


UPLOAD_SKIPPED = "upload skipped"
"""The scenario of a green run whose publishing job did not run."""


class ExplainedRun(Model):
    """The last finished release run for this version and channel, and what its log says."""

    run: WorkflowRun
    attributed_by: str
    """What shows that it was for this version and channel: "log", "job name", "head branch"."""
    job: str | None = None
    step: str | None = None
    """The step that failed."""
    scenario: str | None = None
    """The runbook's letter, or another name, for the decisive line of the log."""
    meaning: str = ""
    """What that line means, in a sentence."""
    fix: str = ""
    """What to do about it; empty: not known."""
    lines: tuple[str, ...] = ()
    """At most ten decisive lines of the log, without time stamps. Remote text: escape it before showing it."""
