"""The questions about what makes releases fail: the workflow's file, the settings, and how CI went before."""

from __future__ import annotations

from collections.abc import Collection

from release_state.facts.release import Release
from release_state.model.observation import NotObserved, known
from release_state.model.outcome import Phase
from release_state.model.snapshot import Snapshot
from release_state.model.target import Target
from release_state.observe.git.commit_workflows import CommitReader
from release_state.observe.git.commits import BranchHistory, Stores
from release_state.observe.github.ci import find_branch_runs
from release_state.observe.github.github import GitHub
from release_state.observe.github.settings import GitHubSettings
from release_state.observe.question import Question, no_history, nobody, settled


class Preflight:
    """Puts these questions; `forget` of the GitHub that it asks lets them be answered anew."""

    def __init__(self, github: GitHub, stores: Stores) -> None:
        self._github, self._stores = github, stores
        self._settings = GitHubSettings(github)

    def of_repository(self, target: Target) -> dict[str, Question]:
        """What GitHub is asked of the repository; nothing has to be known before."""
        branch, settings = target.release_branch, self._settings
        return {
            "rulesets": Question(("rulesets",), settings.rulesets),
            "branch_rules": Question(("branch_rules", branch), lambda: settings.branch_rules(branch)),
            "actions_settings": Question(("actions_settings",), settings.actions_settings),
        }

    def of_base(self, snapshot: Snapshot) -> dict[str, Question]:
        """What GitHub is asked of the base branch; of the snapshot the remote is needed."""
        try:
            base = Release(snapshot).base_branch
        except NotObserved as missing:
            return {name: nobody(name, missing) for name in ("base_rules", "base_runs")}
        workflow = snapshot.target.workflow
        return {
            "base_rules": Question(("base_rules", base), lambda: self._settings.base_rules(base)),
            "base_runs": Question(
                ("base_runs", base),
                lambda: self._github.observe(lambda api, place, _: find_branch_runs(api, place, base, workflow)),
            ),
        }

    def expected_ci(self, snapshot: Snapshot, asked: Collection[str]) -> Question:
        """CI of the base branch's head with what is expected of it; asked once the history is there.

        `asked` names the look-ups of the run: rules that nobody asked for require nothing.

        Known as it is where something on the head is red or pending, or where a phase does not judge it.
        """
        facts, target, found, rules = Release(snapshot), snapshot.target, snapshot.ci.value, snapshot.base_rules.value
        decided = found is None or any(result.state in ("failure", "pending") for result in found.results)
        if found is None or decided or snapshot.phase != Phase.PRE_RELEASE:
            return settled("ci", snapshot.ci)
        if problem := no_history(snapshot) or (snapshot.base_rules.unavailable if "base_rules" in asked else None):
            return nobody("ci", NotObserved(problem))  # a check that is required may be missing
        history = BranchHistory(self._stores, facts.remote, facts.base_branch, snapshot.clone.value)
        reader = CommitReader(history)
        required, base = rules.all_checks if rules else (), facts.base_branch
        return Question(
            ("ci", "expected", found, required, base),
            lambda: self._github.expected_ci(found, reader, required, target.workflow, base),
        )

    def workflow_files(self, snapshot: Snapshot) -> Question:
        """The release workflow at the head of the base branch; asked once the history is there."""
        facts, target, clone = Release(snapshot), snapshot.target, snapshot.clone.value
        if not target.workflow:
            return settled("workflow_files", known(None))
        try:
            remote, base, head = facts.remote, facts.base_branch, facts.base_head
        except NotObserved as missing:
            return nobody("workflow_files", missing)
        if problem := no_history(snapshot):
            return nobody("workflow_files", NotObserved(problem))
        from release_state.observe.git.workflow_files import observe_workflow_files

        return Question(
            ("workflow_files", head),
            lambda: observe_workflow_files(BranchHistory(self._stores, remote, base, clone), target.workflow),
        )
