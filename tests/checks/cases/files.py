"""States of the published files: what earlier versions had, and what replaced a yanked version."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from release_state.model.observation import known
from release_state.model.outcome import Outcome
from release_state.model.snapshot import Asset, Contents, GitHubRelease, IndexFile, IndexProject, IndexRelease, Snapshot
from tests.support import states as s

HOLDS, ACTION, UNKNOWN, NONE = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

PLATFORMS = ("manylinux_2_17_x86_64", "macosx_11_0_arm64", "win_amd64")
EMPTY = known(
    Contents(empty=("orbit-0.2.0-py3-none-any.whl",), module="orbit/__init__.py", holder="orbit-0.2.0.tar.gz")
)
GIVEN = s.target(given=("expected-files",))


def names(version: str, *tags: str, sdist: bool = True) -> tuple[str, ...]:
    """The files of a version: a wheel for each tag, and its sdist."""
    return (*(f"orbit-{version}-{tag}.whl" for tag in tags), *((f"orbit-{version}.tar.gz",) if sdist else ()))


def matrix(*pythons: str, platforms: tuple[str, ...] = PLATFORMS) -> tuple[str, ...]:
    """The tags of a wheel for each Python on each platform."""
    return tuple(f"{python}-{python}-{platform}" for python in pythons for platform in platforms)


def page(now: tuple[str, ...], *, yanked: bool = False, newer: tuple[str, ...] = (), **earlier: tuple[str, ...]) -> Any:
    """The project's page: the files of 0.2.0, and earlier versions (`v0_1_0`) with the names of their files."""
    files = tuple(
        IndexFile(
            filename=name,
            version="0.2.0",
            kind="wheel" if name.endswith(".whl") else "sdist",
            url=f"https://files.example/{name}",
            yanked=yanked,
        )
        for name in now
    )
    releases = [
        IndexRelease(version=each[1:].replace("_", "."), file_count=len(found), yanked=False, filenames=found)
        for each, found in earlier.items()
    ]
    releases += [IndexRelease(version="0.2.0", file_count=len(files), yanked=yanked)] if files else []
    releases += [IndexRelease(version=each, file_count=2, yanked=False) for each in newer]
    return known(IndexProject(url="https://index.example/orbit/", listed=True, files=files, releases=tuple(releases)))


TWO = matrix("cp312", "cp313")


def released(now: tuple[str, ...], before: tuple[str, ...] = TWO, **changes: Any) -> Snapshot:
    """0.2.0 with wheels for these tags, after a version with others."""
    return s.released(index={"pypi": page(names("0.2.0", *now), v0_1_0=names("0.1.0", *before))}, **changes)


def replaced(*newer: str, **changes: Any) -> Snapshot:
    """Every file is yanked, and newer versions are there."""
    index = {"pypi": page(names("0.2.0", "py3-none-any"), yanked=True, newer=newer)}
    values: dict[str, Any] = {
        "remote": s.remote(s.tag()),
        "release": known(s.release()),
        "history": s.history(s.lineage()),
    }
    values |= changes
    return s.rolled_back(index=index, **values)


FILLED = known(Contents(module="orbit/__init__.py", holder="orbit-0.2.0-py3-none-any.whl"))
BARE = s.published(s.candidate(), is_bare=True)


def still_latest(latest: str = "v0.2.0", **changes: Any) -> Snapshot:
    """Every file is yanked and a newer version is there, with its tag; the GitHub Release stays."""
    remote = s.remote(s.tag(), s.tag("v0.2.1", s.OTHER))
    return replaced("0.2.1", **{"remote": remote, "latest_release": known(s.release(latest)), **changes})


ATTACHED = (Asset(name="orbit-0.2.0.tar.gz", sha256="a" * 64), Asset(name="SHA256SUMS"))
OLD_ASSETS = tuple(
    s.release(tag, attached=(Asset(name=f"orbit-{tag[1:]}.tar.gz"), Asset(name="notes.txt")))
    for tag in ("v0.1.0", "v0.1.1")
)


def attached(*assets: Asset, earlier: tuple[GitHubRelease, ...] = (), **changes: Any) -> Snapshot:
    """0.2.0 with files at its GitHub Release, where the sdist on the index has the hash aaaa."""
    files = page(names("0.2.0", "py3-none-any")).present()
    hashed = structs.replace(files, files=tuple(structs.replace(each, sha256="a" * 64) for each in files.files))
    return s.released(**{
        "index": {"pypi": known(hashed)},
        "release": known(s.release(attached=assets)),
        "earlier_releases": {each.tag: known(each) for each in earlier},
        **changes,
    })  # fmt: skip


CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    ("INDEX-12", "wheels as before", released(TWO), HOLDS),
    ("INDEX-12", "a platform is missing", released(matrix("cp312", "cp313", platforms=PLATFORMS[:2])), ACTION),
    ("INDEX-12", "a Python is missing on one platform", released(TWO[:-1]), ACTION),
    ("INDEX-12", "its own list of files", released(TWO[:-1], target=GIVEN), ACTION),
    ("INDEX-12", "an old Python is dropped", released(matrix("cp313")), HOLDS),
    ("INDEX-12", "GitHub silent, wheels as before", released(TWO, release=s.failed()), HOLDS),
    ("INDEX-14", "a module", s.released(), HOLDS),
    ("INDEX-14", "a metapackage", s.released(contents=known(Contents(empty=("a.whl",)))), HOLDS),
    ("INDEX-14", "the sdist has it", s.released(contents=EMPTY), ACTION),
    ("INDEX-14", "an sdist without source", s.released(contents=FILLED, published=BARE), ACTION),
    ("INDEX-14", "lacks what it imports", s.released(contents=known(Contents(wrong=("a.whl lacks orbit.x",)))), ACTION),
    ("INDEX-14", "lacks a mark", s.released(contents=known(Contents(doubtful=("a.whl lacks py.typed",)))), ACTION),
    ("INDEX-14", "neither has any", s.released(published=BARE), HOLDS),
    ("INDEX-14", "no wheel", s.released(contents=known(None)), NONE),
    ("INDEX-14", "index silent", s.released(contents=s.failed("wheels on pypi")), UNKNOWN),
    ("RELEASE-16", "the published file", attached(*ATTACHED, earlier=OLD_ASSETS), HOLDS),
    ("RELEASE-16", "no file, as before", attached(), NONE),
    ("RELEASE-16", "another hash", attached(Asset(name="orbit-0.2.0.tar.gz", sha256="b" * 64)), ACTION),
    ("RELEASE-16", "hash unknown", attached(Asset(name="orbit-0.2.0.tar.gz")), HOLDS),
    ("RELEASE-16", "another version", attached(Asset(name="orbit-0.1.1.tar.gz")), ACTION),
    ("RELEASE-16", "another package", attached(Asset(name="other-0.1.1.tar.gz")), HOLDS),
    ("RELEASE-16", "half uploaded", attached(Asset(name="x.zip", is_uploaded=False)), ACTION),
    ("RELEASE-16", "no file, and earlier ones have", attached(earlier=OLD_ASSETS), ACTION),
    ("RELEASE-16", "no file, and one earlier has", attached(earlier=(OLD_ASSETS[0], s.release("v0.1.1"))), NONE),
    ("RELEASE-16", "no GitHub Release", attached(release=known(None)), NONE),
    ("RELEASE-16", "GitHub silent", attached(release=s.failed()), UNKNOWN),
    ("RELEASE-21", "a newer version of its line", replaced("0.2.1"), NONE),
    ("RELEASE-21", "only an older version", replaced(), ACTION),
    ("RELEASE-23", "withdrawn, and the newer one is the latest", still_latest("v0.2.1"), HOLDS),
    ("RELEASE-23", "withdrawn, and still the latest", still_latest(), ACTION),
    ("RELEASE-23", "withdrawn, latest release unknown", still_latest(latest_release=s.failed()), UNKNOWN),
    ("RELEASE-23", "withdrawn, and to be deleted", replaced(latest_release=known(s.release())), NONE),
    ("RELEASE-21", "replaced, index silent", replaced("0.2.1", release=s.failed()), UNKNOWN),
]
