"""Jobs that work out a version from the history of git, and whether their checkout has it."""

from __future__ import annotations

from collections.abc import Collection

from release_state.facts.workflow.calls import LocatedStep, ReleaseWorkflow
from release_state.facts.workflow.script import split_commands

BACKENDS = frozenset(
    {"setuptools-scm", "hatch-vcs", "versioningit", "versioneer", "dunamai", "poetry-dynamic-versioning", "flit-scm",
     "setuptools-git-versioning", "vcs-versioning", "uv-dynamic-versioning", "incremental"}
)  # fmt: skip
"""Packages that give a build its version from git; a project that is built by one of them needs the history for it."""
_BUILD_ACTIONS = ("hynek/build-and-inspect-python-package", "pypa/cibuildwheel")
_ACTIONS = ("python-semantic-release/python-semantic-release", "relekang/python-semantic-release",
            "commitizen-tools/commitizen-action", "cycjimmy/semantic-release-action",
            "mathieudutour/github-tag-action", "paulhatch/semantic-version")  # fmt: skip
_PROGRAMS = {
    "git": ("describe", "log", "rev-list", "shortlog", "cliff"),
    "cz": ("bump", "changelog", "version"),
    "semantic-release": ("version", "changelog"),
}
_ALWAYS = (
    "dunamai",
    "git-cliff",
    "versioningit",
    "setuptools_scm",
    "setuptools-scm",
    "git-changelog",
    "standard-version",
)
_BUILDS = {"build": (), "uv": ("build",), "hatch": ("build", "version"), "pdm": ("build",), "poetry": ("build",),
           "flit": ("build",), "pip": ("wheel",), "pyproject-build": ()}  # fmt: skip


def find_shallow_checkouts(workflow: ReleaseWorkflow, build_requires: Collection[str]) -> tuple[str, ...] | None:
    """The checkouts that lack the history which their job needs; None where no job is known to need it."""
    # Where a tag starts the run, its checkout has that tag: a build by one of the backends needs no more.
    backends = () if workflow.file.by_tag else build_requires
    needed, lacking = False, []
    for placed in workflow.jobs:
        steps = [at for at in workflow.steps if at.job is placed]
        why = next(filter(None, (_needs_history(at, backends) for at in steps)), None)
        if why is None:
            continue
        needed = True
        if (checkout := _shallow(steps)) is not None:
            lacking.append(f"{checkout.where} takes {_depth(checkout)}, and the job needs the history for {why}")
    return tuple(lacking) if needed else None


def _needs_history(at: LocatedStep, build_requires: Collection[str]) -> str | None:
    """What of the step needs the history: the action or the command."""
    backend = next((name for name in build_requires if name in BACKENDS), None)
    action = at.step.uses.partition("@")[0].lower()
    if action in _ACTIONS:
        return action
    if backend and action in _BUILD_ACTIONS:
        return f"{action} with {backend}"
    for words, _ in split_commands(at.step.run) if at.step.run else ():
        program, verb = words[0], next((word for word in words[1:] if not word.startswith("-")), "")
        if program == "git" and {"-1", "-n1", "--max-count=1"} & set(words):
            continue  # the date of the commit at hand
        if verb in _PROGRAMS.get(program, ()) or program in _ALWAYS:
            return f"{program} {verb}".strip()
        if backend and program in _BUILDS and (not _BUILDS[program] or verb in _BUILDS[program]):
            return f"{program} {verb}".strip() + f" with {backend}"
    return None


def _shallow(steps: list[LocatedStep]) -> LocatedStep | None:
    """The checkout of the repository itself, where it is shallow and stays so."""
    checkouts = [
        at
        for at in steps
        if at.step.uses.lower().startswith("actions/checkout@") and not at.step.given.get("repository")
    ]
    deepened = any(
        words[0] == "git" and "fetch" in words and {"--unshallow", "--depth=0"} & set(words)
        for at in steps
        for words, _ in split_commands(at.step.run)
    )
    depths = [at.step.given.get("fetch-depth", "1") for at in checkouts]
    if not checkouts or deepened or any(depth == "0" or "${{" in depth for depth in depths):
        return None
    return checkouts[0]


def _depth(checkout: LocatedStep) -> str:
    depth = checkout.step.given.get("fetch-depth", "1")
    return "one commit" if depth == "1" else f"{depth} commits"
