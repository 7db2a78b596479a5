"""Commits to look at: in a store beside the clone where the clone has most of them, else in the remote's cache."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Event, Lock, RLock
from typing import TYPE_CHECKING, TypeVar

import platformdirs
from msgspec import Struct

from release_state.common.addresses import strip_credentials
from release_state.common.strict import OBJECT_NAME
from release_state.model.snapshot import Clone, Remote
from release_state.observe.git.command import Git, GitFailed
from release_state.observe.git.reader import CloneReader, open_clone
from release_state.observe.git.store import NOT_FETCHED, Store, WantedCommit, open_cached_store, open_temporary_store

if TYPE_CHECKING:
    from release_state.observe.git.access import TokenAccess

T = TypeVar("T")


class Stores:
    """The stores that the look-ups of a run share: what one look-up fetched is there for the next.

    `seconds` returns the time that a look-up has, each time one begins. Safe to use from many threads.
    """

    def __init__(
        self,
        url: str,
        seconds: Callable[[], float],
        *,
        clone_path: Path | None = None,
        cache_dir: Path | None = None,
        cancel: Event | None = None,
        access: TokenAccess | None = None,
    ) -> None:
        self.url, self.cache_dir = url, cache_dir or Path(platformdirs.user_cache_dir("release-state"))
        self._seconds, self._clone_path, self._cancel = seconds, clone_path, cancel
        self._access = access
        self._lock, self._exits = Lock(), ExitStack()
        self._reading, self._readers = Lock(), dict[Path, CloneReader]()
        # A store's environment has the token or not: one that was opened before git needed it is not the one after.
        self._beside = dict[tuple[bool, bool, bool], Store | None]()
        self._cached = dict[tuple[bool, bool], Store]()
        self._cut = dict[bool, Store | None]()
        self.fetching_ahead = RLock()
        """Held while commits are fetched that look-ups will want: a second fetch would bring the same."""

    def git(self) -> Git:
        """Git with the time of one look-up. Raises GitFailed."""
        return Git(self._seconds(), self._cancel, self._access)

    def open_clone(self, path: Path, git: Git) -> CloneReader:
        """Return a reader of the clone with its settings of now; the other look-ups of a round share it."""
        reader = open_clone(path, git)
        with self._reading:
            self._readers[path] = reader
        return reader

    def share_clone(self, path: Path, git: Git) -> CloneReader:
        """Return the reader that `open_clone` has returned, or else another. Raises GitFailed."""
        with self._reading:
            reader = self._readers.get(path)
        return reader.used_by(git) if reader else CloneReader(path, git)

    def close(self) -> None:
        """Let go of the stores; those beside the clone are made anew when needed. Not while a look-up reads them."""
        with self._lock:
            self._beside.clear()
            self._cached.clear()
            self._cut.clear()
            self._exits.close()

    def read(
        self,
        git: Git,
        look: Callable[[Store], T],
        clone: Clone | None,
        related: Collection[str] | None,
        keep: Sequence[str],
        *,
        sha256: bool,
        fetches: bool,
    ) -> T:
        """Look in the first store that allows it; a damaged cache is made anew, once. Raises GitFailed.

        A clone of another remote lends only if it has one of the `related` commits; None: it lends in any case. The
        cache keeps the commits of `keep` for the next fetch. Without `fetches`, the clone is all there is.
        """
        if fetches:
            with self.fetching_ahead:
                pass
        beside = self._open_store_beside(git, clone, related, sha256)
        attempts: list[Callable[[], Store]] = [partial(self._open_cached_store, git, sha256)] * (2 if fetches else 0)
        if beside:
            attempts.insert(0, lambda: beside)
        cut = self._open_cut_store(git, clone, sha256)
        for number, open_store in enumerate(attempts, 1):
            store = open_store().used_by(git, fetches=fetches, lent=cut.objects if cut else None)
            try:
                return look(store)
            except GitFailed as failed:
                if failed.stopped or number == len(attempts) or (store.persistent and store.is_healthy()):
                    raise
                if store.persistent:
                    store.discard()
                    self._cached.pop((sha256, self._lends_token), None)
            finally:
                store.tidy(keep)
        raise GitFailed("there is no store to read commits in")

    def read_tree(self, git: Git, look: Callable[[Store], T], clone: Clone | None, commit: str) -> T | None:
        """Look at the tree of a commit in a clone whose history is cut; None if that does not have it."""
        store = self._open_cut_store(git, clone, len(commit) == 64)
        if store is None:
            return None
        store = store.used_by(git, fetches=False)
        try:
            return look(store) if store.present([commit]) else None
        except GitFailed as failed:
            if failed.stopped in ("", NOT_FETCHED):
                return None
            raise

    def _open_cut_store(self, git: Git, clone: Clone | None, sha256: bool) -> Store | None:
        """Return a store that borrows from a clone without its whole history: git must not walk that there."""
        if clone is None or not clone.shallow or self._clone_path is None:
            return None
        with self._lock:
            if sha256 not in self._cut:
                reader = self._share_lender(git)
                made = open_temporary_store(git, self.url, reader.objects(), sha256=sha256) if reader else None
                self._cut[sha256] = self._exits.enter_context(made) if made else None
            return self._cut[sha256]

    def _open_cached_store(self, git: Git, sha256: bool) -> Store:
        with self._lock:
            key = (sha256, self._lends_token)
            if key not in self._cached:
                made = open_cached_store(git, self.url, self.cache_dir, sha256=sha256)
                self._cached[key] = self._exits.enter_context(made)
            return self._cached[key]

    @property
    def _lends_token(self) -> bool:
        return self._access is not None and self._access.is_needed

    def _open_store_beside(
        self, git: Git, clone: Clone | None, related: Collection[str] | None, sha256: bool
    ) -> Store | None:
        """Return the store that borrows from the clone; None if the clone lends nothing."""
        with self._lock:
            # A store of a clone that belongs to the remote also serves where any clone would do.
            if related is None and (held := self._beside.get((False, sha256, self._lends_token))):
                return held
            key = (related is None, sha256, self._lends_token)
            if key not in self._beside:
                objects = self._find_lendable_objects(git, clone, related)
                made = open_temporary_store(git, self.url, objects, sha256=sha256) if objects else None
                self._beside[key] = self._exits.enter_context(made) if made else None
            return self._beside[key]

    def _find_lendable_objects(self, git: Git, clone: Clone | None, related: Collection[str] | None) -> Path | None:
        """Return the objects of a clone that has its whole history and something to do with this remote."""
        if clone is None or clone.shallow:
            return None
        if (reader := self._share_lender(git)) is None:
            return None
        try:
            if related is None or clone.remote_url == strip_credentials(self.url):
                return reader.objects()
            stdin = "".join(f"{name}\n" for name in related if OBJECT_NAME.fullmatch(name)).encode()
            answer = reader.run("cat-file", "--batch-check=%(objecttype)", stdin=stdin)
            return reader.objects() if "commit" in answer.text.splitlines() else None
        except GitFailed as failed:
            if failed.stopped:
                raise
            return None

    def _share_lender(self, git: Git) -> CloneReader | None:
        """Return the reader of the clone if it has every file of the commits that it has, and can be read."""
        try:
            reader = self.share_clone(self._clone_path, git) if self._clone_path else None
            return reader if reader and not reader.is_partial else None
        except GitFailed as failed:
            if failed.stopped:
                raise
            return None


class CommitSet(Struct, frozen=True):
    """Which of the wanted commits a store has."""

    present: set[str]
    why_missing: str
    """Why it lacks the others."""


class BranchHistory(Struct, frozen=True):
    """The history of a branch of the remote, and the commits beside it that a look-up asks for."""

    stores: Stores
    remote: Remote
    branch: str
    clone: Clone | None = None
    tagged: WantedCommit | None = None
    """A tagged commit to read instead of the branch's head."""
    fetches: bool = True
    """Whether to fetch what the clone lacks."""

    @property
    def head(self) -> str:
        """The branch's head, or the tagged commit. Raises GitFailed if the remote has no such branch."""
        if self.tagged is not None:
            return self.tagged.sha
        if (found := self.remote.branch(self.branch)) is None:
            raise GitFailed(f"the remote has no branch {self.branch}")
        return found.sha

    def read(
        self,
        look: Callable[[Store, CommitSet], T],
        wanted: Iterable[WantedCommit] = (),
        *,
        along: Sequence[str] = (),
        any_clone: bool = False,
        git: Git | None = None,
    ) -> T:
        """What `look` returns, given a store with the head's history and that of the wanted commits it could get.

        A fetch, where one is needed, brings the objects of `along` too. `any_clone` lets a clone lend its objects that
        has nothing to do with the remote. Raises GitFailed, also where the head cannot be had.
        """
        wants = [self.tagged or WantedCommit(self.head, f"refs/heads/{self.branch}"), *wanted]
        names = list(dict.fromkeys(want.sha for want in wants))
        refs = (*(branch.sha for branch in self.remote.branches), *(tag.commit for tag in self.remote.tags))
        return self.stores.read(
            git or self.stores.git(),
            lambda store: look(store, _obtain(store, wants, along)),
            self.clone,
            None if any_clone else [*names, *refs],
            names,
            sha256=len(self.head) == 64,
            fetches=self.fetches,
        )

    def read_tree(self, look: Callable[[Store], T], git: Git | None = None) -> T:
        """What `look` returns, given a store with the head's tree and maybe not its history. Raises GitFailed."""
        git = git or self.stores.git()
        found = self.stores.read_tree(git, look, self.clone, self.head)
        return self.read(lambda store, _: look(store), git=git) if found is None else found


def _obtain(store: Store, wants: Sequence[WantedCommit], along: Sequence[str]) -> CommitSet:
    """Fetch what the store lacks. Raises GitFailed if the first of the wanted commits cannot be had."""
    try:
        found = CommitSet(store.obtain(wants, along), "the remote did not give it")
    except GitFailed as failed:
        present = store.present_quietly(want.sha for want in wants)
        # The remote may be out of reach while what matters is here; but the store may also be damaged.
        if failed.stopped or not present or not store.is_healthy(present):
            raise
        found = CommitSet(present, failed.why)
    if (base := wants[0].sha) not in found.present:
        raise GitFailed(f"the base's head {base[:12]} could not be fetched: {found.why_missing}")
    return found
