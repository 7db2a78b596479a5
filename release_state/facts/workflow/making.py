"""What a workflow makes of a release besides the upload: tag, GitHub Release, pull request, branch, wheels (pure).

Sources: the actions' own pages; https://cli.github.com/manual
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from release_state.facts.workflow.branches import JobBranches, find_created_ref
from release_state.facts.workflow.calls import LocatedStep, ReleaseWorkflow
from release_state.facts.workflow.model import JobStep
from release_state.facts.workflow.script import list_spoken
from release_state.model.process import Made
from release_state.model.snapshot import WorkflowFiles

_RELEASED: tuple[Made, ...] = ("tag", "release")
_PROPOSED: tuple[Made, ...] = ("pull-request",)
_ACTIONS: Mapping[str, tuple[Made, ...]] = {
    **dict.fromkeys((
        "softprops/action-gh-release", "ncipollo/release-action", "actions/create-release",
        "marvinpinto/action-automatic-releases", "elgohr/github-release-action", "elprans/gh-action-create-release",
        "python-semantic-release/python-semantic-release", "relekang/python-semantic-release",
        "cycjimmy/semantic-release-action",
    ), _RELEASED),
    **dict.fromkeys((
        "taiki-e/create-gh-release-action", "ansys/actions/release-github", "sendgrid/dx-automator/actions/release",
    ), _RELEASED[1:]),
    **dict.fromkeys((
        "commitizen-tools/commitizen-action", "mathieudutour/github-tag-action", "anothrnick/github-tag-action",
    ), _RELEASED[:1]),
    **dict.fromkeys((
        "googleapis/release-please-action", "google-github-actions/release-please-action", "changesets/action",
    ), (*_RELEASED, *_PROPOSED)),
    **dict.fromkeys((
        "peter-evans/create-pull-request", "repo-sync/pull-request",
        "devops-infra/action-pull-request",
    ), _PROPOSED),
    "release-drafter/release-drafter": ("draft",),
    **dict.fromkeys((
        "jupyter-server/jupyter_releaser/.github/actions/finalize-release",
        "jupyter-server/jupyter-releaser/.github/actions/finalize-release",
    ), _RELEASED),
}  # fmt: skip
PLEASE_BRANCH = "release-please--branches--{base}"
_BRANCHES = {"release-please": f"{PLEASE_BRANCH}--components--{{package}}", "changesets": "changeset-release/{base}"}
"""The branches that tools open their release pull requests from, by the word that shows the tool in a workflow.

Sources: https://github.com/googleapis/release-please/blob/main/src/util/branch-name.ts;
https://github.com/changesets/action/blob/main/src/run.ts
"""
_BUILDERS = ("pypa/cibuildwheel", "pyo3/maturin-action", "messense/maturin-action")


def find_made(workflow: ReleaseWorkflow, base: str = "") -> tuple[Made, ...]:
    """Return what the steps of a workflow make, each once; a push to the base branch makes no branch."""
    return tuple(dict.fromkeys(made for _, each in list_makers(workflow, base) for made in each))


def list_makers(workflow: ReleaseWorkflow, base: str = "") -> Iterator[tuple[LocatedStep, tuple[Made, ...]]]:
    """Yield the steps that make something, each with what it makes, in their order."""
    jobs: dict[str, JobBranches] = {}
    for at in workflow.steps:
        if at.job.where not in jobs:
            jobs[at.job.where] = JobBranches(at.job, base)
        pushed: tuple[Made, ...] = ("branch",) if jobs[at.job.where].makes_one(at.step) else ()
        if made := (*pushed, *(() if jobs[at.job.where].is_elsewhere else find_made_by(at.step))):
            yield at, tuple(dict.fromkeys(made))


def list_tool_branches(files: WorkflowFiles, base: str, package: str) -> tuple[str, ...]:
    """Return the branches of release pull requests that a tool makes which the files name; of all if some are unread.

    That of release-please for a whole repository is not among them: an app may run it, of which no file tells.
    """
    named = [each for word, each in _BRANCHES.items() if files.unread or any(word in t for t in files.texts.values())]
    return tuple(each.format(base=base, package=package) for each in named)


def find_tag_jobs(workflow: ReleaseWorkflow) -> tuple[str, ...]:
    """Return the names of the jobs that make a tag, as a run shows them; of a called workflow, the calling job's."""
    jobs = (at.job for at, made in list_makers(workflow) if "tag" in made)
    return tuple(dict.fromkeys(job.top.job.name or job.top.job.id for job in jobs))


def builds_platform_wheels(workflow: ReleaseWorkflow) -> bool:
    """Return whether a workflow builds wheels for several platforms, which no single machine can do."""
    return any(
        at.step.action in _BUILDERS or any(words[0] == "cibuildwheel" for words, _ in at.step.commands)
        for at in workflow.steps
    )


def find_made_by(step: JobStep) -> Iterator[Made]:
    """Yield what a step makes by itself: whether it pushes a branch, the job's steps before it tell."""
    known = _ACTIONS.get(step.action, ())
    if step.action == "changesets/action":  # it releases what its `publish` says that it tagged
        known = known if step.inputs.get("publish") else _PROPOSED
        known = tuple(each for each in known if each != "release" or step.inputs.get("createGithubReleases") != "false")
    for made in known:
        is_draft = step.inputs.get("draft") == "true"
        published = made == "draft" and step.inputs.get("publish") == "true"
        yield "draft" if made == "release" and is_draft else ("release" if published else made)
    if "createRelease(" in step.inputs.get("script", ""):
        yield "tag"
        yield "draft" if re.search(r"draft: *true", step.inputs["script"]) else "release"
    for words, _ in step.commands:
        yield from _made_by_command(words)


def _made_by_command(words: Sequence[str]) -> Iterator[Made]:
    spoken = list_spoken(words)
    if {"--dry-run", "--noop", "--help", "--no-tag"} & set(words):
        return
    if words[0] == "git" and spoken[:1] == ["tag"] and len(spoken) > 1 and not {"-d", "--delete", "-l"} & set(words):
        yield "tag"
    elif words[0] == "gh" and spoken[:2] == ["release", "create"]:
        if "--verify-tag" not in words:
            yield "tag"
        yield "draft" if {"--draft", "-d"} & set(words) else "release"
    elif words[0] == "gh" and spoken[:2] == ["release", "edit"] and "--draft=false" in words:
        yield "release"
    elif "changelogithub" in [word.partition("@")[0] for word in words[:3]] and "--draft" not in words:
        yield "release"  # of the tag that started the run
    elif words[0] == "gh" and spoken[:2] in (["pr", "create"], ["pr", "new"]):
        yield "pull-request"
    elif find_created_ref(words).startswith("refs/tags/"):
        yield "tag"
    elif words[:2] == ("autopub", "githubrelease"):
        yield from ("tag", "release")
    elif words[0] == "semantic-release" and "version" in spoken and not any(w.startswith("--print") for w in words):
        yield "tag"
        yield "release"
    elif words[0] in ("cz", "bump2version", "bumpversion", "bump-my-version", "tbump") and "bump" in (
        words[0],
        *spoken,
    ):
        yield "tag"
