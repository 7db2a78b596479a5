"""Names of refs that block those of a release."""

from __future__ import annotations

from release_state.model.observation import known
from release_state.model.outcome import Outcome
from tests.support import states as s

HOLDS, ACTION, UNKNOWN, NONE = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

FOLDER, BELOW = s.branch("release"), s.branch("release/pypi-v0.2.0/x")
BELOW_TAG = s.tag("v0.2.0/x")
IN_THE_WAY = {"remote": s.remote(BELOW_TAG), "other_releases": {"v0.2.0/x": known(None)}}
TEST = s.target(channel=s.TESTPYPI)
FOLDED = {"folds_case": True}
NEAR = s.remote(s.branch("releases"), s.branch("release/pypi-v0.2.0-x"), s.tag("v0.2.0-x"), s.tag("v0"))
CASED = s.branch("Release/1.x")

CASES = [
    ("BRANCH-1", "a branch is its folder", s.ready(remote=s.remote(FOLDER)), ACTION),
    ("BRANCH-1", "a branch is below it", s.ready(remote=s.remote(BELOW)), ACTION),
    (
        "BRANCH-1",
        "both channels' folder",
        s.ready(target=TEST, index={"testpypi": s.project()}, remote=s.remote(FOLDER)),
        ACTION,
    ),
    (
        "BRANCH-1",
        "the base is its folder",
        s.ready(target=s.target(base_branch="release"), remote=s.remote(FOLDER)),
        ACTION,
    ),
    ("BRANCH-1", "a folder, pull requests silent", s.ready(remote=s.remote(FOLDER), open_pulls=s.failed()), ACTION),
    ("BRANCH-1", "names like it", s.ready(remote=NEAR), HOLDS),
    ("BRANCH-1", "another case", s.ready(remote=s.remote(CASED)), HOLDS),
    ("BRANCH-1", "another case, which is folded", s.ready(remote=s.remote(CASED), clone=s.clone(**FOLDED)), ACTION),
    ("TAG-1", "a tag is below it", s.ready(**IN_THE_WAY), ACTION),
    ("TAG-1", "a tag is below it, GitHub silent", s.ready(remote=s.remote(BELOW_TAG)), ACTION),
    (
        "TAG-1",
        "testpypi, a tag is below it",
        s.ready(target=TEST, index={"testpypi": s.project()}, **IN_THE_WAY),
        HOLDS,
    ),
    ("TAG-1", "names like it", s.ready(remote=NEAR), HOLDS),
    ("TAG-2", "a tag is below it", s.ready(clone=s.clone(tags=(BELOW_TAG,))), ACTION),
    ("TAG-2", "another case", s.ready(clone=s.clone(tags=(s.tag("V0.3"), s.tag("V0.1.0/x")))), HOLDS),
    (
        "TAG-2",
        "another case, which is folded",
        s.ready(remote=s.remote(s.tag("V0.2.0/x")), clone=s.clone(**FOLDED)),
        ACTION,
    ),
    ("TAG-11", "none, and one is below it", s.released(**IN_THE_WAY, clone=s.clone()), ACTION),
]
