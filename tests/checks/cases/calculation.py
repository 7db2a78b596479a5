"""States of the version calculation."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from release_state.model.observation import Observation, known, unavailable
from release_state.model.outcome import Outcome
from release_state.model.snapshot import Calculation, Counted, CountedCommit, Snapshot
from tests.support import states as s
from tests.support.facts import build

HOLDS, ACTION, UNKNOWN, NONE = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

FEATURE = CountedCommit(sha=s.OTHER, subject="feat: add a second orbit", level="minor")
STRANGE = CountedCommit(sha=s.HEAD, subject="Update things", level=None)
COUNTED = Counted(last_tag="v0.1.0", total=3, levels={"none": 2, "minor": 1}, decisive=(FEATURE,))
MISSING: Observation[Any] = unavailable("version calculation", "it is not installed here", "install it")


def calculation(wanted: str | Observation[str] | None = "0.2.0", **changes: Any) -> Observation[Calculation]:
    """A calculation by python-semantic-release that gives this version."""
    values: dict[str, Any] = {
        "base_head": s.BASE,
        "rules": "semantic-release",
        "where": "[tool.semantic_release] of pyproject.toml",
        "tool": "python-semantic-release 10.7.0",
        "counted": known(COUNTED),
        "next_version": wanted if isinstance(wanted, Observation) else known(wanted),
        "project_name": "Orbit",
        **changes,
    }
    return known(build(Calculation, **values))


def called_for(wanted: str | Observation[str] | None = "0.2.0", version: str = "0.2.0", **changes: Any) -> Snapshot:
    """A state in which one version is checked, and the commits call for another."""
    return s.ready(target=s.target(version=version), calculation=calculation(wanted, **changes))


def untagged(wanted: str | Observation[str] | None, **changes: Any) -> Snapshot:
    """A state in which 0.2.0 is published without a tag."""
    return s.released(remote=s.remote(), clone=s.clone(), calculation=calculation(wanted, **changes))


PLAIN: dict[str, Any] = {"rules": "conventional", "tool": None}
UNCONFIGURED: dict[str, Any] = {"rules": None, "counted": MISSING}
ONE_STRANGE = structs.replace(COUNTED, not_conventional=(STRANGE,), not_conventional_count=1)
NOT_HERE = "branch 'main' isn't in any release groups"

CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    ("VERSION-1", "all follow it", called_for(), HOLDS),
    (
        "VERSION-1",
        "one does not",
        called_for(counted=known(ONE_STRANGE)),
        ACTION,
    ),
    ("VERSION-1", "not told", called_for(counted=MISSING), UNKNOWN),
    ("VERSION-1", "no rules", called_for(MISSING, **UNCONFIGURED), NONE),
    ("VERSION-1", "history silent", s.ready(calculation=s.failed("version calculation")), UNKNOWN),
    ("VERSION-2", "the same", called_for(), HOLDS),
    ("VERSION-2", "the same by PEP 440", called_for("0.2.0-rc.1", "0.2.0rc1"), HOLDS),
    ("VERSION-2", "the same with a local label", called_for("0.2.0", "0.2.0+cpu"), HOLDS),
    ("VERSION-2", "another", called_for("1.0.0"), ACTION),
    ("VERSION-2", "a pre-release instead", called_for("0.2.0-rc.1"), ACTION),
    ("VERSION-2", "the final one instead", called_for("0.2.0", "0.2.0rc1"), ACTION),
    ("VERSION-2", "no version at all", called_for("0.2.0-next.1"), ACTION),
    ("VERSION-2", "nothing to release", called_for(None), ACTION),
    (
        "VERSION-2",
        "no release branch",
        called_for(None, no_release=NOT_HERE),
        ACTION,
    ),
    ("VERSION-2", "plain rules know no candidates", called_for("0.2.0", "0.2.0rc1", **PLAIN), HOLDS),
    ("VERSION-2", "plain rules, another", called_for("0.3.0", "0.2.0rc1", **PLAIN), ACTION),
    ("VERSION-2", "no rules", called_for(MISSING, **UNCONFIGURED), NONE),
    ("VERSION-2", "tool missing", called_for(MISSING, tool=None, plain="0.2.0"), UNKNOWN),
    ("INDEX-6", "in another spelling", called_for(), HOLDS),
    ("INDEX-6", "another", called_for(project_name="orbit-extras"), ACTION),
    ("INDEX-6", "not readable", called_for(project_name=None), NONE),
    ("INDEX-6", "history silent", s.ready(calculation=s.failed("version calculation")), UNKNOWN),
    ("VERSION-11", "the same again", untagged("0.2.0"), ACTION),
    ("VERSION-11", "a free one", untagged("0.3.0"), HOLDS),
    ("VERSION-11", "nothing", untagged(None), HOLDS),
    (
        "VERSION-11",
        "no tag belongs to the channel",
        s.released_on_testpypi(calculation=calculation("0.2.0")),
        NONE,
    ),
    ("VERSION-11", "tagged", s.released(calculation=s.failed("version calculation")), NONE),
    ("VERSION-11", "no rules", untagged(MISSING, rules=None, counted=MISSING), NONE),
    ("VERSION-11", "tool missing", untagged(MISSING), UNKNOWN),
]
