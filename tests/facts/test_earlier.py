"""What earlier versions tell of the files that a release has: kinds, platforms, and how these are built."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs
from packaging.version import Version

from release_state.facts.filenames import choose_earlier, find_wheel_gap
from release_state.facts.process import resolve
from release_state.facts.release import Release
from release_state.facts.wheels import Gap, find_gap, parse_wheel
from release_state.model.observation import known
from release_state.model.outcome import Phase
from release_state.model.snapshot import IndexRelease, Snapshot
from release_state.plan.diagnosis import choose_phase, diagnose
from tests.checks.cases.files import GIVEN, PLATFORMS, TWO, matrix, names, page, released, replaced
from tests.support import states as s
from tests.support.judged import verdict_of

ANY = "py3-none-any"
BOTH, WHEEL = names("0", ANY), names("0", ANY, sdist=False)


def on_each(python: str) -> tuple[str, ...]:
    return tuple(f"{python} on {platform}" for platform in ("Linux x86_64", "Windows amd64", "macOS arm64"))


def test_the_last_three_final_versions_count() -> None:
    texts = ("0.1", "0.2", "0.3", "0.4rc1", "0.4", "0.5.dev1", "0.5", "0.6")
    found = choose_earlier(map(Version, texts), Version("0.5"))
    assert [str(each) for each in found] == ["0.4", "0.3", "0.2"]


@pytest.mark.parametrize(
    ("earlier", "given", "expected"),
    [
        ((), False, ("sdist", "wheel")),
        ((WHEEL,), False, ("sdist", "wheel")),
        ((WHEEL, WHEEL), False, ("wheel",)),
        ((WHEEL, WHEEL), True, ("sdist", "wheel")),
        ((WHEEL, BOTH, WHEEL), False, ("sdist", "wheel")),
        ((names("0"), names("0"), names("0")), False, ("sdist",)),
        ((("orbit-0.win32.exe",), ("orbit-0.egg",)), False, ("sdist", "wheel")),
    ],
)
def test_the_kinds_of_file_follow_from_earlier_versions(earlier: Any, given: bool, expected: tuple[str, ...]) -> None:
    told = {f"v0_1_{number}": found for number, found in enumerate(earlier)}
    found = s.released(index={"pypi": page(WHEEL, **told)}, **({"target": GIVEN} if given else {}))
    target = resolve(found).target
    assert target.expected_files == expected
    assert any(line.startswith("files: ") for line in target.process.evidence) == (expected != ("sdist", "wheel"))


def test_a_release_of_wheels_alone_is_whole() -> None:
    found = resolve(s.released(index={"pypi": page(names("0.2.0", ANY, sdist=False), v0_1_0=WHEEL, v0_1_1=WHEEL)}))
    assert not Release(found).missing and diagnose(found).scenario == "released"


@pytest.mark.parametrize(
    ("before", "now", "unexplained", "dropped"),
    [
        (TWO, matrix("cp313", "cp314"), (), on_each("cp312")),
        ((*matrix("cp27"), *TWO), (*matrix("cp27"), *matrix("cp313")), (), on_each("cp312")),
        ((*TWO, "cp313-cp313-win32"), TWO, (), ("Windows x86",)),
        (TWO, matrix("cp312"), on_each("cp313"), ()),
        (TWO, matrix("cp312", "cp313", platforms=PLATFORMS[1:]), ("Linux x86_64",), ()),
        (TWO, TWO[:-1], ("cp313 on Windows amd64",), ()),
        (TWO, (*TWO[:2], *TWO[3:]), (), ("cp312 on Windows amd64",)),
        (TWO, ("cp39-abi3-manylinux_2_28_x86_64", "cp39-abi3-macosx_11_0_universal2", "cp39-abi3-win_amd64"), (), ()),
        (TWO, (ANY,), (), ()),
        ((*TWO, ANY), (ANY,), ("Linux x86_64", "Windows amd64", "macOS arm64"), ()),
        ((ANY,), TWO, (), ()),
        ((ANY,), TWO[:2], (), ()),
        ((*TWO, ANY), TWO, ("any platform",), ()),
        ((ANY,), ("cp313-cp313-manylinux_2_17_x86_64",), ("any platform",), ()),
        ((*TWO, "cp313-cp313-manylinux2014_s390x"), TWO, (), ("Linux s390x",)),
        ((*TWO, "pp310-pypy310_pp73-win_amd64"), TWO, (), ("pp310 on Windows amd64",)),
        ((*TWO, "pp310-pypy310_pp73-win_amd64"), (*TWO, "pp311-pypy311_pp73-win_amd64"), (), ()),
        ((*TWO, "cp313-cp313t-win_amd64"), (*TWO, "cp314-cp314t-win_amd64"), (), ()),
        ((*TWO, "cp313-cp313t-win_amd64"), TWO, (), ("cp313t on Windows amd64",)),
        ((*TWO, "cp312-cp312-musllinux_1_2_x86_64"), TWO, ("Linux (musl) x86_64",), ()),
        (TWO, (), (), ()),
    ],
)  # fmt: skip
def test_which_wheels_are_missing(
    before: tuple[str, ...], now: tuple[str, ...], unexplained: tuple[str, ...], dropped: tuple[str, ...]
) -> None:
    files = names("0.2.0", *now)
    gap = find_gap("0.1.0", names("0.1.0", *before), files, is_feature=True, requires=">=3.12")
    assert (gap.unexplained, gap.likely_dropped) == (unexplained, dropped)


def test_a_patch_release_drops_no_machine_and_requires_python_explains_an_old_one() -> None:
    before, now = names("0.1.0", *TWO, "cp313-cp313-manylinux2014_s390x"), names("0.1.1", *matrix("cp313"))
    assert (
        "cp312 on Windows amd64"
        in find_gap(
            "0.1.0", before, names("0.1.1", *TWO[:2], *TWO[3:]), is_feature=False, requires=">=3.12"
        ).unexplained
    )
    gap = find_gap("0.1.0", before, now, is_feature=False, requires=">=3.12")
    assert gap.unexplained[0] == "Linux s390x" and not gap.has_fallback and "cp312 on macOS arm64" in gap.unexplained
    assert find_gap("0.1.0", before, now, is_feature=False, requires=">=3.13").unexplained == ("Linux s390x",)
    of_32_bits = names("0.1.0", *TWO, "cp313-cp313-manylinux_2_31_armv7l", "cp313-cp313-win32")
    gap = find_gap("0.1.0", of_32_bits, names("0.1.1", *TWO), is_feature=False, requires=">=3.12")
    assert (gap.unexplained, gap.likely_dropped) == ((), ("Linux armv7l", "Windows x86"))


def test_a_machine_that_a_wheel_for_any_platform_still_serves_may_go_as_a_whole() -> None:
    def lose(before: tuple[str, ...], *now: str) -> Gap:
        return find_gap("2.3.0", names("2.3.0", *before), names("2.3.1", *now), is_feature=False, requires=">=3.12")

    intel = matrix("cp312", "cp313", platforms=("macosx_10_13_x86_64",))
    gap = lose((*TWO, *intel, ANY), *TWO, ANY)
    assert gap == Gap("2.3.0", likely_dropped=("macOS x86_64",), has_fallback=True)
    assert lose((*TWO, *intel, ANY), *TWO, intel[0], ANY).unexplained == ("cp313 on macOS x86_64",)
    assert lose((*TWO, *intel), *TWO).unexplained == ("macOS x86_64",)
    assert lose((*TWO, *intel, "py2-none-any"), *TWO, "py2-none-any").unexplained == ("macOS x86_64",)
    assert lose((*TWO, ANY), *matrix("cp312", "cp313", platforms=PLATFORMS[1:]), ANY).unexplained == ("Linux x86_64",)
    assert lose((*TWO, ANY), *matrix("cp313"), ANY).likely_dropped == on_each("cp312")
    assert lose(TWO, *matrix("cp313")).unexplained == on_each("cp312")
    some = (*matrix("cp312", platforms=PLATFORMS[:1]), *matrix("cp313"), ANY)
    assert lose((*TWO, ANY), *some).unexplained == ("cp312 on Windows amd64", "cp312 on macOS arm64")
    musl = "cp313-cp313-musllinux_1_2_x86_64"
    assert lose((*TWO, musl, ANY), *TWO, ANY).unexplained == ("Linux (musl) x86_64",)


@pytest.mark.parametrize("name", ["a-1.tar.gz", "a.whl", f"a-1-{'.'.join(['py3'] * 50)}-none-any.whl", "-1-2-3-.whl"])
def test_a_name_that_is_no_wheel_or_has_too_many_tags_says_nothing(name: str) -> None:
    found = parse_wheel(name)
    assert found is None or not found.serves_later


def test_the_version_before_is_the_newest_one_with_wheels() -> None:
    found = page(names("0.2.0", *TWO[:4]), v0_1_0=names("0.1.0", *TWO), v0_1_1=names("0.1.1")).present()
    assert find_wheel_gap(found, Version("0.2.0")).version == "0.1.0"


UNTAGGED = {"remote": s.remote(), "published": s.published()}


@pytest.mark.parametrize(
    "found",
    [
        released(TWO[:-1]),
        s.released(index={"pypi": page((), v0_1_0=names("0.1.0", *TWO))}, witness=known(None)),
        s.released(index={"pypi": page(names("0.2.0", *TWO, sdist=False), v0_1_0=names("0.1.0", *TWO))}),
        s.released(index={"pypi": page(names("0.2.0"), v0_1_0=names("0.1.0", *TWO))}),
        s.released(index={"pypi": page(names("0.2.0"), v0_1_0=names("0.1.0", *TWO))}, **UNTAGGED),
    ],
    ids=["wheel missing", "nothing published", "sdist missing", "all wheels missing", "no tag"],
)
def test_what_several_machines_build_is_never_built_by_hand(found: Snapshot) -> None:
    plan = verdict_of(found).plan
    lines = "\n".join(line for step in plan.steps for line in step.lines())
    assert "twine" not in lines and "-m build" not in lines and "pip wheel" not in lines
    assert any(step.title.startswith("Run release.yml again for v0.2.0") for step in plan.steps)
    assert not any("ank" in step.title for step in plan.steps)


def test_a_failed_run_of_the_version_is_where_to_begin() -> None:
    plan = verdict_of(released(TWO[:-1], last_run=s.explained())).plan
    (step,) = (step for step in plan.steps if step.mends == "index")
    assert step.link == f"{s.WEB}/actions/runs/99" and "its last run for this version failed" in step.reason


def test_after_the_last_upload_the_next_version_has_the_wheels() -> None:
    public = structs.replace(s.PYPI, is_public_index=True)
    found = released(TWO[:-1], target=s.target(channel=public, channels=(public, s.TESTPYPI)))
    old = found.index["pypi"].present()
    files = tuple(structs.replace(file, uploaded_at=s.NOW - timedelta(days=15)) for file in old.files)
    found = structs.replace(found, index={"pypi": known(structs.replace(old, files=files))})
    assert diagnose(found).direction == "next version"
    assert any(step.title.startswith("Release 0.2.1 instead") for step in verdict_of(found).plan.steps)


@pytest.mark.parametrize(("newer", "is_replaced"), [("0.2.1", True), ("0.2.1rc1", False), ("0.3.0", False)])
def test_a_yanked_version_is_superseded_by_a_newer_one_of_its_line(newer: str, is_replaced: bool) -> None:
    found = replaced(newer)
    phase, reason = choose_phase(Release(found))
    assert (phase is Phase.ROLLBACK) == is_replaced and (f"superseded by {newer}" in reason) == is_replaced
    if is_replaced:
        assert not verdict_of(found).plan.steps and diagnose(found).scenario == "superseded"


def test_a_version_that_was_released_later_supersedes_it_too() -> None:
    found = replaced().index["pypi"].present()
    files = tuple(structs.replace(file, uploaded_at=s.NOW) for file in found.files)
    for later, wanted in ((timedelta(days=1), Phase.ROLLBACK), (-timedelta(days=1), Phase.POST_RECOVERY)):
        newer = IndexRelease(version="1.0", file_count=2, yanked=False, uploaded_at=s.NOW + later)
        project = known(structs.replace(found, files=files, releases=(*found.releases, newer)))
        assert choose_phase(Release(structs.replace(replaced(), index={"pypi": project})))[0] is wanted


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ", and the rest is withdrawn"),
        ({"remote": s.remote(s.tag())}, "; found besides: pull-request, tag"),
        ({"release": s.failed()}, "unknown: release"),
    ],
)
def test_only_what_was_observed_is_said_to_be_withdrawn(changes: dict[str, Any], said: str) -> None:
    _, reason = choose_phase(Release(s.rolled_back(**changes)))
    assert ("the rest is withdrawn" in reason) == (not changes) and said.rpartition(", ")[2] in reason
