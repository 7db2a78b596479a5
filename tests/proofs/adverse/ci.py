"""Adverse facts of CI and of release runs: red, queued, failed to start, cancelled, timed out, waiting."""

from __future__ import annotations

from datetime import timedelta

from release_state.demo import project
from release_state.demo.github import Job
from tests.proofs.adverse.fact import Fact, Put, before, everywhere, unpublished
from tests.proofs.adverse.places import CHECK, RELEASE_RUN, RUN, STATUS
from tests.proofs.adverse.worlds import Green
from tests.standins.world import World

JOB = project.CI_JOBS[0]
_OTHER_COMMIT = "it is on a commit that is not released"
_SUPERSEDED = "the newest of one name in one workflow counts, and that is green"
_REPORT = ("CI-1",)


def _sha(world: World, guise: str | None) -> str:
    """The head, or for the guise of another branch a commit that is not released."""
    if guise not in ("branch", "fork"):
        return world.main()
    world.remote_git.set_ref("refs/heads/feature", world.main())
    return world.commit("feat: try it", branch="feature")


def _check(status: str = "completed", conclusion: str | None = None) -> Put:
    """A check run in this state, which no run of the Actions API stands behind."""

    def put(world: World, green: Green, guise: str | None) -> None:
        sha, app = _sha(world, guise), "linters" if guise == "app" else "github-actions"
        add = world.github.add_check_run
        if guise in ("newer", "older"):
            states = [("completed", "success"), (status, conclusion)]
            for state, ended in states if guise == "newer" else states[::-1]:
                add(sha, "build", status=state, conclusion=ended, started_at=world.tick(), check_suite=77)
            return
        name = JOB if guise in ("app", "workflow") else "build"
        add(sha, name, status=status, conclusion=conclusion, started_at=world.tick(), app=app, check_suite=78)
        if guise == "address":
            found = world.github.check_runs[-1]
            found.details_url = f"runs/{found.id}"

    return put


def _status(state: str) -> Put:
    def put(world: World, green: Green, guise: str | None) -> None:
        sha, add = _sha(world, guise), world.github.add_status
        if guise in ("newer", "older"):
            for each in ("success", state) if guise == "newer" else (state, "success"):
                add(sha, "ci/build", each, created_at=world.tick())
            return
        # Of the very name of a green check run: two things to GitHub.
        add(sha, JOB if guise == "app" else "ci/build", state, created_at=world.tick())

    return put


def _run(status: str = "completed", conclusion: str | None = None, *, reports: bool = False) -> Put:
    """A run in this state, with a check run for its job or without any."""

    def put(world: World, green: Green, guise: str | None) -> None:
        sha = _sha(world, "branch" if guise == "fork" else None)
        workflow = "deploy.yml" if guise == "workflow" else "ci.yml"
        event = {"event": "workflow_dispatch", "fork": "pull_request"}.get(guise or "", "push")
        run = {"workflow": workflow, "event": event, "head_sha": sha, "jobs": [Job(JOB)], "check_runs": reports}
        branch = "copy" if guise == "branch" else "feature" if guise == "fork" else "main"
        when = world.tick(4)
        world.github.add_run(
            **run, status=status, conclusion=conclusion, head_branch=branch, created_at=when, updated_at=when  # type: ignore[arg-type] # the stand-in's own keywords
        )  # fmt: skip

    return put


_SKIPPED = ("ready, head without CI", "ready, version written before")
"""Worlds whose head says that CI skips it: its parent's CI counts, where it has none."""


def _passed(green: Green) -> str:
    """The newest commit whose CI says nothing of the head: where the head has none, its parent stands for it."""
    return "main~2" if green.name in _SKIPPED else "main~1"


def _release_run(status: str, days: float = 0) -> Put:
    def put(world: World, green: Green, guise: str | None) -> None:
        workflow = "deploy.yml" if guise == "workflow" else "release.yml"
        channel = "testpypi" if guise == "channel" else "pypi"
        if guise == "version":
            world.push_release_branch(green.channel, "0.3.0")
        when = world.tick(4) - timedelta(days=days)
        world.github.add_run(
            workflow,
            status=status,
            conclusion=None,
            event="schedule" if guise == "event" else "workflow_dispatch",
            head_branch="maintenance" if guise == "branch" else "main",
            # It was begun before the head was there: it is none of its CI.
            head_sha=world.remote_git.rev(_passed(green)),
            title=f"Release to {channel}",
            created_at=when,
        )

    return put


def _no_ci(world: World, green: Green, guise: str | None) -> None:
    sha = world.main()
    world.github.check_runs[:] = [check for check in world.github.check_runs if check.sha != sha]
    gone = [number for number, run in world.github.workflow_runs.items() if run.head_sha == sha]
    for number in gone:
        del world.github.workflow_runs[number]
    if guise == "app":
        world.github.add_status(sha, "docs/preview", created_at=world.tick())
    if guise == "workflow":
        run = {"event": "dynamic", "head_sha": sha, "jobs": [Job("deploy")], "check_runs": True}
        world.github.add_run("pages.yml", **run, created_at=world.tick())  # type: ignore[arg-type] # the stand-in's own keywords


def _red_parent(world: World, green: Green, guise: str | None) -> None:
    """The head of this world has no CI of its own, and its parent's is red."""
    parent = world.remote_git.rev("main~1")
    world.github.add_run("ci.yml", conclusion="failure", event="push", head_sha=parent, jobs=[Job(JOB)],
                         check_runs=True, created_at=world.tick())  # fmt: skip
    if guise == "app":
        world.github.add_status(world.main(), "docs/preview", created_at=world.tick())
    if guise == "workflow":
        world.github.add_run("pages.yml", event="dynamic", head_sha=world.main(), jobs=[Job("deploy")],
                             check_runs=True, created_at=world.tick())  # fmt: skip


def _never_reported(world: World, green: Green, guise: str | None) -> None:
    """A check that the base branch requires reported on older commits, and not on the one whose CI counts."""
    name = "integration"
    for sha in world.remote_git.run("rev-list", _passed(green)).split():
        world.github.add_check_run(sha, name, started_at=world.tick(), check_suite=79)
    rule = {"type": "required_status_checks", "parameters": {"required_status_checks": [{"context": name}]}}
    world.github.rules["main"] = [*world.github.rules.get("main", []), rule]
    conditions = {"ref_name": {"include": ["refs/heads/main"], "exclude": []}}
    world.github.rulesets.append({"name": "main", "conditions": conditions, "rules": [rule]})


_OF_CHECKS = ("app", "workflow", "address", "newer", "older", "branch")
_CALM = {"older": _SUPERSEDED, "branch": _OTHER_COMMIT}
_OF_RUNS = ("workflow", "event", "branch", "fork")
_UNRELATED = {"workflow": "a run of another workflow, on another commit, releases nothing"}

CHECK_RUNS = {
    "red check run": _check(conclusion="failure"),
    "cancelled check run": _check(conclusion="cancelled"),
    "timed-out check run": _check(conclusion="timed_out"),
    "check run that waits for somebody": _check(conclusion="action_required"),
    "check run that failed to start": _check(conclusion="startup_failure"),
    "stale check run": _check(conclusion="stale"),
    "queued check run": _check("queued"),
    "check run at work": _check("in_progress"),
}
STATUSES = {"red status": "failure", "broken status": "error", "pending status": "pending"}
RUNS = {
    "red run": _run(conclusion="failure", reports=True),
    "run that failed to start": _run(conclusion="startup_failure"),
    "cancelled run": _run(conclusion="cancelled", reports=True),
    "run cancelled before its jobs": _run(conclusion="cancelled"),
    "timed-out run": _run(conclusion="timed_out"),
    "run that waits for somebody": _run(conclusion="action_required"),
    "queued run": _run("queued"),
    "requested run": _run("requested"),
    "run with a pending deployment": _run("waiting"),
    "run at work": _run("in_progress", reports=True),
}
RELEASE_RUNS = {
    "release run at work": _release_run("in_progress"),
    "queued release run": _release_run("queued"),
    "release run waiting for approval": _release_run("waiting"),
    "release run held back": _release_run("pending"),
    "requested release run": _release_run("requested"),
    "stuck release run": _release_run("in_progress", 0.5),
    "release run waiting for fifty days": _release_run("waiting", 50),
}

FACTS = (
    *(Fact(name, put, _REPORT, unpublished, CHECK, _OF_CHECKS, _CALM) for name, put in CHECK_RUNS.items()),
    *(
        Fact(name, _status(state), _REPORT, before, STATUS, ("app", "newer", "older", "branch"), _CALM)
        for name, state in STATUSES.items()
    ),
    *(Fact(name, put, _REPORT, before, RUN, _OF_RUNS, {"fork": _OTHER_COMMIT}) for name, put in RUNS.items()),
    *(
        Fact(
            *(name, put, ("RUN-1", "RUN-11", "RUN-21"), everywhere, RELEASE_RUN),
            ("workflow", "event", "branch", "channel", "version"),
            _UNRELATED,
            {"audit": {"*": "in an audit a run at work explains what is missing, and nothing is", "version": ""}},
        )
        for name, put in RELEASE_RUNS.items()
    ),
    Fact(
        "head without CI",
        _no_ci,
        _REPORT,
        lambda green: before(green) and green.name not in _SKIPPED,
        guises=("app", "workflow"),
    ),
    Fact(
        "red parent of a skipped head",
        _red_parent,
        _REPORT,
        lambda green: green.name == "ready, head without CI",
        guises=("app", "workflow"),
    ),
    Fact(
        "required check that never reported",
        _never_reported,
        _REPORT,
        before,
        harmless={
            "during a run of more than a minute": "the rules of a branch are looked at once",
        },
    ),
)
