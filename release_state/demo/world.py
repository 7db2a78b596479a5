"""A small world to try release checks on: a git remote, a clone, a package index and GitHub, all on this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from release_state.demo import project
from release_state.demo.dists import REQUIRES_PYTHON, build_sdist, build_wheel
from release_state.demo.git import RELEASE_BOT, WEB, Repository
from release_state.demo.github import GitHubServer, Job, Step
from release_state.demo.index import IndexServer
from release_state.demo.loopback import StatusPages

if TYPE_CHECKING:
    from typing_extensions import Self

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc)
"""When the world is looked at, unless told otherwise; fixed, so that commits have the same hashes in every run."""

PYPI_STEPS = ("branch", "publish", "tag", "pull", "release", "merged")
TESTPYPI_STEPS = ("branch", "publish", "merged")
"""The points at which `World.release` can stop, in order; on TestPyPI, the last is the deletion of the branch."""


@dataclass
class Release:
    """What a release has made so far."""

    commit: str
    """The release commit, on the release branch."""
    pull: int | None = None
    merge: str | None = None
    """The commit on the base branch."""


class World:
    """
    The demo world; a context manager that begins and ends everything, also after an exception.

    It begins with the base: version 0.1.0 released on `pypi` two months before `now`, conventional commits after it, CI
    green, the clone clean at `origin/main`. Each verb then does one thing as the release workflow, a maintainer or
    GitHub would, on the remote, and moves the world's clock on by a minute. The clone stays behind until `sync_clone`.

    `origin` of the clone is the `file://` URL of the bare remote, whose path ends with the repository's name: no URL in
    it leads to a network. Raises `GitError` where git refuses, as for a tag that exists.
    """

    package = project.NAME
    repository = "example-org/orbit"
    token = "demo-token-that-may-write"  # noqa: S105 - known to the stand-in alone
    index_type: type[IndexServer] = IndexServer
    github_type: type[GitHubServer] = GitHubServer
    status_type: type[StatusPages] = StatusPages
    """The classes of the services; tests have others, which they can disturb."""

    def __init__(self, now: datetime = NOW, *, requires_python: str = REQUIRES_PYTHON) -> None:
        self.now = now
        self.requires_python = requires_python
        self.time = now - timedelta(days=60)
        """The moment of the next event; moved on by each verb."""
        self.tags = "v{version}"
        """How tags are spelled."""
        self.folder = ""
        """The package's folder in the repository."""
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        """Start the servers and build the base."""
        with ExitStack() as exits:
            directory = exits.enter_context(
                tempfile.TemporaryDirectory(prefix="release-state-demo-", ignore_cleanup_errors=True)
            )
            self.root = Path(directory).resolve()
            self.remote = self.root / f"{self.repository}.git"
            self.remote_url = self.remote.as_uri()
            self.clone = self.root / "orbit"
            self.remote_git = Repository.create_bare(self.remote, self.root)
            self.index = exits.enter_context(self.index_type(project=self.package))
            self.github = exits.enter_context(self.github_type(self.remote, self.repository))
            self.status = exits.enter_context(self.status_type())
            self.github.tokens[self.token] = "admin"  # a maintainer's, who can see the settings
            self.github.workflow_permissions["can_approve_pull_request_reviews"] = True
            self._build_base()
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the servers and remove the directory."""
        self._exits.close()

    def index_url(self, channel: str) -> str:
        """The root of the Simple API of a channel."""
        return self.index.index_url(channel)

    def tick(self, minutes: float = 1) -> datetime:
        """The present moment of the world; the clock then moves on."""
        present = self.time
        self.time += timedelta(minutes=minutes)
        return present

    def _build_base(self) -> None:
        self.remote_git.commit(
            "main",
            "chore: begin the project",
            when=self.tick(60),
            files=project.first_files(self.requires_python),
            parents=(),
        )
        self.github.add_workflow(project.CI_PATH, "CI", created_at=self.time)
        self.github.add_workflow(project.RELEASE_PATH, "Release", created_at=self.time)
        self.ci(self.commit("feat: add the first orbit"))
        # A merge commit keeps the tag in the history of main, where tools that work out versions look for it.
        self.release("pypi", "0.1.0", squash=False)
        self.time = self.now - timedelta(days=20)
        self.commit("fix: keep the orbit closed")
        self.tick(2 * 24 * 60)
        self.ci(self.commit("feat: add a second orbit"))
        self.tick(24 * 60 - 4)
        self.ci(self.commit("docs: describe both orbits"))
        self.clone_git = Repository.clone_of(self.remote_url, self.clone, self.root)
        self.time = self.now - timedelta(days=1)

    def clear(self) -> None:
        """Leave nothing of the base, so that another project can begin."""
        lines = "".join(f"delete {ref}\n" for ref in self.remote_git.refs())
        self.remote_git.run("update-ref", "--stdin", stdin=lines.encode())
        with self.github.lock:
            for held in (self.github.pulls, self.github.releases, self.github.workflows, self.github.workflow_runs):
                held.clear()
            self.github.check_runs.clear()
            self.github.latest_release = None
        with self.index.lock:
            for projects in self.index.channels.values():
                projects.clear()
        self.time = self.now - timedelta(days=60)

    # ---- git, as the workflow and maintainers use it

    def main(self) -> str:
        """The commit at the head of the base branch."""
        return self.remote_git.rev("refs/heads/main")

    def commit(self, message: str, files: Mapping[str, bytes | None] | None = None, *, branch: str = "main") -> str:
        """Push a commit to an existing branch and return its hash; without `files` it adds a note."""
        when = self.tick(10)
        note = {f"notes/{when:%Y%m%dT%H%M%S}.md": f"{message}\n".encode()}
        return self.remote_git.commit(branch, message, when=when, files=note if files is None else files)

    def bump(self, version: str, branch: str, parent: str | None = None) -> str:
        """Put the release commit of a version on a branch, which begins at `parent` (default: its own head)."""
        when = self.tick()
        start = parent or self.remote_git.rev(f"refs/heads/{branch}")
        changelog = self.remote_git.files(start)["CHANGELOG.md"]
        files = {
            **project.version_files(version, self.requires_python),
            "CHANGELOG.md": project.changelog_with(changelog, version, f"{when:%Y-%m-%d}"),
        }
        message = f"chore(release): v{version} [skip ci]"
        return self.remote_git.commit(
            branch, message, when=when, files=files, parents=(start,), author=RELEASE_BOT, committer=RELEASE_BOT
        )

    def push_release_branch(self, channel: str, version: str) -> str:
        """Push the release branch with its release commit on top of the base branch; returns that commit."""
        return self.bump(version, self.branch(channel, version), self.main())

    def branch(self, channel: str, version: str) -> str:
        """The name of a release branch."""
        return f"release/{channel}-v{version}"

    def delete_branch(self, branch: str) -> None:
        """Delete a branch on the remote."""
        self.remote_git.delete_ref(f"refs/heads/{branch}")

    def tag(self, version: str, commit: str, *, annotated: bool = True) -> str:
        """Tag a commit on the remote; returns what the ref holds."""
        message = f"Release v{version}" if annotated else None
        return self.remote_git.tag(self.tags.format(version=version), commit, when=self.tick(), message=message)

    def delete_tag(self, version: str) -> None:
        """Delete the tag of a version on the remote."""
        self.remote_git.delete_ref(f"refs/tags/{self.tags.format(version=version)}")

    def sync_clone(self) -> None:
        """Bring the clone up to date: every branch and tag as on the remote, main checked out at `origin/main`."""
        refs = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
        self.clone_git.run("fetch", "--quiet", "--prune", "origin", *refs)
        self.clone_git.run("reset", "--quiet", "--hard", "origin/main")

    # ---- the index

    def publish(
        self,
        channel: str,
        version: str,
        commit: str,
        *,
        kinds: Sequence[str] = ("sdist", "wheel"),
        bumped: str | None = None,
    ) -> list[str]:
        """
        Build the files of a version from a commit's tree and upload them; returns their names.

        `bumped` is a version that the workflow writes into the tree before, without committing it.
        """
        requires, summary = self.requires_python, project.SUMMARY
        tree = self.remote_git.files(commit)
        tree = {path.removeprefix(self.folder): data for path, data in tree.items() if path.startswith(self.folder)}
        tree |= project.version_files(bumped, requires) if bumped else {}
        sources = {path.removeprefix("src/"): data for path, data in tree.items() if path.startswith("src/")}
        built = []
        if "wheel" in kinds:
            built.append(
                build_wheel(
                    self.package, version, sources=sources, requires_python=requires, summary=summary,
                    license_text=tree["LICENSE"],
                )
            )  # fmt: skip
        if "sdist" in kinds:
            built.append(build_sdist(self.package, version, files=tree, requires_python=requires, summary=summary))
        for name, content in built:
            self.index.upload(channel, name, content, self.tick(0.05), requires_python=self.requires_python)
        return [name for name, _ in built]

    # ---- GitHub

    def open_pull(self, version: str, channel: str = "pypi") -> int:
        """Open the release pull request; returns its number."""
        return self.github.add_pull(
            self.branch(channel, version),
            "main",
            title=project.pull_title(version),
            body=project.pull_body(version),
            user="release-bot",
            created_at=self.tick(),
        )

    def merge_pull(self, number: int, *, squash: bool = True) -> str:
        """Merge a pull request as GitHub does, squashed or with a merge commit; returns the commit on its base."""
        self.github.refresh_pulls()
        pull = self.github.pulls[number]
        base, head = self.remote_git.rev(f"refs/heads/{pull.base_ref}"), pull.head_sha
        tree = self.remote_git.merged_tree(base, head)
        parents: tuple[str, ...] = (base,)
        if squash:
            subjects = self.remote_git.log("--reverse", f"{base}..{head}")
            # GitHub's default: a lone commit gives its own subject, several give the title and a list.
            listed = "".join(f"\n\n* {subject}" for subject in subjects)
            message = f"{subjects[0]} (#{number})" if len(subjects) == 1 else f"{pull.title} (#{number}){listed}"
        else:
            message = (
                f"Merge pull request #{number} from {self.repository.split('/')[0]}/{pull.head_ref}\n\n{pull.title}"
            )
            parents = (base, head)
        when = self.tick()
        commit = self.remote_git.commit(
            pull.base_ref, message, when=when, parents=parents, tree=tree, author=RELEASE_BOT, committer=WEB
        )
        with self.github.lock:
            pull.state, pull.merge_commit_sha, pull.merged_by = "closed", commit, "ada"
            pull.merged_at = pull.closed_at = pull.updated_at = when
        return commit

    def close_pull(self, number: int) -> None:
        """Close a pull request without merging it."""
        with self.github.lock:
            pull = self.github.pulls[number]
            pull.state = "closed"
            pull.closed_at = pull.updated_at = self.tick()

    def github_release(self, version: str, *, draft: bool = False, latest: bool = True) -> int:
        """Create the GitHub Release of a version; returns its id."""
        when = self.tick()
        return self.github.add_release(
            self.tags.format(version=version),
            body="## What's Changed\n\nSee the changelog.\n",
            draft=draft,
            prerelease="rc" in version,
            author="release-bot",
            created_at=when,
            published_at=when,
            make_latest="true" if latest else "false",
        )

    def delete_github_release(self, version: str) -> None:
        """Delete the GitHub Release of a version; its tag stays, as on GitHub."""
        tag = self.tags.format(version=version)
        with self.github.lock:
            number = next(key for key, release in self.github.releases.items() if release.tag == tag)
            del self.github.releases[number]

    def ci(self, sha: str, conclusion: str | None = "success", *, status: str = "completed") -> int:
        """Run CI on a commit of the base branch, with a check run for each job; returns the run's id."""
        when = self.tick(4)
        jobs = [Job(name) for name in project.CI_JOBS]
        return self.github.add_run(
            "ci.yml", status=status, conclusion=conclusion, event="push", head_branch="main", head_sha=sha, jobs=jobs,
            created_at=when, updated_at=when + timedelta(minutes=3), check_runs=True,
        )  # fmt: skip

    def run_release(
        self, channel: str, conclusion: str = "success", failed_step: str | None = None, log: str = "",
        *, status: str = "completed", minutes: float = 5, head_sha: str | None = None, started: datetime | None = None,
        skipped: Sequence[str] = (),
    ) -> int:  # fmt: skip
        """Record a run of the release workflow, by default on main's head; steps after the failed one are skipped."""
        when = started or self.tick(minutes)
        steps, reached = [Step("Set up job")], True
        for name in project.STEPS[channel]:
            outcome = "success" if reached and name not in skipped else "skipped"
            if name == failed_step:
                outcome, reached = conclusion, False
            steps.append(Step(name, conclusion=outcome))
        steps.append(Step("Complete job"))
        return self.github.add_run(
            "release.yml", status=status, conclusion=conclusion, head_branch="main", head_sha=head_sha or self.main(),
            title=f"Release to {channel}", created_at=when, updated_at=when + timedelta(minutes=minutes),
            jobs=[Job("release", steps=steps if status == "completed" else ())], log=log,
        )  # fmt: skip

    # ---- the whole workflow

    def release(
        self, channel: str, version: str, until: str = "merged", *, squash: bool = True, log: str = ""
    ) -> Release:
        """
        Do what the workflow does, in its order, and stop after the step `until`.

        The steps are `PYPI_STEPS` or `TESTPYPI_STEPS`. The run is recorded as successful when the workflow got to its
        end (`merged` on `pypi` is a person's work), else as failed in the step after `until`, with `log`.
        """
        steps = PYPI_STEPS if channel == "pypi" else TESTPYPI_STEPS
        wanted = steps[: steps.index(until) + 1]
        started, base = self.tick(2), self.main()
        done = Release(self.push_release_branch(channel, version))
        if "publish" in wanted:
            self.publish(channel, version, done.commit)
        if "tag" in wanted:
            self.tag(version, done.commit)
        if "pull" in wanted:
            done.pull = self.open_pull(version, channel)
        if "release" in wanted:
            self.github_release(version)
        failed = {"branch": "Build", "tag": "Create pull request", "pull": "Create GitHub Release"}.get(until)
        if until == "publish":
            failed = "Create tag" if channel == "pypi" else "Delete release branch"
        conclusion = "failure" if failed else "success"
        minutes = (self.time - started).total_seconds() / 60
        # As git says it in the step that makes the branch: what tells which version the run was for.
        log = f"Switched to a new branch '{self.branch(channel, version)}'\n{log}"
        self.run_release(channel, conclusion, failed, log, minutes=minutes, head_sha=base, started=started)
        if "merged" in wanted:
            if done.pull is not None:
                done.merge = self.merge_pull(done.pull, squash=squash)
            self.delete_branch(self.branch(channel, version))
        return done
