"""A bare repository of our own to fetch into: the user's clone lends objects and is never written to.

With a full clone the store is temporary and borrows the clone's objects: only what the clone lacks is fetched. Without
one it is a cache that stays, one per remote. The cache never borrows: it would break once the clone is gone.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from msgspec import Struct

from release_state.common.addresses import strip_credentials
from release_state.common.strict import OBJECT_NAME
from release_state.observe.git.command import Git, GitFailed, GitOutput, ask_patiently
from release_state.observe.git.environment import add_settings, cut_network
from release_state.observe.git.objects import GitObject, Objects
from release_state.observe.git.remote import build_network_environment, check_url

_MARKER = "release-state-cache"
_REMOTE = "release-state"
NOT_FETCHED = "not fetched"
_KEPT = "refs/release-state-kept/"
_MOST_PACKS = 200
"""Every fetch leaves a pack, and git's own housekeeping is off. A cache with more packs is made anew."""
_MOST_KEPT = 500
_CLEAN_UP_SECONDS = 5.0
_REF = re.compile(r"refs/[^\x00-\x20\x7f:?*\[\\^~]+")
_REFUSED = re.compile(
    r".*(?:not our ref|unadvertised object|remote error|remote ref|\bnot valid\b|^remote:).*", re.MULTILINE
)
"""Lines in which a remote refuses a commit. Git also names commits if the store is damaged."""


class WantedCommit(Struct, frozen=True):
    """A commit to look at."""

    sha: str
    ref: str | None = None
    """The full name of a ref of the remote that may lead to it, for remotes that give no commit by its hash."""
    details: bool = False
    """Whether the version and the changelog in its tree are wanted."""


def _name_refs() -> str:
    return f"refs/release-state/{uuid.uuid4().hex}/"


@dataclass
class Store:
    """A bare repository at `path`; `persistent` for the cache."""

    git: Git
    path: Path
    env: dict[str, str]
    persistent: bool
    objects: Objects
    namespace: str = field(default_factory=_name_refs)
    fetched: bool = False
    ancestry: dict[tuple[str, str], bool] = field(default_factory=dict)
    """Whether the first of two commits is in the history of the second, as far as known."""
    fetches: bool = True
    """Whether it may fetch commits that it lacks."""
    lent: Objects | None = None
    """Objects of a clone whose history is cut: contents of files are read from there, and nothing else."""

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        accept: Sequence[int] = (0,),
        first: int | None = None,
        may_fetch: bool = False,
        seconds: float | None = None,
    ) -> GitOutput:
        """Run git in the store; `may_fetch` lets it fetch file contents that a partial fetch left out."""
        env = self.env if may_fetch else cut_network(self.env)
        arguments = (f"--git-dir={self.path}", *arguments)
        return self.git.run(
            *arguments, cwd=self.path, env=env, stdin=stdin, accept=accept, first=first, seconds=seconds
        )

    def used_by(self, git: Git, *, fetches: bool, lent: Objects | None = None) -> Store:
        """Return the same store for another look-up, with a time limit and refs of its own."""
        fetched = not self.persistent and any(self.path.glob("objects/pack/*.pack"))
        return replace(self, git=git, namespace=_name_refs(), fetched=fetched, fetches=fetches, lent=lent)

    def present(self, names: Iterable[str]) -> set[str]:
        """Return those of the names that are commits in the store or in the clone that it borrows from."""
        found = ((name, self.objects.read(self.git, name, 1)) for name in filter(OBJECT_NAME.fullmatch, set(names)))
        return {name for name, commit in found if commit and commit.kind == "commit"}

    def present_quietly(self, names: Iterable[str]) -> set[str]:
        """As `present`; none if the store cannot be read."""
        try:
            return self.present(names)
        except GitFailed:
            return set()

    def obtain(self, wants: Iterable[WantedCommit], along: Sequence[str] = ()) -> set[str]:
        """Return the wanted commits that are present, with their whole history; fetches only if one is not.

        A fetch also asks for the objects of `along` (those of tags). Raises GitFailed if it fails and none is present.
        """
        refs: dict[str, dict[str, None]] = {}
        for want in wants:
            refs.setdefault(want.sha, {}).update({want.ref: None} if want.ref else {})
        present = self.present(refs)
        lacking = [sha for sha in refs if sha not in present and OBJECT_NAME.fullmatch(sha)]
        along = list(filter(OBJECT_NAME.fullmatch, along))
        if not lacking:
            # Beside a clone whose history is cut, commits may be here that were fetched before their tags were known.
            along = self.objects.list_missing(self.git, along) if self.lent else []
        if not lacking and not along:
            return present
        self.fetched = True
        if refused := self._fetch_by_name([*lacking, *along]):
            given = self.present(lacking)
            for sha in lacking:
                if sha in refused and sha not in given:
                    self._fetch_by_ref(sha, refs[sha])
        return self.present(refs)

    def _fetch_by_name(self, shas: Sequence[str]) -> set[str]:
        """Fetch the exact commits in one go; return those that the remote refuses to give by name."""
        refused: set[str] = set()
        while left := [sha for sha in shas if sha not in refused]:
            try:
                self._fetch(f"{sha}:{self.namespace}{sha}" for sha in left)
            except GitFailed as failed:
                refusals = " ".join(_REFUSED.findall(failed.stderr))
                named = {sha for sha in left if sha in refusals}
                if failed.stopped or not named:
                    raise
                refused |= named
            else:
                break
        return refused

    def _fetch_by_ref(self, sha: str, refs: Iterable[str]) -> None:
        """Fetch refs one by one. A ref that is gone by now is no failure: its commit stays missing."""
        for number, ref in enumerate(refs):
            if not _REF.fullmatch(ref):
                continue
            try:
                self._fetch([f"+{ref}:{self.namespace}{sha}-{number}"])
            except GitFailed as failed:
                if failed.stopped or "couldn't find remote ref" not in failed.stderr:
                    raise

    def _fetch(self, refspecs: Iterable[str]) -> None:
        answer = self._ask_remote("--no-prune", "--refmap=", "--", _REMOTE, *refspecs)
        if "shallow" in answer.stderr or (self.path / "shallow").exists():
            # Git has the commits but not their history beyond the cut, which would look as if it did not exist.
            self.discard()
            why = "the remote's history is shallow: it does not show ancestry"
            raise GitFailed(why, stopped="shallow")

    def _ask_remote(self, *arguments: str, stdin: bytes = b"") -> GitOutput:
        if not self.fetches:
            raise GitFailed("the clone lacks commits, and nothing is fetched yet", stopped=NOT_FETCHED)
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        # No fetching on demand meanwhile: with a shallow remote, each fetch would start another one without end.
        env = {**self.env, "GIT_NO_LAZY_FETCH": "1"}
        if stdin:
            # File contents need no negotiation; git itself asks for them in this way.
            env = add_settings(env, [("fetch.negotiationAlgorithm", "noop")])
        command = (f"--git-dir={self.path}", "fetch", *options, *arguments)
        return ask_patiently(self.git, lambda: self.git.run(*command, cwd=self.path, env=env, stdin=stdin))

    def obtain_files(self, names: Collection[str]) -> None:
        """Fetch the file contents that the store lacks, in one go, so that commands of git find them.

        Best effort: reading a missing one asks for it again and reports the failure. A store that borrows from a full
        clone and has fetched nothing lacks none.
        """
        if not names or not (self.persistent or self.fetched):
            return
        with suppress(GitFailed):
            self._fetch_objects(self.objects.list_missing(self.git, names))

    def obtain_contents(self, names: Collection[str]) -> None:
        """As `obtain_files`, so that `read_file_content` finds them: what is lent is not fetched."""
        self.obtain_files({name for name in names if self._read_lent(name, 1) is None})

    def _read_lent(self, name: str, most: int) -> GitObject | None:
        try:
            return self.lent.read(self.git, name, most) if self.lent else None
        except GitFailed as failed:
            if failed.stopped:
                raise
            return None  # whatever is wrong with the clone, the remote has it, too

    def read_file_content(self, name: str, most: int) -> bytes:
        """Return the first `most` bytes of a file's content; fetches it if a partial fetch left it out.

        Raises GitFailed if it cannot be had.
        """
        found = self.objects.read(self.git, name, most) or self._read_lent(name, most)
        if found is None:
            self._fetch_objects([name])
            found = self.objects.read(self.git, name, most)
        if found is None or found.kind != "blob":
            raise GitFailed(f"the content {name[:12]} of a file is {found.kind if found else 'missing'}")
        return found.data

    def _fetch_objects(self, names: Sequence[str]) -> None:
        if names:
            self._ask_remote("--stdin", "--", _REMOTE, stdin="".join(f"{name}\n" for name in names).encode())

    def is_healthy(self, names: Iterable[str] = ()) -> bool:
        """Return whether the history of its refs and of the given commits can be walked."""
        try:
            self.run("rev-list", "--count", "--all", *names, "--")
        except GitFailed as failed:
            return bool(failed.stopped)
        return True

    def discard(self) -> None:
        """Remove the folder if it carries our marker. It first moves aside in one step, for the sake of other runs."""
        if not (self.path / _MARKER).is_file() or self.path.is_symlink():
            return
        self.objects.close()
        aside = self.path.with_name(f"{self.path.name}.{uuid.uuid4().hex}.discarded")
        with suppress(OSError):
            self.path.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def tidy(self, names: Iterable[str]) -> None:
        """Delete the refs of this run. Commits of these names are kept: the next fetch builds on them."""
        if not (self.persistent and self.fetched and (self.path / _MARKER).is_file()):
            return
        keep = self.present_quietly(names)
        with suppress(GitFailed):
            refs = self.run("for-each-ref", "--format=%(refname)", seconds=_CLEAN_UP_SECONDS).text.splitlines()
            # Named by hash and never moved: another run may write the same ref at the same time.
            lines = [f"update {_KEPT}{sha} {sha}" for sha in keep]
            with suppress(GitFailed):
                self.run("update-ref", "--stdin", stdin="\n".join(lines).encode() + b"\n", seconds=_CLEAN_UP_SECONDS)
            gone = [ref for ref in refs if ref.startswith(self.namespace)]
            kept = [ref for ref in refs if ref.startswith(_KEPT)]
            if len(kept) > _MOST_KEPT:
                gone += [ref for ref in kept if ref.removeprefix(_KEPT) not in keep]
            lines = [f"delete {ref}" for ref in gone]
            self.run("update-ref", "--stdin", stdin="\n".join(lines).encode() + b"\n", seconds=_CLEAN_UP_SECONDS)


@contextmanager
def open_temporary_store(git: Git, url: str, objects: Path | None, *, sha256: bool) -> Iterator[Store]:
    """A store for this run only. It borrows the objects of a full clone, if given."""
    with tempfile.TemporaryDirectory(prefix="release-state-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "store.git"
        env = _environment(git, url, Path(folder))
        if objects is not None:
            env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = quote_alternate(objects)
        _create(path, sha256)
        with _reading(path, env) as read:
            yield Store(git, path, env, False, read)


@contextmanager
def open_cached_store(git: Git, url: str, cache_dir: Path, *, sha256: bool) -> Iterator[Store]:
    """The cache of a remote, or a temporary store if none can be kept there."""
    key = hashlib.sha256(strip_credentials(url).encode()).hexdigest()[:24]
    path = cache_dir / f"{key}{'-sha256' if sha256 else ''}.git"
    if not _ensure(path, sha256):
        with open_temporary_store(git, url, None, sha256=sha256) as store:
            yield store
        return
    env = _environment(git, url, path)
    with _reading(path, env) as read:
        store = Store(git, path, env, True, read)
        if sum(1 for _ in path.glob("objects/pack/*.pack")) > _MOST_PACKS:
            store.discard()
            _ensure(path, sha256)
        yield store


@contextmanager
def _reading(path: Path, env: Mapping[str, str]) -> Iterator[Objects]:
    # Without its remote: in a partial clone git would try to fetch what is missing here, and fail.
    own = {name for name, value in env.items() if value.startswith(f"remote.{_REMOTE}.")}
    with closing(Objects(path, {**cut_network(env), **dict.fromkeys(own, "release-state.none")})) as objects:
        yield objects


def _ensure(path: Path, sha256: bool) -> bool:
    """Make the cache if it is missing. False if that fails, or if something else is in its place."""
    if (path / _MARKER).is_file() and not path.is_symlink():
        return True
    if path.exists() or path.is_symlink():
        return False
    made = path.with_name(f"{path.name}.{uuid.uuid4().hex}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(made, sha256)
        # Atomic. If another run was faster, its folder is not empty and the rename fails.
        made.rename(path)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
    return (path / _MARKER).is_file()


def _create(path: Path, sha256: bool) -> None:
    create_bare(path, sha256=sha256)
    (path / _MARKER).write_text("Made by release-state. Can be deleted at any time.\n", encoding="utf-8")


def create_bare(path: Path, *, sha256: bool) -> None:
    """Make an empty bare repository that only its owner can read. Raises GitFailed, and OSError if the path exists.

    Source: gitrepository-layout(5). `git init` would do the same, and ask templates and settings.
    """
    path.mkdir(mode=0o700)
    config = f"[core]\n\trepositoryformatversion = {int(sha256)}\n\tbare = true\n"
    config += "[extensions]\n\tobjectFormat = sha256\n" if sha256 else ""
    try:
        for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
            (path / folder).mkdir(parents=True)
        (path / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
        (path / "config").write_text(config, encoding="utf-8")
    except OSError as error:
        raise GitFailed(
            f"no repository could be made in {path}: {error.strerror}", "free space, or set TMPDIR"
        ) from None


def quote_alternate(objects: Path) -> str:
    """Return the path of borrowed objects, quoted as git reads it: the path may hold the separator."""
    escaped = str(objects).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _environment(git: Git, url: str, folder: Path) -> dict[str, str]:
    check_url(url)
    env, name = build_network_environment(git, folder, url)
    settings = (
        (f"remote.{_REMOTE}.url", name),
        # Leave out file contents until they are needed. A remote that cannot do that sends everything.
        (f"remote.{_REMOTE}.promisor", "true"),
        (f"remote.{_REMOTE}.partialclonefilter", "blob:none"),
        # A clone's file of parents would be believed unread.
        ("core.commitGraph", "false"),
    )
    return add_settings(env, settings)
