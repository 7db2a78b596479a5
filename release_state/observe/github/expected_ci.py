"""What CI a commit should have, where the results of its own do not decide. Each fact is looked up only if needed.

Sources: https://docs.github.com/rest/actions/workflows, /rest/repos/repos#list-repository-activities, and
https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#push
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from msgspec import structs

from release_state.facts.own_run import is_job_of
from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.document import FOLDER
from release_state.facts.workflow.starts import is_kept_from_pushes
from release_state.facts.workflow.triggers import BOT, PushTrigger, find_skip_marker
from release_state.model.snapshot import CICheck, CommitChecks, ExpectedCI, Push, PushedWorkflow, WorkflowState
from release_state.observe.git.workflow_files import MOST_CHANGED, CommitReader, CommitWorkflows
from release_state.observe.github.ancestors import (
    ANCESTORS,
    ANCESTORS_WITHOUT_TOKEN,
    OF_PUSHES,
    Ancestors,
    StandIn,
    find_reported,
    intersect_apps,
)
from release_state.observe.github.api import Fields, GitHubApi, failure
from release_state.observe.github.ci import Exclusions
from release_state.observe.github.lists import GitHubList

_MOST_PUSHES = 30
"""How many of the newest pushes to the branch are read."""
_OFF = "disabled"
_UNASKED = "not looked for without a token"


def read_push_log(api: GitHubApi, place: str, branch: str, deadline: float) -> dict[str, Push]:
    """The newest pushes to a branch, each by the head commit that it left. Raises LookupFailed."""
    ref, dates = f"refs/heads/{branch}", list[datetime]()

    def enough(page: list[Fields], date: datetime) -> bool:
        dates.append(date)
        return True

    path, params = f"{place}/activity", dict[str, str | int](ref=ref, per_page=_MOST_PUSHES)
    activities = GitHubList(
        api, path, "activities", params=params, deadline=deadline, enough=enough, newest_first="timestamp"
    )
    pushes: dict[str, Push] = {}
    for item in activities.read():
        if item.text("ref") != ref:
            raise failure(f"requested the activities of {ref}, GitHub gave one of {item.text('ref')}")
        push = Push(
            before=item.sha("before"),
            at=item.moment("timestamp"),
            by=item.login("actor"),
            kind=item.text("activity_type"),
            asked_at=dates[0],
        )
        pushes.setdefault(item.text("after"), push)  # a commit can be the head several times: the last one counts
    return pushes


class ExpectedCILookup:
    """Adds the expected CI to the checks of one commit. Every method may raise LookupFailed."""

    def __init__(
        self, api: GitHubApi, place: str, excluded: Exclusions, files: CommitWorkflows, reader: CommitReader
    ) -> None:
        self._api, self._place, self._files, self._reader = api, place, files, reader
        self._base = excluded.base
        self._deadline = api.client.deadline()
        self._chain = files.ancestors[: ANCESTORS if api.has_token else ANCESTORS_WITHOUT_TOKEN]
        self._ancestors = Ancestors(api, place, excluded, self._chain, self._deadline)

    def complete(self, checks: CommitChecks, required: Sequence[str]) -> CommitChecks:
        """Add `expected` to the checks, and the nearest complete ancestor where this commit's CI did not start."""
        starting = self._find_starting(checks)
        absent = [name for name in starting if name not in checks.ran]
        own = frozenset(result.name for result in checks.results)
        started = PushedWorkflow(file="", state="starts", why=f"starts on a push to {self._base}")
        expected = ExpectedCI(
            workflows=tuple(structs.replace(started, file=name) for name in starting if name in checks.ran),
            required=tuple(name for name in required if name in own),
            testing=self._files.testing,
            skip=find_skip_marker(self._files.message),
        )
        if absent:
            states = tuple(self._describe_missing(name, checks.sha) for name in absent)
            expected = structs.replace(expected, workflows=(*expected.workflows, *states))
            if any(workflow.state in ("starts", "unknown") for workflow in states):
                # No ancestor and no app can stand in for runs that are still to come.
                return self._add_push(checks, expected)
        begun = expected.has_begun and not expected.skip
        if begun or not expected.kept_away:
            expected = self._add_usual(expected, checks, required, bool(starting or required))
            lacks = bool(set(expected.apps) - checks.apps)
            # A required check may be a job of a workflow that was kept away: the ancestor has it.
            lacks |= bool(set(expected.required) - own) and not expected.kept_away
            if lacks and not expected.skip:
                return self._add_push(checks, expected)
            if not (lacks or expected.kept_away) and any(map(expected.is_vouched_by, checks.results)):
                return self._add_skipped(structs.replace(checks, expected=expected), is_tested=True)
        if (begun or expected.switched_off) and not (expected.kept_away or expected.skip):
            # A disabled workflow is disabled for later commits, too: no ancestor can stand in for them all.
            return self._add_skipped(structs.replace(checks, expected=expected), is_tested=False)
        # The ancestor that stands in has the usual apps, too: they are taken from such ancestors.
        kept_away = {workflow.file: workflow.filtered for workflow in expected.kept_away}
        has_any = begun or bool(expected.switched_off)
        stand_in = self._ancestors.find_stand_in(kept_away, expected.apps, expected.is_of_ci, begun=has_any)
        return self._add_stand_in(checks, self._add_required(expected, required, checks, stand_in), stand_in)

    def _add_skipped(self, checks: CommitChecks, *, is_tested: bool) -> CommitChecks:
        """Add what jobs that were skipped came to where they ran last: what is bad, or all if the commit has no other.

        A condition that depends on the changed files (`if: needs.changes.outputs.code == 'true'`) skips a job of a
        workflow that started, as path filters keep away a whole one: a red ancestor must not look green for that.
        """
        skipped = [each for each in checks.results if each.state == "skipped" and each.event in OF_PUSHES]
        skipped = [each for each in skipped if not self._is_never_run(each)]
        last = self._ancestors.find_last(skipped) if skipped else []
        bad = [each for each in last if each.state in ("failure", "pending")]
        if not (counted := bad or ([] if is_tested else last)):
            return checks
        nearest = counted[0].commit
        distance = 1 + [sha for sha, _ in self._chain].index(nearest or "")
        return structs.replace(checks, nearest=nearest, nearest_distance=distance, nearest_results=tuple(counted))

    def _is_never_run(self, skipped: CICheck) -> bool:
        """Whether no push runs the job, as one that waits for a tag: then its last run is of something else."""
        workflow = ReleaseWorkflow(f"{FOLDER}/{skipped.workflow}", self._files.texts)
        jobs = [each for each in workflow.jobs if is_job_of(skipped.name, each.listed_name)]
        return bool(jobs) and all(is_kept_from_pushes(each, self._base) for each in jobs)

    def _find_starting(self, checks: CommitChecks) -> list[str]:
        """The workflows that start on a push to the base branch, without that of this very run."""
        triggered = {name for name, trigger in self._files.triggers.items() if trigger.is_for(self._base)}
        return sorted((triggered | set(self._files.unread)) - {checks.asking})

    def _describe_missing(self, name: str, sha: str) -> PushedWorkflow:
        """Why a workflow that starts on a push to the base branch has no run for this commit."""
        trigger = self._files.triggers.get(name)
        if name in self._disabled:
            state, why = _OFF, f"it is disabled ({self._disabled[name]})"
        else:
            state, why = self._predict_start(trigger, sha, self._files.message)
        if state == "unknown" and trigger is None:
            why = f"{why}: {self._files.unread[name]}"
        return PushedWorkflow(file=name, state=state, why=why, filtered=trigger is None or trigger.has_paths)

    def _predict_start(self, trigger: PushTrigger | None, sha: str, message: str) -> tuple[str, str]:
        """Whether the push of a head commit starts a workflow ("starts", "kept away" or "unknown"), and why.

        `trigger` is None if the workflow's file cannot be read. The push log is read only if the message does not
        decide.
        """
        if skip := find_skip_marker(message):
            return "kept away", f"the commit message says {skip}"
        push, why = self._find_push(sha)
        if push and push.by == BOT:
            return "kept away", f"{BOT} pushed it, and its pushes start no workflow"
        if trigger is None:
            return "unknown", "its file cannot be read"
        if not trigger.has_paths:
            return "starts", f"starts on a push to {self._base}"
        if push is None:
            return "unknown", f"it depends on the changed files, and the push is unknown: {why}"
        paths = self._reader.changed(push.before, sha)
        if paths is None:
            return "unknown", "it depends on the changed files, and they could not be read"
        if len(paths) > MOST_CHANGED:
            return "unknown", f"it depends on the changed files, and the push changed {len(paths)} files"
        if trigger.takes(paths):
            return "starts", f"starts on a push to {self._base} that changes these files"
        return "kept away", f"its path filter excludes all {len(paths)} files that the push changed"

    def _add_usual(
        self, expected: ExpectedCI, checks: CommitChecks, required: Sequence[str], anything: bool
    ) -> ExpectedCI:
        """Add the usual apps, and the required checks that reported on an ancestor.

        Without a token, where requests are few, apps are looked up only if neither a file nor a rule says what CI is.
        """
        looks = self._api.has_token or (bool(checks.results) and not anything)
        lacking = [name for name in required if name not in expected.required]
        if not looks and not lacking:
            return structs.replace(expected, apps_unasked=_UNASKED)
        is_tested = any(map(expected.is_vouched_by, checks.results))
        seen = self._ancestors.find_usual(checks.apps if is_tested and not lacking else None)
        return structs.replace(
            expected,
            required=(*expected.required, *find_reported(lacking, seen)),
            apps=tuple(sorted(intersect_apps(seen))) if looks else (),
            apps_of=tuple(commit.sha for commit in seen) if looks else (),
            apps_unasked="" if looks else _UNASKED,
        )

    def _add_required(
        self, expected: ExpectedCI, required: Sequence[str], checks: CommitChecks, stand_in: StandIn
    ) -> ExpectedCI:
        """Add required checks that reported on ancestors, but neither on the commit nor on the one that stands in."""
        present = {*expected.required, *(result.name for result in (*checks.results, *stand_in.results))}
        lacking = [name for name in required if name not in present]
        more = find_reported(lacking, self._ancestors.find_usual(None)) if lacking else ()
        return structs.replace(expected, required=(*expected.required, *more))

    def _add_stand_in(self, checks: CommitChecks, expected: ExpectedCI, stand_in: StandIn) -> CommitChecks:
        """Add the results of ancestors that the commit lacks, unless an ancestor in between should have CI, too."""
        if not stand_in.nearest:
            return self._add_push_if_waiting(checks, expected)
        reasons = {name: self._explain_missing(name, self._chain[:count]) for name, count in stand_in.passed.items()}
        # Where no workflow starts on a push, only the usual apps can be missing.
        lacks_apps = stand_in.passed_any is not None and bool(expected.skip and expected.apps)
        of_apps = self._explain_missing(None, self._chain[: stand_in.passed_any]) if lacks_apps else ""
        if of_apps or any(reasons.values()):
            workflows = [
                structs.replace(workflow, state="unknown", why=why) if (why := reasons.get(workflow.file)) else workflow
                for workflow in expected.workflows
            ]
            if of_apps:
                workflows.append(PushedWorkflow(file="CI", state="unknown", why=of_apps))
            return self._add_push(checks, structs.replace(expected, workflows=tuple(workflows)))

        def has_own(result: CICheck) -> bool:
            return result.workflow in checks.ran if result.workflow else result.app in checks.apps

        update = {
            "nearest": stand_in.nearest,
            "nearest_distance": 1 + [sha for sha, _ in self._chain].index(stand_in.nearest),
            "nearest_results": tuple(result for result in stand_in.results if not has_own(result)),
        }
        return self._add_push_if_waiting(structs.replace(checks, **update), expected)

    def _explain_missing(self, name: str | None, passed: Sequence[tuple[str, str]]) -> str:
        """Why a skipped ancestor without a run of a workflow (None: of the usual apps) should have one; or empty.

        Commits that are not the head of a push never have one.
        """
        for sha, message in passed:
            if find_skip_marker(message):
                continue
            push, _ = self._find_push(sha)
            if push is None:
                head_push, why = self._find_push(self._files.chain[0][0])
                if head_push is None:
                    return f"whether {sha[:12]} before it was pushed alone is not known: {why}"
                continue
            is_kept_away = name and self._predict_start(self._files.triggers.get(name), sha, message)[0] == "kept away"
            if not is_kept_away and not (name and not self._reader.has_workflow(sha, name)):
                return f"it has no result on {sha[:12]} before either, which was pushed {push.at:%Y-%m-%d %H:%M} UTC"
        return ""

    def _add_push_if_waiting(self, checks: CommitChecks, expected: ExpectedCI) -> CommitChecks:
        """Add `expected`, with the push of the commit if a required check may still report."""
        reported = {result.name for result in (*checks.results, *checks.nearest_results)}
        if expected.skip or reported.issuperset(expected.required):
            return structs.replace(checks, expected=expected)
        return self._add_push(checks, expected)

    def _add_push(self, checks: CommitChecks, expected: ExpectedCI) -> CommitChecks:
        """Add `expected`, with the push of the commit: since when something is missing."""
        push, why = self._find_push(checks.sha)
        return structs.replace(checks, expected=structs.replace(expected, push=push, push_unknown=why))

    def _find_push(self, sha: str) -> tuple[Push | None, str]:
        """The push that made a commit the head; or None and why it is unknown."""
        push = self._pushes.get(sha)
        return push, "" if push else f"GitHub's log of activities does not list the push of {sha[:12]}"

    @cached_property
    def _pushes(self) -> dict[str, Push]:
        return read_push_log(self._api, self._place, self._base, self._deadline)

    @cached_property
    def _disabled(self) -> dict[str, str]:
        """Disabled workflows by file name, with GitHub's word for their state."""
        return {each.file: each.state for each in look_up_states(self._api, self._place) if each.is_off}


def look_up_states(api: GitHubApi, place: str) -> tuple[WorkflowState, ...]:
    """The workflows that GitHub knows, on or off; asked once. Raises LookupFailed."""

    def ask() -> tuple[WorkflowState, ...]:
        items = GitHubList(api, f"{place}/actions/workflows", "workflows", key="workflows").read()
        named = ((item.text("path").rpartition("/")[2], item.text("state")) for item in items)
        return tuple(WorkflowState(file=file, state=state) for file, state in named)

    return api.once(f"workflows of {place}", ask)
