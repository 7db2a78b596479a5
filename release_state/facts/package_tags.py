"""Which tags of a repository are of this package, and which of a sibling package (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cache, cached_property

from msgspec import Struct
from packaging.version import Version

from release_state.model.snapshot import Clone, Remote, Tag
from release_state.model.target import Target

_SEVERAL = 3
"""Fewer tags by number alone do not show that they are this package's."""


def group_tags(of: Remote | Clone, target: Target) -> Mapping[Version, tuple[Tag, ...]]:
    """Return the tags by the version that they name in any spelling."""
    # Read once: the facts of a run are made anew for each look-up, and a project can have ten thousand tags.
    if (kept := of.tags_by_version.get(target.tag_patterns)) is None:
        found: defaultdict[Version, list[Tag]] = defaultdict(list)
        for tag in of.tags:
            if version := target.parse_tag(tag.name):
                found[version].append(tag)
        kept = of.tags_by_version[target.tag_patterns] = {version: tuple(tags) for version, tags in found.items()}
    return kept


class PackageTags(Struct, frozen=True, dict=True):
    """The tags with the package's name, in a monorepo; the main package often tags a number alone, `v1.2.3`."""

    templates: frozenset[str]
    """Templates of this package alone: a configured one, those with its name, those whose tags are its versions."""
    commits: Mapping[Version, set[str]]
    """The commits of the tags with the package's name."""

    @cached_property
    def _first(self) -> Version | None:
        return min(self.commits, default=None)

    def may_be_ours(self, template: str, version: Version, commit: str | None) -> bool:
        """Whether a tag can be this package's; `commit` is None if the tag is gone.

        Since the package's first tag by name, a tag by number alone is another package's, unless both are on one
        commit, or nearly all tags like it name versions of this package.
        """
        if template in self.templates or self._first is None or version < self._first:
            return True
        return commit in self.commits.get(version, ())


def read_package_tags(target: Target, tags: Iterable[Tag], published: Collection[Version] = ()) -> PackageTags:
    """Select the tags with the package's name, and templates by number alone whose tags name published versions."""
    is_ours = "tag-template" in target.given or target.names_package(target.tag_template)
    templates, commits = {target.tag_template} if is_ours else set(), defaultdict[Version, set[str]](set)
    numbers, names_package = defaultdict[str, set[Version]](set), cache(target.names_package)
    for tag in tags:
        spelling = target.parse_tag_spelling(tag.name)
        if spelling and names_package(spelling[0]):
            templates.add(spelling[0])
            commits[spelling[1]].add(tag.commit)
        elif spelling:
            numbers[spelling[0]].add(spelling[1])
    for template, versions in numbers.items() if "tag-template" not in target.given else ():
        if _are_versions_of(versions, published):
            templates.add(template)
    return PackageTags(frozenset(templates), commits)


def _are_versions_of(tagged: Collection[Version], published: Collection[Version]) -> bool:
    """Whether nearly all are the package's versions, and most of its versions in their range: a sibling's are not."""
    first, last = min(tagged), max(tagged)
    within = {version for version in published if first <= version <= last}
    hits = len(within.intersection(tagged))
    return hits >= _SEVERAL and 10 * hits >= 9 * len(tagged) and 2 * hits >= len(within)


def find_sibling_tags(target: Target, tags: Iterable[Tag]) -> frozenset[str]:
    """The names of the tags that certainly belong to sibling packages.

    Requires a configured template with the package's name, and tags by number alone for several versions. A single
    one may be a misspelled tag of this package.
    """
    if not target.names_package(target.tag_template):
        return frozenset()
    tags = tuple(tags)
    own, series = read_package_tags(target, tags), defaultdict[str, dict[str, Version]](dict)
    for tag in tags:
        spelling = target.parse_tag_spelling(tag.name)
        if spelling and not own.may_be_ours(*spelling, tag.commit):
            series[spelling[0]][tag.name] = spelling[1]
    several = (versions for versions in series.values() if len(set(versions.values())) > 1)
    return frozenset(name for versions in several for name in versions)
