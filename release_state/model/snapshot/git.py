"""What git says: the remote's refs, the maintainer's clone, and how commits are related."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from msgspec import field
from packaging.version import Version

from release_state.model.observation import AwareDatetime, Model, NotObserved, Observation, Problem, known


class Branch(Model):
    """A branch of the remote: its name without `refs/heads/`, and the commit it points to."""

    name: str
    sha: str


class Tag(Model):
    """A tag of the remote or the clone: its name without `refs/tags/`."""

    name: str
    object: str
    """The object in the ref: the tag object of an annotated tag, else the tagged object."""
    commit: str
    """The commit that the tag peels to; a tree or blob if that is tagged."""
    annotated: bool


class Tagged(Model, dict=True):
    """What has tags."""

    @cached_property
    def tags_by_version(self) -> dict[object, Mapping[Version, tuple[Tag, ...]]]:
        """The tags by the version that they name, kept for each way to spell them."""
        return {}


class Remote(Tagged):
    """The remote's refs as `git ls-remote` lists them."""

    url: str
    """Without user name, password or token."""
    default_branch: str | None
    """The branch of the remote's HEAD; None if the remote does not say."""
    branches: tuple[Branch, ...] = ()
    tags: tuple[Tag, ...] = ()

    def branch(self, name: str) -> Branch | None:
        """Return the branch with exactly this name."""
        return next((branch for branch in self.branches if branch.name == name), None)

    def tag(self, name: str) -> Tag | None:
        """Return the tag with exactly this name."""
        return self._tags_by_name.get(name)

    @cached_property
    def _tags_by_name(self) -> dict[str, Tag]:
        return {tag.name: tag for tag in reversed(self.tags)}


class Clone(Tagged):
    """The maintainer's working copy. Paths are relative to its top, as git prints them."""

    path: str
    branch: str | None
    """None if HEAD is detached."""
    head: str | None
    """None in a clone without commits."""
    bare: bool = False
    folds_case: bool = False
    """Whether its file system ignores case."""
    shallow: bool = False
    operation: str | None = None
    """"merge", "rebase", "cherry-pick", "revert", "bisect" or "am" if one is in progress."""
    changed: tuple[str, ...] = ()
    """The first fifty tracked paths that differ from HEAD or the index; without the suite's own reports."""
    untracked: tuple[str, ...] = ()
    """The first fifty untracked, not ignored paths; without the suite's own reports."""
    changed_count: int = 0
    untracked_count: int = 0
    marked: tuple[str, ...] = ()
    """The first fifty changed paths that are marked assume-unchanged or skip-worktree."""
    showing: tuple[str, ...] = ()
    """Settings (`name=value`) that make git show every change, if the clone's own settings may hide one."""
    ahead: Observation[int] = known(0)
    """Commits of HEAD that the remote's base branch lacks."""
    behind: Observation[int] = known(0)
    """Commits of the remote's base branch that HEAD lacks."""
    tags: tuple[Tag, ...] = ()
    remote_url: str | None = None
    """Where the configured remote points, without credentials."""
    push_urls: tuple[str, ...] = ()
    """Where a push to it goes, without credentials; empty if that was not looked up."""
    mirrors: bool = False
    """Whether a push to the remote pushes every ref (`remote.NAME.mirror`)."""
    dirty_submodules: Observation[tuple[str, ...]] = known(())
    """Checked-out submodules with changes or untracked files; nested ones are not inspected."""
    dist_names: Observation[tuple[str, ...]] = field(default=known(()), name="built")
    """The first two hundred names of distributions in `dist/`, ignored or not."""
    no_identity: tuple[str, ...] = ()
    """Which of `user.name` and `user.email` are not set; never their values."""


class Commit(Model):
    """A commit: its hash, the first line of its message, and when it was committed."""

    sha: str
    subject: str
    committed_at: AwareDatetime


class Lineage(Model):
    """One commit as seen from the head of the base branch."""

    sha: str
    on_base: bool
    """Whether it is the base's head or an ancestor of it."""
    ahead: int
    """How many of its commits the base lacks."""
    behind: int
    """How many of the base's commits it lacks."""
    unmerged: tuple[Commit, ...] = ()
    """Those of `ahead` whose change the base lacks, too (by patch equivalence); fifty at most."""
    unmerged_count: int = 0
    declared_version: str | None = None
    """The static version that its tree declares for the package; None if missing, unreadable or dynamic."""
    version_is_dynamic: bool = False
    """Whether a tool computes it while it builds, from tags for example."""
    declared_where: str = ""
    """The file that declares it; the tool that computes it; or why it cannot be read."""
    package_folder: str = ""
    """The folder of its tree that builds the package, with a slash at its end; empty: the top, or none names it."""
    other_versions: tuple[tuple[str, str], ...] = ()
    """Files of the package with another literal `__version__`, and that version."""
    claimed_by: tuple[str, ...] = ()
    """Files of other projects in its tree that declare the target's version, where the package declares another."""
    other_packages: tuple[str, ...] = ()
    """All packages that its tree builds, where none of them is the target's; empty too if a name cannot be read."""
    changelog: str | None = None
    """The first 64 KiB of the changelog file in its tree; None if there is no such file."""


class History(Model):
    """The commits that matter and how they are related."""

    base_head: str
    lineages: tuple[Lineage, ...] = ()
    ancestors: tuple[tuple[str, str], ...] = ()
    """Pairs (older, newer) of commits: the older is an ancestor of the newer, or the same."""
    missing: tuple[str, ...] = ()
    """Commits that could not be fetched from the remote or the clone."""
    missing_why: str | None = None
    """Why they could not be fetched."""
    commits: tuple[Commit, ...] = ()
    """The first line and the date of these commits, the base's head first."""
    tag_dates: dict[str, AwareDatetime] = field(default_factory=dict)
    """When annotated tags were created, by tag object; without those that could not be fetched."""

    def lineage(self, sha: str) -> Lineage:
        """Return a commit as seen from the base. Raises NotObserved if the commit could not be fetched."""
        for lineage in self.lineages:
            if lineage.sha == sha:
                return lineage
        cause = f": {self.missing_why}" if self.missing_why else ""
        raise NotObserved(Problem(source="git history", why=f"commit {sha[:12]} could not be fetched{cause}"))

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Return whether `older` is an ancestor of `newer` or the same.

        The history is never shallow, so a commit that could not be fetched is no ancestor of one that was. Raises
        NotObserved if the newer could not be fetched, or the older was not asked for.
        """
        for sha in (newer, older):
            if sha != self.base_head and not (sha == older and older in self.missing):
                self.lineage(sha)
        return older == newer or (older, newer) in self.ancestors
