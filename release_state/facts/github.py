"""Facts from GitHub: pull requests, GitHub Releases, CI and runs (pure)."""

from __future__ import annotations

import re
from functools import cached_property

from msgspec import structs
from packaging.utils import canonicalize_name
from packaging.version import Version

from release_state.facts.git import GitFacts
from release_state.facts.index import IndexFacts
from release_state.facts.publishers import is_release_run
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import Phase
from release_state.model.snapshot import CommitChecks, GitHubRelease, PullRequest, WorkflowRun
from release_state.model.target import parse_version

_PACKAGE_TAG = re.compile(r"[A-Za-z][\w.-]*?(?:[-/@_]|==)v?(?P<version>[0-9][^/@]*)")
"""The tag of any package's version: `other-v1.2.3`, `other/1.2.3`, `other==1.2.3`."""


class GitHubFacts(GitFacts, IndexFacts):
    """What GitHub knows about a version."""

    def find_pulls_from(self, branch: str) -> tuple[PullRequest, ...]:
        """All pull requests from another version's release branch."""
        observed = self.snapshot.branch_pulls.get(branch)
        if observed is None:
            raise NotObserved(Problem(source="GitHub", why=f"the pull requests of {branch} were not looked up"))
        return observed.present()

    @cached_property
    def pulls(self) -> tuple[PullRequest, ...]:
        """All pull requests of this version's release branch."""
        return self.snapshot.pulls.present()

    def find_open_pulls_from(self, branch: str) -> tuple[PullRequest, ...]:
        """The open pull requests from a branch of this repository."""
        pulls = self.snapshot.open_pulls.present()
        return tuple(pull for pull in pulls if pull.head_branch == branch and self.is_from_here(pull))

    def is_from_here(self, pull: PullRequest) -> bool:
        """Whether a pull request is from this repository, not from a fork's branch of the same name."""
        repository = self.snapshot.repository.value
        ours = repository.full_name if repository else self.target.repository
        return (pull.head_repository or "").lower() == ours.lower()

    def find_pulls_into(self, branch: str) -> tuple[PullRequest, ...]:
        """Open pull requests into a release branch, also from forks; deleting the branch closes them."""
        return tuple(pull for pull in self.snapshot.open_pulls.present() if pull.base_branch == branch)

    @property
    def open_pulls(self) -> tuple[PullRequest, ...]:
        """The open pull requests of the release branch, into any base."""
        return tuple(pull for pull in self.pulls if pull.is_open)

    @cached_property
    def pull(self) -> PullRequest | None:
        """The latest release pull request with the right head and base: open, or merged and not overtaken."""
        right = [pull for pull in self.pulls if pull.base_branch == self.base_branch and (pull.merged or pull.is_open)]
        latest = sorted(right, key=lambda pull: pull.number, reverse=True)
        return next((pull for pull in latest if not self.is_overtaken(pull)), None)

    def is_overtaken(self, pull: PullRequest) -> bool:
        """Whether the tag builds on a merged pull request, with a change that the base branch lacks.

        The tag descends from the recorded head, or, as in a later attempt, from the merge. Other commits show nothing:
        they may have been rebased before the merge, or belong to another version.
        """
        tag = self.tag
        if tag is None or not pull.merged or tag.commit in (pull.head_sha, pull.merge_commit):
            return False
        if not self.lineage(tag.commit).unmerged_count or self.builds_another_version(tag):
            return False
        if self.is_ancestor(tag.commit, pull.head_sha):
            return False
        merged = filter(None, (pull.head_sha, pull.merge_commit))
        return any(self.is_ancestor(commit, tag.commit) for commit in merged)

    @property
    def has_pull(self) -> bool:
        """Whether the release has the right pull request, or an open one into another base."""
        return bool(self.open_pulls or self.pull)

    @cached_property
    def github_release(self) -> GitHubRelease | None:
        """The published GitHub Release of the tag, in the template's exact spelling."""
        return self.snapshot.release.known()

    @cached_property
    def other_releases(self) -> tuple[GitHubRelease, ...]:
        """Published GitHub Releases of the version's other tag spellings, without moving tags."""
        return tuple(filter(None, (self.find_release(tag.name) for tag in self.other_tags_exactly)))

    def find_release(self, tag: str) -> GitHubRelease | None:
        """The published GitHub Release of another tag of the version."""
        observed = self.snapshot.other_releases.get(tag)
        if observed is None:
            raise NotObserved(Problem(source="GitHub", why=f"the GitHub Release of {tag} was not looked up"))
        return observed.known()

    @property
    def releases(self) -> tuple[GitHubRelease, ...]:
        """Every published GitHub Release of the version, the exact spelling first."""
        return (*filter(None, [self.github_release]), *self.other_releases)

    @cached_property
    def drafts(self) -> tuple[GitHubRelease, ...]:
        """Drafts for the tag, in the template's exact spelling."""
        return tuple(draft for draft in self.snapshot.drafts.present() if draft.tag == self.target.tag)

    @cached_property
    def other_drafts(self) -> tuple[GitHubRelease, ...]:
        """Drafts of the version in other tag spellings; no sibling package's."""
        others = (draft for draft in self.snapshot.drafts.present() if draft.tag != self.target.tag)
        return tuple(draft for draft in others if not self.is_sibling_tag(draft.tag))

    @property
    def all_drafts(self) -> tuple[GitHubRelease, ...]:
        """Every draft of the version, the exact spelling first."""
        return (*self.drafts, *self.other_drafts)

    @property
    def expected_latest(self) -> str | None:
        """The tag that should be GitHub's latest release; None if this version has the right mark, or it is unknown.

        The greatest final version that is not yanked should have the mark: of a newer one only if it has a tag, as a
        GitHub Release can't be without. What it lacks is for a run over that version to say.
        """
        if not self.files and self.snapshot.phase != Phase.ROLLBACK:
            return None  # the newest version on the index is not decided yet
        latest = self.snapshot.latest_release.known()
        if self.is_latest_foreign and self.target.names_package(self.target.tag_template):
            return None  # sibling packages share the mark
        version = self.target.parse_tag(latest.tag) if latest else None
        remote = self.snapshot.remote.value
        named: dict[Version | None, list[str]] = {self.version: [], version: []}
        for tag in remote.tags if remote else ():
            named.setdefault(self.target.parse_tag(tag.name), []).append(tag.name)
        newest = max((each for each in self.final_versions if remote is None or each in named), default=None)
        if newest is None or (version == self.version) == (newest == self.version):
            return None
        if newest == self.version:
            return self.target.tag  # the index may have another spelling
        exact = self.target.tag_for(str(newest))
        spelled = named.get(newest, [])
        return exact if exact in spelled or not spelled else spelled[0]

    @property
    def is_latest_foreign(self) -> bool:
        """Whether GitHub's latest release belongs to a sibling package, by its tag."""
        latest = self.snapshot.latest_release.known()
        if latest is None:
            return False
        if self.target.parse_tag_spelling(latest.tag):
            return self.snapshot.remote.is_known and latest.tag in self.sibling_tags
        match = _PACKAGE_TAG.fullmatch(latest.tag)
        return bool(match and parse_version(match["version"]))

    @cached_property
    def ci(self) -> CommitChecks:
        """CI of the commit to release, without release runs: a failed release is not red CI.

        If one workflow tests and releases, its runs of pushes to the base branch count.
        """
        checks = self.snapshot.ci.present()
        is_of_tag = self.snapshot.own_run.value is not None
        if is_of_tag and self.snapshot.phase == Phase.PRE_RELEASE:
            why = "the snapshot was recorded inside a run that a tag started: its CI is of that commit"
            raise NotObserved(Problem(source="snapshot", why=why))
        branch = self.find_branch_of(checks.sha) if is_of_tag else self.base_branch
        runs = self.snapshot.runs.value
        own = {run.id for run in runs.runs if not run.tests(branch)} if runs else set()
        left_out = [f"{result.name} (release workflow)" for result in checks.results if result.workflow_run in own]
        return structs.replace(
            checks,
            results=tuple(each for each in checks.results if each.workflow_run not in own),
            nearest_results=tuple(each for each in checks.nearest_results if each.workflow_run not in own),
            left_out=(*checks.left_out, *left_out),
        )

    @property
    def switched_off(self) -> frozenset[str]:
        """The file names of the workflows that are known to be switched off: no event starts them."""
        return frozenset(each.file for each in self.snapshot.workflow_states.value or () if each.is_off)

    @cached_property
    def unfinished_runs(self) -> tuple[WorkflowRun, ...]:
        """Unfinished runs of the release workflow, on any channel; without those of another package's tag."""
        remote = self.snapshot.remote.value
        every = self.snapshot.runs.present().runs
        unfinished = (run for run in every if not (run.is_finished or self._is_of_sibling(run)))
        return tuple(run for run in unfinished if is_release_run(run, self.target, remote))

    def _is_of_sibling(self, run: WorkflowRun) -> bool:
        """Whether a tag of another package started a run, by its name, in a repository whose tags name the package.

        Two gates would wait for each other if the tags of two packages are pushed at once.
        """
        if run.event not in ("push", "release", "create") or not self.target.names_package(self.target.tag_template):
            return False
        tag, remote = run.head_branch or "", self.snapshot.remote.value
        match = _PACKAGE_TAG.fullmatch(tag)
        if match is None or parse_version(match["version"]) is None or (remote and remote.branch(tag)):
            return False
        # One that begins like this package may be a nightly version of it.
        return self.target.parse_tag(tag) is None and not canonicalize_name(tag).startswith(f"{self.target.name}-")
