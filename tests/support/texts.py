"""A tree of given texts, for what reads one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Texts:
    """The files of a tree by path; all of them are read."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def read(self, path: str) -> str | None:
        """The text of a file."""
        return self.texts.get(path)

    def find(self, names: Iterable[str]) -> tuple[str, ...]:
        """The paths of the files with one of these names."""
        wanted = set(names)
        return tuple(path for path in self.texts if path.rpartition("/")[2] in wanted)
