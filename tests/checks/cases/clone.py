"""States of the clone beyond its working tree."""

from __future__ import annotations

from msgspec import convert

from release_state.model.observation import known
from release_state.model.outcome import Outcome
from release_state.model.snapshot import Built, Repository, Snapshot
from tests.support import states as s

HOLDS, ACTION, UNKNOWN, NONE = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

OURS = "https://github.example/octo/orbit.git"
UNTAGGED = {"index": {"pypi": s.project(s.file(), s.file("sdist"))}, "release": known(None), "remote": s.remote()}
NAMELESS = s.clone(no_identity=("user.name", "user.email"))


def at(url: str | None, repository: Repository | None = None) -> Snapshot:
    """A state whose clone has this remote."""
    usual = Repository(full_name="octo/orbit", default_branch="main", html_url=s.WEB)
    return s.ready(clone=s.clone(remote_url=url), repository=known(repository or usual))


def repository(**changes: object) -> Repository:
    """The repository with these changes."""
    return convert({"full_name": "octo/orbit", "default_branch": "main", "html_url": s.WEB, **changes}, Repository)


def built_at(folder: str) -> Snapshot:
    """A state with an old wheel in the clone's `dist/`, and with this folder of files to upload."""
    names = known(("orbit-0.1.9-py3-none-any.whl",))
    return s.ready(clone=s.clone(built=names), built=known(Built(folder=folder)))


CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    *((f"CLONE-{n}", "no clone", s.ready(clone=known(None)), NONE) for n in range(5, 10)),
    *((f"CLONE-{n}", "unreadable", s.ready(clone=s.failed("clone")), UNKNOWN) for n in range(5, 10)),
    ("CLONE-5", "whole", s.ready(), HOLDS),
    ("CLONE-5", "shallow", s.ready(clone=s.clone(shallow=True)), ACTION),
    ("CLONE-6", "ours", at(OURS), HOLDS),
    ("CLONE-6", "ours by ssh, in another case", at("git@github.example:Octo/Orbit"), HOLDS),
    ("CLONE-6", "another's", at("https://github.example/me/orbit"), ACTION),
    (
        "CLONE-6",
        "the present name of a renamed one",
        at("https://github.example/new/name", repository(full_name="New/name")),
        HOLDS,
    ),
    ("CLONE-6", "a fork", at(OURS, repository(fork_of="upstream/orbit")), ACTION),
    ("CLONE-6", "elsewhere", at("/srv/orbit.git"), NONE),
    ("CLONE-6", "no remote", at(None), NONE),
    ("CLONE-6", "GitHub silent", s.ready(clone=s.clone(remote_url=OURS), repository=s.failed()), UNKNOWN),
    ("CLONE-7", "clean", s.ready(), HOLDS),
    ("CLONE-7", "dirty", s.ready(clone=s.clone(dirty_submodules=known(("vendor/lib",)))), ACTION),
    ("CLONE-7", "not readable", s.ready(clone=s.clone(dirty_submodules=s.failed("clone"))), UNKNOWN),
    ("CLONE-8", "nothing", s.ready(), HOLDS),
    (
        "CLONE-8",
        "this version",
        s.ready(clone=s.clone(built=known(("orbit-0.2.0.tar.gz", "Orbit-0.2-py3-none-any.whl")))),
        HOLDS,
    ),
    (
        "CLONE-8",
        "another project, and no name at all",
        s.ready(clone=s.clone(built=known(("x-1.0.tar.gz", "notes.zip")))),
        HOLDS,
    ),
    ("CLONE-8", "dist unreadable", s.ready(clone=s.clone(built=s.failed("clone"))), UNKNOWN),
    ("CLONE-8", "another version", s.ready(clone=s.clone(built=known(("orbit-0.1.9-py3-none-any.whl",)))), ACTION),
    (
        "CLONE-8",
        "one for a platform",
        s.ready(clone=s.clone(built=known(("orbit-0.1.9.linux-x86_64.tar.gz",)))),
        ACTION,
    ),
    ("CLONE-8", "a sibling's", s.ready(clone=s.clone(built=known(("orbit-extra-0.1.9.tar.gz",)))), HOLDS),
    ("CLONE-8", "another version, and DIST-1 says so", built_at("/home/me/orbit/dist"), NONE),
    ("CLONE-8", "another version, and DIST-1 looks elsewhere", built_at("/home/me/dist"), ACTION),
    ("CLONE-9", "no need", s.ready(clone=NAMELESS), NONE),
    ("CLONE-9", "known", s.released(**UNTAGGED, clone=s.clone()), HOLDS),
    ("CLONE-9", "not known", s.released(**UNTAGGED, clone=NAMELESS), ACTION),
]
