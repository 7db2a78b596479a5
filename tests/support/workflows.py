"""Release workflows written for tests, each with one thing that real ones have."""

from __future__ import annotations

from msgspec import structs

from release_state.model.observation import Observation, known
from release_state.model.snapshot import WorkflowFile, WorkflowFiles
from tests.support.states import BASE

PATH = ".github/workflows/release.yml"
SHA = "a" * 40

GOOD = f"""\
name: Release
on:
  workflow_dispatch:
    inputs:
      target_environment:
        type: choice
        options: [testpypi, pypi]
concurrency:
  group: release
  cancel-in-progress: false
permissions:
  contents: read
jobs:
  release:
    runs-on: ubuntu-latest
    timeout-minutes: 20
    permissions:
      contents: write
      pull-requests: write
      id-token: write
    steps:
      - uses: actions/checkout@{SHA}
        with:
          fetch-depth: 0
      - name: Tag
        run: |
          semantic-release version --no-commit --no-push --no-tag --no-vcs-release
          git tag --annotate "v$VERSION" --message "v$VERSION"
          git push origin "v$VERSION"
      - name: Publish
        uses: pypa/gh-action-pypi-publish@{SHA}
      - name: Open the pull request
        if: inputs.target_environment == 'pypi'
        run: gh pr create --base main --title "Release v$VERSION"
        env:
          GH_TOKEN: ${{{{ github.token }}}}
"""
"""Nothing to find in it."""

JOB = "    permissions:\n      contents: write\n      pull-requests: write\n      id-token: write\n"
"""The block of its job."""


def without(part: str, instead: str = "", text: str = GOOD) -> str:
    """The good one with a part taken out or replaced; the part has to be in it."""
    assert part in text
    return text.replace(part, instead)


def files(text: str | None = GOOD, /, **others: str) -> tuple[WorkflowFile, ...]:
    """The release workflow and others: `workflows_x` is `.github/workflows/x.yml`, `x` the action of that name."""
    found = [WorkflowFile(path=PATH, text=text)] if text is not None else []
    for name, content in others.items():
        folder, _, rest = name.partition("_")
        path = f".github/workflows/{rest}.yml" if folder == "workflows" else f".github/actions/{name}/action.yml"
        found.append(WorkflowFile(path=path, text=content))
    return tuple(found)


def observed(
    text: str | None = GOOD, /, *, unread: tuple[str, ...] = (), build: str = "", build_unread: str = "", **others: str
) -> Observation[WorkflowFiles]:
    """The observation of these files."""
    requires = (build,) if build else ()
    found = WorkflowFiles(
        commit=BASE, path=PATH, branch="main", files=files(text, **others), unread=unread, build_requires=requires
    )
    return known(structs.replace(found, build_unread=build_unread))


def called(uses: str, permissions: str = "", *, top: str = "") -> str:
    """A workflow with one job that calls another one."""
    block = f"    permissions: {permissions}\n" if permissions else ""
    return f"on: workflow_dispatch\n{top}jobs:\n  call:\n    uses: {uses}\n{block}"


def reusable(run: str = "git push", permissions: str = "", *, top: str = "") -> str:
    """A reusable workflow with one job that runs a command."""
    block = f"    permissions: {permissions}\n" if permissions else ""
    return (
        f"on: workflow_call\n{top}jobs:\n  inner:\n    runs-on: ubuntu-latest\n    timeout-minutes: 5\n"
        f"{block}    steps:\n      - run: {run}\n"
    )
