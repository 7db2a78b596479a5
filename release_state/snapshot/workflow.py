"""The release workflow's file and the files that it uses, as they are in the tree of one commit."""

from __future__ import annotations

from release_state.model import Model


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
