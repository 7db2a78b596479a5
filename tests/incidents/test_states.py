"""States of real releases: each is built in the demo world, and the suite gives its right answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from release_state.common.errors import UsageProblem
from release_state.demo import flows, project
from release_state.demo.dists import build_sdist, build_wheel
from release_state.settings.config import Arguments, load
from tests.standins.world import World
from tests.support.worlds import Ran, run

PACKAGE = "src/orbit_demo/__init__.py"
PLATFORMS = ("manylinux_2_17_x86_64", "macosx_11_0_arm64", "win_amd64")


def commit_of(world: World, version: str, branch: str = "main", parent: str | None = None) -> str:
    """A commit that declares a version, with green CI."""
    commit = world.bump(version, branch, parent)
    world.ci(commit)
    return commit


def finish(world: World, version: str, commit: str, tag: str = "", *, latest: bool = True) -> None:
    """Publish a commit, tag it, and publish the GitHub Release of the tag."""
    world.publish("pypi", version, commit)
    announce(world, version, commit, tag, latest=latest)


def announce(world: World, version: str, commit: str, tag: str = "", *, latest: bool = True) -> None:
    world.remote_git.tag(tag or f"v{version}", commit, when=world.tick(), message="Release")
    when = world.tick()
    world.github.add_release(tag or f"v{version}", body="Notes", draft=False, prerelease=False, author="a-person",
                             created_at=when, published_at=when, make_latest=str(latest).lower())  # fmt: skip


def publish_wheels(world: World, version: str, commit: str, platforms: tuple[str, ...]) -> None:
    """Publish the sdist and a wheel for each platform."""
    world.publish("pypi", version, commit, kinds=("sdist",))
    tree = world.remote_git.files(commit)
    sources = {path.removeprefix("src/"): data for path, data in tree.items() if path.startswith("src/")}
    name, content = build_wheel(
        world.package, version, sources=sources, requires_python=world.requires_python, summary=project.SUMMARY,
        license_text=tree["LICENSE"],
    )  # fmt: skip
    for platform in platforms:
        wheel = name.replace("py3-none-any", f"cp313-cp313-{platform}")
        world.index.upload("pypi", wheel, content, world.tick(0.05), requires_python=world.requires_python)


def judge(build: Callable[[World], Any], reports: Path, *args: str, version: str = "0.2.0") -> Ran:
    """Run the suite on a world in this state."""
    with World() as world:
        build(world)
        world.sync_clone()
        return run(world, "--no-install", *args, reports=reports, version=version)


def found(ran: Ran) -> set[str]:
    """The blocking checks that need action, or are unknown."""
    (target,) = ran.document["targets"]
    return {each["id"] for each in target["checks"] if each["blocking"] and each["outcome"] in _NOT_GREEN}


_NOT_GREEN = ("action needed", "unknown", "in progress", "defect")


def steps(ran: Ran) -> list[str]:
    """The titles of the plan's steps that are no advice."""
    (target,) = ran.document["targets"]
    return [step["title"] for step in target["plan"]["steps"] if not step["advice"]]


def commands(ran: Ran) -> str:
    (target,) = ran.document["targets"]
    return "\n".join(" ".join(command) for step in target["plan"]["steps"] for command in step["commands"])


def test_state_branch_rejected_tag_pushed(tmp_path: Path) -> None:
    """The push of the branch was refused and that of the tag was not: the release needs its pull request."""

    def build(world: World) -> None:
        commit = commit_of(world, "0.2.0", "tmp", world.main())
        finish(world, "0.2.0", commit)
        world.delete_branch("tmp")

    ran = judge(build, tmp_path)
    assert found(ran) == {"PULL-11"}
    assert steps(ran)[0].startswith("Recreate the branch release/pypi-v0.2.0 from the tag")
    assert "gh pr create --base main" in commands(ran)


def test_state_calver_padded(tmp_path: Path) -> None:
    """v2026.02.09 is the tag of 2026.2.9: nothing is added beside it."""
    ran = judge(
        lambda world: finish(world, "2026.2.9", commit_of(world, "2026.2.9"), "v2026.02.09"),
        tmp_path,
        version="2026.2.9",
    )
    assert (ran.code, found(ran), steps(ran)) == (0, set(), [])
    assert ran.document["targets"][0]["target"]["tag"] == "v2026.02.09"


def test_state_draft_pre(tmp_path: Path) -> None:
    """Publishing the draft is what starts this project's upload: the draft is no leftover."""

    def build(world: World) -> None:
        flows.begin(world, flows.RELEASE_DRIVEN)
        flows.bump(world, flows.RELEASE_DRIVEN, "0.2.0")
        world.github_release("0.2.0", draft=True)

    for phase in ("auto", "pre-release"):
        ran = judge(build, tmp_path / phase, "--phase", phase)
        assert (ran.code, ran.verdict, found(ran)) == (0, "READY TO RELEASE", set())
        assert "DELETE" not in commands(ran) and "a draft" in ran.output


def test_state_empty_wheel(tmp_path: Path) -> None:
    """A wheel without a module is found, since the sdist has one."""

    def build(world: World) -> None:
        commit = commit_of(world, "0.2.0")
        license_text = world.remote_git.files(commit)["LICENSE"]
        name, content = build_wheel(
            world.package, "0.2.0", sources={}, requires_python=world.requires_python, summary=project.SUMMARY,
            license_text=license_text,
        )  # fmt: skip
        world.index.upload("pypi", name, content, world.tick(0.05))
        world.publish("pypi", "0.2.0", commit, kinds=("sdist",))
        announce(world, "0.2.0", commit)

    ran = judge(build, tmp_path)
    assert found(ran) == {"INDEX-14"} and "no module in orbit_demo-0.2.0-py3-none-any.whl" in ran.output
    assert steps(ran)[0].startswith("Yank 0.2.0")


def test_state_empty_sdist(tmp_path: Path) -> None:
    """An sdist that its build left without the package is found, since the wheel has a module."""

    def build(world: World) -> None:
        commit = commit_of(world, "0.2.0")
        world.publish("pypi", "0.2.0", commit, kinds=("wheel",))
        tree = world.remote_git.files(commit)
        files = {path: tree[path] for path in ("pyproject.toml", "README.md", "LICENSE")}
        name, content = build_sdist(
            world.package, "0.2.0", files=files, requires_python=world.requires_python, summary=project.SUMMARY
        )
        world.index.upload("pypi", name, content, world.tick(0.05), requires_python=world.requires_python)
        announce(world, "0.2.0", commit)

    ran = judge(build, tmp_path)
    assert found(ran) == {"INDEX-14"} and "no source in orbit_demo-0.2.0.tar.gz" in ran.output
    assert steps(ran)[0].startswith("Yank 0.2.0")


def test_state_hotfix_line(tmp_path: Path) -> None:
    """A tag on a maintenance line is in its place: no pull request of an old line into the base branch."""

    def build(world: World) -> None:
        old = world.remote_git.rev("refs/tags/v0.1.0^{commit}")
        world.release("pypi", "0.2.0", squash=False)
        world.ci(world.main())
        finish(world, "0.1.1", commit_of(world, "0.1.1", "0.1.x", old), latest=False)

    for number, args in enumerate(((), ("--base-branch", "0.1.x"))):
        ran = judge(build, tmp_path / str(number), *args, version="0.1.1")
        assert (ran.code, steps(ran)) == (0, [])


def test_state_package_dotted(tmp_path: Path) -> None:
    """Orbit.Demo and orbit-demo are one project (PEP 503)."""

    def build(world: World) -> None:
        world.package = "Orbit.Demo"
        finish(world, "0.2.0", commit_of(world, "0.2.0"))

    assert judge(build, tmp_path).code == 0


def test_state_platform_tagged_not_published(tmp_path: Path) -> None:
    """A project with platform wheels is published by its workflow, never by a build on one machine."""

    def build(world: World) -> None:
        commit = commit_of(world, "0.2.0")
        publish_wheels(world, "0.2.0", commit, PLATFORMS)
        announce(world, "0.2.0", commit)
        announce(world, "0.3.0", commit_of(world, "0.3.0"))

    ran = judge(build, tmp_path, version="0.3.0")
    assert found(ran) == {"INDEX-11"}
    assert steps(ran) == ["Run release.yml again for v0.3.0, so that it builds the missing files"]
    assert commands(ran) == ""


def test_state_post_release(tmp_path: Path) -> None:
    """v0.2.0-post1 is the tag of 0.2.0.post1."""

    def build(world: World) -> None:
        world.release("pypi", "0.2.0", squash=False)
        world.index.yank("pypi", "0.2.0", "wrong metadata")
        finish(world, "0.2.0.post1", commit_of(world, "0.2.0.post1"), "v0.2.0-post1")

    ran = judge(build, tmp_path, version="0.2.0.post1")
    assert (ran.code, steps(ran)) == (0, [])


def test_state_published_under_wrong_tag(tmp_path: Path) -> None:
    """0.2.0 came from the commit of v0.1.9: tag and GitHub Release move, and 0.1.9 is not to be released."""

    def build(world: World) -> None:
        commit = commit_of(world, "0.2.0")
        world.publish("pypi", "0.2.0", commit)
        announce(world, "0.1.9", commit)

    ran = judge(build, tmp_path, version="0.1.9")
    assert {"INDEX-11", "META-11"} <= found(ran)
    assert "0.1.9 is not to be released" in ran.document["targets"][0]["plan"]["reason"]
    assert "git tag --annotate v0.2.0" in commands(ran) and "gh release edit v0.1.9 --tag v0.2.0" in commands(ran)
    assert "gh workflow run" not in commands(ran) and "git tag --annotate v0.1.9" not in commands(ran)


def test_state_race_changed_file(tmp_path: Path) -> None:
    """The tag is a commit later than what was published: advice, with the closer commit."""

    def build(world: World) -> None:
        built = commit_of(world, "0.2.0")
        world.publish("pypi", "0.2.0", built)
        later = world.commit("fix: more", {PACKAGE: world.remote_git.files(built)[PACKAGE] + b"MORE = 1\n"})
        world.ci(later)
        announce(world, "0.2.0", later)

    ran = judge(build, tmp_path)
    assert ran.code == 0 and ran.only["TAG-16"] == "action needed" and "Closer: " in ran.output


def test_state_released_created_never_ran(tmp_path: Path) -> None:
    """`release: created` was never sent: the workflow is started for the tag, and nobody builds by hand."""
    text = flows.RELEASE_DRIVEN.files["publish.yml"].replace("[published]", "[created]")
    flow = flows.Flow({"publish.yml": text}, "publish.yml", ("pypi",), event="release")

    def build(world: World) -> None:
        flows.begin(world, flow)
        flows.announce(world, flow, "0.2.0")

    ran = judge(build, tmp_path)
    assert found(ran) == {"INDEX-11"}
    assert "`release: created`, which GitHub does not send when a draft is published" in ran.output
    assert "gh release create v0.2.0" in commands(ran) and "build" not in commands(ran)
    assert "(only a new one sends the event)" in ran.output and "withdrawn" not in ran.output


def test_state_tag_before_bump(tmp_path: Path) -> None:
    """The tagged commit declares the version before: withdraw, then start again."""
    ran = judge(lambda world: announce(world, "0.2.0", world.main()), tmp_path)
    assert {"INDEX-11", "META-11"} <= found(ran)
    assert ran.document["targets"][0]["plan"]["direction"] == "roll back"
    assert steps(ran)[-1] == "Start the release again, with the same inputs"


def test_state_tag_driven_failed(tmp_path: Path) -> None:
    """The run of the tag failed at the upload: its failed jobs run again."""

    def build(world: World) -> None:
        flows.begin(world, flows.TAG_DRIVEN)
        flows.announce(world, flows.TAG_DRIVEN, "0.2.0")
        flows.run(world, flows.TAG_DRIVEN, "0.2.0", "pypi", "HTTPError: 503", started=flows.an_hour_ago())

    ran = judge(build, tmp_path)
    assert "INDEX-11" in found(ran)
    assert "gh run rerun" in commands(ran) and "--failed" in commands(ran) and "build" not in commands(ran)


def test_state_version_file_differs(tmp_path: Path) -> None:
    """The package's own `__version__` is looked at: blocking before a release, advice after it."""

    def build(world: World, *, is_published: bool) -> None:
        commit = world.bump("0.2.0", "main")
        old = world.remote_git.files(commit)[PACKAGE].replace(b"0.2.0", b"0.1.0")
        commit = world.commit("chore: forget one", {PACKAGE: old})
        world.ci(commit)
        if is_published:
            finish(world, "0.2.0", commit)

    ran = judge(lambda world: build(world, is_published=True), tmp_path)
    assert ran.only["META-31"] == "action needed"
    assert f"pyproject.toml says 0.2.0, {PACKAGE} says 0.1.0" in ran.output


def test_state_wheels_missing2(tmp_path: Path) -> None:
    """Wheels that the version before had are missed."""

    def build(world: World) -> None:
        for version, platforms in (("0.2.0", PLATFORMS), ("0.3.0", PLATFORMS[:1])):
            commit = commit_of(world, version)
            publish_wheels(world, version, commit, platforms)
            announce(world, version, commit)

    ran = judge(build, tmp_path, version="0.3.0")
    assert found(ran) == {"INDEX-12"} and "no wheel for Windows amd64; macOS arm64" in ran.output
    assert commands(ran) == ""


def test_tree_build_backend_rewrites(tmp_path: Path) -> None:
    """What the build backend wrote anew is not counted: the original is compared, or nothing."""

    def build(world: World) -> None:
        commit = commit_of(world, "0.2.0")
        tree = world.remote_git.files(commit)
        original = tree["pyproject.toml"]
        backend = b'[build-system]\nrequires = ["uv_build"]\nbuild-backend = "uv_build"\n\n[project]\n'
        files = {**tree, "pyproject.toml": backend + b'name = "x"\n', "pyproject.toml.orig": original}
        name, content = build_sdist(
            world.package, "0.2.0", files=files, requires_python=world.requires_python, summary=project.SUMMARY
        )
        world.publish("pypi", "0.2.0", commit, kinds=("wheel",))
        world.index.upload("pypi", name, content, world.tick(0.05), requires_python=world.requires_python)
        announce(world, "0.2.0", commit)

    ran = judge(build, tmp_path)
    assert (ran.code, ran.only["TAG-16"]) == (0, "holds")


def test_state_tag_of_a_sibling(tmp_path: Path) -> None:
    """The other package of the repository tags plain numbers: its tag is neither moved nor deleted."""

    def build(world: World) -> None:
        flows.begin(world, flows.MONOREPO)
        path = f"packages/{flows.SIBLING}/pyproject.toml"
        text = world.remote_git.files("main")[path].replace(b'"0.0.0"', b'"0.2.0"')
        for place in (world.remote_git, world.clone_git):
            for ref in [ref for ref in place.refs() if ref.startswith("refs/tags/")]:
                place.delete_ref(ref)
        with world.github.lock:
            world.github.releases.clear()
        commit = world.commit("Release the sibling", {path: text})
        world.ci(commit)
        announce(world, "0.2.0", commit)

    for plan in ("auto", "rollback"):
        ran = judge(build, tmp_path / plan, "--plan", plan)
        (target,) = ran.document["targets"]
        assert ran.code == 1, ran.output
        assert not [step for step in target["plan"]["steps"] if step["destroys"]], ran.output
        assert "Keep the tag v0.2.0: it is of packages/orbit-core/pyproject.toml" in " ".join(ran.output.split())


def test_version_local_private(tmp_path: Path) -> None:
    """A local version is for an index of one's own: never for PyPI."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "orbit-kit"\nversion = "1.0+cpu"\n'
        '[tool.release-state]\npackage = "orbit-kit"\nrepository = "example-org/orbit-kit"\n'
        '[tool.release-state.channels.internal]\nindex-url = "https://packages.example/simple/"\nleaves = ["tag"]\n',
        encoding="utf-8",
    )
    own = load(Arguments(versions=("1.0+cpu",), channels=("internal",)), {}, tmp_path, lambda *_: None)
    assert [target.key for target in own.targets] == ["orbit-kit==1.0+cpu@internal"]
    with pytest.raises(UsageProblem, match="local version"):
        load(Arguments(versions=("1.0+cpu",)), {}, tmp_path, lambda *_: None)


def test_version_with_more_numbers_than_its_tag(tmp_path: Path) -> None:
    """The project calls it 0.2.0 and a person types 0.2.0.0: it is the same version, with the same tag and Release."""

    def build(world: World) -> None:
        finish(world, "0.2.0", commit_of(world, "0.2.0"))

    ran = judge(build, tmp_path / "released", version="0.2.0.0")
    assert (ran.code, ran.verdict) == (0, "RELEASED AND VERIFIED"), ran.output
    assert "refs/tags/v0.2.0.0" not in commands(ran) and "release create" not in commands(ran)

    def tag(world: World) -> None:
        announce(world, "0.2.0", commit_of(world, "0.2.0"))

    ran = judge(tag, tmp_path / "tagged", version="0.2.0.0")
    assert ran.code == 1 and "INDEX-11" in found(ran), ran.output
