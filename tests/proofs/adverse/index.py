"""Adverse facts of the index: a version that is there already, one that is missing, incomplete, yanked or wrong."""

from __future__ import annotations

import io
import zipfile

from release_state.demo.dists import build_sdist, build_wheel
from release_state.demo.scenarios import VERSION
from release_state.demo.simple_pages import Project, StoredFile
from tests.proofs.adverse.fact import Fact, Put, after, audited, back, unpublished
from tests.proofs.adverse.places import FILE
from tests.proofs.adverse.worlds import Green
from tests.standins.world import World

WHEEL, SDIST = "orbit_demo-0.2.0-py3-none-any.whl", "orbit_demo-0.2.0.tar.gz"


def _upload(world: World, channel: str, name: str, version: str = VERSION, content: bytes = b"") -> StoredFile:
    """Put a file there by whatever name, as an index does that is not asked to read it."""
    known = world.index.channels[channel]
    stored = StoredFile(name, content, version, world.tick())
    known.setdefault(world.index.project, Project(world.index.project, serial=0)).files[name] = stored
    return stored


def _channel(green: Green, guise: str | None) -> str:
    if guise != "channel":
        return green.channel
    return "testpypi" if green.channel != "testpypi" else "pypi"


def _published(world: World, green: Green, guise: str | None) -> None:
    if guise == "spelling":
        _upload(world, green.channel, "orbit-demo-0.2.0.tar.gz")
    elif guise == "zeros":
        _upload(world, green.channel, "orbit_demo-0.2-py3-none-any.whl", "0.2")
    elif guise == "version":
        _upload(world, green.channel, "orbit_demo-0.1.9-py3-none-any.whl", "0.1.9")
    else:
        world.publish(_channel(green, guise), VERSION, world.main(), kinds=("wheel",))


def _named(name: str, version: str = VERSION) -> Put:
    def put(world: World, green: Green, guise: str | None) -> None:
        _upload(world, _channel(green, guise), name, version)

    return put


def _yanked_before(world: World, green: Green, guise: str | None) -> None:
    _published(world, green, guise)
    world.index.yank(_channel(green, guise), {"zeros": "0.2", "version": "0.1.9"}.get(guise or "", VERSION), "once")


def _listed(world: World, green: Green, guise: str | None) -> None:
    world.index.list_version(_channel(green, guise), {"zeros": "0.2", "version": "0.1.9"}.get(guise or "", VERSION))


def _newer_of_line(world: World, green: Green, guise: str | None) -> None:
    _upload(world, _channel(green, guise), "orbit_demo-0.2.1.tar.gz", "0.2.1")


def _lagging(world: World, green: Green, guise: str | None) -> None:
    world.publish(_channel(green, guise), VERSION, world.main())
    world.index.lag(_channel(green, guise), VERSION)


def _gone(*names: str) -> Put:
    def put(world: World, green: Green, guise: str | None) -> None:
        for name in names:
            world.index.delete(green.channel, name, keep_listed=True)

    return put


def _late(world: World, green: Green, guise: str | None) -> None:
    world.index.lag(green.channel, WHEEL)


def _yank(*names: str) -> Put:
    def put(world: World, green: Green, guise: str | None) -> None:
        for name in names:
            world.index.yank(green.channel, name, "broken")

    return put


def _offered(world: World, green: Green, guise: str | None) -> None:
    """One of the files is not yanked."""
    if not world.index.files(green.channel, WHEEL):
        world.publish(green.channel, VERSION, world.main(), kinds=("wheel",))
    world.index.unyank(green.channel, WHEEL)


def _offered_besides(world: World, green: Green, guise: str | None) -> None:
    """Another file of the version, uploaded since, under another form of its name."""
    name, version = ("orbit_demo-0.2.tar.gz", "0.2") if guise == "zeros" else ("orbit_demo-0.2.0.zip", VERSION)
    _upload(world, green.channel, name, version)


def _wheel(content: bytes) -> Put:
    """What is served in the place of the wheel; the page tells its digest and size as they are."""

    def put(world: World, green: Green, guise: str | None) -> None:
        (stored,) = world.index.files(green.channel, WHEEL)
        stored.content, stored.metadata = content, None

    return put


def _other_metadata() -> bytes:
    """A wheel that is called 0.2.0 and holds 0.1.0."""
    _, content = build_wheel("orbit-demo", "0.1.0", sources={"orbit_demo/__init__.py": b""})
    return content


def _fewer_wheels(world: World, green: Green, guise: str | None) -> None:
    """The version before has a wheel for Windows besides the one for any platform."""
    for tags in ("1-py3-none-any", "cp313-cp313-win_amd64"):
        _upload(world, green.channel, f"orbit_demo-0.1.0-{tags}.whl", "0.1.0")


def _without_module() -> bytes:
    """A wheel that its build left empty."""
    _, content = build_wheel("orbit-demo", VERSION, sources={})
    return content


def _with_command() -> bytes:
    """A wheel with an entry point whose module its build left out."""
    _, content = build_wheel("orbit-demo", VERSION, sources={
        "orbit_demo/__init__.py": b"",
        f"orbit_demo-{VERSION}.dist-info/entry_points.txt": b"[console_scripts]\norbit = orbit_demo.cli:main\n",
    })  # fmt: skip
    return content


def _other_needs(world: World, green: Green, guise: str | None) -> None:
    """An sdist whose Requires-Python is not that of the wheel."""
    (stored,) = world.index.files(green.channel, SDIST)
    files = world.remote_git.files(world.main())
    _, stored.content = build_sdist("orbit-demo", VERSION, files=files, requires_python=">=3.9")


def _bare_sdist(world: World, green: Green, guise: str | None) -> None:
    """An sdist that its build left without the package."""
    (stored,) = world.index.files(green.channel, SDIST)
    _, stored.content = build_sdist("orbit-demo", VERSION, files={"README.md": b"orbits", "pyproject.toml": b""})


def _without_metadata() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("orbit_demo/__init__.py", "")
    return buffer.getvalue()


class _Swapped(StoredFile):
    """A file of which the page tells the digest of another."""

    @property
    def sha256(self) -> str:
        """The digest of nothing."""
        return "0" * 64


def _other_digest(world: World, green: Green, guise: str | None) -> None:
    (stored,) = world.index.files(green.channel, WHEEL)
    stored.__class__ = _Swapped


_ELSEWHERE = {"channel": "it is on another channel's index, which this release does not go to"}
_OLDER = {"version": "it is of an older version"}
_ROLLED_BACK = "every file is yanked and nothing else is left to withdraw: the run says ROLLED BACK"
_WITHDRAWN = "where nothing else is left, the run says ROLLED BACK, never READY TO RELEASE"
_PUBLISHED = ("INDEX-1",)


def _released(green: Green) -> bool:
    return after(green) or audited(green)


FACTS = (
    Fact(
        *("published version", _published, _PUBLISHED, unpublished, FILE),
        ("spelling", "zeros", "channel", "version"),
        _ELSEWHERE | _OLDER,
    ),
    Fact(
        *("published version, yanked", _yanked_before, _PUBLISHED, unpublished, FILE),
        ("zeros", "channel", "version"),
        _ELSEWHERE | _OLDER | {"": _WITHDRAWN, "zeros": _WITHDRAWN},
        {"pre-publish": {"": "", "zeros": ""}},
    ),
    Fact(
        *("version listed without a file", _listed, _PUBLISHED, unpublished, FILE),
        ("zeros", "channel", "version"),
        _ELSEWHERE | _OLDER,
    ),
    Fact("version published a minute ago", _lagging, _PUBLISHED, unpublished, FILE, ("channel",), _ELSEWHERE),
    Fact("wheel without tags in its name", _named("orbit_demo-0.2.0.whl"), _PUBLISHED, unpublished, FILE),
    Fact("installer of an older kind", _named("orbit-demo-0.2.0.win32.msi"), _PUBLISHED, unpublished, FILE),
    Fact("archive of a kind to come", _named("orbit_demo-0.2.0.tar.zst"), _PUBLISHED, unpublished, FILE),
    Fact("newer version of its line", _newer_of_line, ("INDEX-2",), unpublished, FILE, ("channel",), _ELSEWHERE),
    Fact("nothing published", _gone(WHEEL, SDIST), ("INDEX-11",), after, FILE),
    Fact("missing sdist", _gone(SDIST), ("INDEX-12", "AUDIT-5"), _released, FILE),
    Fact("missing wheel", _gone(WHEEL), ("INDEX-12", "AUDIT-5"), _released, FILE),
    Fact("wheels for fewer platforms", _fewer_wheels, ("INDEX-12",), after, FILE),
    Fact("wheel that is not listed yet", _late, ("INDEX-12",), after, FILE),
    Fact("yanked wheel", _yank(WHEEL), ("INDEX-13",), _released, FILE, harmless_in={
        "audit": {"*": "in a history a yank is a decision that was taken: it is advice"},
    }),
    Fact("every file yanked", _yank(WHEEL, SDIST), ("INDEX-13",), after, FILE, harmless_in={
        "released on TestPyPI": {"": _ROLLED_BACK},
        "released on an index of its own": {"": _ROLLED_BACK},
    }),
    Fact("wheel that is still offered", _offered, ("INDEX-21",), back, FILE),
    Fact("file uploaded since", _offered_besides, ("INDEX-21",), back, FILE, ("zeros",)),
    Fact("wheel of another version inside", _wheel(_other_metadata()), ("INSTALL-11",), after, FILE, installs=True),
    Fact("wheel without a module", _wheel(_without_module()), ("INDEX-14",), after, FILE),
    Fact("wheel without what its command names", _wheel(_with_command()), ("INDEX-14",), after, FILE),
    Fact("sdist with another Requires-Python", _other_needs, ("INDEX-14",),
         lambda green: after(green) and green.has_tag, FILE),
    Fact("sdist without source", _bare_sdist, ("INDEX-14",), lambda green: after(green) and green.has_tag, FILE),
    Fact("wheel without metadata", _wheel(_without_metadata()), ("INSTALL-11",), after, FILE, installs=True),
    Fact("wheel of garbage", _wheel(b"garbage"), ("INSTALL-11",), after, FILE, installs=True),
    Fact("wheel with another digest", _other_digest, ("INSTALL-11",), after, FILE, installs=True),
)  # fmt: skip
