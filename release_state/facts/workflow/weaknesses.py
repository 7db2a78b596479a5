"""Weaknesses of the release workflow: shallow checkouts, runs near their time limit, unpinned actions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from msgspec import Struct

from release_state.facts.workflow.calls import LocatedStep, ReleaseWorkflow
from release_state.facts.workflow.document import is_local
from release_state.facts.workflow.publishing import choose_surest, find_uploads_of
from release_state.facts.workflow.starts import list_contexts
from release_state.model.snapshot import WorkflowRun

BACKENDS = frozenset(
    {"setuptools-scm", "hatch-vcs", "versioningit", "versioneer", "dunamai", "poetry-dynamic-versioning", "flit-scm",
     "setuptools-git-versioning", "vcs-versioning", "uv-dynamic-versioning", "incremental"}
)  # fmt: skip
"""Packages that compute the version of a build from git, so that the build needs the history."""
_BUILD_ACTIONS = ("hynek/build-and-inspect-python-package", "pypa/cibuildwheel")
_ACTIONS = ("python-semantic-release/python-semantic-release", "relekang/python-semantic-release",
            "commitizen-tools/commitizen-action", "cycjimmy/semantic-release-action",
            "mathieudutour/github-tag-action", "paulhatch/semantic-version")  # fmt: skip
_PROGRAMS = {
    "git": ("describe", "log", "rev-list", "shortlog", "cliff"),
    "cz": ("bump", "changelog", "version"),
    "semantic-release": ("version", "changelog"),
}
_ALWAYS = ("dunamai", "git-cliff", "versioningit", "setuptools_scm", "setuptools-scm", "git-changelog",
           "standard-version")  # fmt: skip
_BUILDS = {"build": (), "uv": ("build",), "hatch": ("build", "version"), "pdm": ("build",), "poetry": ("build",),
           "flit": ("build",), "pip": ("wheel",), "pyproject-build": ()}  # fmt: skip

_BRINGING = ("--unshallow", "--depth=0", "--deepen", "--tags", "--filter", "--shallow-since")
"""The beginnings of options by which `git fetch` brings tags or history."""


def find_shallow_checkouts(workflow: ReleaseWorkflow, build_requires: Collection[str]) -> tuple[str, ...] | None:
    """Checkouts without the history that their job needs, in words; None if no job is known to need it."""
    # The checkout of a run that a tag starts has that tag: a build by one of the backends needs no more.
    backends = () if uploads_for_tags_only(workflow) and not _checks_out_a_branch(workflow) else build_requires
    needed, shallow = False, []
    for job in workflow.jobs:
        steps = workflow.find_steps_of(job)
        why = next(filter(None, (_needs_history(at, backends) for at in steps)), None)
        if why is None:
            continue
        needed = True
        if (checkout := _find_shallow_checkout(steps)) is not None:
            depth = checkout.step.inputs.get("fetch-depth", "1")
            commits = "one commit" if depth == "1" else f"{depth} commits"
            shallow.append(f"{checkout.where} fetches {commits}, and the job needs the history for {why}")
    return tuple(shallow) if needed else None


def uploads_for_tags_only(workflow: ReleaseWorkflow) -> bool:
    """Return whether the workflow, or at least its uploads, run for a tag alone, whoever starts it there."""
    if workflow.file.by_tag:
        return True
    text = workflow.texts.get(workflow.path, "")
    uploads = choose_surest(find_uploads_of(workflow))
    refs = {context.get("github.ref_type") for upload in uploads for _, context, _ in list_contexts(upload, text)}
    return refs == {"tag"}


def _checks_out_a_branch(workflow: ReleaseWorkflow) -> bool:
    """Whether a checkout names a branch, so that the tag of the run is not there."""
    refs = (at.step.inputs.get("ref", "") for at in workflow.steps if at.step.action == "actions/checkout")
    return any(ref and "${{" not in ref and not ref.startswith("refs/tags/") for ref in refs)


def _needs_history(at: LocatedStep, build_requires: Collection[str]) -> str | None:
    """The action or command of a step that needs the history."""
    if any("_PRETEND_VERSION" in name for name in at.env):
        return None  # the version is said, and not computed
    backend, action = next((name for name in build_requires if name in BACKENDS), None), at.step.action
    if action in _ACTIONS:
        return action
    if backend and action in _BUILD_ACTIONS:
        return f"{action} with {backend}"
    cloned = False
    for words, _ in at.step.commands:
        cloned |= words[:2] == ("git", "clone")
        program, verb = words[0], next((word for word in words[1:] if not word.startswith("-")), "")
        if program == "git" and ({"-1", "-n1", "--max-count=1"} & set(words) or cloned or words == ("git", "log")):
            continue  # the date of the checked-out commit, another repository's history, or what a log only shows
        if verb in _PROGRAMS.get(program, ()) or program in _ALWAYS:
            return f"{program} {verb}".strip()
        if backend and program in _BUILDS and (not _BUILDS[program] or verb in _BUILDS[program]):
            return f"{program} {verb}".strip() + f" with {backend}"
    return None


def _find_shallow_checkout(steps: Sequence[LocatedStep]) -> LocatedStep | None:
    """The checkout of the repository itself, if it is shallow and stays so."""
    checkouts = [at for at in steps if at.step.action == "actions/checkout" and not at.step.inputs.get("repository")]
    fetches = (words for at in steps for words, _ in at.step.commands if words[0] == "git" and "fetch" in words)
    if any(word.startswith(_BRINGING) for words in fetches for word in words):
        return None
    depths = [at.step.inputs.get("fetch-depth", "1") for at in checkouts]
    return None if not checkouts or any(depth == "0" or "${{" in depth for depth in depths) else checkouts[0]


_NEAR_LIMIT = 0.8
_RUNS = 5


class RunTime(Struct, frozen=True):
    """A finished run, the minutes from its start to its end, and its share of the limit."""

    run: WorkflowRun
    minutes: float
    share: float

    @property
    def is_near_limit(self) -> bool:
        """Whether it took 80 % of the limit or more."""
        return self.share >= _NEAR_LIMIT

    @property
    def text(self) -> str:
        """In words."""
        return f"#{self.run.number} {self.run.conclusion} after {self.minutes:.0f} min ({self.share:.0%} of the limit)"


def measure_runs(runs: Iterable[WorkflowRun], limit: int) -> tuple[RunTime, ...]:
    """The last five runs that succeeded or were cancelled at the limit (minutes); newest first."""
    times = []
    for run in runs:
        minutes = (run.updated_at - (run.started_at or run.created_at)) / timedelta(minutes=1)
        time = RunTime(run, minutes, minutes / limit if limit else 0.0)
        is_cut = run.conclusion in ("cancelled", "timed_out") and time.share >= 1
        if run.is_finished and (run.conclusion == "success" or is_cut):
            times.append(time)
    return tuple(times[:_RUNS])


_PINNED = re.compile(r"docker://.*@sha256:.*|(?!docker://)(?:.*@)?[0-9a-f]{40}(?:[0-9a-f]{24})?", re.DOTALL)


def find_unpinned(workflow: ReleaseWorkflow) -> tuple[str, ...]:
    """Actions, workflows and images used by a tag or branch instead of a commit or digest; GitHub's own last."""
    names = [*(placed.job.uses for placed in workflow.jobs), *(at.step.uses for at in workflow.steps)]
    unpinned = [
        name for name in dict.fromkeys(filter(None, names)) if not is_local(name) and not _PINNED.fullmatch(name)
    ]
    return tuple(sorted(unpinned, key=lambda name: (name.startswith(("actions/", "github/")), name)))
