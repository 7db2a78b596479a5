"""Which tags of a monorepo belong to this package, by the tags with its name (pure).

A number alone, `v1.2.3`, is often the main package's, of whatever name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from packaging.version import Version

from release_state.model.snapshot import Tag
from release_state.model.target import Target


@dataclass(frozen=True)
class PackageTags:
    """What the tags with the package's name say about the others."""

    sure: frozenset[str]
    """Templates that cannot be another package's: the configured one, and those with this one's name."""
    by_name: Mapping[Version, set[str]]
    """Commits of the tags that are spelled with the package's name."""

    @cached_property
    def _first(self) -> Version | None:
        return min(self.by_name, default=None)

    def may_be_ours(self, template: str, version: Version, commit: str | None) -> bool:
        """
        Whether a tag can be this package's; `commit` is None where the tag is gone.

        Since the package has tags by its name, one by number alone is another package's: unless it is on the commit of
        the version's tag by name.
        """
        if template in self.sure or self._first is None or version < self._first:
            return True
        return commit in self.by_name.get(version, ())


def read_package_tags(target: Target, tags: Iterable[Tag]) -> PackageTags:
    """Read the tags with the package's name."""
    named: set[str] = set()
    by_name: dict[Version, set[str]] = defaultdict(set)
    for tag in tags:
        spelling = target.parse_tag_spelling(tag.name)
        if spelling and target.names_package(spelling[0]):
            named.add(spelling[0])
            by_name[spelling[1]].add(tag.commit)
    return PackageTags(frozenset((*named, target.tag_template)), by_name)


def find_sibling_tags(target: Target, tags: Iterable[Tag]) -> frozenset[str]:
    """
    The names of the tags that surely belong to sibling packages.

    Where the configured template has the package's name, and numbers alone have been tagged for several versions on
    commits of no tag by name since. A single one may be this package's own, spelled by mistake; and where the template
    has no name in it, the project may have gone over to numbers alone.
    """
    if not target.names_package(target.tag_template):
        return frozenset()
    tags = tuple(tags)
    ours, series = read_package_tags(target, tags), defaultdict[str, dict[str, Version]](dict)
    for tag in tags:
        spelling = target.parse_tag_spelling(tag.name)
        if spelling and not ours.may_be_ours(*spelling, tag.commit):
            series[spelling[0]][tag.name] = spelling[1]
    several = (named for named in series.values() if len(set(named.values())) > 1)
    return frozenset(name for named in several for name in named)
