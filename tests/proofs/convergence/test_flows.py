"""Projects that release by a tag, a GitHub Release, release-please or in a monorepo: their printed plans lead out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from release_state.demo import flows, project
from release_state.demo.flows import Flow
from release_state.demo.scenarios import SCENARIOS, VERSION
from release_state.model.outcome import Verdict
from release_state.model.plan import Wanted
from tests.proofs.convergence.bench import Bench
from tests.proofs.convergence.journey import End, Journey, needed
from tests.proofs.convergence.remains import Remains
from tests.standins.world import World
from tests.support.built import built
from tests.support.every import part_of

FLOWS = {
    "tag-driven": flows.TAG_DRIVEN,
    "release-driven": flows.RELEASE_DRIVEN,
    "release-please": flows.RELEASE_PLEASE,
    "monorepo": flows.MONOREPO,
}
LINES = {
    "tag-driven": ("gh run rerun",),
    "release-driven": ("gh run list ", "gh release edit v0.2.0 --draft ", "gh release edit v0.2.0 --draft=false"),
    "release-please": ("gh run rerun",),
    "monorepo": ("git tag --annotate orbit-demo-v0.2.0", "git push"),
}
"""What the plan of each failed release consists of, beside look-ups."""


@contextmanager
def bench_of(name: str, flow: Flow, build: Callable[[World], None] | None = None) -> Iterator[Bench]:
    """A bench with the world of a scenario, or of what builds another one."""
    with built(name, build or SCENARIOS[name].build) as world:
        world.tags, world.folder = flow.tags, flow.folder
        with Bench(world, flow).open() as bench:
            yield bench


def by_hand_too(flow: Flow) -> Flow:
    """A flow whose workflow can be started by hand as well."""
    return replace(flow, files={name: with_dispatch(text) for name, text in flow.files.items()})


def with_dispatch(text: str) -> str:
    return text.replace("on:\n", "on:\n  workflow_dispatch:\n", 1)


BY_TAG, BY_RELEASE = flows.TAG_DRIVEN, flows.RELEASE_DRIVEN
BY_TAG_OR_HAND = by_hand_too(BY_TAG)
BY_CREATED = replace(BY_RELEASE, files={"publish.yml": BY_RELEASE.files["publish.yml"].replace("published", "created")})


def too_old(world: World) -> None:
    """The run that the tag started can no longer be repeated."""
    flows.announce(world, BY_TAG_OR_HAND, VERSION)
    flows.run(world, BY_TAG_OR_HAND, VERSION, "pypi", started=flows.an_hour_ago() - timedelta(days=31))


def started_nothing(world: World) -> None:
    """A workflow pushed the tag with its own token."""
    flows.announce(world, BY_TAG, VERSION)


def was_a_draft(world: World) -> None:
    """The GitHub Release was made as a draft and published later, which is not `created`."""
    flows.announce(world, BY_CREATED, VERSION)


def tag_alone(world: World) -> None:
    """The tag was pushed by hand, and the GitHub Release is missing."""
    flows.announce(world, BY_RELEASE, VERSION)
    world.delete_github_release(VERSION)


def still_a_draft(world: World) -> None:
    """The GitHub Release is a draft."""
    tag_alone(world)
    world.github_release(VERSION, draft=True)


def tag_before_bump(world: World) -> None:
    """The tag is on the commit before the one that sets the version."""
    world.tag(VERSION, world.main())
    flows.bump(world, BY_TAG, VERSION)


VARIANTS: dict[str, tuple[Flow, Callable[[World], None], str]] = {
    "too-old": (BY_TAG_OR_HAND, too_old, "gh workflow run publish.yml --ref 0.2.0 "),
    "still-a-draft": (BY_RELEASE, still_a_draft, "gh release edit v0.2.0 --draft=false "),
    "tag-before-bump": (BY_TAG, tag_before_bump, "git push"),
    "started-nothing": (BY_TAG, started_nothing, "git push"),
    "was-a-draft": (BY_CREATED, was_a_draft, "gh release create v0.2.0 --verify-tag "),
    "tag-alone": (BY_RELEASE, tag_alone, "gh release create v0.2.0 --verify-tag "),
}
IN_CI = 3
"""As many of them; `--every-state` has all."""
WITHDRAWN = [*(f"{name}-failed" for name in FLOWS), *FLOWS]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Of the variants and of what is withdrawn, CI has a part."""
    every = part_of(metafunc.config)
    for argument, cases, most in (("variant", list(VARIANTS), IN_CI), ("scenario", WITHDRAWN, len(FLOWS))):
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, every.of(cases) if every else cases[:most])


def test_the_projects_own_workflow_publishes_however_it_is_started(variant: str) -> None:
    flow, build, line = VARIANTS[variant]

    def begin(world: World) -> None:
        flows.begin(world, flow)
        build(world)
        world.sync_clone()

    with bench_of(variant, flow, begin) as bench:
        end = gone(bench)
        assert end.verdict.verdict is Verdict.VERIFIED, end.story
        assert f"  $ {line}" in end.story, end.story
        assert "twine" not in end.story, end.story


def gone(bench: Bench, wanted: Wanted = "auto") -> End:
    """Where the printed plans lead; nothing is lost on the way."""
    before = Remains(bench, "pypi")
    journey = Journey(bench, "pypi", wanted)
    end = journey.go()
    before.assert_nothing_is_lost(journey.follower, end.story)
    assert not needed(end.verdict), end.story
    return end


@pytest.mark.parametrize("name", FLOWS)
def test_what_is_printed_completes_a_failed_release(name: str) -> None:
    """Each command is one of those that this process calls for, and the release is whole afterwards."""
    with bench_of(f"{name}-failed", FLOWS[name]) as bench:
        end = gone(bench)
        assert end.verdict.verdict is Verdict.VERIFIED, end.story
        told = [line.removeprefix("  $ ") for line in end.story.splitlines() if line.startswith("  $ ")]
        did = [line for line in told if not line.startswith(("release-state ", "git fetch", "sh "))]
        assert len(did) == len(LINES[name]), end.story
        for line, begins in zip(did, LINES[name], strict=True):
            assert line.startswith(begins), end.story
        assert {release.tag for release in bench.world.github.releases.values() if not release.draft} == {
            bench.world.tags.format(version=version) for version in (*flows.EARLIER, VERSION)
        }


@pytest.mark.slow
def test_what_is_printed_withdraws_a_release(scenario: str) -> None:
    """The sibling package's tag stays."""
    with bench_of(scenario, FLOWS[scenario.removesuffix("-failed")]) as bench:
        siblings = {name for name in bench.world.remote_git.refs() if flows.SIBLING in name}
        end = gone(bench, "rollback")
        assert end.verdict.verdict is Verdict.ROLLED_BACK, end.story
        assert all(file.yanked for file in bench.world.index.files("pypi", VERSION))
        assert siblings <= set(bench.world.remote_git.refs())


def test_a_package_in_a_folder_is_built_there_and_no_other_is_uploaded() -> None:
    """The top of the repository builds another package, of the same version."""
    flow = flows.MONOREPO

    def begin(world: World) -> None:
        flows.begin(world, flow)
        first = project.first_files(world.requires_python)
        top = {path: first[path] for path in ("pyproject.toml", "src/orbit_demo/__init__.py")}
        version = top["pyproject.toml"].replace(b'"orbit-demo"', b'"orbit-all"').replace(b"0.0.0", VERSION.encode())
        world.commit("feat: build all of it at the top", {**top, "pyproject.toml": version})
        commit = flows.announce(world, flow, VERSION)
        world.publish("pypi", VERSION, commit, kinds=("wheel",))
        world.github_release(VERSION)
        world.sync_clone()

    with bench_of("sdist of a folder", flow, begin) as bench:
        end = gone(bench)
        assert end.verdict.verdict is Verdict.VERIFIED, end.story
        assert "  $ python -m build orbit-demo-0.2.0/packages/orbit-demo\n" in end.story, end.story
        assert {file.filename for file in bench.world.index.files("pypi", VERSION)} == {
            "orbit_demo-0.2.0-py3-none-any.whl",
            "orbit_demo-0.2.0.tar.gz",
        }
