"""Adverse facts of branches, tags, GitHub Releases and pull requests: left over, missing, wrong."""

from __future__ import annotations

from release_state.demo.scenarios import VERSION
from tests.proofs.adverse.fact import Fact, Put, after, audited, back, before, inside
from tests.proofs.adverse.others import TRIED, pull
from tests.proofs.adverse.places import BRANCH, DRAFT, PULL, RELEASE, TAG
from tests.proofs.adverse.worlds import Green
from tests.standins.world import World

SPELLINGS = {None: "v0.2.0", "spelling": "0.2.0", "zeros": "v0.2.0.0", "fewer": "v0.2"}
"""Tags of the version, by guise."""


def _left_branch(world: World, green: Green, guise: str | None) -> None:
    version = {"version": "0.1.5", "zeros": "0.2"}.get(guise or "", VERSION)
    channel = green.channel
    if guise == "channel":
        channel = "testpypi" if green.channel != "testpypi" else "pypi"
    if guise == "remote":
        world.clone_git.run("branch", world.branch(channel, version))
        return
    world.push_release_branch(channel, version)


def _blocking_branch(world: World, green: Green, guise: str | None) -> None:
    """Git has no room for a branch below one that is there, nor for one above others."""
    below = f"{world.branch(green.channel, VERSION)}/try"
    world.remote_git.set_ref(f"refs/heads/{below if guise == 'zeros' else 'release'}", world.main())


def _blocking_tag(world: World, green: Green, guise: str | None) -> None:
    world.remote_git.set_ref("refs/tags/v0.2.0/try", world.main())


def _left_tag(world: World, green: Green, guise: str | None) -> None:
    name = {"version": "v0.3.0", "app": "other-v0.2.0"}.get(guise or "") or SPELLINGS[guise]
    world.remote_git.tag(name, world.main(), when=world.tick(), message=f"Release {name}")


def _tag_of_the_deleted(world: World, green: Green, guise: str | None) -> None:
    """Nothing of the version is on the index any more: no yank keeps the tag."""
    world.index.delete(green.channel, VERSION)
    _left_tag(world, green, guise)


def _own_tag(world: World, green: Green, guise: str | None) -> None:
    world.clone_git.tag(SPELLINGS[guise], "HEAD", when=world.tick(), message=None)


def _left_release(world: World, green: Green, guise: str | None) -> None:
    name = {"version": "v0.1.9"}.get(guise or "") or SPELLINGS[guise]
    world.remote_git.tag(name, world.main(), when=world.tick(), message=f"Release {name}")
    world.github.add_release(name, created_at=world.tick(), published_at=world.time, make_latest="false")


def _left_draft(world: World, green: Green, guise: str | None) -> None:
    world.github.add_release(SPELLINGS[guise], draft=True, created_at=world.tick())


def _open_pull(world: World, green: Green, guise: str | None) -> None:
    head = world.branch(green.channel, "0.1.5" if guise == "version" else VERSION)
    if guise == "fork":
        pull(world, head, head_repo="eve/orbit")
        return
    if guise == "branch":
        head = "feature"
        world.remote_git.set_ref("refs/heads/feature", world.main())
        world.commit("feat: try it", branch="feature")
    else:
        world.bump(VERSION, head, world.main())
    world.github.add_pull(head, "main", title=f"Release v{VERSION}", created_at=world.tick())


def _missing_tag(world: World, green: Green, guise: str | None) -> None:
    name = f"v{VERSION}"
    commit = world.remote_git.rev(f"refs/tags/{name}^{{commit}}")
    world.remote_git.delete_ref(f"refs/tags/{name}")
    if f"refs/tags/{name}" in world.clone_git.refs():
        world.clone_git.delete_ref(f"refs/tags/{name}")
    # Its GitHub Release stays, as where a tag is made anew under another name.
    with world.github.lock:
        for release in world.github.releases.values():
            release.tagged = False
    if guise is not None:
        world.remote_git.tag(SPELLINGS[guise], commit, when=world.tick(), message="Release")


def _move_tag(world: World, commit: str) -> None:
    world.remote_git.run("tag", "--force", "--annotate", "--message", "again", f"v{VERSION}", commit, when=world.tick())
    world.clone_git.run("fetch", "--quiet", "--force", "origin", "+refs/tags/*:refs/tags/*")


def _undeclared(world: World, green: Green, guise: str | None) -> None:
    """The tag is on a commit that declares another version."""
    _move_tag(world, world.remote_git.run("rev-list", "--max-parents=0", "main"))


def _aside(world: World, green: Green, guise: str | None) -> None:
    """The tag is on a commit beside the base branch, which declares the version."""
    world.remote_git.set_ref("refs/heads/aside", f"v{VERSION}^{{commit}}")
    _move_tag(world, world.commit("fix: at the last minute", branch="aside"))
    world.delete_branch("aside")


def _own_other_tag(world: World, green: Green, guise: str | None) -> None:
    world.clone_git.run("tag", "--force", f"v{VERSION}", "HEAD~1")


def _missing_release(world: World, green: Green, guise: str | None) -> None:
    with world.github.lock:
        found = next(release for release in world.github.releases.values() if release.tag == f"v{VERSION}")
        if guise is None:
            del world.github.releases[found.id]
        elif guise == "version":
            found.draft, found.published_at = True, None
        else:
            found.tag = SPELLINGS[guise]


def _release_with(**changes: object) -> Put:
    def put(world: World, green: Green, guise: str | None) -> None:
        with world.github.lock:
            found = next(release for release in world.github.releases.values() if release.tag == f"v{VERSION}")
            for name, value in changes.items():
                setattr(found, name, value)

    return put


def _other_latest(world: World, green: Green, guise: str | None) -> None:
    with world.github.lock:
        older = next(release for release in world.github.releases.values() if release.tag == "v0.1.0")
        world.github.latest_release = older.id


def _still_latest(world: World, green: Green, guise: str | None) -> None:
    """A newer version replaced the withdrawn one, whose tag and GitHub Release stay."""
    for version in (VERSION, "0.2.1"):
        world.tag(version, world.main())
    world.publish(green.channel, "0.2.1", world.main())
    world.github_release("0.2.1", latest=False)
    world.github_release(VERSION)


def _own_pulls(world: World) -> list[int]:
    """The number of the release's pull request, whatever else was tried from its branch."""
    head = f"release/pypi-v{VERSION}"
    pulls = world.github.pulls.items()
    return [number for number, found in pulls if found.head_ref == head and found.title != TRIED]


def _missing_pull(world: World, green: Green, guise: str | None) -> None:
    """The pull request was closed, and what it would have merged is not on the base branch."""
    (number,) = _own_pulls(world)
    world.close_pull(number)
    if guise == "fork":
        pull(world, f"release/pypi-v{VERSION}", head_repo="eve/orbit")
    if guise == "version":
        with world.github.lock:
            del world.github.pulls[number]


def _other_base(world: World, green: Green, guise: str | None) -> None:
    (number,) = _own_pulls(world)
    world.remote_git.set_ref("refs/heads/develop", world.remote_git.rev("main~1"))
    with world.github.lock:
        world.github.pulls[number].base_ref = "develop"


def _no_branch(world: World, green: Green, guise: str | None) -> None:
    """Gone while its pull request is open, which GitHub has not noticed yet."""
    (number,) = _own_pulls(world)
    world.github.pulls[number].pinned = True
    world.delete_branch(world.branch("pypi", VERSION))


_OTHER_VERSION = "it is of another version, which is looked at by itself"
_OWN_ALONE = "a channel that leaves nothing on GitHub minds its own branches alone"
_IN_CLONE = "what is only in the clone is in nobody's way: the release workflow works on the remote"
_NO_CHANNEL = "its own channel minds it"
_HIDDEN_DRAFT = "GitHub lists drafts to nobody without the right to push: that is said as advice"
_ADVICE_DRAFT = "a draft publishes nothing: it is advice"
_MOVING = "it names fewer numbers than the version: a moving tag, such as v1 of an action"
_KEPT = "every file is yanked: the tag may stay, as what was once released"


def _unpublished_tag(world: World, green: Green, guise: str | None) -> None:
    """A tag of a version that nobody can install."""
    name = {None: "v0.1.5", "spelling": "0.1.5", "zeros": "v0.1.5.0"}[guise]
    world.remote_git.tag(name, world.main(), when=world.tick(), message="Release")


def _no_release_ever(world: World, green: Green, guise: str | None) -> None:
    with world.github.lock:
        world.github.releases.clear()


FACTS = (
    Fact(
        "tag of a version that was never published",
        _unpublished_tag,
        ("AUDIT-5",),
        lambda green: audited(green) and green.has_tag,
        TAG,
        ("spelling", "zeros"),
        {"spelling": "a spelling of which no tag names a published version is that of another package"},
    ),
    Fact("no GitHub Release ever", _no_release_ever, ("AUDIT-3",), lambda green: audited(green) and green.has_release),
    Fact(
        "left release branch",
        _left_branch,
        ("BRANCH-1", "BRANCH-2", "BRANCH-11", "BRANCH-12", "BRANCH-21", "AUDIT-5"),
        lambda green: green.name != "released, pull request open" and not inside(green),
        BRANCH,
        ("zeros", "channel", "version", "remote"),
        {"remote": _IN_CLONE},
        {
            "ready for TestPyPI": {"channel": _OWN_ALONE},
            "ready for an index of its own": {},
            "post-recovery": {"channel": _NO_CHANNEL, "version": _OTHER_VERSION},
            "rollback": {"channel": _NO_CHANNEL, "version": _OTHER_VERSION},
            "audit": {"channel": _NO_CHANNEL},
        },
    ),
    Fact("branch in the way of the release branch", _blocking_branch, ("BRANCH-1",), before, BRANCH, ("zeros",)),
    Fact("tag in the way of the tag", _blocking_tag, ("TAG-1",), lambda green: before(green) and green.has_tag, TAG),
    Fact(
        "left tag",
        _left_tag,
        ("TAG-1", "TAG-21"),
        lambda green: before(green) or (back(green) and green.has_tag),
        TAG,
        ("spelling", "zeros", "fewer", "version", "app"),
        {"version": _OTHER_VERSION, "app": "it is another package's", "fewer": _MOVING},
        {"rollback": {"": _KEPT, "spelling": _KEPT, "zeros": _KEPT, "version": _OTHER_VERSION}},
    ),
    Fact(
        "left tag of a deleted version",
        _tag_of_the_deleted,
        ("TAG-21",),
        lambda green: back(green) and green.has_tag,
        TAG,
        ("spelling", "zeros"),
    ),
    Fact(
        "tag in the clone alone",
        _own_tag,
        ("TAG-2", "TAG-22"),
        lambda green: green.clone and green.has_tag and (before(green) or back(green)),
        TAG,
        ("spelling", "zeros"),
    ),
    Fact(
        "left GitHub Release",
        _left_release,
        ("RELEASE-1", "RELEASE-21"),
        lambda green: green.has_release and (before(green) or back(green)),
        RELEASE,
        ("spelling", "zeros", "fewer", "version"),
        {"version": _OTHER_VERSION, "fewer": _MOVING},
    ),
    Fact(
        "left draft",
        _left_draft,
        (),
        lambda green: green.has_release and (before(green) or back(green)),
        DRAFT,
        ("spelling", "zeros"),
        harmless_in={"rollback": {"*": _ADVICE_DRAFT}, "ready, no token": {"*": _HIDDEN_DRAFT}},
    ),
    Fact(
        "open release pull request",
        _open_pull,
        ("PULL-1", "PULL-21"),
        lambda green: before(green) or back(green),
        PULL,
        ("fork", "branch", "version"),
        {
            "fork": "anybody may open one from a fork, from a branch of that name",
            "branch": "a title makes no release: it is known by its head",
            "version": "a branch with an open pull request is in use: versions may be on their way side by side",
        },
    ),
    Fact(
        "missing tag",
        _missing_tag,
        ("TAG-11", "AUDIT-5"),
        lambda green: (after(green) or audited(green)) and green.has_tag,
        TAG,
        ("spelling", "zeros"),
    ),
    Fact(
        "tag on a commit of another version",
        _undeclared,
        ("META-11",),
        lambda green: after(green) and green.has_tag,
        TAG,
    ),
    Fact(
        "tag beside the base branch",
        _aside,
        (),
        lambda green: after(green) and green.has_tag,
        TAG,
        harmless={"": "about half of all tags lie off the default branch for good reasons: it is advice"},
    ),
    Fact(
        "other tag in the clone",
        _own_other_tag,
        ("TAG-13",),
        lambda green: after(green) and green.has_tag and green.clone,
        TAG,
    ),
    Fact(
        "missing GitHub Release",
        _missing_release,
        ("RELEASE-11", "AUDIT-5"),
        lambda green: (after(green) or audited(green)) and green.has_release,
        RELEASE,
        ("spelling", "zeros", "version"),
    ),
    Fact(
        "final version marked as a pre-release",
        _release_with(prerelease=True),
        ("RELEASE-12",),
        lambda green: after(green) and green.has_release,
        RELEASE,
    ),
    Fact(
        "withdrawn version that is still the latest",
        _still_latest,
        ("RELEASE-23",),
        lambda green: back(green) and green.has_release,
        RELEASE,
    ),
    Fact(
        "GitHub Release without notes",
        _release_with(body=""),
        ("RELEASE-13",),
        lambda green: after(green) and green.has_release,
        RELEASE,
    ),
    Fact(
        "older GitHub Release is the latest",
        _other_latest,
        ("RELEASE-14", "AUDIT-4"),
        lambda green: (after(green) or audited(green)) and green.has_release,
        RELEASE,
    ),
    Fact(
        "closed release pull request",
        _missing_pull,
        ("PULL-11",),
        lambda green: green.name == "released, pull request open",
        PULL,
        ("fork", "version"),
    ),
    Fact(
        "release pull request into another branch",
        _other_base,
        ("PULL-11",),
        lambda green: green.name == "released, pull request open",
        PULL,
    ),
    Fact(
        "release branch gone under its open pull request",
        _no_branch,
        ("BRANCH-11",),
        lambda green: green.name == "released, pull request open",
        BRANCH,
    ),
)
