"""What was observed of one target: plain facts as the services gave them, frozen, to JSON and back."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import AwareDatetime, Field

from release_state.model.observation import Model, Observation, unavailable
from release_state.model.snapshot.git import Branch, Clone, Commit, History, Lineage, Remote, Tag
from release_state.model.snapshot.github import GitHubRelease, PullRequest, RateLimit, Repository
from release_state.model.snapshot.index import (
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
    Push,
    PushedWorkflow,
    WorkflowRun,
    WorkflowRuns,
)
from release_state.model.snapshot.services import Component, Incident, ServiceStatus
from release_state.model.snapshot.settings import ActionsSettings, BaseRules, Rule, Ruleset, WorkflowFile, WorkflowFiles
from release_state.model.target import Target

__all__ = [
    "FORMAT",
    "LOOKUPS",
    "NOT_ASKED",
    "ActionsSettings",
    "BaseRules",
    "Branch",
    "CICheck",
    "Calculation",
    "Candidate",
    "Clone",
    "Commit",
    "CommitChecks",
    "Component",
    "Counted",
    "CountedCommit",
    "ExpectedCI",
    "ExplainedRun",
    "GitHubRelease",
    "History",
    "Incident",
    "IndexFile",
    "IndexProject",
    "IndexRelease",
    "Installation",
    "Lineage",
    "Opened",
    "OpenedFile",
    "Published",
    "PullRequest",
    "Push",
    "PushedWorkflow",
    "RateLimit",
    "Remote",
    "Repository",
    "Rule",
    "Ruleset",
    "ServiceStatus",
    "Snapshot",
    "Tag",
    "Witness",
    "WorkflowFile",
    "WorkflowFiles",
    "WorkflowRun",
    "WorkflowRuns",
]

FORMAT = 1

NOT_ASKED: Observation[Any] = unavailable("snapshot", "not asked for in this narrowed run")


class Snapshot(Model):
    """Everything that was observed of one target, at (nearly) one moment."""

    format: int = FORMAT
    observed_at: AwareDatetime
    """By GitHub's clock, as every time of GitHub's that it is compared with; by this machine's where none was told."""
    clock_ahead: float | None = 0.0
    """Seconds that this machine's clock was ahead of GitHub's; None: GitHub told no time."""
    target: Target
    phase: str
    """"pre-release", "post-recovery" or "rollback"."""
    phase_reason: str
    token_source: str | None = None
    """Where the GitHub token came from, never the token."""
    moved: tuple[str, ...] = ()
    """Look-ups whose answer was another one when it was looked at again: what was observed is of no one moment."""
    sources: dict[str, str] = Field(default_factory=dict)
    """Where each kind of fact was read from, for the header."""

    remote: Observation[Remote] = NOT_ASKED
    clone: Observation[Clone] = NOT_ASKED
    """Known and None: there is no clone to look at."""
    history: Observation[History] = NOT_ASKED
    index: dict[str, Observation[IndexProject]] = Field(default_factory=dict)
    """By channel name."""
    repository: Observation[Repository] = NOT_ASKED
    pulls: Observation[tuple[PullRequest, ...]] = NOT_ASKED
    """Every pull request, in any state, whose head is this version's release branch."""
    open_pulls: Observation[tuple[PullRequest, ...]] = NOT_ASKED
    """Every open pull request whose head or base parses as a release branch, or is in the way of one; of forks too."""
    branch_pulls: dict[str, Observation[tuple[PullRequest, ...]]] = Field(default_factory=dict)
    """Pull requests in any state of each other release branch that the remote has."""
    release: Observation[GitHubRelease] = NOT_ASKED
    """Known and None: GitHub has no published release for the tag."""
    other_releases: dict[str, Observation[GitHubRelease]] = Field(default_factory=dict)
    """The same for each other spelling of the version's tag that the remote has, and for tags in its way; by name."""
    latest_release: Observation[GitHubRelease] = NOT_ASKED
    drafts: Observation[tuple[GitHubRelease, ...]] = NOT_ASKED
    """Drafts for the tag of the version, in whatever spelling; listed only to a token with push right."""
    ci: Observation[CommitChecks] = NOT_ASKED
    """CI of the base branch's head."""
    runs: Observation[WorkflowRuns] = NOT_ASKED
    installation: Observation[Installation] = NOT_ASKED
    opened: Observation[Opened] = NOT_ASKED
    """The files that the installation did not take."""
    published: Observation[Published] = NOT_ASKED
    """Known and None: nothing of the version is published."""
    last_run: Observation[ExplainedRun] = NOT_ASKED
    """Known and None: no finished run of this version and channel is known, or the last one ended well."""
    witness: Observation[Witness] = NOT_ASKED
    """What says that a version without files was published before; known and None: nothing, or it has files."""
    services: dict[str, Observation[ServiceStatus]] = Field(default_factory=dict)
    """What status pages say, by service ("GitHub", "PyPI"); one that is not asked is not there."""
    rehearsal: Observation[IndexProject] = NOT_ASKED
    """The project's page on TestPyPI, for the channel `pypi` before a release; known and None: none is to be asked."""
    workflow_files: Observation[WorkflowFiles] = NOT_ASKED
    """The release workflow at the head of the base branch; known and None: the project names none."""
    rulesets: Observation[tuple[Ruleset, ...]] = NOT_ASKED
    branch_rules: Observation[tuple[Rule, ...]] = NOT_ASKED
    """The rules for this version's release branch, which need not exist."""
    base_rules: Observation[BaseRules] = NOT_ASKED
    actions_settings: Observation[ActionsSettings] = NOT_ASKED
    base_runs: Observation[tuple[WorkflowRun, ...]] = NOT_ASKED
    """The last finished runs of CI on the base branch, newest first, five at the most."""
    calculation: Observation[Calculation] = NOT_ASKED
    """The next version by the project's own rules; before a release, and while a published version lacks its tag."""
    rate_limit: Observation[RateLimit] = NOT_ASKED
    """Known and None: GitHub answered and told no limit."""


_PARTS = ("branch_pulls", "other_releases", "rate_limit")
"""Fields that other look-ups fill."""


def _holds_observations(annotation: Any) -> bool:
    inner = (annotation, *get_args(annotation))[-1]
    return isinstance(inner, type) and issubclass(inner, Observation)


LOOKUPS = tuple(
    name
    for name, field in Snapshot.model_fields.items()
    if _holds_observations(field.annotation) and name not in _PARTS
)
"""The names that a check may put into its `reads`: fields of the snapshot that cost something to observe."""
