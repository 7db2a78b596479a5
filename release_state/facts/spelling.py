"""How a project spells its tags, and which tag is that of a version (pure)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from msgspec import Struct, field, structs
from packaging.utils import canonicalize_name
from packaging.version import Version

from release_state.facts.package_tags import PackageTags, read_package_tags
from release_state.model.snapshot import Tag
from release_state.model.target import Target, count_numbers, names_version, parse_version


class Spellings(Struct, frozen=True):
    """How the project spells its tags, by how many tags name a version that the index has."""

    own: dict[str, int]
    """Template and number of tags, the most common first."""
    foreign: dict[str, int]
    """Templates of other packages in the repository: few of their tags name a version of this package."""
    named: PackageTags
    """Which tags can belong to this package, by the tags with its name."""
    commits: dict[str, str] = field(default_factory=dict)
    """The commit of each tag of the remote, by tag name."""
    read: tuple[tuple[Tag, str, Version], ...] = ()
    """The tags that name a version, each with its template and that version."""

    @property
    def usual(self) -> str | None:
        """The most common template."""
        return next(iter(self.own), None)

    def may_be_ours(self, tag: str, template: str, version: Version) -> bool:
        """Whether a tag, existing or deleted, can belong to this package."""
        return self.named.may_be_ours(template, version, self.commits.get(tag))

    def takes(self, tag: str, template: str, version: Version) -> bool:
        """Whether a tag, or the GitHub Release of a tag, belongs to this package, by its name."""
        by_template = template in self.own or template not in self.foreign
        return by_template and self.may_be_ours(tag, template, version)


def match_spellings(target: Target, tags: Sequence[Tag], published: Collection[Version]) -> Spellings:
    """Return the templates that the project's tags follow.

    A repository of several packages has tags like `v1.2.3` and `other-v1.2.3`; plain numbers may be the main package's
    alone. A template belongs to this package if at least half of its tags name a version on the index and can belong to
    this package. If no template does, a configured one is taken, else those with the package's name, else all.
    """
    read = tuple((tag, *spelt) for tag in tags if (spelt := target.parse_tag_spelling(tag.name)))
    commits = {tag.name: tag.commit for tag in tags}
    counted = Counter(template for _, template, _ in read)
    found = Spellings({}, {}, read_package_tags(target, tags, published), commits, read)
    possible = [each[1:] for each in read if found.may_be_ours(each[0].name, *each[1:])]
    hits = Counter(template for template, version in possible if version in published)
    own = {template for template in counted if 2 * hits[template] >= counted[template]}
    if not own:
        configured = {target.tag_template} if "tag-template" in target.given else set()
        named = found.named.templates - ({target.tag_template} - configured)
        own = configured & set(counted) or set(counted).intersection(named) or set(counted)
    ours = Counter(template for template, _ in possible if template in own)
    return structs.replace(found, own=dict(ours.most_common()), foreign=dict((counted - ours).most_common()))


_NUMBER = re.compile(
    r"(?P<prefix>[^0-9]*?)(?P<number>[0-9]+(?:[._][0-9]+)*(?:[._-]?[a-z]+[._-]?[0-9]*)*)", re.IGNORECASE
)


class TagSpelling(Struct, frozen=True):
    """What the remote's tags say about the tag of one version."""

    template: str
    tag: str | None = None
    """The version's tag in another spelling than the template's; None: as the template spells it."""
    evidence: str = ""


def find_tag_spelling(target: Target, tags: Sequence[Tag], published: Collection[Version]) -> TagSpelling:
    """Return how the package spells its tags, by the newest of them, and the tag of this version.

    A template that the configuration gives stays. A tag that names the version in a spelling that the package has used
    is its tag, if all such tags are on one commit.
    """
    given = "tag-template" in target.given
    template, evidence, used = target.tag_template, "", match_spellings(target, tags, published)
    if not given:
        template, evidence = _find_template(target, tags, published, used)
    if template != target.tag_template:
        target = structs.replace(target, tag_template=template)
        used = match_spellings(target, tags, published)
    version = target.parsed_version
    numbers = count_numbers(version, published)
    exact = structs.replace(target, process=structs.replace(target.process, tag=None)).tag
    named = [
        (tag, spelt)
        for tag, spelt, found in used.read
        if names_version(found, version, numbers) and used.may_be_ours(tag.name, spelt, found)
    ]
    others = [
        tag for tag, spelt in named if spelt == template or (not given and _is_used(spelt, target, used, published))
    ]
    if any(tag.name == exact for tag, _ in named) or len({tag.commit for tag, _ in named}) != 1 or not others:
        return TagSpelling(template, None, evidence)
    return TagSpelling(template, sorted(others, key=lambda tag: tag.name)[0].name, evidence)


def _is_used(template: str, target: Target, used: Spellings, published: Collection[Version]) -> bool:
    """Whether the package has tagged a published or another version in this spelling, or has no other tags."""
    if template not in used.own or target.parsed_version in published:
        return template in used.own
    versions = {version for _, spelt, version in used.read if spelt == template}
    return bool(versions - {target.parsed_version}) or set(used.own) == {template}


def _find_template(
    target: Target, tags: Sequence[Tag], published: Collection[Version], used: Spellings
) -> tuple[str, str]:
    """The template of the package's newest tag, and the evidence; the present one without tags."""
    template = _newest_template(target, published, used)
    is_hit = any(spelt == template and version in published for _, spelt, version in used.read)
    if template is None or (published and not is_hit):
        template = _unusual_template(tags, published, target.package) or template
    if template is None:
        return target.tag_template, ""
    named = structs.replace(target, tag_template=template)
    read = [
        (tag.name, spelt[1]) for tag in tags if (spelt := named.parse_tag_spelling(tag.name)) and spelt[0] == template
    ]
    unfinished = [(name, version) for name, version in read if version.is_prerelease]
    semver = template.replace("{version}", "{semver}")
    spelled = structs.replace(named, tag_template=semver)
    if unfinished and all(name == spelled.tag_for(str(version)) for name, version in unfinished[-5:]):
        template = semver
    return template, f"tags: {len(read)} of {len(tags)} tags of the remote are spelled {template}"


def _newest_template(target: Target, published: Collection[Version], used: Spellings) -> str | None:
    """The spelling of the greatest version other than the target's that has a tag of its own."""
    found: dict[Version, list[str]] = {}
    for tag, spelt, version in used.read:
        if spelt in used.own and used.may_be_ours(tag.name, spelt, version):
            found.setdefault(version, []).append(spelt)
    own = {version: each for version, each in found.items() if version != target.parsed_version} or found
    own = {version: each for version, each in own.items() if version in published} or own
    if not own:
        return None
    # Of two spellings of one version, the one that most tags have.
    return max(own[max(own)], key=lambda template: used.own[template])


def _unusual_template(tags: Sequence[Tag], published: Collection[Version], package: str) -> str | None:
    """A template of a spelling that is not known: text before a number that most often names a published version.

    Text that ends with the package's name goes first: packages of one repository have versions in common.
    """
    seen, hits = Counter[str](), Counter[str]()
    for tag in tags:
        found = _NUMBER.fullmatch(tag.name)
        if found is None or "{" in found["prefix"] or "}" in found["prefix"]:
            continue
        underscored = "_" in found["number"] and "." not in found["number"]
        version = parse_version(found["number"].replace("_", ".") if underscored else found["number"])
        template = found["prefix"] + ("{underscored}" if underscored else "{version}")
        seen[template] += 1
        hits[template] += version in published
    good = [template for template, count in hits.most_common() if count and 2 * count >= seen[template]]
    name = re.compile(rf"(?:.*[^a-z0-9])?{re.escape(canonicalize_name(package))}[-_/@.=]*v?[-_.]?", re.DOTALL)
    named = (each for each in good if name.fullmatch(re.sub(r"[-_.]+", "-", each.partition("{")[0].lower())))
    return next(named, good[0] if good else None)
