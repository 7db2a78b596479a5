"""What GitHub says about the repository, its pull requests, releases and settings, and what status pages say."""

from __future__ import annotations

from release_state.model.observation import AwareDatetime, Model, Problem


class Repository(Model):
    """The repository as GitHub describes it."""

    full_name: str
    """Its current name; not the target's if it was renamed or moved."""
    default_branch: str
    archived: bool = False
    private: bool = False
    can_push: bool | None = None
    """Whether the token may push; None without a token, or if GitHub does not say."""
    can_administer: bool | None = None
    """Whether the token's owner administers the repository; None as above."""
    token_scopes: tuple[str, ...] | None = None
    """The scopes of a classic token; None for others, whose permissions GitHub does not list."""
    html_url: str
    fork_of: str | None = None
    """The root of its fork network; None if it is not a fork."""
    pushed_at: AwareDatetime | None = None
    """The last push of any ref; None if GitHub does not say."""


class PullRequest(Model):
    """A pull request; `head_repository` is None if its fork was deleted."""

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


class Asset(Model):
    """A file that is attached to a GitHub Release."""

    name: str
    sha256: str | None = None
    """None if GitHub does not say, as of files from before June 2025."""
    is_uploaded: bool = True
    """False while it is uploaded, and after an upload that broke off."""


class GitHubRelease(Model):
    """A GitHub Release or a draft of one."""

    id: int
    tag: str
    name: str | None
    draft: bool
    prerelease: bool
    immutable: bool | None = None
    """None if the service (an older GitHub Enterprise) does not say."""
    has_notes: bool
    assets: int | None = None
    """How many files are attached; None if GitHub does not say."""
    attached: tuple[Asset, ...] = ()
    """The first hundred of them."""
    created_at: AwareDatetime
    published_at: AwareDatetime | None = None
    author: str | None = None
    html_url: str


class RateLimit(Model):
    """GitHub's last word on its rate limit: requests per hour, requests left, and the reset time."""

    limit: int
    remaining: int
    resets_at: AwareDatetime
    """In the local time of the observing machine."""
    spent: int = 0
    """Requests of this run; another run like it needs as many."""


class Rule(Model):
    """A rule of a ruleset: the parts that can affect a release."""

    type: str
    """GitHub's word: "creation", "update", "deletion", "pull_request", "required_status_checks", "tag_name_pattern"."""
    ruleset: int | None = None
    approvals: int = 0
    """Of "pull_request": approving reviews that a pull request needs."""
    checks: tuple[str, ...] = ()
    on_creation: bool = True
    """Of "required_status_checks": whether a new branch must have passed them."""
    operator: str | None = None
    """Of a pattern rule: "starts_with", "ends_with", "contains" or "regex"."""
    pattern: str | None = None
    negate: bool = False
    """Whether the name must *not* match."""


class Ruleset(Model):
    """A ruleset of the repository or its owner, and what it applies to."""

    id: int
    name: str
    target: str
    """"branch", "tag" or "push"."""
    enforcement: str
    """"active", "evaluate" or "disabled"."""
    source: str = ""
    """Its owner: a repository, an organization or an enterprise."""
    include: tuple[str, ...] | None = None
    """Patterns of full ref names, `~ALL`, `~DEFAULT_BRANCH`; None if GitHub names no condition on refs."""
    exclude: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    bypass: tuple[str, ...] | None = None
    """Who may bypass it: "RepositoryRole 5", "Integration 15368"; None if the token does not see it."""
    html_url: str | None = None


class BaseRules(Model):
    """What the base branch requires of a change, by classic protection and by rulesets."""

    branch: str
    protected: bool
    """Whether any protection covers it; every token sees that."""
    approvals: int = 0
    """Approving reviews that classic protection requires."""
    checks: tuple[str, ...] = ()
    """Checks that classic protection requires."""
    pull_request: bool = False
    """Whether classic protection requires pull requests."""
    locked: bool = False
    """Whether classic protection makes it read-only."""
    restricted: bool = False
    """Whether classic protection restricts who may push."""
    hidden: Problem | None = None
    """Why only the required checks of classic protection, which every token sees, are known."""
    rules: tuple[Rule, ...] = ()
    """The rules of rulesets that apply to it."""

    @property
    def all_checks(self) -> tuple[str, ...]:
        """Every required check, by protection or ruleset."""
        named = (*self.checks, *(name for rule in self.rules for name in rule.checks))
        return tuple(dict.fromkeys(named))

    @property
    def all_approvals(self) -> int:
        """The highest number of approving reviews that one of them requires."""
        return max((self.approvals, *(rule.approvals for rule in self.rules)))

    @property
    def by_pull_request_only(self) -> bool:
        """Whether nobody may push to it directly."""
        return self.pull_request or any(rule.type in ("pull_request", "merge_queue") for rule in self.rules)


class ActionsSettings(Model):
    """The default permissions of workflows, and whether they may create pull requests."""

    default_permissions: str
    """"read" or "write"."""
    may_create_pull_requests: bool
    """GitHub's `can_approve_pull_request_reviews`: "Allow Actions to create and approve pull requests"."""


class RefPattern(Model):
    """A pattern of refs that may deploy to an environment, as of Ruby's `File.fnmatch`: `*` takes no slash."""

    pattern: str
    kind: str = ""
    """"branch" or "tag"; empty: both."""


class Environment(Model):
    """A deployment environment, and which refs may deploy to it."""

    name: str
    """As the workflow spells it."""
    admits: str = "all"
    """"all"; "protected": branches with protection rules; "selected": what its patterns take."""
    patterns: tuple[RefPattern, ...] = ()


class WorkflowFile(Model):
    """A file of the tree."""

    path: str
    text: str


class WorkflowFiles(Model):
    """The workflows at the base branch's head, with the local actions that they use."""

    commit: str
    path: str = ""
    """Of the release workflow; empty: it is not known which one it is."""
    branch: str = ""
    """The base branch."""
    files: tuple[WorkflowFile, ...] = ()
    """The files that exist."""
    at_tag: tuple[WorkflowFile, ...] | None = None
    """Those at the commit of the version's tag, which a run of the tag is of; None: no tag, or the same files."""
    unread: tuple[str, ...] = ()
    """Paths of existing files, at one of the commits, that were not read: too large, not UTF-8, or too many."""
    build_requires: tuple[str, ...] = ()
    """The packages that build the project ([build-system] requires), normalized by PEP 503."""
    build_unread: str = ""
    """Why not all of them could be read; empty if they were."""

    @property
    def workflow_paths(self) -> tuple[str, ...]:
        """The paths of the workflows, read or not; without actions."""
        paths = (*(file.path for file in self.files), *self.unread)
        return tuple(sorted(path for path in paths if path.startswith(".github/workflows/")))

    @property
    def exists(self) -> bool:
        """Whether the tree has the release workflow."""
        return self.path in self.unread or any(file.path == self.path for file in self.files)

    @property
    def texts(self) -> dict[str, str]:
        """The texts by path."""
        return {file.path: file.text for file in self.files}


class Component(Model):
    """A part of a service that a release needs, in the service's own words: "API Requests", "partial outage"."""

    name: str
    level: str

    @property
    def is_well(self) -> bool:
        """Whether the service calls it operational."""
        return self.level == "operational"


class Incident(Model):
    """An open incident or maintenance in progress, and its page (None if the service names none)."""

    title: str
    link: str | None = None


class ServiceStatus(Model):
    """A service's status page: the parts that a release needs."""

    name: str
    url: str
    components: tuple[Component, ...] = ()
    incidents: tuple[Incident, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether nothing that a release needs is degraded, down or under maintenance."""
        return not self.incidents and all(component.is_well for component in self.components)
