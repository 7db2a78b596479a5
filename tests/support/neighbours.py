"""Two channels, two remotes, two versions in flight: what other targets rest on, and what a command destroys of it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from release_state.model.observation import Observation, known
from release_state.model.snapshot import IndexRelease, PullRequest, Snapshot
from release_state.model.target import Channel, Target, Trace
from tests.support import space
from tests.support import states as s

NEXT = "0.3.0"
NEXT_HEAD, NEXT_PULL, NEXT_RELEASE = "9" * 40, 30, 31
WHOLE: tuple[Trace, ...] = ("tag", "release", "pull-request")
FORK = "https://github.example/eve/orbit.git"

OWN: dict[str, tuple[Trace, ...]] = {"whole": WHOLE, "tag": ("tag",), "tag and release": ("tag", "release"), "none": ()}
OTHER: dict[str, tuple[Trace, ...]] = {**OWN, "release": ("release",)}
INDEXES = ("published", "one file", "yanked", "absent", "unavailable")
TEMPLATES = {"own branches": "release/{channel}-v{version}", "shared branches": "release/v{version}"}
NEXTS = ("none", "pull request open", "published", "tagged", "run at work")
REMOTES = ("the repository", "pushes to a fork", "a fork")
NEIGHBOURS = tuple(itertools.product(OWN, OTHER, INDEXES, TEMPLATES, NEXTS, REMOTES))


@dataclass(frozen=True, order=True)
class Thing:
    """Something that a command can destroy."""

    kind: str
    """"tag", "branch", "release", "pull", "base of a pull", "run", "tag of the clone", "repository"."""
    name: str


@dataclass(frozen=True)
class Case:
    """A state of one target, and what is around it."""

    state: tuple[tuple[str, str], ...]
    own: str
    other: str
    index: str
    template: str
    next: str
    remote: str

    @property
    def target(self) -> Target:
        """The target that is looked at."""
        name = dict(self.state)["channel"]
        mine = Channel(name=name, index_url=f"https://{name}.example/simple/", leaves=OWN[self.own])
        other = Channel(name="internal", index_url="https://inside.example/simple/", leaves=OTHER[self.other])
        return s.target(channel=mine, channels=(mine, other), branch_template=TEMPLATES[self.template])

    @property
    def snapshot(self) -> Snapshot:
        """What is observed of it and around it."""
        target = self.target
        found = space.snapshot(dict(self.state), target)
        index = {**found.index, "internal": self._other_index(), target.channel.name: self._own_index(found)}
        found = structs.replace(found, index=index)
        if self.next != "none":
            found = structs.replace(found, **self._next(found))
        if self.remote != "the repository" and found.clone.value:
            urls = {"remote_url": target.remote_url, "push_urls": (FORK,)}
            changed = urls if self.remote == "pushes to a fork" else {"remote_url": FORK, "push_urls": (FORK,)}
            found = structs.replace(found, clone=known(structs.replace(found.clone.value, **changed)))
        return found

    @property
    def _branch_head(self) -> str | None:
        remote = self.snapshot.remote.value
        branch = remote.branch(self.target.release_branch) if remote else None
        return branch.sha if branch else None

    def _other_index(self) -> Observation[Any]:
        return {
            "published": s.project(s.file(), s.file("sdist")),
            "one file": s.project(s.file("sdist")),
            "yanked": s.project(s.file(yanked=True), s.file("sdist", yanked=True)),
            "absent": s.project(),
            "unavailable": s.failed("index internal"),
        }[self.index]

    def _own_index(self, found: Snapshot) -> Observation[Any]:
        page = found.index[found.target.channel.name]
        if self.next != "published" or page.value is None:
            return page
        releases = (*page.value.releases, IndexRelease(version=NEXT, file_count=2, yanked=False))
        return known(structs.replace(page.value, releases=releases))

    def _next(self, found: Snapshot) -> dict[str, Any]:
        """The next version, on its way on the same channel."""
        target = found.target
        branch = s.branch(target.release_branch_for(NEXT, target.channel.name), NEXT_HEAD)
        changed: dict[str, Any] = {}
        if (remote := found.remote.value) is not None:
            tags = remote.tags if self.next in ("pull request open", "run at work") else (*remote.tags, _next_tag())
            changed["remote"] = known(structs.replace(remote, branches=(*remote.branches, branch), tags=tags))
        if (history := found.history.value) is not None:
            lineages = (*history.lineages, s.lineage(NEXT_HEAD, unmerged_count=1, declared_version=NEXT))
            changed["history"] = known(structs.replace(history, lineages=lineages))
        pulls: tuple[PullRequest, ...] = ()
        if self.next in ("pull request open", "published"):
            pulls = (s.open_pull(NEXT_PULL, head_branch=branch.name, head_sha=NEXT_HEAD),)
        changed["branch_pulls"] = {**found.branch_pulls, branch.name: known(pulls)}
        if found.open_pulls.value is not None:
            changed["open_pulls"] = known((*found.open_pulls.value, *pulls))
        if self.next == "run at work" and found.runs.is_known:
            changed["runs"] = s.runs(*found.runs.present().runs, s.run("in_progress", id=98, number=98))
        return changed

    def rested_on(self) -> set[Thing]:
        """What other targets rest on, worked out from what was made up, not from what the code says of it."""
        found = {Thing("branch", "main"), Thing("tag", f"v{NEXT}"), Thing("pull", str(NEXT_PULL))}
        found.add(Thing("base of a pull", str(NEXT_PULL)))
        found |= {Thing("tag", "v0.1.0"), Thing("release", str(NEXT_RELEASE)), Thing("run", "98")}
        if self.next in ("pull request open", "published", "run at work"):
            found.add(Thing("branch", self.target.release_branch_for(NEXT, self.target.channel.name)))
        if self.index == "absent":
            return found
        snapshot, leaves = self.snapshot, OTHER[self.other]
        if "tag" in leaves:
            found |= {Thing(kind, name) for kind in ("tag", "tag of the clone") for name in ("v0.2.0", "0.2.0", "v0.2")}
        if "release" in leaves:
            drafts = snapshot.drafts.value or ()
            shown = [each for each in (snapshot.release.value, *drafts) if each is not None]
            found |= {Thing("release", str(each.id)) for each in shown} | {Thing("release", "v0.2.0")}
        if "pull-request" in leaves and self.template == "shared branches":
            # What is merged, or was never more than the base branch, is left: it is anybody's to clean up.
            merged = any(pull.merged for pull in snapshot.pulls.value or ())
            if not merged and self._branch_head != s.BASE:
                found.add(Thing("branch", self.target.release_branch))
            found |= {Thing("pull", str(pull.number)) for pull in snapshot.pulls.value or () if pull.is_open}
        return found


def _next_tag() -> Any:
    return s.tag(f"v{NEXT}", NEXT_HEAD)


def cases(part: Sequence[space.State], seed: int = 0) -> Iterator[Case]:
    """Each neighbourhood with some of the states, in turns."""
    lot = random.Random(seed)
    around = list(NEIGHBOURS)
    lot.shuffle(around)
    for number, state in enumerate(part):
        yield Case(tuple(state.items()), *around[number % len(around)])


# ---- what a command destroys

HARMLESS = {
    ("gh", "pr", "list"), ("gh", "pr", "view"), ("gh", "pr", "create"), ("gh", "pr", "checks"), ("gh", "pr", "comment"),
    ("gh", "release", "create"), ("gh", "release", "view"), ("gh", "release", "download"), ("gh", "run", "view"),
    ("gh", "run", "watch"), ("gh", "run", "list"), ("gh", "workflow", "run"), ("gh", "workflow", "view"),
}  # fmt: skip
"""What makes something or looks at it."""
READS = {"fetch", "log", "show", "diff", "ls-remote", "status", "clone", "checkout", "switch", "merge", "config",
         "rev-parse", "cat-file", "worktree", "init", "remote", "add", "commit", "pull", "branch", "describe",
         "update-index", "ls-files", "stash", "restore", "rebase", "cherry-pick", "bisect", "tag"}  # fmt: skip


def destroyed(command: Sequence[str], snapshot: Snapshot, made: Collection[str] = ()) -> set[Thing]:
    """What is no longer what it was once the command has run; fails on a command that nobody has sorted yet.

    `made` are the folders that the plan has cloned the observed repository to.
    """
    words = list(command)
    while words and "=" in words[0] and not words[0].startswith("-"):
        words.pop(0)  # a variable for this command
    program = words[0]
    if program == "git":
        return _by_git(words, snapshot, made)
    if program == "gh" and words[1] == "api":
        return _by_api(words)
    if program == "gh":
        kind = (program, words[1], words[2])
        if kind in HARMLESS:
            return set()
        sorts = {"pr": "pull", "release": "release", "run": "run"}
        assert kind[1:] in {
            ("pr", "close"), ("pr", "edit"), ("release", "delete"), ("release", "edit"), ("run", "cancel"),
        }, f"what does it destroy? {' '.join(command)}"  # fmt: skip
        if kind[2] == "edit" and words[1] == "release":
            return set()  # it marks, it takes nothing away
        return {Thing("base of a pull" if kind[2] == "edit" else sorts[words[1]], words[3])}
    assert program in ("release-state", "python", "curl", "sh", "cd", "mkdir", "rm"), f"sort it: {' '.join(command)}"
    return set()


def cloned(command: Sequence[str], snapshot: Snapshot) -> str | None:
    """The folder that a command clones the observed repository to."""
    is_clone = command[:2] == ("git", "clone") and snapshot.target.remote_url in command
    return command[-1] if is_clone else None


def _by_git(words: list[str], snapshot: Snapshot, made: Collection[str]) -> set[Thing]:
    arguments, folder = words[1:], "."
    while arguments[0] in ("-C", "-c"):
        folder = arguments[1] if arguments[0] == "-C" else folder
        arguments = arguments[2:]
    verb, *rest = arguments
    if verb == "push":
        return _by_push(rest, snapshot, is_ours=folder in made)
    names = [word for word in rest if not word.startswith("-")]
    if verb == "tag" and {"--delete", "-d"} & set(rest):
        return {Thing("tag of the clone", name) for name in names}
    if verb == "update-ref":
        if "-d" not in rest and _is_as_remote(names, snapshot):
            return set()
        refs = [name for name in names if name.startswith("refs/")]
        return {
            Thing("tag of the clone" if "/tags/" in ref else "branch of the clone", ref.split("/", 2)[2])
            for ref in refs
        }
    if verb == "branch" and {"--delete", "-d", "-D"} & set(rest):
        return {Thing("branch of the clone", name) for name in names}
    assert verb in READS, f"what does it destroy? {' '.join(words)}"
    return set()


def _is_as_remote(names: Sequence[str], snapshot: Snapshot) -> bool:
    """Whether a ref of the clone gets what the remote's has, or is a backup."""
    remote = snapshot.remote.value
    tag = remote.tag(names[0].removeprefix("refs/tags/")) if remote else None
    return names[0].startswith("refs/backup/") or (tag is not None and names[1] == tag.object)


def _by_push(rest: list[str], snapshot: Snapshot, *, is_ours: bool) -> set[Thing]:
    """Refs of the remote that go or move; and the repository itself, where it is not the one that was observed."""
    forced = {"--force", "-f"} & set(rest) or any(word.startswith("--force-with-lease") for word in rest)
    deletes = bool({"--delete", "-d"} & set(rest))
    where, *changes = [word for word in rest if not word.startswith("-")]
    found: set[Thing] = set()
    clone = snapshot.clone.value
    ours = snapshot.target.remote_url
    if where != ours and not (is_ours and where == "origin"):
        # By a name: only where this clone fetches from and pushes to what was observed.
        named = clone is not None and where == snapshot.target.remote
        pushes = clone.push_urls or (clone.remote_url or ours,) if clone else ()
        if not named or any(url != ours for url in pushes):
            found.add(Thing("repository", where))
    for change in changes:
        source, colon, target = change.lstrip("+").partition(":")
        ref = target if colon else source
        if deletes or (colon and not source) or forced or change.startswith("+"):
            kind = "tag" if ref.startswith("refs/tags/") else "branch"
            found.add(Thing(kind, ref.removeprefix("refs/tags/").removeprefix("refs/heads/")))
    return found


def _by_api(words: list[str]) -> set[Thing]:
    method = words[words.index("--method") + 1] if "--method" in words else "GET"
    path = next(word for word in words if word.startswith(("repos/", "/repos/"))).strip("/").split("/")[3:]
    if method in ("GET", "POST"):
        return set()
    if path[:2] == ["git", "refs"]:
        return {Thing("tag" if path[2] == "tags" else "branch", "/".join(path[3:]))}
    if method == "PATCH" and path[0] == "pulls" and any(word.startswith("base=") for word in words):
        return {Thing("base of a pull", path[1])}
    kind = {"releases": "release", "pulls": "pull", "issues": "pull", "actions": "run"}[path[0]]
    if method == "PATCH" and kind == "release":
        return set()
    return {Thing(kind, path[2] if kind == "run" else path[1])}
