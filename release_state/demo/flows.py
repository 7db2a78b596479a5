"""Projects of the demo that release otherwise than by hand from a release branch: their workflows, and what they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from release_state.demo import project
from release_state.demo.github import Job, Step
from release_state.demo.world import World

EARLIER = ("0.1.0", "0.1.1")
"""The versions that each of these projects has released before."""
_CHECKOUT = "actions/checkout@1111111111111111111111111111111111111111  # v4"
_UPLOAD = "pypa/gh-action-pypi-publish@2222222222222222222222222222222222222222  # v1.14.0"
_PLEASE = "googleapis/release-please-action@3333333333333333333333333333333333333333  # v4"
PLEASE_BRANCH = "release-please--branches--main"
BOT = "github-actions[bot]"


def _publish_job(more: str = "", inputs: str = "") -> str:
    return f"""\
  pypi:
    runs-on: ubuntu-latest
    timeout-minutes: 15
    environment: pypi
    permissions:
      contents: read
      id-token: write
{more}    steps:
      - uses: {_CHECKOUT}
      - run: python -m build
      - name: Publish
        uses: {_UPLOAD}
{inputs}"""


_RELEASE_JOB = """\
  github-release:
    needs: pypi
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions:
      contents: write
    steps:
      - run: gh release create "$GITHUB_REF_NAME" --verify-tag --generate-notes --repo "$GITHUB_REPOSITORY"
        env:
          GH_TOKEN: ${{ github.token }}
"""
_PLEASE_JOB = f"""\
  release-please:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions:
      contents: write
      pull-requests: write
    outputs:
      release_created: ${{{{ steps.release.outputs.release_created }}}}
    steps:
      - uses: {_PLEASE}
        id: release
        with:
          release-type: python
"""


def _workflow(name: str, starts: str, *jobs: str) -> str:
    concurrency = f"concurrency:\n  group: {name}\n  cancel-in-progress: false\n"
    return "\n".join((f"name: {name}\n\non:\n{starts}\npermissions: {{}}\n", concurrency, "jobs:", *jobs))


@dataclass(frozen=True)
class Flow:
    """How a project releases."""

    files: Mapping[str, str]
    """Its workflow files, by name."""
    publisher: str
    """The file that publishes."""
    jobs: tuple[str, ...]
    """The jobs of that file, in their order."""
    tags: str = "v{version}"
    event: str = "push"
    """The event that starts the file."""
    folder: str = ""
    """The package's folder in the repository."""

    @property
    def starts_at_tag(self) -> bool:
        """Whether a run belongs to the tag, not to the base branch."""
        return "release-please" not in self.jobs


TAG_DRIVEN = Flow(
    {"publish.yml": _workflow("Publish", '  push:\n    tags: ["[0-9]*"]\n', _publish_job(), _RELEASE_JOB)},
    "publish.yml",
    ("pypi", "github-release"),
    tags="{version}",
)
RELEASE_DRIVEN = Flow(
    {"publish.yml": _workflow("Publish", "  release:\n    types: [published]\n", _publish_job())},
    "publish.yml",
    ("pypi",),
    event="release",
)
RELEASE_PLEASE = Flow(
    {
        "release-please.yml": _workflow(
            "Release",
            "  push:\n    branches: [main]\n",
            _PLEASE_JOB,
            _publish_job(
                "    needs: release-please\n    if: ${{ needs.release-please.outputs.release_created == 'true' }}\n"
            ),
        )
    },
    "release-please.yml",
    ("release-please", "pypi"),
)
SIBLING = "orbit-core"


def _of_package(name: str) -> str:
    here = f"    defaults:\n      run:\n        working-directory: packages/{name}\n"
    inputs = f"        with:\n          packages-dir: packages/{name}/dist\n          skip-existing: true\n"
    return _workflow(name, f'  push:\n    tags: ["{name}-v*"]\n', _publish_job(here, inputs), _RELEASE_JOB)


MONOREPO = Flow(
    {f"{name}.yml": _of_package(name) for name in (project.NAME, SIBLING)},
    f"{project.NAME}.yml",
    ("pypi", "github-release"),
    tags=f"{project.NAME}-v{{version}}",
    folder=f"packages/{project.NAME}/",
)


def _package_files(flow: Flow, version: str, requires: str) -> dict[str, bytes]:
    files = project.version_files(version, requires)
    # These projects write their version by hand, or have release-please write it.
    files["pyproject.toml"] = files["pyproject.toml"].partition(b"\n[tool.semantic_release]")[0]
    return {f"{flow.folder}{path}": content for path, content in files.items()}


def begin(world: World, flow: Flow) -> None:
    """Make another project of a world: two versions released the flow's way, and commits after them."""
    world.clear()
    world.tags, world.folder = flow.tags, flow.folder
    first = project.first_files(world.requires_python)
    kept = {path: first[path] for path in (project.CI_PATH, ".gitignore", "CHANGELOG.md", "LICENSE", "README.md")}
    package = {f"{flow.folder}{path}": first[path] for path in ("LICENSE", "README.md", "orbit_build.py")}
    workflows = {f".github/workflows/{name}": text.encode() for name, text in flow.files.items()}
    files = {**kept, **package, **workflows, **_package_files(flow, "0.0.0", world.requires_python)}
    if flow is MONOREPO:
        files |= _sibling_files("0.0.0", world.requires_python)
    world.remote_git.commit("main", "Begin the project", when=world.tick(60), files=files, parents=())
    world.github.add_workflow(project.CI_PATH, "CI", created_at=world.time)
    for path in workflows:
        world.github.add_workflow(path, flow.files[path.rpartition("/")[2]].splitlines()[0][6:], created_at=world.time)
    for version in EARLIER:
        world.commit("feat: add an orbit")
        release(world, flow, version)
        world.tick(20 * 24 * 60)
    world.time = world.now - timedelta(days=2)
    push(world, flow, "feat: add a second orbit")
    world.time = world.now - timedelta(days=1)
    world.sync_clone()


def _sibling_files(version: str, requires: str) -> dict[str, bytes]:
    text = project.version_files(version, requires)["pyproject.toml"].partition(b"\n[tool.semantic_release]")[0]
    return {f"packages/{SIBLING}/pyproject.toml": text.replace(project.NAME.encode(), SIBLING.encode())}


def push(world: World, flow: Flow, message: str) -> None:
    """Push an ordinary commit to the base branch, with what that starts."""
    world.ci(world.commit(message))
    if not flow.starts_at_tag:
        jobs = [Job("release-please"), Job("pypi", conclusion="skipped", steps=[Step("Set up job")])]
        world.github.add_run(flow.publisher, event="push", head_branch="main", title=message, jobs=jobs,
                             created_at=world.tick())  # fmt: skip


def bump(world: World, flow: Flow, version: str) -> str:
    """Put the version on the base branch, as the project does; returns the commit to release."""
    title, branch = f"Release {version}", "main"
    if not flow.starts_at_tag:
        title, branch = f"chore(main): release {version}", PLEASE_BRANCH
        world.remote_git.set_ref(f"refs/heads/{branch}", world.main())
    changelog = world.remote_git.files("main")["CHANGELOG.md"]
    files: dict[str, bytes | None] = {
        **_package_files(flow, version, world.requires_python),
        "CHANGELOG.md": project.changelog_with(changelog, version, f"{world.time:%Y-%m-%d}"),
    }
    commit = world.commit(title, files, branch=branch)
    if branch != "main":
        pull = world.github.add_pull(branch, "main", title=title, body=project.pull_body(version), user=BOT,
                                     created_at=world.tick())  # fmt: skip
        commit = world.merge_pull(pull)
        world.delete_branch(branch)
    world.ci(commit)
    return commit


def release(world: World, flow: Flow, version: str) -> None:
    """Release a version completely."""
    announce(world, flow, version)
    run(world, flow, version)


def announce(world: World, flow: Flow, version: str) -> str:
    """Do what comes before the upload: version, tag and, where it starts the upload, GitHub Release; the commit."""
    commit = bump(world, flow, version)
    world.tag(version, commit, annotated=flow.starts_at_tag and flow.event == "push")
    if "github-release" not in flow.jobs:
        world.github_release(version)
    return commit


def run(
    world: World, flow: Flow, version: str, failed: str | None = None, log: str = "", *, started: datetime | None = None
) -> int:
    """Run the workflow for a tag, up to the job that fails; returns the run's id."""
    done = flow.jobs[: flow.jobs.index(failed)] if failed else flow.jobs
    do_jobs(world, flow, version, done)
    tag, commit = world.tags.format(version=version), world.remote_git.rev(f"{world.tags.format(version=version)}^0")
    when = started or world.tick(5)
    outcomes = {name: "success" if name in done else "failure" if name == failed else "skipped" for name in flow.jobs}
    jobs = [
        Job(
            name,
            conclusion=outcome,
            steps=[Step("Set up job"), Step("Publish" if name == "pypi" else "Run", conclusion=outcome)],
            log=log if outcome == "failure" else "",
        )
        for name, outcome in outcomes.items()
    ]
    return world.github.add_run(
        flow.publisher, conclusion="failure" if failed else "success", event=flow.event,
        head_branch=tag if flow.starts_at_tag else "main", head_sha=commit, title=f"Release {version}",
        created_at=when, updated_at=when + timedelta(minutes=4), jobs=jobs,
    )  # fmt: skip


def do_jobs(world: World, flow: Flow, version: str, jobs: Sequence[str]) -> None:
    """Do what jobs of the workflow do for a tag."""
    if "pypi" in jobs and not world.index.files("pypi", version):
        world.publish("pypi", version, f"{world.tags.format(version=version)}^0")
    if "github-release" in jobs:
        world.github_release(version)


def an_hour_ago() -> datetime:
    """When a run began that can still be repeated, whatever the world's own time is."""
    return datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=1)
