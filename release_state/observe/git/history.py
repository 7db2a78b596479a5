"""How the commits that the decision hangs on lie to the base branch and to each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import TypeVar

import platformdirs

from release_state.common.addresses import without_credentials
from release_state.model.observation import Observation, known, unavailable
from release_state.model.snapshot import Clone, History, Lineage, Remote
from release_state.observe.git.clone import SHOWN, CloneReader
from release_state.observe.git.command import Git
from release_state.observe.git.messages import GitFailed
from release_state.observe.git.patches import unmerged_commits
from release_state.observe.git.store import OBJECT_NAME, Store, Want, cached_store, temporary_store
from release_state.observe.git.tree_files import Details, read_commits, read_details, read_tag_dates

SOURCE = "git history"

T = TypeVar("T")


@dataclass(frozen=True)
class WantedCommit:
    """A commit to look at."""

    sha: str
    ref: str | None = None
    """The full name of a remote's ref that may lead to it, for remotes that give no commit by its hash."""
    details: bool = False
    """Whether the version and the changelog in its tree are wanted."""


def observe_history(
    remote: Remote,
    base_branch: str,
    wanted: Sequence[WantedCommit],
    pairs: Sequence[tuple[str, str]],
    *,
    clone: Clone | None = None,
    clone_path: Path | None = None,
    remote_url: str | None = None,
    timeout: float,
    changelog_file: str = "CHANGELOG.md",
    cache_dir: Path | None = None,
    cancel: Event | None = None,
    shared: Stores | None = None,
) -> Observation[History]:
    """
    Look at the wanted commits, and at each pair (older, newer) for ancestry; `timeout` in seconds, for all of it.

    Fetches only where an object is neither in the clone nor in the cache, and never into the clone. Known also where
    single commits could not be had: they are `missing`. Unavailable where the base's head could not be had.
    """
    base = remote.branch(base_branch)
    if base is None:
        return unavailable(SOURCE, f"the remote has no branch {base_branch}")
    asked = [*wanted, *(WantedCommit(sha) for pair in pairs for sha in pair)]
    wants = _wants([WantedCommit(base.sha, f"refs/heads/{base_branch}"), *asked])
    shas = tuple(dict.fromkeys(commit.sha for commit in asked))
    detailed = {commit.sha for commit in wanted if commit.details}
    tags = [tag.object for tag in remote.tags if tag.annotated and tag.commit in shas]

    def look(store: Store) -> History:
        present, why = _obtain(store, wants, base.sha, tags)
        details = read_details(store, (sha for sha in shas if sha in present and sha in detailed), changelog_file)
        lineages = [_lineage(store, base.sha, sha, details.get(sha, Details())) for sha in shas if sha in present]
        ancestors = [pair for pair in dict.fromkeys(pairs) if present.issuperset(pair) and _is_ancestor(store, *pair)]
        missing = tuple(sha for sha in shas if sha not in present)
        return History(
            base_head=base.sha,
            lineages=tuple(lineages),
            ancestors=tuple(ancestors),
            missing=missing,
            missing_why=why if missing else None,
            commits=read_commits(store, [base.sha, *(sha for sha in shas if sha in present and sha != base.sha)]),
            tag_dates=read_tag_dates(store, tags),
        )

    known_names = [want.sha for want in wants] + [ref.sha for ref in remote.branches] + [t.commit for t in remote.tags]
    try:
        git = Git(timeout, cancel)
        place = _Place(git, remote_url or remote.url, cache_dir, len(base.sha) == 64, shared)
        return known(place.with_store(look, clone, clone_path, known_names, [want.sha for want in wants]))
    except GitFailed as failed:
        return Observation[History](value=None, unavailable=failed.as_problem(SOURCE))


def relate_clone(
    clone: Observation[Clone],
    base_head: str,
    base_branch: str,
    *,
    remote_url: str,
    timeout: float,
    cache_dir: Path | None = None,
    cancel: Event | None = None,
    shared: Stores | None = None,
) -> Observation[Clone]:
    """
    The clone with `ahead` and `behind` of the remote's base head filled in; `timeout` in seconds.

    Equal hashes are equal without an object. Both are unavailable where the history between the two cannot be had, as
    for a shallow clone whose HEAD the remote does not know.
    """
    value = clone.value
    if value is None:
        return clone
    try:
        if value.head is None:
            raise GitFailed("the clone has no commits")
        git = Git(timeout, cancel)
        place = _Place(git, remote_url, cache_dir, len(base_head) == 64, shared)
        ahead, behind = _ahead_behind(place, value, value.head, base_head, base_branch)
        update = {"ahead": known(ahead), "behind": known(behind)}
    except GitFailed as failed:
        not_known = Observation[int](value=None, unavailable=failed.as_problem("clone"))
        update = {"ahead": not_known, "behind": not_known}
    return known(value.model_copy(update=update))


def _ahead_behind(place: _Place, clone: Clone, head: str, base_head: str, base_branch: str) -> tuple[int, int]:
    if head == base_head:
        return 0, 0
    wants = (Want(base_head, (f"refs/heads/{base_branch}",)), Want(head))

    def look(store: Store) -> tuple[int, int]:
        present, _ = _obtain(store, wants, base_head)
        if head not in present:
            why = "and the clone is shallow" if clone.shallow else "and its objects could not be borrowed"
            raise GitFailed(f"HEAD {head[:12]} of the clone is not on the remote, {why}")
        return _counts(store, base_head, head)

    return place.with_store(look, clone, Path(clone.path), None, [base_head, head])


class Stores:
    """
    The stores beside a clone that the look-ups of a run share: what one has fetched is there for the next.

    Safe to use from many threads. `close` removes them, after which they are made anew.
    """

    def __init__(self) -> None:
        self._lock, self._held, self._exits = Lock(), dict[tuple[Hashable, ...], Store | None](), ExitStack()

    def get(
        self, key: tuple[Hashable, ...], unrelated: bool, make: Callable[[], AbstractContextManager[Store] | None]
    ) -> Store | None:
        """
        The store of this key; None where there is none to be made.

        `unrelated`: the clone may have nothing to do with the remote, but one that has will do. Raises GitFailed.
        """
        with self._lock:
            if unrelated and (held := self._held.get((False, *key))):
                return held
            place = (unrelated, *key)
            if place not in self._held:
                made = make()
                self._held[place] = self._exits.enter_context(made) if made else None
            return self._held[place]

    def close(self) -> None:
        """Remove them; not while somebody looks."""
        with self._lock:
            self._held.clear()
            self._exits.close()


@dataclass(frozen=True)
class _Place:
    """Where the commits are looked at: beside the clone where that helps, else in the cache."""

    git: Git
    url: str
    cache_dir: Path | None
    sha256: bool
    shared: Stores | None = None

    def with_store(
        self,
        look: Callable[[Store], T],
        clone: Clone | None,
        clone_path: Path | None,
        related: Collection[str] | None,
        keep: Sequence[str],
    ) -> T:
        """
        Look in the first store that allows it; a cache that turns out to be damaged is made anew, once.

        A clone of another remote lends only where it has one of the `related` commits; None: it lends in any case.
        """
        attempts = list(self._stores(clone, clone_path, related))
        for number, open_store in enumerate(attempts, 1):
            with open_store() as store:
                try:
                    return look(store)
                except GitFailed as failed:
                    if failed.stopped or number == len(attempts) or (store.persistent and store.is_healthy()):
                        raise
                    if store.persistent:
                        store.discard()
                finally:
                    store.tidy(keep)
        raise GitFailed("no place to look at commits")

    def _stores(
        self, clone: Clone | None, path: Path | None, related: Collection[str] | None
    ) -> Iterator[Callable[[], AbstractContextManager[Store]]]:
        def beside() -> AbstractContextManager[Store] | None:
            objects = self._lent(clone, path, related)
            return temporary_store(self.git, self.url, objects, sha256=self.sha256) if objects else None

        if self.shared is None:
            if made := beside():
                yield lambda: made
        elif store := self.shared.get((self.url, path, self.sha256), related is None, beside):
            own = store.used_by(self.git)
            yield lambda: nullcontext(own)
        cache = self.cache_dir or Path(platformdirs.user_cache_dir("release-state"))
        for _ in range(2):
            yield lambda: cached_store(self.git, self.url, cache, sha256=self.sha256)

    def _lent(self, clone: Clone | None, path: Path | None, related: Collection[str] | None) -> Path | None:
        """The objects of a clone that has its whole history and something to do with this remote."""
        if clone is None or path is None or clone.shallow:
            return None
        try:
            reader = CloneReader(path, self.git)
            if reader.is_partial:
                return None
            if related is None or clone.remote_url == without_credentials(self.url):
                return reader.objects()
            stdin = "".join(f"{name}\n" for name in related if OBJECT_NAME.fullmatch(name)).encode()
            answer = reader.run("cat-file", "--batch-check=%(objecttype)", stdin=stdin)
            return reader.objects() if "commit" in answer.text.splitlines() else None
        except GitFailed as failed:
            if failed.stopped:
                raise
            return None


def _wants(wanted: Iterable[WantedCommit]) -> list[Want]:
    refs: dict[str, dict[str, None]] = {}
    for commit in wanted:
        found = refs.setdefault(commit.sha, {})
        if commit.ref:
            found[commit.ref] = None
    return [Want(sha, tuple(found)) for sha, found in refs.items()]


def _obtain(store: Store, wants: Sequence[Want], base: str, along: Sequence[str] = ()) -> tuple[set[str], str]:
    """
    What is there of the commits after a fetch, where one was needed, which then brings what goes `along` too; and why
    the others are not there.
    """
    try:
        present = store.obtain(wants, along)
        why = "the remote did not give it"
    except GitFailed as failed:
        present = store.present_quietly(want.sha for want in wants)
        # The remote may be out of reach while what matters is here; but it may also be the store that is damaged.
        if failed.stopped or not present or not store.is_healthy(present):
            raise
        why = failed.why
    if base not in present:
        raise GitFailed(f"the base's head {base[:12]} could not be fetched: {why}")
    return present, why


def _lineage(store: Store, base: str, sha: str, details: Details) -> Lineage:
    ahead, behind = _counts(store, base, sha)
    unmerged = unmerged_commits(store, base, sha) if ahead else []
    return Lineage(
        sha=sha,
        on_base=not ahead,
        ahead=ahead,
        behind=behind,
        unmerged=tuple(unmerged[:SHOWN]),
        unmerged_count=len(unmerged),
        declared_version=details.declared_version,
        version_is_dynamic=details.version_is_dynamic,
        changelog=details.changelog,
    )


def _counts(store: Store, base: str, sha: str) -> tuple[int, int]:
    """Commits that only `sha` holds, and commits that only `base` holds."""
    behind, ahead = store.run("rev-list", "--left-right", "--count", f"{base}...{sha}", "--").text.split()
    return int(ahead), int(behind)


def _is_ancestor(store: Store, older: str, newer: str) -> bool:
    return store.run("merge-base", "--is-ancestor", older, newer, accept=(0, 1)).code == 0
