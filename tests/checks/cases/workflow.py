"""States of the release workflow's file and its runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from release_state.model.observation import known
from release_state.model.outcome import Outcome
from release_state.model.snapshot import Snapshot, WorkflowRun
from tests.support import states as s
from tests.support import workflows as w

HOLDS, ACTION, UNKNOWN = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.UNKNOWN
NONE, PROGRESS = Outcome.NOT_APPLICABLE, Outcome.IN_PROGRESS
SILENT = s.ready(workflow_files=s.failed("git"))
CHECKOUT = f"      - uses: actions/checkout@{w.SHA}\n        with:\n          fetch-depth: 0\n"
SHALLOW = w.without("        with:\n          fetch-depth: 0\n")
DRAFTER = (
    "on: {push: {branches: [main], tags: ['v*']}}\njobs:\n  draft:\n    if: github.ref_%s\n"
    "    concurrency: {group: notes, cancel-in-progress: true}\n    steps: [{run: git push origin main}]\n"
    "  up:\n    if: startsWith(github.ref, 'refs/tags/')\n    steps: [{run: uv publish}]\n"
)
BUILD_ONLY = (
    f"on: push\njobs:\n  build:\n    steps:\n      - uses: actions/checkout@{w.SHA}\n      - run: python -m build\n"
)
LATER = {"observed_at": s.NOW + timedelta(minutes=21)}


def on(text: str | None, *, build: str = "", **changes: Any) -> Snapshot:
    """A ready state with this release workflow, and perhaps this build backend."""
    return s.ready(workflow_files=w.observed(text, build=build), **changes)


def took(minutes: float, conclusion: str = "success", **changes: Any) -> WorkflowRun:
    """A run that took this long."""
    return s.run(conclusion=conclusion, updated_at=s.NOW + timedelta(minutes=minutes), **changes)


def group(text: str) -> Snapshot:
    """A ready state with this concurrency group."""
    return on(w.without("group: release\n", f"group: {text}\n"))


BY_NUMBER = w.without("git tag --ann", "git fetch --deepen=500 --tags origin; git tag --ann", SHALLOW)
OF_TAGS = (
    "on: {push: {tags: ['v*']}, workflow_dispatch: {}}\njobs:\n  pypi:\n    steps:\n"
    f"      - uses: actions/checkout@{w.SHA}\n      - run: python -m build\n"
    f"      - {{uses: pypa/gh-action-pypi-publish@{w.SHA}, if: \"startsWith(github.ref, 'refs/tags/')\"}}\n"
)
OF_MAIN = OF_TAGS.replace(f"uses: actions/checkout@{w.SHA}", f"{{uses: actions/checkout@{w.SHA}, with: {{ref: main}}}}")
SAID = OF_MAIN.replace("jobs:", "env: {SETUPTOOLS_SCM_PRETEND_VERSION: 1.0}\njobs:")
TREELESS = OF_MAIN.replace("{ref: main}", "{ref: main, fetch-depth: 0, filter: 'tree:0'}")


def of_tag(tag: str, event: str = "push", template: str = "orbit-v{version}", **changes: Any) -> Snapshot:
    """A ready state in which a run at this tag is at work, in a repository of several packages."""
    run = s.run("in_progress", event=event, head_branch=tag)
    return s.ready(target=s.target(tag_template=template), runs=s.runs(run), **changes)


CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    ("WORKFLOW-1", "good", on(w.GOOD), HOLDS),
    ("WORKFLOW-1", "not there", on(None), ACTION),
    ("WORKFLOW-1", "a key twice", on(w.GOOD + "permissions: {}\n"), ACTION),
    ("WORKFLOW-1", "too large", s.ready(workflow_files=w.observed(None, unread=(w.PATH,))), ACTION),
    ("WORKFLOW-1", "calls what is not there", on(w.called("./.github/workflows/x.yml")), ACTION),
    ("WORKFLOW-1", "calls what cannot be called", on(w.called(f"./{w.PATH}")), ACTION),
    (
        "WORKFLOW-1",
        "uses an action that is not there",
        on(w.without("- name: Tag", "- uses: ./x\n      - name: Tag")),
        ACTION,
    ),
    ("WORKFLOW-1", "calls elsewhere", on(w.called("octo/ci/.github/workflows/x.yml@v1")), HOLDS),
    ("WORKFLOW-1", "no workflow named", s.ready(workflow_files=known(None)), NONE),
    ("WORKFLOW-1", "git silent", SILENT, UNKNOWN),
    ("WORKFLOW-2", "set", on(w.GOOD), HOLDS),
    ("WORKFLOW-2", "by an expression", on(w.without("timeout-minutes: 20", "timeout-minutes: ${{ vars.M }}")), HOLDS),
    ("WORKFLOW-2", "not set", on(w.without("    timeout-minutes: 20\n")), ACTION),
    ("WORKFLOW-2", "not there", on(None), NONE),
    ("WORKFLOW-2", "git silent", SILENT, UNKNOWN),
    ("WORKFLOW-31", "far", on(w.GOOD, runs=s.runs(took(15.9))), HOLDS),
    ("WORKFLOW-31", "near", on(w.GOOD, runs=s.runs(took(5), took(16))), ACTION),
    ("WORKFLOW-31", "cancelled at its limit", on(w.GOOD, runs=s.runs(took(20.1, "cancelled"))), ACTION),
    ("WORKFLOW-31", "cancelled early", on(w.GOOD, runs=s.runs(took(19, "cancelled"), took(5))), HOLDS),
    ("WORKFLOW-31", "near, long ago", on(w.GOOD, runs=s.runs(*[took(5)] * 5, took(19))), HOLDS),
    ("WORKFLOW-31", "only failures", on(w.GOOD, runs=s.runs(took(30, "failure"))), NONE),
    ("WORKFLOW-31", "limit not known", on(w.without("minutes: 20", "minutes: ${{ vars.M }}")), NONE),
    ("WORKFLOW-31", "released", s.released(runs=s.runs(took(19))), ACTION),
    ("WORKFLOW-31", "GitHub silent", s.ready(runs=s.failed()), UNKNOWN),
    ("WORKFLOW-31", "git silent", SILENT, UNKNOWN),
    ("WORKFLOW-3", "one group", on(w.GOOD), HOLDS),
    (
        "WORKFLOW-3",
        "by name alone",
        on(w.without("\n  group: release\n  cancel-in-progress: false\n", " release\n")),
        HOLDS,
    ),
    ("WORKFLOW-3", "by the workflow", group("${{ github.workflow }}"), HOLDS),
    (
        "WORKFLOW-3",
        "in the job",
        on(
            w.without(
                "concurrency:\n  group: release\n  cancel-in-progress: false\n",
                text=w.without("    timeout-minutes: 20\n", "    timeout-minutes: 20\n    concurrency: release\n"),
            )
        ),
        HOLDS,
    ),
    ("WORKFLOW-3", "none", on(w.without("concurrency:\n  group: release\n  cancel-in-progress: false\n")), ACTION),
    ("WORKFLOW-3", "by channel", group("release-${{ inputs.target_environment }}"), ACTION),
    ("WORKFLOW-3", "by channel, older spelling", group("${{ github.event.inputs.target_environment }}"), ACTION),
    ("WORKFLOW-3", "by run", group("release-${{ github.run_id }}"), ACTION),
    ("WORKFLOW-3", "cancels", on(w.without("cancel-in-progress: false", "cancel-in-progress: true")), ACTION),
    ("WORKFLOW-3", "cancels what a tag never starts", on(DRAFTER % "name == 'main'"), HOLDS),
    ("WORKFLOW-3", "cancels what a tag starts", on(DRAFTER % "type == 'tag'"), ACTION),
    ("WORKFLOW-3", "git silent", SILENT, UNKNOWN),
    ("WORKFLOW-4", "offered", on(w.GOOD), HOLDS),
    ("WORKFLOW-4", "another name", on(w.without("[testpypi, pypi]", "[testpypi, release]")), ACTION),
    ("WORKFLOW-4", "typed by hand", on(w.without("        options: [testpypi, pypi]\n")), ACTION),
    ("WORKFLOW-4", "by a tag", on("on: {push: {tags: ['v*']}}\njobs: {}\n"), NONE),
    ("WORKFLOW-4", "git silent", SILENT, UNKNOWN),
    ("WORKFLOW-5", "whole", on(w.GOOD), HOLDS),
    ("WORKFLOW-5", "one commit", on(SHALLOW), ACTION),
    ("WORKFLOW-5", "deepened", on(w.without("git tag --ann", "git fetch --unshallow; git tag --ann", SHALLOW)), HOLDS),
    ("WORKFLOW-5", "ten commits", on(w.without("fetch-depth: 0", "fetch-depth: 10")), ACTION),
    ("WORKFLOW-5", "no history needed", on(BUILD_ONLY), NONE),
    ("WORKFLOW-5", "needed by the build", s.ready(workflow_files=w.observed(BUILD_ONLY, build="hatch-vcs")), ACTION),
    (
        "WORKFLOW-5",
        "started by its tag",
        s.ready(workflow_files=w.observed(BUILD_ONLY.replace("push", "{push: {tags: [v*]}}"), build="hatch-vcs")),
        NONE,
    ),
    ("WORKFLOW-5", "a commit's date", on(BUILD_ONLY.replace("python -m build", "git log -1 --pretty=%ct")), NONE),
    ("WORKFLOW-5", "a log to look at", on(BUILD_ONLY.replace("python -m build", "git log")), NONE),
    (
        "WORKFLOW-5",
        "another repository's log",
        on(BUILD_ONLY.replace("python -m build", "git clone https://x.example/y && cd y && git log --oneline")),
        NONE,
    ),
    (
        "WORKFLOW-5",
        "another repository",
        on(w.without(CHECKOUT, CHECKOUT.replace("fetch-depth: 0", "repository: a/b"))),
        HOLDS,
    ),
    ("WORKFLOW-5", "deepened by a number", on(BY_NUMBER), HOLDS),
    ("WORKFLOW-5", "by hand", on(OF_TAGS.replace("push: {tags: ['v*']}, ", ""), build="setuptools-scm"), NONE),
    ("WORKFLOW-5", "the base branch instead of the tag", on(OF_MAIN, build="setuptools-scm"), ACTION),
    ("WORKFLOW-5", "a version that is said", on(SAID, build="setuptools-scm"), NONE),
    ("WORKFLOW-5", "all commits, without their trees", on(TREELESS, build="setuptools-scm"), HOLDS),
    ("WORKFLOW-5", "tags, or by hand of a tag", on(OF_TAGS, build="hatch-vcs"), NONE),
    (
        "WORKFLOW-5",
        "tags, or by hand",
        on(OF_TAGS.replace("startsWith", "true || startsWith"), build="hatch-vcs"),
        ACTION,
    ),
    ("WORKFLOW-5", "git silent", SILENT, UNKNOWN),
    ("WORKFLOW-5", "unread builder", s.ready(workflow_files=w.observed(BUILD_ONLY, build_unread="x")), UNKNOWN),
    ("WORKFLOW-5", "lacking anyhow", s.ready(workflow_files=w.observed(SHALLOW, build_unread="x")), ACTION),
    ("WORKFLOW-5", "no builder needed", s.ready(workflow_files=w.observed(w.GOOD, build_unread="x")), HOLDS),
    ("WORKFLOW-6", "pinned", on(w.GOOD), HOLDS),
    ("WORKFLOW-6", "a tag", on(w.GOOD.replace(f"checkout@{w.SHA}", "checkout@v4")), ACTION),
    ("WORKFLOW-6", "a called one", on(w.called("octo/ci/.github/workflows/x.yml@main")), ACTION),
    (
        "WORKFLOW-6",
        "local and by digest",
        on(w.without("- name: Tag", "- uses: ./x\n      - uses: docker://a@sha256:b\n      - name: Tag")),
        HOLDS,
    ),
    ("WORKFLOW-6", "git silent", SILENT, UNKNOWN),
    (
        "RUN-1",
        "within its limit",
        s.ready(runs=s.runs(s.run("in_progress", started_at=s.NOW + timedelta(minutes=2))), **LATER),
        PROGRESS,
    ),
    ("RUN-1", "of another package", of_tag("other-v1.2.3"), HOLDS),
    ("RUN-1", "of another package, by a tag like a nightly one", of_tag("orbit-nightly-2026.1.1"), PROGRESS),
    ("RUN-1", "of this package", of_tag("orbit-v0.1.9"), PROGRESS),
    ("RUN-1", "of a number", of_tag("v1.2.3"), PROGRESS),
    ("RUN-1", "of a branch", of_tag("other-v1.2.3", remote=s.remote(s.branch("other-v1.2.3"))), PROGRESS),
    ("RUN-1", "by hand, at another package's tag", of_tag("other-v1.2.3", "workflow_dispatch"), PROGRESS),
    ("RUN-1", "where tags name no package", of_tag("other-v1.2.3", template="v{version}"), PROGRESS),
    ("RUN-1", "stuck", s.ready(runs=s.runs(s.run("in_progress")), **LATER), ACTION),
    ("RUN-1", "waiting for a person", s.ready(runs=s.runs(s.run("waiting")), **LATER), PROGRESS),
    (
        "RUN-1",
        "limit not known",
        s.ready(runs=s.runs(s.run("in_progress")), workflow_files=s.failed(), **LATER),
        PROGRESS,
    ),
    ("RUN-11", "stuck", s.released(runs=s.runs(s.run("in_progress")), **LATER), ACTION),
    ("RUN-21", "stuck", s.rolled_back(runs=s.runs(s.run("in_progress")), **LATER), ACTION),
]
