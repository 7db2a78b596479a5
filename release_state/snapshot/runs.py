"""What CI and the release workflow did: checks of a commit, runs, and what the log of a failed one says."""

from __future__ import annotations

from pydantic import AwareDatetime

from release_state.model import Model


class CheckResult(Model):
    """The newest check run or commit status of its name, or a workflow run that has none, on one commit."""

    name: str
    state: str
    """"success", "failure", "pending", "neutral" or "skipped"; every other red conclusion counts as "failure"."""
    conclusion: str | None = None
    """GitHub's own word: "timed_out", "cancelled", "action_required", "error"."""
    since: AwareDatetime | None = None
    html_url: str | None = None
    workflow_run: int | None = None


class CommitChecks(Model):
    """CI of exactly one commit. `left_out` names what belongs to the run that is asking."""

    sha: str
    results: tuple[CheckResult, ...] = ()
    left_out: tuple[str, ...] = ()
    nearest: str | None = None
    """Where the commit itself has none: the nearest ancestor that has CI; its results are `nearest_results`."""
    nearest_distance: int | None = None
    nearest_results: tuple[CheckResult, ...] = ()


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
