"""States with a folder of built files, before their upload."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from release_state.model.observation import known
from release_state.model.outcome import Outcome
from release_state.model.snapshot import Built, BuiltFile, IndexRelease, Snapshot
from tests.checks.cases.pre_publish import PUBLISHER, publishes, tagged
from tests.support import states as s
from tests.support.facts import build

HOLDS, ACTION, UNKNOWN, NONE = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
WHEEL, SDIST = "orbit-0.2.0-py3-none-any.whl", "orbit-0.2.0.tar.gz"


def file(name: str, **changes: Any) -> BuiltFile:
    """A file of 0.2.0, by its name."""
    kind = "wheel" if name.endswith(".whl") else "sdist"
    return build(BuiltFile, **{"filename": name, "size": 9, "kind": kind, "version": "0.2.0", **changes})


def other(name: str) -> BuiltFile:
    """A file that is no distribution of the package."""
    return BuiltFile(filename=name, size=9)


BOTH = (file(WHEEL), file(SDIST))
REFUSED = (file(WHEEL, refused="no dependency by an address is taken: x @ git+https://git.example/x"), file(SDIST))
PUBLIC = publishes(channel=structs.replace(s.PYPI, is_public_index=True))
NUMBERED = file("orbit-0.2.0-1-py3-none-any.whl")


def built(*files: BuiltFile, more: int = 0, **changes: Any) -> Snapshot:
    """The state inside a run, with these files."""
    return tagged(built=known(Built(folder="/work/dist", files=files, more=more)), **changes)


ON_MACHINES = tuple(
    f"orbit-0.1.0-cp312-cp312-{tag}.whl" for tag in ("manylinux_2_28_x86_64", "macosx_11_0_arm64", "win_amd64")
)
"""The wheels of the version before."""
EARLIER = IndexRelease(version="0.1.0", file_count=3, yanked=False, filenames=ON_MACHINES)
BEFORE = {"pypi": structs.replace(s.project(), value=structs.replace(s.project().present(), releases=(EARLIER,)))}
MACHINES = tuple(file(name.replace("0.1.0", "0.2.0")) for name in ON_MACHINES)
INDEX, HALF = {"pypi": s.failed("index pypi")}, {"pypi": s.project(s.file())}
SKIPS = structs.replace(PUBLISHER, skips_existing=True)
ELSEWHERE = structs.replace(SKIPS, workflow="other.yml")
CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    ("DIST-1", "both kinds", built(*BOTH), HOLDS),
    ("DIST-1", "a wheel for each machine", built(file(SDIST), *MACHINES, index=BEFORE), HOLDS),
    ("DIST-1", "no wheel for Windows", built(file(SDIST), *MACHINES[:2], index=BEFORE), ACTION),
    ("DIST-1", "a wheel that lacks a module", built(file(WHEEL, wrong="lacks orbit.x"), file(SDIST)), ACTION),
    ("DIST-1", "a wheel that lacks a mark", built(file(WHEEL, doubtful="lacks orbit/py.typed"), file(SDIST)), ACTION),
    ("DIST-1", "one wheel for all", built(*BOTH, index=BEFORE), HOLDS),
    (
        "DIST-1",
        "no wheel for Windows, on purpose",
        built(file(SDIST), *MACHINES[:2], index=BEFORE, target=publishes(given=("expected-files",))),
        HOLDS,
    ),
    ("DIST-1", "two wheels", built(*BOTH, NUMBERED), HOLDS),
    (
        "DIST-1",
        "attested and signed",
        built(*BOTH, other(f"{WHEEL}.publish.attestation"), other(f"{SDIST}.asc")),
        HOLDS,
    ),
    ("DIST-1", "index silent", built(*BOTH, index=INDEX), UNKNOWN),
    ("DIST-1", "wrong, index silent", built(*BOTH, file("a", version="0.1.0"), index=INDEX), ACTION),
    ("DIST-1", "a wheel alone, as configured", built(file(WHEEL), target=s.target(expected_files=("wheel",))), HOLDS),
    ("DIST-1", "before the tag", s.ready(built=known(Built(folder="/work/dist", files=BOTH))), HOLDS),
    ("DIST-1", "before the tag, empty", s.ready(built=known(Built(folder="/work/dist"))), ACTION),
    ("DIST-1", "no folder named", tagged(), NONE),
    ("DIST-1", "refused by PyPI", built(*REFUSED, target=PUBLIC), ACTION),
    ("DIST-1", "refused by PyPI, for an index of its own", built(*REFUSED), HOLDS),
    ("DIST-1", "empty", built(), ACTION),
    ("DIST-1", "no sdist", built(file(WHEEL)), ACTION),
    ("DIST-1", "no sdist, index silent", built(file(WHEEL), index=INDEX), UNKNOWN),
    ("DIST-1", "development version", built(file("orbit-0.1.dev1.tar.gz", version="0.1.dev1"), *BOTH), ACTION),
    ("DIST-1", "local version", built(file(WHEEL), file("orbit-0.2.0+g1.tar.gz", version="0.2.0+g1")), ACTION),
    ("DIST-1", "a sibling's", built(*BOTH, other("orbit_extra-0.2.0.tar.gz")), ACTION),
    (
        "DIST-1",
        "another version inside",
        built(file(WHEEL, wrong="its metadata names the version 0.1.0"), BOTH[1]),
        ACTION,
    ),
    ("DIST-1", "two sdists", built(*BOTH, file("orbit-0.2.0.zip")), ACTION),
    ("DIST-1", "one wheel in two spellings", built(*BOTH, file("Orbit-0.2.0-py3-none-any.whl")), ACTION),
    ("DIST-1", "an egg", built(*BOTH, file("orbit-0.2.0-py3.11.egg", kind="egg")), ACTION),
    ("DIST-1", "an old format", built(*BOTH, file("orbit-0.2.0.tar.bz2")), ACTION),
    ("DIST-1", "another's attestation", built(*BOTH, other("orbit-0.1.0.tar.gz.publish.attestation")), ACTION),
    ("DIST-1", "a folder", built(*BOTH, BuiltFile(filename=f"{WHEEL}.asc", wrong="it is a folder")), ACTION),
    ("DIST-1", "a bundle of signatures", built(*BOTH, other(f"{WHEEL}.sigstore.json")), ACTION),
    ("DIST-1", "one is on the index", built(*BOTH, index=HALF), ACTION),
    (
        "DIST-1",
        "one is on the index, which lags",
        built(*BOTH, index={"pypi": s.project(catching_up=(WHEEL,))}),
        ACTION,
    ),
    ("DIST-1", "another is on the index", built(NUMBERED, BOTH[1], index=HALF), HOLDS),
    ("DIST-1", "one is on the index, and is skipped", built(*BOTH, index=HALF, target=publishes(SKIPS)), HOLDS),
    ("DIST-1", "one of two uploads skips", built(*BOTH, index=HALF, target=publishes(SKIPS, PUBLISHER)), ACTION),
    ("DIST-1", "another workflow skips", built(*BOTH, index=HALF, target=publishes(PUBLISHER, ELSEWHERE)), ACTION),
    ("DIST-1", "skipped, and no sdist", built(file(WHEEL), index=HALF, target=publishes(SKIPS)), ACTION),
    ("DIST-1", "one is on the index, files unknown", built(*BOTH, index=HALF, workflow_files=s.failed("git")), UNKNOWN),
    (
        "DIST-1",
        "one is on the index, before the tag",
        s.ready(
            built=known(Built(folder="/work/dist", files=BOTH)),
            own_run=known(None),
            index=HALF,
            target=publishes(SKIPS),
        ),
        ACTION,
    ),
    ("DIST-1", "wrong, and another unread", built(file(WHEEL, unread="x"), file("a", version="0.1.0")), ACTION),
    ("DIST-1", "one unread", built(file(WHEEL, unread="it cannot be read: Permission denied"), BOTH[1]), UNKNOWN),
    ("DIST-1", "too many", built(*BOTH, more=1), UNKNOWN),
    ("DIST-1", "folder unreadable", tagged(built=s.failed("built files")), UNKNOWN),
]
