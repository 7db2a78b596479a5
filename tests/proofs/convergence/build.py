"""How the demo world gets into a state: by what a workflow and people do."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from release_state.demo import project
from tests.proofs.convergence.states import IN_CLONE, ON_RELEASE, VERSION, State
from tests.standins.world import World


def build(world: World, state: State) -> None:
    """Bring a world from its base into a state, by what a workflow and people do."""
    branch, main = world.branch(state.channel, VERSION), world.main()
    _other_branches(world, state)
    head = _released_commit(world, state, branch)
    sync(world)
    files = _publish(world, state, head)
    _tags(world, state, head, main)
    pull = _pull(world, state, branch)
    if state.branch == "moved":
        world.commit("fix: mend it after the publication", branch=branch)
    _release(world, state)
    if state.pull in ("merged", "merged-left") and pull is not None:
        if state.branch == "moved":  # merged as it was published, and pushed to since
            moved = world.remote_git.rev(f"refs/heads/{branch}")
            world.remote_git.set_ref(f"refs/heads/{branch}", head)
            world.merge_pull(pull)
            world.remote_git.set_ref(f"refs/heads/{branch}", moved)
        else:
            world.merge_pull(pull)
    if state.pull == "closed" and pull is not None:
        world.close_pull(pull)
    if state.branch in ("absent", "empty") and f"refs/heads/{branch}" in world.remote_git.refs():
        world.delete_branch(branch)
    if state.branch == "empty":
        world.remote_git.set_ref(f"refs/heads/{branch}", world.main())
    if state.index == "yanked":
        world.index.yank(state.channel, VERSION, "released by mistake")
    if state.index == "part-yanked":
        world.index.yank(state.channel, files[0], "a broken file")
    if state.index == "deleted":
        world.index.delete(state.channel, VERSION, keep_listed=True)
    _run(world, state, branch, main)
    world.ci(world.main())
    sync(world)
    _clone(world, state)


def _publish(world: World, state: State, head: str) -> list[str]:
    if state.index == "absent":
        return []
    kinds = {"sdist": ("sdist",), "wheel": ("wheel",)}.get(state.index, ("sdist", "wheel"))
    # On a branch that equals main the version was written without being committed.
    bumped = VERSION if state.branch == "empty" else None
    version = "0.2" if state.index == "respelled" else VERSION
    return world.publish(state.channel, version, head, kinds=kinds, bumped=bumped)


def _run(world: World, state: State, branch: str, main: str) -> None:
    log = f"Building {VERSION} on {branch}\n"
    if state.run == "failed":
        log += "##[error]Process completed with exit code 1.\n"
        world.run_release(state.channel, "failure", "Build", log, head_sha=main)
    elif state.run == "timed-out":
        log += "##[error]The job running on runner 7 has exceeded the maximum execution time of 20 minutes.\n"
        world.run_release(state.channel, "cancelled", "Publish", log, head_sha=main, minutes=20)
    elif state.run in ("running", "stuck"):
        started = datetime.now(timezone.utc) - timedelta(hours=2 if state.run == "stuck" else 0)
        run = world.run_release(state.channel, status="in_progress", head_sha=main, started=started)
        world.github.workflow_runs[run].conclusion = None


def _clone(world: World, state: State) -> None:
    if state.clone == "behind":
        world.clone_git.run("reset", "--quiet", "--hard", "HEAD~1")
    elif state.clone == "dirty":
        (world.clone / "LICENSE").write_text("changed by hand\n", encoding="utf-8")
        (world.clone / "left.txt").write_text("not tracked\n", encoding="utf-8")
    elif state.clone == "shallow":
        world.clone_git.run("fetch", "--quiet", "--no-tags", "--depth", "1", "origin", "main")


def sync(world: World) -> None:
    """Bring the clone up to date as a maintainer does, its own tags left alone."""
    world.clone_git.run("fetch", "--quiet", "--prune", "--no-tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
    world.clone_git.run("reset", "--quiet", "--hard", "origin/main")


def _released_commit(world: World, state: State, branch: str) -> str:
    """Make the commit that was, or would be, released, with the release branch that it is on."""
    if state.branch == "empty":
        # Bumped without a commit. A pull request can only have come from an earlier run, which did commit.
        if state.pull != "none":
            world.push_release_branch(state.channel, VERSION)
        return world.main()
    on_branch = state.branch != "absent" or state.pull != "none" or state.tag in ON_RELEASE
    if on_branch or state.channel == "testpypi":
        return world.push_release_branch(state.channel, VERSION)
    # No ref leads to anything but main: it was published from there.
    return world.bump(VERSION, "main") if state.is_published else world.main()


def _tags(world: World, state: State, head: str, main: str) -> None:
    if state.tag == "elsewhere":
        world.tag(VERSION, world.remote_git.rev(f"{main}~1"))
    elif state.tag == "aside":
        world.remote_git.set_ref("refs/heads/aside", main)
        world.tag(VERSION, world.commit("feat: something that was never merged", branch="aside"))
        world.delete_branch("aside")
    elif state.tag != "absent":
        local = state.tag in IN_CLONE and state.tag != "differ"
        annotated = state.tag != "lightweight"
        world.tag(VERSION, head, annotated=annotated, local=local, remote=state.tag != "local")
    if state.tag == "differ":
        world.tag(VERSION, world.clone_git.rev(f"{main}~1"), local=True, remote=False)


def _pull(world: World, state: State, branch: str) -> int | None:
    if state.pull == "none":
        return None
    if state.pull == "several":
        world.close_pull(world.open_pull(VERSION, state.channel))
    if state.pull != "wrong-base":
        return world.open_pull(VERSION, state.channel)
    world.remote_git.set_ref("refs/heads/develop", world.remote_git.rev(f"{world.main()}~1"))
    title = project.pull_title(VERSION)
    return world.github.add_pull(branch, "develop", title=title, user="release-bot", created_at=world.tick())


def _release(world: World, state: State) -> None:
    if state.release in ("draft", "published", "not-latest"):
        world.github_release(VERSION, draft=state.release == "draft", latest=state.release == "published")
    elif state.release != "absent":
        number = world.github.add_release(
            f"v{VERSION}",
            prerelease=state.release == "wrong-flag",
            make_latest="true",
            created_at=world.time,
            published_at=world.tick(),
        )
        world.github.releases[number].immutable = state.release == "immutable"


def _other_branches(world: World, state: State) -> None:
    if state.others == "orphaned":
        world.push_release_branch("pypi", "0.1.5")
    elif state.others == "merged":
        pull = next(pull for pull in world.github.pulls.values() if pull.merged_at)
        world.remote_git.set_ref(f"refs/heads/{pull.head_ref}", pull.head_sha)
    elif state.others == "unfinished":
        other = "testpypi" if state.channel == "pypi" else "pypi"
        world.publish(other, "0.1.5", world.push_release_branch(other, "0.1.5"))
