"""What was observed of one target: plain facts as the services gave them, frozen, to JSON and back."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, Field

from release_state.model import Model, NotObserved, Observation, Problem, known, unavailable
from release_state.target import Target

FORMAT = 1


_NOT_ASKED: Observation[Any] = unavailable("snapshot", "not asked for in this narrowed run")


class Branch(Model):
    """A branch of the remote: its name without `refs/heads/`, and the commit it points to."""

    name: str
    sha: str


class Tag(Model):
    """A tag of the remote or the clone: its name without `refs/tags/`."""

    name: str
    object: str
    """What the ref holds: the tag object of an annotated tag, else the tagged object itself."""
    commit: str
    """What the tag peels to. A tag of a tree or blob peels to that."""
    annotated: bool


class Remote(Model):
    """The remote's refs as `git ls-remote` lists them."""

    url: str
    """Without user name, password or token."""
    default_branch: str | None
    """What the remote's HEAD points to; None where the remote does not say."""
    branches: tuple[Branch, ...] = ()
    tags: tuple[Tag, ...] = ()

    def branch(self, name: str) -> Branch | None:
        """The branch of exactly this name."""
        return next((branch for branch in self.branches if branch.name == name), None)

    def tag(self, name: str) -> Tag | None:
        """The tag of exactly this name."""
        return next((tag for tag in self.tags if tag.name == name), None)


class Clone(Model):
    """The maintainer's working copy. Paths are relative to its top, as git prints them."""

    path: str
    branch: str | None
    """None where HEAD is detached."""
    head: str | None
    """None in a clone without commits."""
    bare: bool = False
    shallow: bool = False
    operation: str | None = None
    """"merge", "rebase", "cherry-pick", "revert", "bisect" or "am" where one is in progress."""
    changed: tuple[str, ...] = ()
    """The first fifty tracked paths that differ from HEAD or the index; the reports folder never counts."""
    untracked: tuple[str, ...] = ()
    """The first fifty untracked, not ignored paths; the reports folder never counts."""
    changed_count: int = 0
    untracked_count: int = 0
    ahead: Observation[int] = known(0)
    """Commits of HEAD that the remote's base branch lacks."""
    behind: Observation[int] = known(0)
    """Commits of the remote's base branch that HEAD lacks."""
    tags: tuple[Tag, ...] = ()
    remote_url: str | None = None
    """Where the configured remote points, without credentials."""


class Commit(Model):
    """A commit in a line: its hash, the first line of its message, and when it was committed."""

    sha: str
    subject: str
    committed_at: AwareDatetime


class Lineage(Model):
    """One commit as seen from the head of the base branch."""

    sha: str
    on_base: bool
    """Whether it is the base's head or an ancestor of it."""
    ahead: int
    """Commits that it holds and the base lacks."""
    behind: int
    """Commits that the base holds and it lacks."""
    unmerged: tuple[Commit, ...] = ()
    """Those of `ahead` whose change the base does not hold either (by patch equivalence); fifty at most."""
    unmerged_count: int = 0
    declared_version: str | None = None
    """The static `[project] version` (or setup.cfg, `__version__`) of its tree; None: none or dynamic."""
    version_is_dynamic: bool = False
    changelog: str | None = None
    """The first 64 KiB of the changelog file in its tree; None where there is no such file."""


class History(Model):
    """The commits that the decision hangs on, and how they lie to each other."""

    base_head: str
    lineages: tuple[Lineage, ...] = ()
    ancestors: tuple[tuple[str, str], ...] = ()
    """Pairs (older, newer) of looked-at commits where the older is an ancestor of or equal to the newer."""
    missing: tuple[str, ...] = ()
    """Commits that were asked for and could not be had from the remote or the clone."""

    def lineage(self, sha: str) -> Lineage:
        """The commit's place.

        Raises NotObserved where that commit could not be had.
        """
        for lineage in self.lineages:
            if lineage.sha == sha:
                return lineage
        raise NotObserved(Problem(source="git history", why=f"commit {sha[:12]} could not be fetched"))

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `older` is an ancestor of or equal to `newer`.

        Raises NotObserved where one of the two could not be had.
        """
        for sha in (older, newer):
            if sha != self.base_head:
                self.lineage(sha)
        return older == newer or (older, newer) in self.ancestors


class IndexFile(Model):
    """A file of the project on the index (PEP 503, 592, 658, 691, 700, 740)."""

    filename: str
    version: str
    """Normalized by PEP 440."""
    kind: str
    """"sdist", "wheel" or another package type of pypi-simple."""
    url: str
    size: int | None = None
    """Bytes, where the index says (PEP 700)."""
    sha256: str | None = None
    uploaded_at: AwareDatetime | None = None
    requires_python: str | None = None
    yanked: bool = False
    yanked_reason: str | None = None
    provenance_url: str | None = None


class IndexRelease(Model):
    """A version of the project that has files on the index."""

    version: str
    """Normalized by PEP 440."""
    file_count: int
    yanked: bool
    """Whether every file is yanked."""
    requires_python: str | None = None
    uploaded_at: AwareDatetime | None = None
    """The first upload."""


class IndexProject(Model):
    """The project's page on one index. A project that the index does not list has `listed` false and nothing else."""

    url: str
    """The page that was read."""
    listed: bool
    status: str | None = None
    """PEP 792: "active", "archived", "quarantined", "deprecated"; None where the index does not say."""
    status_reason: str | None = None
    files: tuple[IndexFile, ...] = ()
    """The files of the target's version, by PEP 440 equality."""
    releases: tuple[IndexRelease, ...] = ()
    """Every version that has files, oldest first by PEP 440."""
    listed_without_files: tuple[str, ...] = ()
    """Versions that the index lists (PEP 700) but holds no file of: not published."""
    skipped: tuple[str, ...] = ()
    """File names whose version could not be read; the first fifty."""


class Repository(Model):
    """The repository as GitHub describes it."""

    full_name: str
    """Its present name: differs from the target's where it was renamed or moved."""
    default_branch: str
    archived: bool = False
    private: bool = False
    can_push: bool | None = None
    """Whether the token may push; None without a token, or where GitHub does not say."""
    html_url: str


class PullRequest(Model):
    """A pull request. A deleted fork leaves `head_repository` None."""

    number: int
    title: str
    state: str
    """"open" or "closed"."""
    merged: bool
    draft: bool = False
    head_branch: str
    head_sha: str
    head_repository: str | None
    base_branch: str
    merge_commit: str | None = None
    created_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    merged_at: AwareDatetime | None = None
    author: str | None = None
    html_url: str

    @property
    def is_open(self) -> bool:
        """Whether it can still be merged."""
        return self.state == "open"


class GitHubRelease(Model):
    """A GitHub Release or a draft of one."""

    id: int
    tag: str
    name: str | None
    draft: bool
    prerelease: bool
    immutable: bool | None = None
    """None where the service (an older GitHub Enterprise) does not say."""
    has_notes: bool
    created_at: AwareDatetime
    published_at: AwareDatetime | None = None
    author: str | None = None
    html_url: str


class CheckResult(Model):
    """The newest check run or commit status of its name on one commit."""

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

    @property
    def is_finished(self) -> bool:
        """Whether GitHub calls it completed."""
        return self.status == "completed"


class WorkflowRuns(Model):
    """The runs of the release workflow that can still be unfinished: those of the last 70 days, newest first."""

    workflow: str
    exists: bool = True
    """False where GitHub knows no workflow of that file name."""
    runs: tuple[WorkflowRun, ...] = ()
    left_out: tuple[str, ...] = ()


class RateLimit(Model):
    """What GitHub said last about its limit: requests allowed in an hour and left of them, and the reset time."""

    limit: int
    remaining: int
    resets_at: AwareDatetime


class Installation(Model):
    """An attempt to install the version from its index into a fresh environment."""

    attempted: bool
    """False where it was not tried; `detail` says why."""
    succeeded: bool = False
    interpreter: str | None = None
    """Which Python: its version and path."""
    installed_version: str | None = None
    """What the installed metadata names."""
    detail: str = ""
    """The last lines of the installer's output, or the reason."""
    seconds: float = 0.0


class Candidate(Model):
    """A commit that the published files may have been built from, compared with the published sdist."""

    sha: str
    ref: str | None = None
    """A ref of the remote to fetch it by: `refs/pull/3/head`."""
    what: str
    """In words: "the tag v0.2.0", "the recorded head of pull request #3", "a commit of main that sets the version"."""
    on_base: bool
    equal: int
    """Files of the sdist that the commit's tree holds byte for byte."""
    differing: tuple[str, ...] = ()
    """Files of the sdist that the tree holds with other content; the first fifty."""
    absent: tuple[str, ...] = ()
    """Files of the sdist that the tree does not hold, generated ones (PKG-INFO) left out; the first fifty."""
    declared_version: str | None = None


class Published(Model):
    """What says from which commit the version was published."""

    sdist: str | None
    """Name of the sdist that was compared; None where the version has none."""
    compared: int = 0
    """Files of the sdist that were compared, generated ones left out."""
    candidates: tuple[Candidate, ...] = ()
    """Best first."""
    provenance_commit: str | None = None
    """The commit that a PEP 740 attestation names, where there is one."""
    provenance_repository: str | None = None

    @property
    def best(self) -> Candidate | None:
        """The one candidate that fits better than every other; None where none or several fit alike."""
        if not self.candidates or not self.candidates[0].equal:
            return None
        first = self.candidates[0]
        rank = (first.equal, -len(first.differing), -len(first.absent))
        others = [(c.equal, -len(c.differing), -len(c.absent)) for c in self.candidates[1:]]
        return first if all(rank > other for other in others) else None

    @property
    def is_exact(self) -> bool:
        """Whether the best candidate holds every file of the sdist byte for byte."""
        return bool(self.best and not self.best.differing and not self.best.absent)


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


class Snapshot(Model):
    """Everything that was observed of one target, at (nearly) one moment."""

    format: int = FORMAT
    observed_at: AwareDatetime
    target: Target
    phase: str
    """"pre-release", "post-recovery" or "rollback"."""
    phase_reason: str
    token_source: str | None = None
    """Where the GitHub token came from, never the token."""
    sources: dict[str, str] = Field(default_factory=dict)
    """Where each kind of fact was read from, for the header."""

    remote: Observation[Remote] = _NOT_ASKED
    clone: Observation[Clone] = _NOT_ASKED
    """Known and None: there is no clone to look at."""
    history: Observation[History] = _NOT_ASKED
    index: dict[str, Observation[IndexProject]] = Field(default_factory=dict)
    """By channel name."""
    repository: Observation[Repository] = _NOT_ASKED
    pulls: Observation[tuple[PullRequest, ...]] = _NOT_ASKED
    """Every pull request, in any state, whose head is this version's release branch."""
    open_pulls: Observation[tuple[PullRequest, ...]] = _NOT_ASKED
    """Every open pull request whose head parses as a release branch."""
    branch_pulls: dict[str, Observation[tuple[PullRequest, ...]]] = Field(default_factory=dict)
    """Pull requests in any state of each other release branch that the remote has."""
    release: Observation[GitHubRelease] = _NOT_ASKED
    """Known and None: GitHub has no published release for the tag."""
    latest_release: Observation[GitHubRelease] = _NOT_ASKED
    drafts: Observation[tuple[GitHubRelease, ...]] = _NOT_ASKED
    """Drafts for the tag; listed only to a token with push right."""
    ci: Observation[CommitChecks] = _NOT_ASKED
    """CI of the base branch's head."""
    runs: Observation[WorkflowRuns] = _NOT_ASKED
    rate_limit: Observation[RateLimit] = _NOT_ASKED
    installation: Observation[Installation] = _NOT_ASKED
    published: Observation[Published] = _NOT_ASKED
    """Known and None: nothing of the version is published."""
    last_run: Observation[ExplainedRun] = _NOT_ASKED
    """Known and None: no finished run of this version and channel is known, or the last one ended well."""


LOOKUPS = (
    "remote",
    "clone",
    "history",
    "index",
    "repository",
    "pulls",
    "open_pulls",
    "release",
    "latest_release",
    "drafts",
    "ci",
    "runs",
    "installation",
    "published",
    "last_run",
)
"""The names that a check may put into its `reads`: fields of the snapshot that cost something to observe."""
