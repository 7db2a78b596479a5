"""The observed history of a project on one channel, and one record for each version that it names (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from msgspec import structs
from packaging.version import Version

from release_state.facts.spelling import Spellings, find_tag_spelling, match_spellings
from release_state.model.observation import AwareDatetime, Model, Observation, unavailable
from release_state.model.snapshot import Branch, GitHubRelease, PullRequest, Remote, Repository, Tag, WorkflowRuns
from release_state.model.snapshot.index import IndexedVersion, IndexHistory
from release_state.model.target import Target, names_version, read_version
from release_state.settings.waivers import Waiver

FORMAT = 1

_NOT_ASKED: Observation[Any] = unavailable("history", "not asked for: the channel leaves no such trace")


class AuditSnapshot(Model):
    """Everything that an audit observed of one channel at nearly one moment."""

    format: int = FORMAT
    observed_at: AwareDatetime
    target: Target
    """Package, repository, channel and templates; its own version is a placeholder."""
    selection: str
    """"all", or the PEP 440 specifier of the versions to judge. The whole history is observed in any case."""
    waivers: tuple[Waiver, ...] = ()
    """Those of this channel."""
    token_source: str | None = None
    """Where the GitHub token came from, never the token."""
    remote: Observation[Remote] = _NOT_ASKED
    index: Observation[IndexHistory] = _NOT_ASKED
    catching_up: tuple[str, ...] = ()
    """Published versions that the Simple API does not list yet; it can lag by minutes."""
    clone_tags: Observation[tuple[Tag, ...]] = _NOT_ASKED
    """Known and None: there is no clone."""
    repository: Observation[Repository] = _NOT_ASKED
    releases: Observation[tuple[GitHubRelease, ...]] = _NOT_ASKED
    """Every published GitHub Release."""
    drafts: Observation[tuple[GitHubRelease, ...]] = _NOT_ASKED
    """Every draft; GitHub lists drafts only to a token with push permission."""
    latest_release: Observation[GitHubRelease] = _NOT_ASKED
    """Known and None: GitHub has no latest release."""
    open_pulls: Observation[tuple[PullRequest, ...]] = _NOT_ASKED
    """Every open pull request whose head or base parses as a release branch."""
    runs: Observation[WorkflowRuns] = _NOT_ASKED
    """Release runs; asked for only if one may still complete the newest version."""
    makes_releases: Observation[bool] = _NOT_ASKED
    """Whether a workflow makes GitHub Releases; asked for only if the project has none."""


@dataclass
class Audited:
    """One version and its observed traces. A failed look-up leaves its field empty: see the `AuditSnapshot`."""

    version: Version
    indexed: IndexedVersion | None = None
    listed_empty: bool = False
    """The index lists it without files."""
    tags: list[Tag] = field(default_factory=list)
    """Tags of the remote in one of the project's spellings, without moving tags; the exact one first."""
    moving: list[Tag] = field(default_factory=list)
    """Tags with fewer numbers, like `v9` for 9.0.0: each release of their line may move them."""
    releases: list[GitHubRelease] = field(default_factory=list)
    drafts: list[GitHubRelease] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    """Its release branches of this channel."""
    pulls: list[PullRequest] = field(default_factory=list)
    """Open pull requests from its release branch, not from forks."""
    pulls_into: list[PullRequest] = field(default_factory=list)
    """Open pull requests into its release branch, also from forks."""
    local_tags: list[Tag] = field(default_factory=list)

    @property
    def uploaded_at(self) -> datetime | None:
        """The time of its first upload."""
        return self.indexed.uploaded_at if self.indexed else None

    @property
    def is_known(self) -> bool:
        """Whether it is published, tagged or released. A branch, a draft or a pull request only prepares it."""
        return bool(self.indexed or self.listed_empty or self.tags or self.releases)

    @cached_property
    def _name(self) -> str:
        return str(self.version)

    def __str__(self) -> str:
        return self._name


def resolve(history: AuditSnapshot) -> AuditSnapshot:
    """Return the history with a target that spells tags as the remote does, unless the configuration says how."""
    target, remote = history.target, history.remote.value
    if remote is None:
        return history
    template = find_tag_spelling(target, remote.tags, _published(history)).template
    if template == target.tag_template:
        return history
    return structs.replace(history, target=structs.replace(target, tag_template=template))


def find_spellings(history: AuditSnapshot) -> Spellings:
    """Return the templates that the project's tags follow."""
    remote = history.remote.value
    return match_spellings(history.target, remote.tags if remote else (), _published(history))


def _published(history: AuditSnapshot) -> set[Version]:
    index = history.index.value
    listed = (*(found.version for found in index.versions), *index.listed_without_files) if index else ()
    return set(map(Version, listed))


def collect_versions(history: AuditSnapshot, spelt: Spellings) -> tuple[Audited, ...]:
    """Every version that any source names, oldest first by PEP 440."""
    target = history.target
    found: dict[Version, Audited] = {}

    def of(version: Version) -> Audited:
        if version not in found:
            found[version] = Audited(version)
        return found[version]

    if index := history.index.value:
        for indexed in index.versions:
            of(read_version(indexed.version)).indexed = indexed
        for text in index.listed_without_files:
            of(read_version(text)).listed_empty = True
    takes_tags = "tag" in target.channel.leaves
    if remote := history.remote.value:
        named = [(tag, *known) for tag in remote.tags if (known := target.parse_tag_spelling(tag.name))]
        own = [(tag, version) for tag, template, version in named if spelt.takes(tag.name, template, version)]
        moving = _moving(own, found)
        for tag, version in own if takes_tags else ():
            if tag.name not in moving and names_version(version, of(version).version):
                of(version).tags.append(tag)
            elif version in found:
                found[version].moving.append(tag)
        for branch in remote.branches:
            parsed = target.parse_release_branch(branch.name)
            lasting = target.is_lasting(branch.name, remote.default_branch)
            if parsed and parsed.channel == target.channel.name and not lasting:
                of(read_version(parsed.version)).branches.append(branch)
    for release in (*(history.releases.value or ()), *(history.drafts.value or ())):
        spelling = target.parse_tag_spelling(release.tag)
        # A release's tag can be deleted, and a draft has none yet: any spelling counts that is not another package's.
        if not spelling or not takes_tags or not spelt.takes(release.tag, *spelling):
            continue
        if names_version(spelling[1], of(spelling[1]).version):
            (of(spelling[1]).drafts if release.draft else of(spelling[1]).releases).append(release)
    repository = history.repository.value
    ours = (repository.full_name if repository else target.repository).lower()
    for pull in history.open_pulls.value or ():
        parsed = target.parse_release_branch(pull.head_branch)
        if parsed and parsed.channel == target.channel.name and (pull.head_repository or "").lower() == ours:
            of(read_version(parsed.version)).pulls.append(pull)
    for audited in (each for each in found.values() if each.branches):
        branches = {branch.name for branch in audited.branches}
        audited.pulls_into = [pull for pull in history.open_pulls.value or () if pull.base_branch in branches]
    for tag in history.clone_tags.value or () if takes_tags else ():
        spelling = target.parse_tag_spelling(tag.name)
        if spelling and spelling[1] in found and spelling[0] in spelt.own and spelt.takes(tag.name, *spelling):
            found[spelling[1]].local_tags.append(tag)
    for audited in found.values():
        exact = target.tag_for(str(audited.version))
        audited.tags.sort(key=lambda tag: (tag.name != exact, tag.name))
    return tuple(found[version] for version in sorted(found))


def _moving(tags: Sequence[tuple[Tag, Version]], published: Collection[Version]) -> set[str]:
    """The names of moving tags, which each release of their line moves.

    A tag of one or two numbers moves if a longer version that starts with them is tagged on the same commit. A tag of
    one number also moves if that version was never published and longer tagged versions start with it.
    """
    on_commit: dict[str, list[Version]] = defaultdict(list)
    lines = {version.release[0] for _, version in tags if len(version.release) > 1}
    for tag, version in tags:
        on_commit[tag.commit].append(version)
    moving = set()
    for tag, version in tags:
        numbers = version.release
        if version.is_prerelease or version.is_postrelease or len(numbers) > 2:
            continue
        longer = (other.release for other in on_commit[tag.commit] if len(other.release) > len(numbers))
        never_published = len(numbers) == 1 and numbers[0] in lines and version not in published
        if never_published or any(other[: len(numbers)] == numbers for other in longer):
            moving.add(tag.name)
    return moving
