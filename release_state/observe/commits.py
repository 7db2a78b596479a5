"""What the look-ups of a run share, and those that need commits: history, CI and what the base branch declares."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import structs

from release_state.facts.own_run import find_needed_jobs, find_own_publishers
from release_state.facts.process import require_workflows
from release_state.facts.publishers import find_publishers
from release_state.facts.workflow.document import FOLDER
from release_state.model.observation import NotObserved, Observation, Problem, known, value_or
from release_state.model.outcome import Phase
from release_state.model.snapshot import Clone, OwnRun, Remote
from release_state.model.target import ReleaseBranchName
from release_state.observe.call import Call, View
from release_state.observe.git.access import TokenAccess
from release_state.observe.git.command import GitFailed
from release_state.observe.git.commits import BranchHistory, Stores
from release_state.observe.git.history import SOURCE as HISTORY
from release_state.observe.git.history import fetch_history, observe_history, relate_clone
from release_state.observe.git.remote import foresee_refs, observe_remote
from release_state.observe.git.store import WantedCommit
from release_state.observe.git.workflow_files import CommitReader
from release_state.observe.github.ci import find_branch_runs
from release_state.observe.github.environments import observe_environments
from release_state.observe.github.expected_ci import look_up_states
from release_state.observe.github.github import GitHub
from release_state.observe.github.own_run import look_up_own_jobs
from release_state.observe.github.run_log import RunLogs
from release_state.observe.github.settings import GitHubSettings
from release_state.observe.http.cache import ResponseCache
from release_state.observe.http.client import HttpClient
from release_state.observe.http.limits import SharedLimit, TimeLeft
from release_state.settings.config import RunConfig

# What a look-up alone uses is imported when it asks: the others are on their way by then.


_STATUS_SECONDS = 10.0
"""The longest wait for a status page: it only explains."""


class CommitSources:
    """Asks git and GitHub about commits; holds what all look-ups of a run share. Safe to use from many threads."""

    def __init__(
        self,
        config: RunConfig,
        token: str | None,
        own_run_id: int | None,
        environ: Mapping[str, str],
        cancel: threading.Event,
        shared_limit: SharedLimit | None,
        time: TimeLeft,
        own_run: OwnRun | None = None,
        access: TokenAccess | None = None,
    ) -> None:
        target = config.targets[0]
        self.config, self.environ, self.cancel, self.time = config, environ, cancel, time
        self.own_run = own_run
        """The run that this run is a step of, where it asks about that run's commit."""
        self.client = HttpClient(
            time.seconds,
            token=token,
            token_host=target.github_api,
            cancel=cancel,
            shared_limit=shared_limit,
            time_left=time,
            cache=ResponseCache() if config.keep_answers else None,
        )
        # Without a token, whatever the address of the page.
        self.token_free = HttpClient(min(time.seconds, _STATUS_SECONDS), cancel=cancel, time_left=time)
        self.github = GitHub(self.client, target.github_api, target.repository, own_run_id=own_run_id)
        self.settings = GitHubSettings(self.github)
        self.run_logs = RunLogs(self.client, target.github_api)
        clone = Path(target.clone) if target.clone else None
        self.access = access
        self.stores = Stores(config.remote_url, lambda: time.left, clone_path=clone, cancel=cancel, access=access)
        self.downloaded: dict[str, bytes] = {}
        """Files by address that one look-up downloaded and another needs, too."""

    def remote(self) -> Observation[Remote]:
        """Return the remote's refs."""
        return observe_remote(self.config.remote_url, self.time.left, cancel=self.cancel, access=self.access)

    def foresee_remote(self, clone: Observation[Clone], remote_name: str) -> Remote | None:
        """Return the remote's refs as the clone last saw them; None if it cannot say."""
        if clone.value is None:
            return None
        try:
            git = self.stores.git()
            reader = self.stores.share_clone(Path(clone.value.path), git)
            return foresee_refs(reader, clone.value, remote_name, self.config.remote_url)
        except GitFailed:
            return None  # whatever is wrong with the clone, its own look-up says it

    def forget(self) -> None:
        """Begin a round: ask anew for logs and downloads, with the whole time; not while a look-up runs."""
        self.github.forget()
        self.run_logs.forget()
        self.downloaded.clear()
        self.stores.close()
        self.time.begin()

    def close(self) -> None:
        """Remove what was fetched for this run alone."""
        self.stores.close()

    @staticmethod
    def history_problem(view: View) -> Problem | None:
        """Return why the history of the base could not be fetched: no second look-up waits for it."""
        problem = view.snapshot.history.unavailable
        return problem if problem and problem.source == HISTORY else None

    def require_history(self, view: View) -> None:
        """Raise NotObserved if the history of the base could not be fetched."""
        if problem := self.history_problem(view):
            raise NotObserved(problem)

    def fetch_ahead(self, view: View) -> Call | None:
        """Return the fetch of the base branch's history, where the clone's is cut; by the refs that the clone has."""
        if (clone := view.snapshot.clone.value) is None or not clone.shallow:
            return None
        base = BranchHistory(self.stores, view.release.remote, view.release.base_branch, clone)
        wanted = _list_ref_commits(view)
        return Call((tuple(wanted),), lambda: fetch_history(base, wanted))

    def history(self, view: View) -> Call:
        """Return the commits that matter and how they lie to each other."""
        base, head = view.release.base_branch, view.release.base_head
        wanted, pairs = _list_ref_commits(view), []
        if tag := view.release.tag:
            for branch in view.release.find_line_branches():
                wanted.append(WantedCommit(branch.sha, f"refs/heads/{branch.name}", details=False))
                pairs.append((tag.commit, branch.sha))
            for pull in view.snapshot.pulls.value or ():
                wanted.append(WantedCommit(pull.head_sha, f"refs/pull/{pull.number}/head", details=False))
                pairs.append((tag.commit, pull.head_sha))
                if pull.merged and tag.commit not in (pull.head_sha, pull.merge_commit):
                    pairs.append((pull.head_sha, tag.commit))
                    if pull.merge_commit:
                        wanted.append(WantedCommit(pull.merge_commit, f"refs/heads/{base}", details=False))
                        pairs.append((pull.merge_commit, tag.commit))
        return Call(
            (head, tuple(wanted), tuple(pairs)),
            lambda: observe_history(
                self.commits_of(view),
                wanted,
                pairs,
                changelog_file=view.target.changelog,
                package=view.target.name,
                along=(f"{FOLDER}/",),
                tagged={tag.commit: view.target.parsed_version for tag in view.release.version_tags},
            ),
        )

    def related_clone(self, view: View) -> Call | Observation[Any]:
        """Return the clone with how its HEAD lies to the head of the base branch."""
        clone = view.snapshot.clone
        try:
            head = view.release.base_head
        except NotObserved:
            return clone
        if clone.value and clone.value.head != head and (problem := self.history_problem(view)):
            unknown: Observation[Any] = Observation(value=None, unavailable=problem)
            return known(structs.replace(clone.value, ahead=unknown, behind=unknown))
        return Call((head, clone), lambda: relate_clone(clone, self.commits_of(view)))

    def workflow_files(self, view: View) -> Call | Observation[Any]:
        """Return the workflows at the head of the base branch, or at the own run's commit; and at the version's tag."""
        if "workflow" in view.target.given and not view.target.workflow:
            return known(None)
        head = self._released(view)
        self.require_history(view)
        from release_state.observe.git.workflow_files import observe_workflow_files

        commits = {tag.commit: f"refs/tags/{tag.name}" for tag in view.release.version_tags if tag.commit != head}
        if len(commits) > 1:
            # Nobody knows which one is the version's, unless one is spelled as the project spells it.
            exact = view.release.tag
            commits = {exact.commit: f"refs/tags/{exact.name}"} if exact and exact.commit != head else {}
        wanted = next((WantedCommit(*each) for each in commits.items()), None)
        tagged = structs.replace(self.commits_of(view), tagged=wanted) if wanted else None
        # The answer names the branch: ahead, another one may be taken for the base, with the same head.
        inputs = (view.release.base_branch, head, wanted)
        return Call(inputs, lambda: observe_workflow_files(self._commits_to_release(view), tagged))

    def calculation(self, view: View) -> Call | None:
        """The next version by the project's rules: before a release, or for a published version without a tag."""
        if view.phase is Phase.POST_RECOVERY and (not view.release.files or view.release.version_tags):
            return None
        remote, base, head = view.release.remote, view.release.base_branch, view.release.base_head
        self.require_history(view)
        from release_state.observe.next_version.calculation import observe_calculation

        tags = tuple((tag.name, tag.commit) for tag in remote.tags)
        return Call(
            (base, head, tags, view.target.workflow, view.target.tag_template),
            lambda: observe_calculation(view.target, self.commits_of(view), cancel=self.cancel),
        )

    def ci(self, view: View) -> Call:
        """CI of the base branch's head, or of the own run's commit."""
        head, base = self._released(view), view.release.find_branch_of(self._released(view))
        workflows, needed = view.target.workflows, self._find_needed(view)
        return Call((head, workflows, base, needed), lambda: self.github.checks(head, workflows, base, needed))

    def own_jobs(self, view: View) -> Call | None:
        """Return the jobs of the own run that publish."""
        if (run := self.own_run) is None:
            return None
        names = frozenset(each.job_name for each in find_own_publishers(view.target, run))
        return Call((run.id, names), lambda: self.github.observe(partial(look_up_own_jobs, run=run, names=names)))

    def _released(self, view: View) -> str:
        """The commit to release."""
        return self.own_run.sha if self.own_run else view.release.base_head

    def _find_needed(self, view: View) -> frozenset[str]:
        """The jobs of the own run that the job which asks needs."""
        run, files = self.own_run, view.snapshot.workflow_files.value
        if run is None or files is None:
            return frozenset()
        return find_needed_jobs(f"{FOLDER}/{run.workflow}", files.texts, run.job)

    def base_rules(self, view: View) -> Call:
        """Return what the base branch requires of changes."""
        base = view.release.base_branch
        return Call((base,), lambda: self.settings.base_rules(base))

    def environments(self, view: View) -> Call:
        """Return the environments of the jobs that surely publish, by the files of the base branch."""
        target, files = view.target, view.snapshot.workflow_files.known()
        require_workflows(target, view.snapshot.workflow_files)
        path = f"{FOLDER}/{target.workflow}"
        if files and path in files.unread:
            raise NotObserved(Problem(source="release workflow", why=f"{path} was not read"))
        sure = [each for each in find_publishers(target, files) if not each.is_guess] if files else []
        names = tuple(sorted({each.environment for each in sure if each.environment}))
        return Call((names,), lambda: observe_environments(self.github, names) if names else known(()))

    def workflow_states(self, view: View) -> Call | Observation[Any]:
        """Return which workflows are switched off, where some have a version to publish yet."""
        has_published = view.phase is Phase.POST_RECOVERY and value_or(True, lambda: view.release.is_published)
        if has_published or not view.target.workflows:
            return known(())
        return Call((), lambda: self.github.observe(look_up_states))

    def base_runs(self, view: View) -> Call:
        """Return the last finished runs of CI on the base branch."""
        base, workflows = view.release.base_branch, view.target.workflows
        look_up = partial(find_branch_runs, branch=base, workflows=workflows)
        return Call((base, workflows), lambda: self.github.observe(look_up))

    def expected_ci(self, view: View) -> Call | Observation[Any]:
        """CI of the base branch's head with what is expected of it; as found where it is red or pending."""
        snapshot, found, rules = view.snapshot, view.snapshot.ci.value, view.snapshot.base_rules
        if found is None or any(result.state in ("failure", "pending") for result in found.results):
            return snapshot.ci
        self.require_history(view)
        if "base_rules" in view.asked and rules.unavailable:  # a required check may be missing
            raise NotObserved(rules.unavailable)
        base, required = view.release.find_branch_of(found.sha), rules.value.all_checks if rules.value else ()
        workflows = view.target.workflows
        reader = CommitReader(self._commits_to_release(view))
        return Call(
            ("expected", found, required, base, workflows),
            lambda: self.github.expected_ci(found, reader, required, workflows, base),
        )

    def _commits_to_release(self, view: View) -> BranchHistory:
        """The commits of the base branch; those up to the own run's commit if it asks about that one."""
        run = self.own_run
        return structs.replace(self.commits_of(view), tagged=WantedCommit(run.sha, run.ref) if run else None)

    def commits_of(self, view: View) -> BranchHistory:
        """Return the commits of the base branch, from the clone if there is one, else fetched for this run."""
        release, clone = view.release, view.snapshot.clone.value
        return BranchHistory(self.stores, release.remote, release.base_branch, clone, fetches=not view.is_foreseen)


def _list_ref_commits(view: View) -> list[WantedCommit]:
    release, target = view.release, view.target
    leaves_tag = "tag" in target.channel.leaves
    wanted = [WantedCommit(release.base_head, f"refs/heads/{release.base_branch}", details=True)]
    wanted += [WantedCommit(tag.commit, f"refs/tags/{tag.name}", details=True) for tag in release.version_tags]
    for name in (target.release_branch, *other_branches(view)):
        if branch := release.remote.branch(name):
            # Where no tag says what was published, the branch does.
            details = not leaves_tag and name == target.release_branch
            wanted.append(WantedCommit(branch.sha, f"refs/heads/{name}", details=details))
    return wanted


def other_branches(view: View) -> dict[str, ReleaseBranchName]:
    """Return the release branches of other versions and channels, parsed, if the run asks for their pull requests."""
    remote, target = view.snapshot.remote.value, view.target
    if remote is None or "open_pulls" not in view.asked:
        return {}
    named = ((branch.name, target.parse_release_branch(branch.name)) for branch in remote.branches)
    return {name: parsed for name, parsed in named if parsed and name != target.release_branch}
