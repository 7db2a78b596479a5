"""From what was observed to one record for each version: everything that names it, put together (pure)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from packaging.version import Version

from release_state.audit.model import AuditSnapshot
from release_state.facts.tags import PackageTags, package_tags
from release_state.model.snapshot import Branch, GitHubRelease, PullRequest, Tag
from release_state.model.snapshot.index import IndexedVersion


@dataclass
class Audited:
    """One version, and all that was observed of it. What could not be observed is empty here: see the history."""

    version: Version
    indexed: IndexedVersion | None = None
    listed_empty: bool = False
    """The index lists it and holds no file of it."""
    tags: list[Tag] = field(default_factory=list)
    """Tags of the remote that name it, in a spelling of the project's; the exact one first. No moving ones."""
    moving: list[Tag] = field(default_factory=list)
    """Tags like `v9` of 9.0.0: they name fewer numbers, and are set anew with each release of their line."""
    releases: list[GitHubRelease] = field(default_factory=list)
    drafts: list[GitHubRelease] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    """Its release branches of this channel."""
    pulls: list[PullRequest] = field(default_factory=list)
    """Open pull requests of its release branch, from the repository itself."""
    pulls_into: list[PullRequest] = field(default_factory=list)
    """Open pull requests that are to be merged into its release branch, those of forks too."""
    local_tags: list[Tag] = field(default_factory=list)

    @property
    def uploaded_at(self) -> datetime | None:
        """When its first file was uploaded."""
        return self.indexed.uploaded_at if self.indexed else None

    @property
    def is_known(self) -> bool:
        """Whether it is published, tagged or released; a branch, a draft or a pull request alone only prepares it."""
        return bool(self.indexed or self.listed_empty or self.tags or self.releases)

    @cached_property
    def _name(self) -> str:
        return str(self.version)

    def __str__(self) -> str:
        return self._name


@dataclass(frozen=True)
class Spellings:
    """How the project spells its tags, by how many of them name a version that the index has."""

    own: dict[str, int]
    """Template and number of tags; the commonest first."""
    foreign: dict[str, int]
    """Spellings of another package of the repository, as far as they are: few of their tags name a version of this."""
    named: PackageTags
    """Which tags can be this package's, by those with its name."""
    commits: dict[str, str] = field(default_factory=dict)
    """The commit of each tag of the remote, by its name."""

    @property
    def usual(self) -> str | None:
        """The commonest one."""
        return next(iter(self.own), None)

    def may_be_ours(self, tag: str, template: str, version: Version) -> bool:
        """Whether a tag, on the remote or gone, can be this package's."""
        return self.named.may_be_ours(template, version, self.commits.get(tag))

    def takes(self, tag: str, template: str, version: Version) -> bool:
        """Whether a tag or the GitHub Release of a tag is this package's, as far as its name tells."""
        by_template = template in self.own or template not in self.foreign
        return by_template and self.may_be_ours(tag, template, version)


def spellings(history: AuditSnapshot) -> Spellings:
    """
    Which templates the project's tags follow.

    A repository of several packages tags `v1.2.3`, `other-v1.2.3` and so on, and plain numbers can be those of the main
    package alone. A template is this package's if at least half of its tags name a version that the index has or lists,
    and can be this package's; where none is, the configured one is.
    """
    target, index = history.target, history.index.value
    published = {Version(found.version) for found in index.versions} if index else set()
    published |= {Version(text) for text in index.listed_without_files} if index else set()
    all_tags = history.remote.value.tags if history.remote.value else ()
    spelt = [(tag.name, *read) for tag in all_tags if (read := target.spelling_of_tag(tag.name))]
    commits = {tag.name: tag.commit for tag in all_tags}
    tags = Counter(template for _, template, _ in spelt)
    found = Spellings({}, {}, package_tags(target, all_tags), commits)
    hits = Counter(each[1] for each in spelt if each[2] in published and found.may_be_ours(*each))
    own = {template for template in tags if 2 * hits[template] >= tags[template]}
    if not own:
        own = ({target.tag_template} & set(tags)) or set(tags).intersection(found.named.sure) or set(tags)
    ours = Counter(each[1] for each in spelt if each[1] in own and found.may_be_ours(*each))
    return replace(found, own=dict(ours.most_common()), foreign=dict((tags - ours).most_common()))


def versions(history: AuditSnapshot, spelt: Spellings) -> tuple[Audited, ...]:
    """Every version that anything names, oldest first by PEP 440."""
    target = history.target
    found: dict[Version, Audited] = {}

    def of(version: Version) -> Audited:
        if version not in found:
            found[version] = Audited(version)
        return found[version]

    if index := history.index.value:
        for indexed in index.versions:
            of(Version(indexed.version)).indexed = indexed
        for text in index.listed_without_files:
            of(Version(text)).listed_empty = True
    takes_tags = "tag" in target.channel.leaves
    if remote := history.remote.value:
        named = [(tag, *known) for tag in remote.tags if (known := target.spelling_of_tag(tag.name))]
        own = [(tag, version) for tag, template, version in named if spelt.takes(tag.name, template, version)]
        moving = _moving(own, found)
        for tag, version in own if takes_tags else ():
            if tag.name not in moving:
                of(version).tags.append(tag)
            elif version in found:
                found[version].moving.append(tag)
        for branch in remote.branches:
            parsed = target.parse_release_branch(branch.name)
            lasting = target.is_lasting(branch.name, remote.default_branch)
            if parsed and parsed.channel == target.channel.name and not lasting:
                of(Version(parsed.version)).branches.append(branch)
    for release in (*(history.releases.value or ()), *(history.drafts.value or ())):
        spelling = target.spelling_of_tag(release.tag)
        # The tag of a release can be gone, and a draft has none yet: any spelling that is not another package's counts.
        if spelling and takes_tags and spelt.takes(release.tag, *spelling):
            (of(spelling[1]).drafts if release.draft else of(spelling[1]).releases).append(release)
    repository = history.repository.value
    ours = (repository.full_name if repository else target.repository).lower()
    for pull in history.open_pulls.value or ():
        parsed = target.parse_release_branch(pull.head_branch)
        if parsed and parsed.channel == target.channel.name and (pull.head_repository or "").lower() == ours:
            of(Version(parsed.version)).pulls.append(pull)
    for audited in (each for each in found.values() if each.branches):
        branches = {branch.name for branch in audited.branches}
        audited.pulls_into = [pull for pull in history.open_pulls.value or () if pull.base_branch in branches]
    for tag in history.clone_tags.value or () if takes_tags else ():
        spelling = target.spelling_of_tag(tag.name)
        if spelling and spelling[1] in found and spelling[0] in spelt.own and spelt.takes(tag.name, *spelling):
            found[spelling[1]].local_tags.append(tag)
    for audited in found.values():
        exact = target.tag_for(str(audited.version))
        audited.tags.sort(key=lambda tag: (tag.name != exact, tag.name))
    return tuple(found[version] for version in sorted(found))


def _moving(tags: Sequence[tuple[Tag, Version]], published: Collection[Version]) -> set[str]:
    """
    Names of tags that are set anew with each release of their line.

    A tag of one or two numbers on the commit of a longer version that begins with these; and a tag of one number that
    was never published as such, where the project tags longer versions that begin with it.
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
