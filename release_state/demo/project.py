"""The files of the demo project: a tiny package that really builds, its changelog and its release workflow."""

from __future__ import annotations

NAME = "orbit-demo"
MODULE = "orbit_demo"
SUMMARY = "A small package to try release checks on"

BUILD_BACKEND = '''\
"""The build backend of this project: it needs nothing but the standard library, hence no network to build."""

import base64
import hashlib
import io
import re
import tarfile
import zipfile
from pathlib import Path


def _field(name):
    return re.search(rf'^{name} = "(.*)"$', Path("pyproject.toml").read_text("utf-8"), re.M)[1]


def _metadata():
    lines = ["Metadata-Version: 2.4"]
    for header, field in (
        ("Name", "name"),
        ("Version", "version"),
        ("Summary", "description"),
        ("License-Expression", "license"),
        ("Requires-Python", "requires-python"),
    ):
        lines.append(f"{header}: {_field(field)}")
    lines.insert(5, "License-File: LICENSE")
    return ("\\n".join(lines) + "\\n").encode()


def _stem():
    return f"{_field('name').replace('-', '_')}-{_field('version')}"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = f"{_stem()}.dist-info"
    files = {p.relative_to("src").as_posix(): p.read_bytes() for p in sorted(Path("src").rglob("*.py"))}
    files[f"{info}/METADATA"] = _metadata()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\\nGenerator: demo\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files[f"{info}/licenses/LICENSE"] = Path("LICENSE").read_bytes()
    record = ""
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(data)}\\n"
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\\n").encode()
    name = f"{_stem()}-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory, name), "w") as wheel:
        for path, data in files.items():
            wheel.writestr(path, data)
    return name


def build_sdist(sdist_directory, config_settings=None):
    name = f"{_stem()}.tar.gz"
    with tarfile.open(Path(sdist_directory, name), "w:gz", format=tarfile.PAX_FORMAT) as sdist:
        for path in sorted(p for p in Path().rglob("*") if p.is_file() and p.parts[0] != ".git"):
            sdist.add(path, f"{_stem()}/{path.as_posix()}")
        member = tarfile.TarInfo(f"{_stem()}/PKG-INFO")
        member.size = len(_metadata())
        sdist.addfile(member, io.BytesIO(_metadata()))
    return name
'''
"""The file `orbit_build.py` of the demo project, named by its `pyproject.toml` as an in-tree backend."""

_PYPROJECT = """\
[build-system]
requires = []
build-backend = "orbit_build"
backend-path = ["."]

[project]
name = "{name}"
version = "{version}"
description = "{summary}"
license = "MIT"
license-files = ["LICENSE"]
requires-python = "{requires_python}"
dependencies = []

[tool.semantic_release]
allow_zero_version = true
major_on_zero = false
version_toml = ["pyproject.toml:project.version"]
version_variables = ["src/{module}/__init__.py:__version__"]
"""

RELEASE_WORKFLOW = """\
name: Release

on:
  workflow_dispatch:
    inputs:
      target_environment:
        description: Where to publish
        type: choice
        options: [testpypi, pypi]
        required: true
      dry_run:
        description: Only show what would be done
        type: boolean
        default: false

concurrency:
  group: release
  cancel-in-progress: false

permissions:
  contents: write
  pull-requests: write
  id-token: write

jobs:
  release:
    runs-on: ubuntu-latest
    timeout-minutes: 20
    environment: ${{ inputs.target_environment }}
    env:
      CHANNEL: ${{ inputs.target_environment }}
      GH_TOKEN: ${{ github.token }}
    steps:
      - uses: actions/checkout@1111111111111111111111111111111111111111  # v4
        with:
          fetch-depth: 0
      - name: Work out the next version
        id: version
        run: echo "version=$(semantic-release version --print)" >> "$GITHUB_OUTPUT"
      - name: Create release branch
        run: |
          git switch --create "release/$CHANNEL-v${{ steps.version.outputs.version }}"
          semantic-release version --no-push --no-tag --no-vcs-release
          git push --set-upstream origin HEAD
      - name: Build
        run: python -m build
      - name: Publish
        id: publish
        uses: pypa/gh-action-pypi-publish@2222222222222222222222222222222222222222  # v1.14.0
        with:
          skip-existing: true
      - name: Delete release branch
        if: inputs.target_environment == 'testpypi'
        run: git push origin --delete "release/testpypi-v${{ steps.version.outputs.version }}"
      - name: Create tag
        if: inputs.target_environment == 'pypi'
        run: |
          git tag --annotate "v$VERSION" --message "Release v$VERSION"
          git push origin "v$VERSION"
        env:
          VERSION: ${{ steps.version.outputs.version }}
      - name: Create pull request
        if: inputs.target_environment == 'pypi'
        run: gh pr create --base main --title "🚀 Release v$VERSION to PyPI" --body-file release-body.md
        env:
          VERSION: ${{ steps.version.outputs.version }}
      - name: Create GitHub Release
        if: inputs.target_environment == 'pypi'
        run: gh release create "v$VERSION" --title "v$VERSION" --generate-notes --latest
        env:
          VERSION: ${{ steps.version.outputs.version }}
"""
"""The manually dispatched workflow, in the order of steps that `World.release` follows."""

CI_WORKFLOW = """\
name: CI

on:
  push:
    branches: [main]
  pull_request:

jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ["3.10", "3.14"]
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: ${{ matrix.python }}
      - run: python -m unittest
"""

CI_PATH = ".github/workflows/ci.yml"
RELEASE_PATH = ".github/workflows/release.yml"

CI_JOBS = ("test (3.10)", "test (3.14)")
"""The names of its jobs."""

STEPS = {
    "pypi": (
        "Work out the next version",
        "Create release branch",
        "Build",
        "Publish",
        "Create tag",
        "Create pull request",
        "Create GitHub Release",
    ),
    "testpypi": ("Work out the next version", "Create release branch", "Build", "Publish", "Delete release branch"),
}
"""The steps that the workflow runs, by channel."""


def version_files(version: str, requires_python: str) -> dict[str, bytes]:
    """The files that state the version: static in `pyproject.toml`, and `__version__` in the module."""
    pyproject = _PYPROJECT.format(
        name=NAME, module=MODULE, summary=SUMMARY, version=version, requires_python=requires_python
    )
    module = f'"""A small package to try release checks on."""\n\n__version__ = "{version}"\n'
    return {"pyproject.toml": pyproject.encode(), f"src/{MODULE}/__init__.py": module.encode()}


def first_files(requires_python: str) -> dict[str, bytes]:
    """All files of the first commit; the version is the placeholder 0.0.0."""
    return {
        CI_PATH: CI_WORKFLOW.encode(),
        RELEASE_PATH: RELEASE_WORKFLOW.encode(),
        ".gitignore": b"__pycache__/\ndist/\n",
        "CHANGELOG.md": CHANGELOG_HEAD.encode(),
        "LICENSE": b"MIT License\n\nAnybody may do anything with this demo.\n",
        "README.md": f"# {NAME}\n\n{SUMMARY}.\n".encode(),
        "orbit_build.py": BUILD_BACKEND.encode(),
        **version_files("0.0.0", requires_python),
    }


CHANGELOG_HEAD = "# Changelog\n"


def changelog_with(old: bytes, version: str, date: str) -> bytes:
    """The changelog with a section of this version above the others."""
    body = old.decode().removeprefix(CHANGELOG_HEAD)
    return f"{CHANGELOG_HEAD}\n## v{version} ({date})\n\nSee the commits of this version.\n{body}".encode()


def pull_title(version: str) -> str:
    """The title that the workflow gives to the pull request of a release."""
    return f"🚀 Release v{version} to PyPI"


def pull_body(version: str) -> str:
    """The body of that pull request: version bump, changelog, tag, package and how to install it."""
    return (
        f"Version bump: {version}\n\n"
        f"- Changelog: `CHANGELOG.md`, section v{version}\n"
        f"- Tag: `v{version}`\n"
        f"- Package: {NAME} {version}\n\n"
        f"```\npip install {NAME}=={version}\n```\n"
    )
