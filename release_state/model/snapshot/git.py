"""What git says: the remote's refs, the maintainer's clone, and how commits lie to each other."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from release_state.model.observation import Model, NotObserved, Observation, Problem, known


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
    folds_case: bool = False
    """Whether its file system takes names that differ by case alone for the same."""
    shallow: bool = False
    operation: str | None = None
    """"merge", "rebase", "cherry-pick", "revert", "bisect" or "am" where one is in progress."""
    changed: tuple[str, ...] = ()
    """The first fifty tracked paths that differ from HEAD or the index; the suite's own reports never count."""
    untracked: tuple[str, ...] = ()
    """The first fifty untracked, not ignored paths; the suite's own reports never count."""
    changed_count: int = 0
    untracked_count: int = 0
    marked: tuple[str, ...] = ()
    """Those of the changed that are marked assume-unchanged or skip-worktree; the first fifty."""
    showing: tuple[str, ...] = ()
    """Settings (`name=value`) that git has to be given to show every change, where the clone's own may hide one."""
    ahead: Observation[int] = known(0)
    """Commits of HEAD that the remote's base branch lacks."""
    behind: Observation[int] = known(0)
    """Commits of the remote's base branch that HEAD lacks."""
    tags: tuple[Tag, ...] = ()
    remote_url: str | None = None
    """Where the configured remote points, without credentials."""
    push_urls: tuple[str, ...] = ()
    """Where a push to it goes, without credentials; empty where that was not looked at."""
    mirrors: bool = False
    """Whether the configured remote is one that every ref is pushed to (`remote.NAME.mirror`)."""
    dirty_submodules: Observation[tuple[str, ...]] = known(())
    """Submodules that are checked out and have changes or untracked files of their own; nested ones are not seen."""
    built: Observation[tuple[str, ...]] = known(())
    """Names of the distributions in `dist/`, ignored or not; the first two hundred."""
    no_identity: tuple[str, ...] = ()
    """Which of `user.name` and `user.email` git does not know here; never what they are."""


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
    missing_why: str | None = None
    """What kept them from being had."""
    commits: tuple[Commit, ...] = ()
    """First line and date of the commits that were looked at, the base's head first."""
    tag_dates: dict[str, AwareDatetime] = Field(default_factory=dict)
    """When annotated tags were made, by their objects; those alone whose object could be had."""

    def lineage(self, sha: str) -> Lineage:
        """The commit's place.

        Raises NotObserved where that commit could not be had.
        """
        for lineage in self.lineages:
            if lineage.sha == sha:
                return lineage
        cause = f": {self.missing_why}" if self.missing_why else ""
        raise NotObserved(Problem(source="git history", why=f"commit {sha[:12]} could not be fetched{cause}"))

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `older` is an ancestor of or equal to `newer`.

        A shallow history is never looked at: what could not be had is no ancestor of what was had. Raises NotObserved
        where the newer could not be had, or the older was not asked for.
        """
        for sha in (newer, older):
            if sha != self.base_head and not (sha == older and older in self.missing):
                self.lineage(sha)
        return older == newer or (older, newer) in self.ancestors
