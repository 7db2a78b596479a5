"""Steps that come before all others: end a run, look up again, ask another channel, clean up the clone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import structs

from release_state.common.text import format_duration, join_items
from release_state.facts.beginning import Beginning, find_beginning
from release_state.facts.health import explain_by_status
from release_state.facts.release import Release
from release_state.facts.release_workflow import find_time_limit
from release_state.model.observation import NO_SOURCE, NotObserved, value_or
from release_state.model.outcome import ActionNeeded, InProgress
from release_state.model.plan import Mends, Step, Undecided, step
from release_state.model.snapshot import Clone, Snapshot, WorkflowRun
from release_state.plan.steps.commands import gh, in_clone, suite_command, workflow_page


def is_stuck(run: WorkflowRun, snapshot: Snapshot, minutes: int | None) -> bool:
    """Whether a run works for longer than its limit; queues and approvals have no limit.

    By GitHub's clock alone: where GitHub sent no time, this machine's clock may be wrong, and no run counts as stuck.
    """
    if run.status != "in_progress" or minutes is None or snapshot.clock_ahead is None:
        return False
    return snapshot.observed_at - (run.started_at or run.created_at) > timedelta(minutes=minutes)


def end_or_wait(release: Release) -> list[Step]:
    """End the stuck runs, else wait for the newest unfinished one, or for one to begin; empty if there is none."""
    minutes, runs = find_time_limit(release), release.unfinished_runs
    stuck = [run for run in runs if is_stuck(run, release.snapshot, minutes)]
    if steps := [_end(release, run) for run in stuck] or [_wait(release, run) for run in runs[:1]]:
        return steps
    beginning = value_or(None, lambda: find_beginning(release))
    return [_wait_to_begin(release, beginning)] if beginning else []


def _wait_to_begin(release: Release, beginning: Beginning) -> Step:
    return step(
        f"Wait for the run of {beginning.workflow} to begin and to end",
        suite_command(release.target, wait="600"),
        mends="run",
        reason=str(beginning),
        link=workflow_page(release.target, beginning.workflow),
    )


def _wait(release: Release, run: WorkflowRun) -> Step:
    return step(
        f"Wait for release run #{run.number} ({run.status}) to finish, or cancel it",
        gh(release, "run", "watch", str(run.id)),
        mends="run",
        reason="the result of a release in progress is not known yet",
        link=run.html_url,
    )


def _end(release: Release, run: WorkflowRun) -> Step:
    return step(
        f"Check run #{run.number}, then cancel it",
        gh(release, "run", "view", str(run.id)),
        gh(release, "run", "cancel", str(run.id)),
        mends="run",
        reason="it is past its own time limit; after waiting for an approval it may still be working: check first",
        destroys=f"what run #{run.number} would still do",
        saves="what it pushed or published stays; run this again afterwards to see it",
        link=run.html_url,
    )


_WORDS = {"in_progress": "in progress", "waiting": "waiting for approval", "pending": "queued by its concurrency group"}


def judge_unfinished(release: Release, why: str, steps: Sequence[Step]) -> None:
    """Judge the unfinished runs of the release workflow, on any channel: GitHub keeps no inputs of a run.

    Raises ActionNeeded if one is stuck, InProgress if one is unfinished.
    """
    runs, snapshot = release.unfinished_runs, release.snapshot
    if not runs:
        return
    minutes, expected = find_time_limit(release), "no unfinished release run"
    words = join_items(describe_run(run, snapshot.observed_at) for run in runs)
    if stuck := [f"#{run.number}" for run in runs if is_stuck(run, snapshot, minutes)]:
        raise ActionNeeded(
            expected=expected,
            found=f"{words}; {', '.join(stuck)} is stuck: past its own limit of {minutes} minutes",
            why=f"{why}, and this one will not finish by itself",
            steps=steps,
        )
    raise InProgress(expected=expected, found=words, why=why, steps=steps)


def describe_run(run: WorkflowRun, observed_at: datetime) -> str:
    """A run in words: its number, state, start, author and page."""
    since = run.started_at or run.created_at
    who = f", started by {run.actor}" if run.actor else ""
    age = format_duration((observed_at - since) / timedelta(minutes=1))
    state = _WORDS.get(run.status, run.status)
    return f"#{run.number} {state} since {since:%Y-%m-%d %H:%M} UTC ({age}){who}: {run.html_url}"


def try_steps(release: Release, decision: str, make: Callable[[], Iterable[Step]]) -> list[Step]:
    """The steps that a function makes; the step that looks up again if they depend on a failed look-up."""
    try:
        return list(make())
    except NotObserved as missing:
        return [find_out_first(release, missing, decision)]


def find_out_first(release: Release, missing: NotObserved, decision: str) -> Step:
    """The step that looks up again, in the place of a decision that depends on it."""
    problem = missing.problem
    when = f"; retry after {problem.retry_at:%Y-%m-%d %H:%M:%S} UTC" if problem.retry_at else ""
    reasons = [problem.why + when, problem.remedy, explain_by_status(release.snapshot, problem)]
    undecided = Undecided(source=problem.source, decisions=(decision,))
    return step(
        _title(undecided),
        suite_command(release.target),
        mends="all",
        reason="; ".join(filter(None, reasons)),
        undecided=undecided,
    )


def _title(undecided: Undecided) -> str:
    decisions = " and ".join(undecided.decisions)
    if undecided.source == NO_SOURCE:  # in a narrowed run
        return f"Run all checks first, to decide {decisions}"
    return f"Look up again first, to decide {decisions}: {undecided.source}"


def merge_by_cause(steps: Iterable[Step]) -> list[Step]:
    """The steps, with one new look-up per cause in the place of the first."""
    result: list[Step] = []
    places: dict[tuple[str, str], int] = {}
    for each in steps:
        if (more := each.undecided) is not None:
            place = places.setdefault((more.source, each.reason), len(result))
            if place < len(result) and (undecided := result[place].undecided):
                decisions = tuple(dict.fromkeys((*undecided.decisions, *more.decisions)))
                both = structs.replace(more, decisions=decisions)
                result[place] = structs.replace(result[place], undecided=both, title=_title(both))
                continue
        result.append(each)
    return drop_repeated_runs(result)


def drop_repeated_runs(steps: Sequence[Step]) -> list[Step]:
    """The steps; of new look-ups in a row with the same commands, only the last keeps them."""
    return [
        structs.replace(each, commands=())
        if after and each.mends == after.mends == "all" and each.commands == after.commands
        else each
        for each, after in zip(steps, [*steps, None][1:], strict=True)
    ]


def describe_siblings(release: Release, tag: str) -> str:
    """The condition that no sibling package goes by a tag, to be added to one; empty if only this package can."""
    target, base = release.target, value_or(None, lambda: release.lineage(release.base_head))
    if base is None or not base.package_folder or target.names_package(target.tag_template):
        return ""
    return f", and no other package of the repository is released as {tag}: this one is in {base.package_folder}"


def leave_to_others(release: Release, what: str, others: tuple[str, ...], mends: Mends) -> Step:
    """Keep a trace that other channels, or other projects of the repository, need."""
    if mends not in ("branch", "pull-request") and others == release.tag_owners:
        return _leave_to_owners(release, what, mends)
    return step(
        f"Keep {what}: {release.version} is published on {join_items(others)}, which needs it",
        mends=mends,
        reason=f"{release.channel.name} cannot decide on it; if {others[0]} does not leave it, remove it from "
        f"channels.{others[0]}.leaves in the configuration",
        advice=True,
    )


def _leave_to_owners(release: Release, what: str, mends: Mends) -> Step:
    return step(
        f"Keep {what}: it is of {join_items(release.tag_owners)}",
        mends=mends,
        reason=f"that declares {release.version} at its commit, and {release.target.package} another version; give "
        "this package's tags a name of their own, and say so: --tag-template '{package}-v{version}'",
        advice=True,
    )


def name_package(release: Release, packages: Sequence[str]) -> Step:
    """Name the right package: what is found of the version is another package's."""
    target = release.target
    right = structs.replace(target, package=packages[0]) if len(packages) == 1 else None
    return step(
        f"Name the package to release with --package: {join_items(packages)}",
        *([suite_command(right)] if right else []),
        mends="all",
        reason=f"{release.base_branch} builds no {target.package}, and {target.channel.name} lists none: what is found "
        "of this version is another package's",
    )


def ask_others_first(release: Release, others: tuple[str, ...], what: str, why: str) -> Step:
    """Check the version on another channel first: the plan would change what that channel needs."""
    if others == release.tag_owners:
        return _leave_to_owners(release, what, "tag")
    return step(
        f"First check {release.version} on {others[0]}, and keep {what} until then",
        suite_command(release.target, channel=others[0]),
        mends="all",
        reason=f"{release.version} is published on {join_items(others)}, too, which needs {what}: {why}",
    )


_MARKS = ("--no-skip-worktree", "--no-assume-unchanged")


def tidy_up(release: Release, clone: Clone, title: str = "Commit, stash or remove them") -> list[Step]:
    """Let git show every change of the working tree, and decide on each."""
    # Of a path that is not UTF-8 only its escapes are known.
    paths = clone.marked if not any("\\" in path for path in clone.marked) else ()
    # One option at a time: git heeds only one of the two.
    unmarking = [in_clone(release, "update-index", mark, "--", *paths) for mark in _MARKS if paths]
    settings = [word for setting in clone.showing for word in ("-c", setting)]
    show = step(title, in_clone(release, *settings, "status", "--short"))
    if not clone.marked:
        return [show]
    reason = "git status, git commit and git stash skip a marked file"
    return [step("Remove the marks that hide changes from git", *unmarking, reason=reason), show]
