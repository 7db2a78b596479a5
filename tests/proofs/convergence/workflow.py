"""The release workflow, whose steps are done literally in the demo world when a plan starts it."""

from __future__ import annotations

from packaging.version import Version

from release_state.demo import project
from tests.proofs.convergence.gh import GitHub
from tests.standins.world import World


def next_version(world: World) -> str | None:
    """What semantic-release works out: from the last tag that main holds and the commits since; None: no release."""
    git = world.remote_git
    tags = [Version(tag) for tag in git.run("tag", "--merged", "refs/heads/main").splitlines()]
    last = max(tags)
    subjects = git.log(f"v{last}..refs/heads/main")
    if any(subject.startswith("feat") for subject in subjects):
        return f"{last.major}.{last.minor + 1}.0"
    if any(subject.startswith("fix") for subject in subjects):
        return f"{last.major}.{last.minor}.{last.micro + 1}"
    return None


def run_release_workflow(world: World, channel: str, *, commits: bool) -> None:
    """One run of the workflow, step by step; `commits`: whether it commits the new version on its branch."""
    failed, log = _workflow_steps(world, channel, commits)
    world.run_release(channel, "failure" if failed else "success", failed, log)


def _workflow_steps(world: World, channel: str, commits: bool) -> tuple[str | None, str]:
    """Do the steps: the name of the one that failed, and its log."""
    hub, place = GitHub(world.github.url, world.token), f"repos/{world.repository}"
    version = next_version(world)
    if version is None:
        return None, "No release will be made\n"
    branch = world.branch(channel, version)
    refs = world.remote_git.refs()
    if f"refs/heads/{branch}" in refs:
        return "Create release branch", f"fatal: a branch named '{branch}' already exists\n"
    if commits:
        head = world.push_release_branch(channel, version)
    else:
        head = world.main()
        world.remote_git.set_ref(f"refs/heads/{branch}", head)
    if not world.index.files(channel, version):  # else released=skipped
        world.publish(channel, version, head, bumped=version)
    if channel == "testpypi":
        world.delete_branch(branch)
        return None, ""
    if f"refs/tags/v{version}" not in refs:
        world.tag(version, head)
    pull = {
        "title": project.pull_title(version),
        "body": project.pull_body(version),
        "head": branch,
        "base": "main",
    }
    status, answer = hub.ask("POST", f"{place}/pulls", pull)
    if status != 201:
        return "Create pull request", f"creating pull request failed: {answer}\n"
    release = {"tag_name": f"v{version}", "name": f"v{version}", "generate_release_notes": True, "make_latest": "true"}
    status, answer = hub.ask("POST", f"{place}/releases", release)
    return (None, "") if status == 201 else ("Create GitHub Release", f"HTTP {status}: {answer}\n")
