"""Read commits and tags from git's log, and how the commits that matter lie to the base branch and to each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, structs
from packaging.version import Version

from release_state.model.observation import Observation, known
from release_state.model.snapshot import Clone, Commit, History, Lineage, Remote, Tag
from release_state.observe.git.clone import SHOWN
from release_state.observe.git.command import GitFailed, decode_output, observe_git
from release_state.observe.git.commits import BranchHistory, CommitSet
from release_state.observe.git.objects import read_commit_line, read_tag_date
from release_state.observe.git.patches import find_unmerged_commits
from release_state.observe.git.store import Store, WantedCommit
from release_state.observe.git.tree_files import NO_TAGS, Details, read_details

_MESSAGES = ("-z", "--encoding=UTF-8", "--no-show-signature", "--format=%H%x1f%P%x1f%B")


def read_commits(store: Store, names: Sequence[str]) -> tuple[Commit, ...]:
    """Return the first line and the date of commits in the store; leaves out a commit whose line cannot be read."""
    found = {name: read_commit_line(store.objects, store.git, name) for name in names}
    return tuple(Commit(sha=name, subject=line[0], committed_at=line[1]) for name, line in found.items() if line)


def read_tag_dates(store: Store, names: Sequence[str]) -> dict[str, datetime]:
    """Return when annotated tags were made, by object; leaves out missing ones: a date is not worth a failure."""
    dates = {}
    for name in names:
        try:
            if at := read_tag_date(store.objects, store.git, name):
                dates[name] = at
        except GitFailed as failed:
            if failed.stopped:
                raise
    return dates


class Message(Struct, frozen=True):
    """A commit and its message."""

    sha: str
    is_merge: bool
    text: str

    @property
    def subject(self) -> str:
        """The first line."""
        return self.text.split("\n", 1)[0]


def find_tags_in_history(store: Store, head: str, tags: Iterable[Tag]) -> list[tuple[str, str]]:
    """Return the name and commit of each tag that points to `head` or an ancestor of it."""
    history = set(store.run("rev-list", head, "--").text.split())
    return [(tag.name, tag.commit) for tag in tags if tag.commit in history]


def read_messages_since(store: Store, head: str, last: str | None) -> list[Message]:
    """Return the commits in the history of `head` and not in that of `last` (None: all), newest first."""
    return _parse_messages(store.run("log", *_MESSAGES, head, *([f"^{last}"] if last else []), "--").output)


def read_messages(store: Store, commits: Sequence[str]) -> list[Message]:
    """Return these commits, in this order."""
    stdin = "".join(f"{sha}\n" for sha in commits).encode()
    options = (*_MESSAGES, "--no-walk=unsorted", "--stdin")
    return _parse_messages(store.run("log", *options, stdin=stdin).output) if commits else []


def _parse_messages(output: bytes) -> list[Message]:
    messages = []
    for entry in output.split(b"\0"):
        sha, parents, text = [*decode_output(entry).split("\x1f", 2), "", ""][:3]
        if sha.strip():
            messages.append(Message(sha.strip(), " " in parents, text.strip("\n")))
    return messages


def find_changed_contents(store: Store, head: str) -> set[str]:
    """Return the objects of files that the commits of a history changed, before and after the change."""
    options = ("--format=", "--raw", "--no-abbrev", "--no-renames", "-m", "--root", "-z")
    fields = (entry.split(b" ") for entry in store.run("log", *options, head, "--").output.split(b"\0"))
    entries = (entry for entry in fields if entry[0].startswith(b":") and len(entry) > 4)
    return {decode_output(name) for entry in entries for name in entry[2:4] if name.strip(b"0")}


class Sides(Struct, frozen=True):
    """The commits that only one of two commits has in its history, newest first."""

    base: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    fork: str | None = None
    """The best common ancestor; None without one, and where one of the two is in the history of the other."""


def compare_sides(store: Store, base: str, head: str) -> Sides:
    """Return what only the history of `base` has, and what only that of `head` has. Raises GitFailed."""
    if base == head:
        return Sides()
    listed = store.run("rev-list", "--left-right", "--boundary", f"{base}...{head}", "--").text.split()
    sides = {mark: tuple(line[1:] for line in listed if line[0] == mark) for mark in "<>-"}
    store.ancestry[base, head] = not sides["<"]
    store.ancestry[head, base] = not sides[">"]
    fork = None
    if sides["<"] and sides[">"] and sides["-"]:
        # Every best common ancestor is a boundary; others are too where one side merged an older state.
        is_clear = len(sides["-"]) == 1
        fork = sides["-"][0] if is_clear else store.run("merge-base", base, head).text.strip()
    return Sides(sides["<"], sides[">"], fork)


def is_ancestor(store: Store, older: str, newer: str) -> bool:
    """Return whether a commit is in the history of another; a commit is in its own. Raises GitFailed."""
    if older == newer:
        return True
    if (older, newer) not in store.ancestry:
        answer = store.run("merge-base", "--is-ancestor", older, newer, accept=(0, 1))
        store.ancestry[older, newer] = answer.code == 0
    return store.ancestry[older, newer]


SOURCE = "git history"


def fetch_history(history: BranchHistory, wanted: Sequence[WantedCommit]) -> Observation[None]:
    """Fetch what `observe_history` will want of these commits, before all that it wants is known."""
    tags = list_tag_objects(history.remote, [commit.sha for commit in wanted])
    with history.stores.fetching_ahead:
        return observe_git(SOURCE, lambda: history.read(lambda store, found: None, wanted, along=tags))


def list_tag_objects(remote: Remote, commits: Collection[str]) -> list[str]:
    """Return the objects of the annotated tags of these commits."""
    return [tag.object for tag in remote.tags if tag.annotated and tag.commit in commits]


def observe_history(
    history: BranchHistory,
    wanted: Sequence[WantedCommit],
    pairs: Sequence[tuple[str, str]],
    *,
    changelog_file: str = "CHANGELOG.md",
    package: str = "",
    along: Sequence[str] = (),
    tagged: Mapping[str, Version] = NO_TAGS,
) -> Observation[History]:
    """Look at the wanted commits, and at each pair (older, newer) for ancestry.

    Fetches only objects that neither the clone nor the cache has, and never into the clone; the files of `along`, which
    other look-ups read at these commits, come in one go with its own. `tagged` names the version whose tag a commit
    has. Known also where single commits could not be had: they are `missing`. Unavailable where the base's head could
    not be had.
    """
    asked = [*wanted, *(WantedCommit(sha) for pair in pairs for sha in pair)]
    shas = tuple(dict.fromkeys(commit.sha for commit in asked))
    detailed = {commit.sha for commit in wanted if commit.details}
    tags = list_tag_objects(history.remote, shas)

    def look(store: Store, found: CommitSet) -> History:
        base, present = history.head, found.present
        looked_into = (sha for sha in shas if sha in present and sha in detailed)
        details = read_details(store, looked_into, changelog_file, package, along, tagged)
        lineages = [_build_lineage(store, base, sha, details.get(sha, Details())) for sha in shas if sha in present]
        ancestors = [pair for pair in dict.fromkeys(pairs) if present.issuperset(pair) and is_ancestor(store, *pair)]
        missing = tuple(sha for sha in shas if sha not in present)
        return History(
            base_head=base,
            lineages=tuple(lineages),
            ancestors=tuple(ancestors),
            missing=missing,
            missing_why=found.why_missing if missing else None,
            commits=read_commits(store, [base, *(sha for sha in shas if sha in present and sha != base)]),
            tag_dates=read_tag_dates(store, tags),
        )

    return observe_git(SOURCE, lambda: history.read(look, asked, along=tags))


def relate_clone(clone: Observation[Clone], history: BranchHistory) -> Observation[Clone]:
    """Return the clone with `ahead` and `behind` of the branch's head; both unavailable without the history between."""
    if (held := clone.value) is None:
        return clone
    counts = observe_git("clone", lambda: _compare_with_head(held, history))
    ahead, behind = map(known, counts.value) if counts.value else (counts, counts)
    return known(structs.replace(held, ahead=ahead, behind=behind))


def _compare_with_head(clone: Clone, history: BranchHistory) -> tuple[int, int]:
    if (head := clone.head) is None:
        raise GitFailed("the clone has no commits")
    if head == history.head:
        return 0, 0

    def look(store: Store, found: CommitSet) -> tuple[int, int]:
        if head not in found.present:
            why = "and the clone is shallow" if clone.shallow else "and its objects could not be borrowed"
            raise GitFailed(f"HEAD {head[:12]} of the clone is not on the remote, {why}")
        sides = compare_sides(store, history.head, head)
        return len(sides.head), len(sides.base)

    return history.read(look, [WantedCommit(head)], any_clone=True)


def _build_lineage(store: Store, base: str, sha: str, details: Details) -> Lineage:
    sides = compare_sides(store, base, sha)
    unmerged = find_unmerged_commits(store, sha, sides.head, sides.base, sides.fork) if sides.head else []
    return Lineage(
        sha=sha,
        on_base=not sides.head,
        ahead=len(sides.head),
        behind=len(sides.base),
        unmerged=tuple(unmerged[:SHOWN]),
        unmerged_count=len(unmerged),
        declared_version=details.declared.version,
        version_is_dynamic=details.declared.is_dynamic,
        declared_where=details.declared.where,
        package_folder=details.declared.folder,
        other_versions=details.declared.others,
        claimed_by=details.declared.claims,
        other_packages=details.declared.packages,
        changelog=details.changelog,
    )
