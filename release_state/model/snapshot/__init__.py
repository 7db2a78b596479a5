"""What was observed of one target: frozen facts as the services reported them, with a JSON form."""

from __future__ import annotations

from typing import Any

from msgspec import field

from release_state.model.observation import AwareDatetime, Model, Observation, unavailable
from release_state.model.snapshot.git import Branch, Clone, Commit, History, Lineage, Remote, Tag
from release_state.model.snapshot.github import (
    ActionsSettings,
    Asset,
    BaseRules,
    Component,
    Environment,
    GitHubRelease,
    Incident,
    PullRequest,
    RateLimit,
    RefPattern,
    Repository,
    Rule,
    Ruleset,
    ServiceStatus,
    WorkflowFile,
    WorkflowFiles,
)
from release_state.model.snapshot.index import (
    Built,
    BuiltFile,
    Contents,
    IndexFile,
    IndexProject,
    IndexRelease,
    Installation,
    Opened,
    OpenedFile,
    Witness,
)
from release_state.model.snapshot.published import Calculation, Candidate, Counted, CountedCommit, Published
from release_state.model.snapshot.runs import (
    CICheck,
    CommitChecks,
    ExpectedCI,
    ExplainedRun,
    OwnJob,
    OwnRun,
    Push,
    PushedWorkflow,
    WorkflowRun,
    WorkflowRuns,
    WorkflowState,
)
from release_state.model.target import Target

FORMAT = 1

NOT_ASKED: Observation[Any] = unavailable("snapshot", "not asked for in this narrowed run")


class Snapshot(Model):
    """Everything that was observed of one target, at nearly one moment."""

    format: int = FORMAT
    observed_at: AwareDatetime
    """By GitHub's clock, like the times it is compared with; by this machine's clock if GitHub sent no time."""
    clock_ahead: float | None = 0.0
    """Seconds that this machine's clock was ahead of GitHub's; None if GitHub sent no time."""
    target: Target
    phase: str
    """"pre-release", "pre-publish", "post-recovery" or "rollback"."""
    phase_reason: str
    token_source: str | None = None
    """Where the GitHub token came from, never the token."""
    moved: tuple[str, ...] = ()
    """Look-ups whose answer kept changing, so the snapshot does not describe one moment."""
    sources: dict[str, str] = field(default_factory=dict)
    """Where each kind of fact was read from, for the header."""

    remote: Observation[Remote] = NOT_ASKED
    clone: Observation[Clone] = NOT_ASKED
    """Known and None: there is no clone."""
    history: Observation[History] = NOT_ASKED
    index: dict[str, Observation[IndexProject]] = field(default_factory=dict)
    """By channel name."""
    repository: Observation[Repository] = NOT_ASKED
    pulls: Observation[tuple[PullRequest, ...]] = NOT_ASKED
    """Pull requests from this version's release branch, in any state."""
    open_pulls: Observation[tuple[PullRequest, ...]] = NOT_ASKED
    """Open pull requests from or into a release branch, or a branch in the way of one; from forks too."""
    branch_pulls: dict[str, Observation[tuple[PullRequest, ...]]] = field(default_factory=dict)
    """Pull requests from each other release branch of the remote, in any state."""
    release: Observation[GitHubRelease] = NOT_ASKED
    """Known and None: no published release has the tag."""
    other_releases: dict[str, Observation[GitHubRelease]] = field(default_factory=dict)
    """The same for other spellings of the version's tag on the remote, and for tags in its way; by name."""
    latest_release: Observation[GitHubRelease] = NOT_ASKED
    earlier_pulls: dict[str, Observation[tuple[PullRequest, ...]]] = field(default_factory=dict)
    """Pull requests from the release branches of earlier versions, and from that of release-please; by branch."""
    earlier_releases: dict[str, Observation[GitHubRelease]] = field(default_factory=dict)
    """The GitHub Releases of earlier versions, by tag."""
    drafts: Observation[tuple[GitHubRelease, ...]] = NOT_ASKED
    """Drafts for the version's tag in any spelling; only a token that may push sees them."""
    ci: Observation[CommitChecks] = NOT_ASKED
    """CI of the commit to release: of the base branch's head, or in the phase pre-publish of the run's own commit."""
    runs: Observation[WorkflowRuns] = NOT_ASKED
    own_run: Observation[OwnRun] = NOT_ASKED
    """The run that this run is a step of, in the phase pre-publish; known and None: in another phase."""
    own_jobs: Observation[tuple[OwnJob, ...]] = NOT_ASKED
    """The jobs of that run that publish, of every attempt; without those that wait for other jobs."""
    built: Observation[Built] = NOT_ASKED
    """The files that are about to be uploaded; known and None: no folder was named, or the phase is another."""
    installation: Observation[Installation] = NOT_ASKED
    opened: Observation[Opened] = NOT_ASKED
    """The files that were not installed."""
    contents: Observation[Contents] = NOT_ASKED
    """Known and None: the version has no wheel that is read."""
    published: Observation[Published] = NOT_ASKED
    """Known and None: nothing of the version is published."""
    last_run: Observation[ExplainedRun] = NOT_ASKED
    """Known and None: no finished run for this version and channel is known, or the last one succeeded."""
    witness: Observation[Witness] = NOT_ASKED
    """What says that a version without files was published before; known and None: nothing, or it has files."""
    services: dict[str, Observation[ServiceStatus]] = field(default_factory=dict)
    """Status pages by service ("GitHub", "PyPI"); without those that are not asked."""
    rehearsal: Observation[IndexProject] = NOT_ASKED
    """The project's page on TestPyPI, before a release to `pypi`; known and None for other channels."""
    workflow_files: Observation[WorkflowFiles] = NOT_ASKED
    """The workflows at the base branch's head, in the phase pre-publish at the run's own commit.

    Known and None: the project has no release workflow.
    """
    rulesets: Observation[tuple[Ruleset, ...]] = NOT_ASKED
    branch_rules: Observation[tuple[Rule, ...]] = NOT_ASKED
    """The rules for this version's release branch, which may not exist yet."""
    base_rules: Observation[BaseRules] = NOT_ASKED
    actions_settings: Observation[ActionsSettings] = NOT_ASKED
    environments: Observation[tuple[Environment, ...]] = NOT_ASKED
    """Before a release: the existing environments of the jobs that surely publish, by the base branch's files.

    Without those whose name a run computes.
    """
    workflow_states: Observation[tuple[WorkflowState, ...]] = NOT_ASKED
    """Before the version is published: the workflows that GitHub knows, on or off."""
    base_runs: Observation[tuple[WorkflowRun, ...]] = NOT_ASKED
    """The last five finished runs of CI on the base branch, newest first."""
    calculation: Observation[Calculation] = NOT_ASKED
    """The next version by the project's rules: before a release, or for a published version without a tag."""
    rate_limit: Observation[RateLimit] = NOT_ASKED
    """Known and None: GitHub answered and sent no limit."""


_PARTS = ("branch_pulls", "other_releases", "rate_limit")
"""Fields that come with other look-ups."""


LOOKUPS = tuple(
    name
    for name in Snapshot.__struct_fields__
    if "Observation[" in str(Snapshot.__annotations__[name]) and name not in _PARTS
)
"""The names for a check's `reads`: the fields of the snapshot that a look-up fills."""
