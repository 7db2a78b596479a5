"""What GitHub's settings of the repository say: protection, rulesets, and what Actions may do."""

from __future__ import annotations

from release_state.model.observation import Model, Problem


class Rule(Model):
    """A rule of a ruleset, as far as a release can run into it."""

    type: str
    """GitHub's word: "creation", "update", "deletion", "pull_request", "required_status_checks", "tag_name_pattern"."""
    ruleset: int | None = None
    """The id of its ruleset."""
    approvals: int = 0
    """Of "pull_request": approving reviews that a pull request needs."""
    checks: tuple[str, ...] = ()
    """Of "required_status_checks": their names."""
    on_creation: bool = True
    """Of "required_status_checks": whether a branch that is made has to have them already."""
    operator: str | None = None
    """Of a pattern rule: "starts_with", "ends_with", "contains" or "regex"."""
    pattern: str | None = None
    negate: bool = False
    """Whether the name must *not* match."""


class Ruleset(Model):
    """A ruleset of the repository or of its owner, with what it applies to."""

    id: int
    name: str
    target: str
    """"branch", "tag" or "push"."""
    enforcement: str
    """"active", "evaluate" or "disabled"."""
    source: str = ""
    """Whose it is: a repository, an organization or an enterprise."""
    include: tuple[str, ...] | None = None
    """Patterns of full ref names, `~ALL`, `~DEFAULT_BRANCH`; None where GitHub names no condition on refs."""
    exclude: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    bypass: tuple[str, ...] | None = None
    """Who may pass it by: "RepositoryRole 5", "Integration 15368"; None where it is not shown to the token."""
    html_url: str | None = None


class BaseRules(Model):
    """What the base branch asks of a change, by classic protection and by rulesets."""

    branch: str
    protected: bool
    """What GitHub says to everybody: whether any protection covers it."""
    approvals: int = 0
    """Approving reviews that classic protection asks for."""
    checks: tuple[str, ...] = ()
    """Checks that classic protection requires."""
    pull_request: bool = False
    """Whether classic protection takes changes by pull request only."""
    locked: bool = False
    """Whether classic protection makes it read-only."""
    restricted: bool = False
    """Whether classic protection names who may push."""
    hidden: Problem | None = None
    """Why the whole of the classic protection could not be seen; the required checks are shown to everybody."""
    rules: tuple[Rule, ...] = ()
    """The rules of rulesets that apply to it."""

    @property
    def all_checks(self) -> tuple[str, ...]:
        """Every check that is required, by whichever of the two."""
        named = (*self.checks, *(name for rule in self.rules for name in rule.checks))
        return tuple(dict.fromkeys(named))

    @property
    def all_approvals(self) -> int:
        """The most approving reviews that one of them asks for."""
        return max((self.approvals, *(rule.approvals for rule in self.rules)))

    @property
    def by_pull_request_only(self) -> bool:
        """Whether nobody may push to it directly."""
        return self.pull_request or any(rule.type in ("pull_request", "merge_queue") for rule in self.rules)


class ActionsSettings(Model):
    """What the settings let workflows do that say nothing themselves, and pull requests."""

    default_permissions: str
    """"read" or "write"."""
    may_create_pull_requests: bool
    """GitHub's `can_approve_pull_request_reviews`: "Allow Actions to create and approve pull requests"."""


class WorkflowFile(Model):
    """A file of the tree."""

    path: str
    text: str


class WorkflowFiles(Model):
    """The release workflow at the head of the base branch, with the local workflows and actions that it uses."""

    commit: str
    path: str
    """Of the release workflow."""
    files: tuple[WorkflowFile, ...] = ()
    """Those that are there; the first is the release workflow, unless it is not there."""
    unread: tuple[str, ...] = ()
    """Paths of files that are there and were not read: too large, no UTF-8, or one too many."""
    build_requires: tuple[str, ...] = ()
    """Names of the packages that build the project ([build-system] requires), normalized by PEP 503."""
    build_unread: str = ""
    """Why not all of them could be read; empty: they were."""

    @property
    def exists(self) -> bool:
        """Whether the tree has the release workflow."""
        return self.path in self.unread or any(file.path == self.path for file in self.files)

    @property
    def texts(self) -> dict[str, str]:
        """The texts by path."""
        return {file.path: file.text for file in self.files}
