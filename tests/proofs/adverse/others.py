"""What stands around a fact: many others of its kind, each of them as it should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from release_state.demo.github import Job
from release_state.demo.simple_pages import StoredFile
from tests.proofs.adverse.places import (
    BRANCH,
    CHECK,
    DRAFT,
    FILE,
    PATH,
    PULL,
    RELEASE,
    RELEASE_RUN,
    RULESET,
    RUN,
    STATUS,
    TAG,
    Kind,
)
from tests.proofs.adverse.worlds import Green
from tests.standins.world import World

TRIED = "Try it"
"""The title of pull requests that are not the release's."""


def put_others(world: World, green: Green, kind: Kind, count: int) -> None:
    """Put so many good ones into the world, now."""
    head, when = world.main(), world.tick()
    github = world.github
    if kind in (BRANCH, TAG):
        # An audit judges every version: what is tagged beside it is none.
        tag = "v0.0." if green.phase else "before-"
        _point(world, *(f"heads/feature-{n}" if kind is BRANCH else f"tags/{tag}{n + 1}" for n in range(count)))
    elif kind is FILE:
        channel = world.index.channels[green.channel]
        if world.index.project not in channel:
            world.index.list_version(green.channel, "0.0.0")
        files = channel[world.index.project].files
        for n in range(count):
            version = f"0.0.{n + 1}" if green.phase else sorted(files[name].version for name in files)[0]
            name = f"orbit_demo-{version}-py3.{n}.egg"
            files[name] = StoredFile(name, b"", version, when)
    elif kind is PATH:
        folder = world.clone / "scratch"
        folder.mkdir()
        (world.clone / ".git" / "info").mkdir(exist_ok=True)
        (world.clone / ".git" / "info" / "exclude").write_text("scratch/\n", encoding="utf-8")
        for n in range(count):
            (folder / f"{n}.txt").touch()
    elif kind is PULL:
        # Made of one: each by itself would cost git some processes.
        first = github.pulls[pull(world, world.branch(green.channel, "0.2.0"), "closed", when.isoformat())]
        for n in range(1, count):
            number = next(github._numbers)
            at = when + timedelta(seconds=n)
            github.pulls[number] = replace(first, number=number, id=10_000_000 + number, created_at=at)
    elif kind is RULESET:
        github.rulesets += [{"name": f"tags {n}", "enforcement": "disabled", "rules": []} for n in range(count)]
    else:
        # Release runs are of other commits: a thousand runs of one head are never a whole list.
        elsewhere = world.remote_git.run("commit-tree", f"{head}^{{tree}}", "-m", TRIED) if kind is RELEASE_RUN else ""
        for n in range(count):
            # Seconds apart: a thousand of them are one afternoon.
            at = when + timedelta(seconds=n)
            if kind is CHECK:
                github.add_check_run(head, f"lint {n}", started_at=at, app="linters")
            elif kind is STATUS:
                github.add_status(head, f"lint/{n}", created_at=at)
            elif kind is RUN:
                github.add_run("nightly.yml", event="schedule", head_sha=head, created_at=at, jobs=[Job("nightly")])
            elif kind is RELEASE_RUN:
                github.add_run("release.yml", created_at=at, jobs=[Job("release")], head_sha=elsewhere)
            elif kind in (DRAFT, RELEASE):
                github.add_release(f"nightly-{n}", created_at=at, published_at=at, make_latest="false", prerelease=True)
            else:
                raise AssertionError(f"nobody knows what others of {kind.name} are")
        world.time = max(world.time, when + timedelta(seconds=count))


def pull(world: World, head: str, state: str = "open", created_at: str | None = None, **more: object) -> int:
    """A pull request of a branch that need not be there any more; returns its number."""
    sha = world.github.branch_sha(head) or world.main()
    return world.github.add_pull(
        head, "main", title=TRIED, state=state, head_sha=sha, created_at=created_at or world.tick(), **more  # type: ignore[arg-type] # the stand-in's own keywords
    )  # fmt: skip


def take_one(world: World, kind: Kind) -> None:
    """Take the newest of a kind away: what stood behind it moves up by one."""
    github = world.github
    with github.lock:
        if kind is CHECK:
            github.check_runs.pop()
        elif kind is STATUS:
            github.statuses.pop()
        elif kind in (RUN, RELEASE_RUN):
            wanted = "release.yml" if kind is RELEASE_RUN else "nightly.yml"
            flow = github.find_workflow(wanted)
            assert flow
            newest = max(run.id for run in github.workflow_runs.values() if run.workflow_id == flow.id)
            del github.workflow_runs[newest]
        elif kind is PULL:
            del github.pulls[max(github.pulls)]
        elif kind is DRAFT:
            del github.releases[max(github.releases)]
        else:
            github.rulesets.pop(0)


def _point(world: World, *names: str) -> None:
    """Refs on the first commit, a thousand at once."""
    first = world.remote_git.run("rev-list", "--max-parents=0", "main")
    lines = "".join(f"create refs/{name} {first}\n" for name in names)
    world.remote_git.run("update-ref", "--stdin", stdin=lines.encode())
