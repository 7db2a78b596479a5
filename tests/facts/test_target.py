"""Names of tags, branches and titles: filled from their templates and read back, exactly and for this package only."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from packaging.version import Version

from release_state.common.errors import UsageProblem
from release_state.settings import validate
from tests.support.states import target

TAG_TEMPLATES = ["v{version}", "{version}", "{package}-v{version}", "{package}@{version}", "rel/{package}/{version}/x"]
BRANCH_TEMPLATES = [
    "release/{channel}-v{version}",
    "release/{version}",
    "{package}/{channel}/{version}",
    "{channel}-{version}-{channel}",
    "rel.+(x)-{version}",
]

numbers = st.integers(min_value=0, max_value=10**6).map(str)


@st.composite
def versions(draw: st.DrawFn) -> str:
    """A PEP 440 version, normalized; a local one as an index of one's own takes it."""
    epoch = draw(st.sampled_from(["", "", "1!"]))
    release = ".".join(draw(st.lists(numbers, min_size=1, max_size=4)))
    pre = draw(st.sampled_from(["", "a", "b", "rc"]))
    post, dev = draw(st.sampled_from(["", ".post"])), draw(st.sampled_from(["", ".dev"]))
    local = draw(st.sampled_from(["", "", "+cpu", "+g1a2b.7"]))
    return str(Version(epoch + release + "".join(part + draw(numbers) for part in (pre, post, dev) if part) + local))


packages = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?", fullmatch=True)


@settings(max_examples=80, deadline=None)
@given(versions(), packages, st.sampled_from(TAG_TEMPLATES))
def test_tag_that_is_filled_is_read_back(version: str, package: str, template: str) -> None:
    release = target(version=version, package=package, tag_template=template)
    assert release.tag == template.replace("{version}", version).replace("{package}", package)
    assert release.parse_tag(release.tag) == Version(version)
    assert release.tag_for("9.9") != release.tag or Version(version) == Version("9.9")


@settings(max_examples=80, deadline=None)
@given(versions(), packages, st.sampled_from(["v{semver}", "{package}-v{semver}"]))
def test_semantic_tag_that_is_filled_is_read_back(version: str, package: str, template: str) -> None:
    release = target(version=version, package=package, tag_template=template)
    assert release.parse_tag(release.tag) == Version(version)
    assert release.parse_tag_spelling(release.tag) == (template, Version(version))


@pytest.mark.parametrize(
    ("version", "tag"),
    [
        ("0.2.0", "v0.2.0"),
        ("0.2", "v0.2.0"),
        ("0.2.0rc1", "v0.2.0-rc.1"),
        ("1.0a2", "v1.0.0-alpha.2"),
        ("1.0.0b3.dev4", "v1.0.0-beta.3.dev.4"),
        ("1.0.0.dev4", "v1.0.0-dev.4"),
        ("1.0.0.post1", "v1.0.0.post1"),
        ("1.2.3.4", "v1.2.3.4"),
        ("1.0rc1+cpu.2", "v1.0.0-rc.1+cpu.2"),
    ],
)
def test_semantic_spelling(version: str, tag: str) -> None:
    """As python-semantic-release tags its versions."""
    assert target(version=version, tag_template="v{semver}").tag == tag


@settings(max_examples=80, deadline=None)
@given(versions(), packages, st.sampled_from(BRANCH_TEMPLATES), st.sampled_from(["pypi", "testpypi"]))
def test_branch_that_is_filled_is_read_back(version: str, package: str, template: str, channel: str) -> None:
    release = target(package=package, branch_template=template)
    name = release.release_branch_for(version, channel)
    parsed = release.parse_release_branch(name)
    assert parsed is not None
    assert (parsed.name, parsed.version) == (name, version)
    assert parsed.channel == (channel if "{channel}" in template else "pypi")
    assert release.parse_release_branch(f"x{name}") is None
    assert release.parse_release_branch(f"{name}/x") is None


@settings(max_examples=100, deadline=None)
@given(versions(), packages, st.from_regex(r"[a-z]{1,4}[-_.][a-z]{1,4}", fullmatch=True))
def test_tag_of_a_sibling_is_not_ours(version: str, package: str, sibling: str) -> None:
    """In a monorepo: neither a package whose name ends like ours nor one whose name begins with ours."""
    for name in (f"{sibling}-{package}", f"{package}-{sibling}"):
        for template in ("{package}-v{version}", "{package}@{version}", "{package}=={version}", "{package}/{version}"):
            other = target(package=name, version=version, tag_template=template)
            ours = target(package=package, version=version, tag_template=template)
            assert ours.parse_tag(other.tag) is None


@pytest.mark.parametrize(
    ("template", "tag", "version"),
    [
        ("v{version}", "v1.0-rc.1", "1.0rc1"),
        ("v{version}", "2022.05.18", "2022.5.18"),
        ("v{version}", "0.6", "0.6"),
        ("v{version}", "release-1.2", "1.2"),
        ("v{version}", "Orbit-v1.2", "1.2"),
        ("{package}@{version}", "ORBIT@1!2.0", "1!2.0"),
        ("{package}-v{version}", "v1.2", "1.2"),
        ("v{version}", "v1.2/extra", None),
        ("v{version}", "latest", None),
        ("v{version}", "v", None),
        ("v{version}", "", None),
        ("v{version}", "orbital-v1.2", None),
        ("v{version}", "deep-orbit-v1.2", None),
        ("v{version}", "v1.2\n", "1.2"),
        ("v{version}", "v1.2 x", None),
        ("v{version}", "refs/tags/v1.2", None),
        ("v{version}", "v" + "9" * 10_000, None),
        ("v{version}", "v1." + "0" * 100_000 + "x", None),
    ],
    ids=lambda value: str(value)[:24].replace("\n", "_"),
)
def test_odd_spellings_of_tags(template: str, tag: str, version: str | None) -> None:
    found = target(tag_template=template).parse_tag(tag)
    assert found == (Version(version) if version else None)


@pytest.mark.parametrize(
    "name",
    [
        "release/1.x",
        "release/pypi-v1.x",
        "release/pypi-1.2",
        "release/npm-v1.2",
        "release/pypi-v",
        "release/pypi-v1.2/fix",
        "releases/pypi-v1.2",
        "Release/pypi-v1.2",
        "main",
        "release/pypi-v" + "9" * 10_000,
    ],
    ids=lambda name: name[:24],
)
def test_other_branches_are_no_release_branches(name: str) -> None:
    assert target().parse_release_branch(name) is None


def test_every_package_spelling_is_the_same_package() -> None:
    ours = target(package="My.Cool_pkg", tag_template="{package}-v{version}")
    for spelling in ("my-cool-pkg", "MY__COOL..PKG", "My.Cool_pkg", "my_cool-.pkg"):
        assert ours.parse_tag(f"{spelling}-v1.0") == Version("1.0")
    assert ours.parse_tag("mycoolpkg-v1.0") is None
    assert ours.parse_tag("my-cool-p\u212ag-v1.0") is None, "a letter that only looks alike"


@pytest.mark.parametrize(
    "template", ["a.c-{version}", "(x|y)-{version}", "x+{version}$", r"{{{version}}}", "%s-{version}"]
)
def test_what_a_template_holds_besides_placeholders_is_literal(template: str) -> None:
    ours = target(tag_template=template, version="1.0")
    assert ours.tag == template.replace("{version}", "1.0")
    assert ours.parse_tag(ours.tag) == Version("1.0")
    assert ours.parse_tag("abc-1.0") is None
    assert ours.parse_tag("x-1.0") is None


def test_a_target_with_another_template_reads_its_own_tags() -> None:
    before = target()
    assert before.parse_tag("rs-0.2.0") is None and before.parse_release_branch("x/0.2.0") is None

    after = structs.replace(before, tag_template="rs-{version}", branch_template="x/{version}")

    assert after.parse_tag_spelling("rs-0.2.0") == ("rs-{version}", Version("0.2.0"))
    assert after.parse_release_branch("x/0.2.0") and before.parse_tag("rs-0.2.0") is None


def test_what_is_filled_in_is_not_filled_again() -> None:
    """A value that holds braces stays as it is, and no attribute of anything is reached."""
    ours = target(package="{version}", tag_template="{package}-{version.__class__}-{0}-{version}", version="1.0")
    assert ours.tag == "{version}-{version.__class__}-{0}-1.0"


ref_text = st.text(alphabet=st.sampled_from("ab1-./@{~^:?*[\\ \x00\x7f\né_+v"), min_size=0, max_size=8)


@settings(max_examples=120, deadline=None)
@given(ref_text)
def test_names_that_we_accept_are_names_that_git_accepts(text: str) -> None:
    """Git itself is the judge."""
    try:
        validate.ref_name("--base-branch", text)
    except UsageProblem:
        return
    git = subprocess.run(["git", "check-ref-format", f"refs/heads/{text}"], check=False)
    assert git.returncode == 0, text
    assert not text.startswith("-")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30))
def test_no_text_breaks_the_parsers(text: str) -> None:
    ours = target()
    tag = ours.parse_tag(text)
    assert tag is None or isinstance(tag, Version)
    branch = ours.parse_release_branch(text)
    assert branch is None or branch.name == text
    try:
        assert str(Version(validate.version(text))) == validate.version(text)
    except UsageProblem as problem:
        assert "\n" not in str(problem)
        assert str(problem).startswith("--version ")
