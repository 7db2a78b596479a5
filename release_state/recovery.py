"""From the diagnosis to the exact steps that mend the release, in order; printed, never run (pure).

Rules that bind every step: nothing destructive rests on a fact that was not observed; a version that was published
keeps its tag until every file is yanked; a branch with commits that the base lacks is saved before it is deleted, and
one with an open pull request is not deleted at all. Deletions carry the hash that was observed, so that the remote
refuses them once something has moved.
"""

from __future__ import annotations

from functools import cached_property

from release_state.diagnosis import Diagnosis, diagnose
from release_state.model import NotObserved
from release_state.plan import Step, step
from release_state.release import Release
from release_state.snapshot import Branch, GitHubRelease, PullRequest, Tag


class Recovery:
    """The steps that one release needs, each told apart by the trace that it mends."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.target = release.target

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """The state that the steps lead out of."""
        return diagnose(self.release)

    @property
    def remote(self) -> str:
        """How a command names the remote: by name inside a clone, else by URL."""
        return self.target.remote if self.target.clone else self.target.remote_url

    def _repo(self, *command: str) -> list[str]:
        return ["gh", *command, "--repo", self.target.repository]

    # --- branches ----------------------------------------------------------------------------------------------

    def delete_branch(self, branch: Branch) -> list[Step]:
        """Delete a release branch of the remote: only if no pull request is open, and never what it alone holds."""
        release = self.release
        try:
            open_pulls = [
                pull
                for pull in (*release.snapshot.open_pulls.present(), *self._pulls_of(branch))
                if pull.is_open and pull.head_branch == branch.name
            ]
            unfinished = release.unfinished_runs
        except NotObserved as missing:
            return [self._find_out_branch(branch, str(missing))]
        if open_pulls:
            pull = open_pulls[0]
            return [
                step(
                    f"Decide on pull request #{pull.number} first: {branch.name} is its head",
                    self._repo("pr", "view", str(pull.number)),
                    reason="a branch with an open pull request is in use",
                    link=pull.html_url,
                )
            ]
        if unfinished:
            return [self.wait_for_run()]
        try:
            lineage = None if branch.sha == release.base_head else release.lineage(branch.sha)
        except NotObserved as missing:
            return [self._find_out_branch(branch, str(missing))]
        steps = []
        held = lineage.unmerged_count if lineage else 0
        backup = f"backup/{branch.name}-{branch.sha[:7]}"
        merged_here = any(pull.merged and pull.head_sha == branch.sha for pull in self._pulls_of(branch))
        if lineage and lineage.ahead and not merged_here:
            steps.append(
                step(
                    f"Keep what {branch.name} holds, under {backup}",
                    ["git", "fetch", self.remote, f"refs/heads/{branch.name}"],
                    ["git", "push", self.remote, f"{branch.sha}:refs/heads/{backup}"],
                    reason=f"it holds {held} commit{'s' * (held != 1)} that {release.base_branch} lacks"
                    if held
                    else f"its commits are in {release.base_branch} only in another form",
                    verify=[["git", "ls-remote", self.remote, f"refs/heads/{backup}"]],
                )
            )
        steps.append(
            step(
                f"Delete the release branch {branch.name}",
                [
                    "git",
                    "push",
                    f"--force-with-lease=refs/heads/{branch.name}:{branch.sha}",
                    self.remote,
                    f":refs/heads/{branch.name}",
                ],
                reason="the next run of the workflow cannot create it while it is there",
                destroys=f"branch {branch.name} at {branch.sha}",
                saves=f"kept under {backup}" if steps else f"nothing is lost: {self._why_safe(branch)}",
                verify=[["git", "ls-remote", self.remote, f"refs/heads/{branch.name}"]],
            )
        )
        return steps

    def _pulls_of(self, branch: Branch) -> tuple[PullRequest, ...]:
        if branch.name == self.target.release_branch:
            return self.release.pulls
        observed = self.release.snapshot.branch_pulls.get(branch.name)
        return observed.present() if observed else ()

    def _why_safe(self, branch: Branch) -> str:
        merged = [pull for pull in self._pulls_of(branch) if pull.merged and pull.head_sha == branch.sha]
        if merged:
            return f"pull request #{merged[0].number} was merged with this very head"
        return f"{self.release.base_branch} holds every commit of it"

    def _find_out_branch(self, branch: Branch, why: str) -> Step:
        return step(
            f"Find out whether {branch.name} is in use and what it holds",
            self._repo("pr", "list", "--state", "all", "--head", branch.name),
            ["git", "fetch", self.remote, f"refs/heads/{branch.name}"],
            ["git", "log", "--oneline", "-20", branch.sha],
            reason=f"no deletion without knowing: {why}",
        )

    def wait_for_run(self) -> Step:
        """Look at the release run that is still working."""
        runs = self.release.unfinished_runs
        return step(
            "Wait for the release run to end",
            *[self._repo("run", "watch", str(run.id)) for run in runs[:1]],
            reason="what a running release still does cannot be judged",
            link=runs[0].html_url if runs else None,
        )

    def verify_other(self, version: str, channel: str) -> Step:
        """Run the suite for another version, whose release is unfinished."""
        return step(
            f"Look at the unfinished release of {version}",
            ["release-state", "--version", version, "--channel", channel],
            reason="its state decides whether the branch is still needed",
        )

    # --- tag ---------------------------------------------------------------------------------------------------

    def delete_tag(self, tag: Tag) -> list[Step]:
        """Delete this version's tag on the remote; only where the version is known not to be published."""
        release = self.release
        if "tag" not in self.target.channel.leaves:
            return [self.next_version(f"the tag {tag.name} belongs to another channel, which released this version")]
        try:
            published = bool(release.files) and not release.all_yanked
            immutable = bool(release.github_release and release.github_release.immutable is not False)
            has_release = release.github_release is not None
            if release.unfinished_runs:
                return [self.wait_for_run()]
        except NotObserved as missing:
            return [self._look_at_tag(tag, f"no deletion without knowing: {missing}")]
        if published or immutable:
            why = "the version is published" if published else "its GitHub Release may be immutable"
            return [self.next_version(f"{why}: its tag stays")]
        if has_release:
            return [self._look_at_tag(tag, "a GitHub Release stands on it: delete that first, or complete the release")]
        commands = [
            [
                "git",
                "push",
                f"--force-with-lease=refs/tags/{tag.name}:{tag.object}",
                self.remote,
                f":refs/tags/{tag.name}",
            ]
        ]
        return [
            self._look_at_tag(tag, "if it is on the right commit, complete the release instead of deleting it"),
            step(
                f"If the tag is wrong: delete {tag.name} on the remote",
                *commands,
                reason=f"{release.version} is not published, so nothing rests on the tag",
                destroys=f"tag {tag.name} (object {tag.object}, commit {tag.commit})",
                saves="a clone that has the tag brings it back with: git push "
                f"{self.remote} {tag.object}:refs/tags/{tag.name}",
                verify=[["git", "ls-remote", "--tags", self.remote, tag.name]],
            ),
        ]

    def delete_local_tag(self, tag: Tag) -> list[Step]:
        """Delete a tag of the clone that the remote does not have."""
        return [
            step(
                f"Delete the clone's tag {tag.name}, or push it if it is the right one",
                self._git("tag", "--delete", tag.name),
                reason="a workflow or a push from this clone would meet it",
                destroys=f"the clone's tag {tag.name} (object {tag.object}, commit {tag.commit})",
                saves=f"git update-ref refs/tags/{tag.name} {tag.object} brings it back",
            )
        ]

    def _git(self, *command: str) -> list[str]:
        return ["git", "-C", self.target.clone, *command] if self.target.clone else ["git", *command]

    def _look_at_tag(self, tag: Tag, reason: str) -> Step:
        return step(
            f"Look at the tag {tag.name}: who made it, and of which commit",
            ["git", "fetch", self.remote, f"refs/tags/{tag.name}"],
            ["git", "show", "--stat", "--no-patch", tag.object],
            reason=reason,
        )

    def create_tag(self) -> list[Step]:
        """Tag the released commit, where the refs say which one it is."""
        release, tag = self.release, self.target.tag
        branch = release.branch
        candidates: list[tuple[str, str, str]] = []
        if branch:
            candidates.append((branch.sha, f"refs/heads/{branch.name}", f"the head of {branch.name}"))
        try:
            for pull in release.pulls:
                if pull.merged and not any(pull.head_sha == sha for sha, _, _ in candidates):
                    ref = f"refs/pull/{pull.number}/head"
                    candidates.append((pull.head_sha, ref, f"the recorded head of pull request #{pull.number}"))
        except NotObserved:
            pass
        if len(candidates) == 1:
            sha, ref, what = candidates[0]
            return [
                step(
                    f"Tag {sha[:12]}, {what}, as {tag}",
                    ["git", "fetch", self.remote, ref],
                    ["git", "tag", "--annotate", tag, sha, "--message", f"Release {tag}"],
                    ["git", "push", self.remote, f"refs/tags/{tag}"],
                    reason="the version is published: the tag is what is missing, and this commit is the only "
                    "trace of what was built",
                    verify=[["git", "ls-remote", "--tags", self.remote, tag]],
                )
            ]
        return [
            step(
                "Establish which commit was published",
                ["git", "fetch", self.remote, f"refs/heads/{release.base_branch}"],
                ["git", "log", "--oneline", "-G", f"version.*{release.version}", "FETCH_HEAD", "--", "pyproject.toml"],
                reason="the version is published and no ref says from which commit: compare the published sdist with "
                "the tree of each candidate before tagging one",
            )
        ]

    def refresh_local_tag(self, local: Tag, remote: Tag) -> list[Step]:
        """Take the remote's tag into a clone that has another one."""
        return [
            step(
                f"Replace the clone's {local.name} by the remote's",
                self._git("fetch", "--force", self.remote, f"refs/tags/{remote.name}:refs/tags/{remote.name}"),
                reason=f"the clone has {local.commit[:12]}, the remote {remote.commit[:12]}, which is what others see",
                destroys=f"the clone's own tag {local.name} (object {local.object}, commit {local.commit})",
                saves=f"git update-ref refs/tags/{local.name} {local.object} brings it back",
            )
        ]

    # --- index -------------------------------------------------------------------------------------------------

    def next_version(self, reason: str) -> Step:
        """Publish the next patch version that nothing uses."""
        version = self.free_version()
        return step(
            f"Release {version} instead" if version else "Release the next version instead",
            *([["release-state", "--version", version, "--channel", self.target.channel.name]] if version else []),
            reason=reason,
        )

    def free_version(self) -> str | None:
        """The next patch version that no spelling on the index or tag uses; None where that is not known."""
        release = self.release
        try:
            used = {found.version for found in release.project.releases} | set(release.project.listed_without_files)
            tags = {str(v) for tag in release.remote.tags if (v := self.target.version_of_tag(tag.name))}
        except NotObserved:
            return None
        parts = [*release.version.release, 0, 0][:3]
        while True:
            parts[2] += 1
            candidate = ".".join(map(str, parts))
            if candidate not in used and candidate not in tags:
                return candidate

    def publish(self) -> list[Step]:
        """Publish what is missing: by hand from the tag, else by a new run once nothing is in its way."""
        release, target = self.release, self.target
        if release.tag:
            folder = f"{target.name}-{release.version}"
            return [
                step(
                    f"Publish {release.version} from its tag by hand",
                    ["git", "clone", "--branch", release.tag.name, "--depth", "1", target.remote_url, folder],
                    ["python", "-m", "build", folder],
                    ["python", "-m", "twine", "check", "--strict", f"{folder}/dist/*"],
                    [
                        "python",
                        "-m",
                        "twine",
                        "upload",
                        "--skip-existing",
                        "--repository",
                        target.channel.name,
                        f"{folder}/dist/*",
                    ],
                    reason="the tag says what to publish; a new run would work out another version from it",
                )
            ]
        return [*(self.delete_branch(release.branch) if release.branch else []), self.run_workflow()]

    def run_workflow(self) -> Step:
        """Start the release workflow; only offered where no tag of the version is in its way."""
        target = self.target
        if not target.workflow:
            return step("Start the release again", reason="the project names no release workflow")
        return step(
            "Start the release again, with the same inputs",
            self._repo("workflow", "run", target.workflow, "--field", f"target_environment={target.channel.name}"),
            reason="nothing of the version is published or tagged, so that the workflow works out the same version",
        )

    def yank(self) -> list[Step]:
        """Yank what is still offered; only the index's web interface can."""
        files = [file.filename for file in self.release.files if not file.yanked]
        return [
            step(
                f"Yank {self.release.version} in the web interface of the index",
                reason=f"a publication cannot be taken back; still offered: {', '.join(files)}",
                link=self.project_link(),
            )
        ]

    def project_link(self) -> str:
        """The page of the version for a person: the project page on the index's host."""
        root = self.target.channel.index_url.rstrip("/").removesuffix("/simple")
        if self.target.channel.is_public_index:
            return f"{root}/project/{self.target.name}/{self.release.version}/"
        return f"{root}/simple/{self.target.name}/"

    # --- pull request ------------------------------------------------------------------------------------------

    def create_pull(self) -> list[Step]:
        """Create the release pull request, after its branch where that is gone; none where GitHub would refuse it."""
        release, target = self.release, self.target
        steps = []
        head = release.branch.sha if release.branch else (release.tag.commit if release.tag else None)
        if head is None:
            return self.create_tag()
        if head == release.base_head or not release.lineage(head).ahead:
            return [
                step("No pull request is possible", reason=f"{release.base_branch} holds every commit of {head[:12]}")
            ]
        if not release.branch and release.tag:
            steps.append(
                step(
                    f"Recreate {target.release_branch} from the tag",
                    ["git", "fetch", self.remote, f"refs/tags/{release.tag.name}"],
                    ["git", "push", self.remote, f"{release.tag.commit}:refs/heads/{target.release_branch}"],
                    reason="a pull request needs a head branch",
                )
            )
        title, body = self.pull_text()
        steps.append(
            step(
                "Create the pull request",
                self._repo(
                    "pr",
                    "create",
                    "--base",
                    release.base_branch,
                    "--head",
                    target.release_branch,
                    "--title",
                    title,
                    "--body",
                    body,
                ),
                reason="it brings the release commit back to the base branch",
                verify=[self._repo("pr", "list", "--state", "all", "--head", target.release_branch)],
            )
        )
        return steps

    def pull_text(self) -> tuple[str, str]:
        """Title and body of the release pull request, as the runbook names them."""
        target, version = self.target, self.release.version
        body = (
            f"- Version bumped to {version}\n- {target.changelog} updated\n- Tag {target.tag}\n"
            f"- Package: {self.project_link()}\n- Install: pip install {target.name}=={version}\n"
        )
        channel = "PyPI" if target.channel.name == "pypi" else target.channel.name
        return f"🚀 {target.pull_title} to {channel}", body

    def close_pull(self, pull: PullRequest) -> list[Step]:
        """Close an open pull request; its commits stay reachable under refs/pull."""
        return [
            step(
                f"Close pull request #{pull.number}",
                self._repo("pr", "close", str(pull.number)),
                reason="it would merge what is being withdrawn; it can be opened again",
                link=pull.html_url,
            )
        ]

    # --- GitHub Release ----------------------------------------------------------------------------------------

    def create_release(self) -> list[Step]:
        """Create the GitHub Release of the tag, or publish its draft."""
        release, tag = self.release, self.target.tag
        if release.tag is None:
            return self.create_tag()
        try:
            if release.drafts:
                return [
                    step(
                        f"Publish the draft of {tag}",
                        self._repo("release", "edit", tag, "--draft=false"),
                        reason="a draft is there already",
                        link=release.drafts[0].html_url,
                    )
                ]
        except NotObserved:
            pass  # Without push right drafts are not listed; a second release of the same tag is refused by GitHub.
        flags = ["--prerelease"] if release.version.is_prerelease else [f"--latest={str(self._is_newest()).lower()}"]
        return [
            step(
                f"Create the GitHub Release {tag}",
                self._repo("release", "create", tag, "--verify-tag", "--title", tag, "--generate-notes", *flags),
                reason="the tag is there, its release is not",
                verify=[self._repo("release", "view", tag)],
            )
        ]

    def _is_newest(self) -> bool:
        newest = self.release.newest_final
        return newest is None or self.release.version >= newest

    def edit_release(self, title: str, *flags: str, tag: str | None = None) -> list[Step]:
        """Change a property of the GitHub Release; an immutable one refuses."""
        return [step(title, self._repo("release", "edit", tag or self.target.tag, *flags))]

    def delete_release(self, found: GitHubRelease) -> list[Step]:
        """Delete a GitHub Release or draft, keeping its tag; never an immutable one."""
        if not found.draft and found.immutable is not False:
            return [
                step(
                    f"Keep the GitHub Release {found.tag}",
                    reason="it is immutable: deleting it would burn the name of its tag"
                    if found.immutable
                    else "this server does not say whether it is immutable",
                    link=found.html_url,
                )
            ]
        try:
            published = bool(self.release.files) and not self.release.all_yanked
        except NotObserved as missing:
            return [
                step("Find out first whether the version is published", reason=str(missing), link=self.project_link())
            ]
        if published and not found.draft:
            return self.yank()
        kind = "draft" if found.draft else "GitHub Release"
        return [
            step(
                f"Save, then delete the {kind} {found.tag}; its tag stays",
                ["gh", "api", f"repos/{self.target.repository}/releases/{found.id}"],
                ["gh", "api", "--method", "DELETE", f"repos/{self.target.repository}/releases/{found.id}"],
                reason="it announces what is being withdrawn",
                destroys=f"the {kind} {found.tag} with its notes and assets",
                saves="the first command prints it",
                link=found.html_url,
            )
        ]
