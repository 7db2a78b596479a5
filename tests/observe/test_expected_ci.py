"""What makes CI of a commit green, asked of the stand-in and of a real repository: expected, missing, kept away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from release_state.demo.git import Repository
from release_state.demo.github import Job
from release_state.demo.loopback import Request
from release_state.demo.project import CI_WORKFLOW
from release_state.facts.health import JudgedCI, judge_ci
from release_state.model.observation import NotObserved
from release_state.model.snapshot import Branch, CommitChecks, ExpectedCI, Remote
from release_state.observe.git.commits import BranchHistory, Stores
from release_state.observe.git.workflow_files import CommitReader
from release_state.observe.github import ci as github_ci
from release_state.observe.github.ancestors import ANCESTORS, ANCESTORS_WITHOUT_TOKEN
from release_state.observe.github.github import GitHub
from release_state.observe.http.client import HttpClient
from tests.standins.github import GitHubServer
from tests.standins.services import Reply

NOW = datetime.now(timezone.utc).replace(microsecond=0)
TOKEN = "ghp_wri"
JSON = {"Content-Type": "application/json; charset=utf-8"}
FOLDER = ".github/workflows"
BOT = "github-actions[bot]"


class Project:
    """A repository with a workflow that tests each push to main, and its GitHub."""

    def __init__(self, folder: Path, server: GitHubServer, git: Repository) -> None:
        self.folder, self.server, self.git = folder, server, git
        self.time = NOW - timedelta(days=1)

    def commit(self, message: str = "feat: more", files: Mapping[str, str] | None = None) -> str:
        """Push a commit; without `files` it changes a file of the package."""
        self.time += timedelta(minutes=1)
        changed = {"src/orbit.py": f"{self.time}\n"} if files is None else files
        contents = {path: text.encode() for path, text in changed.items()}
        return self.git.commit("main", message, when=self.time, files=contents)

    def workflow(self, name: str, on: str) -> str:
        """Push a commit with this workflow file."""
        return self.commit(f"ci: {name}", {f"{FOLDER}/{name}": f"on: {on}\njobs: {{}}\n"})

    def run(self, sha: str, conclusion: str | None = "success", file: str = "ci.yml", **more: Any) -> int:
        """A run for a push, finished unless it has no conclusion."""
        self.time += timedelta(minutes=1)
        given: dict[str, Any] = {"event": "push", "head_branch": "main", "check_runs": True, "jobs": [Job("test")]}
        given |= {"status": "completed" if conclusion else "queued", "created_at": self.time, **more}
        return self.server.add_run(file, conclusion=conclusion, head_sha=sha, **given)

    def tested(self, conclusion: str = "success") -> str:
        """Push a commit and run its CI."""
        sha = self.commit()
        self.run(sha, conclusion)
        return sha

    def look(self, token: str | None = TOKEN, own: int | None = None, required: Sequence[str] = ()) -> CommitChecks:
        """CI of the head of main, as a run observes it."""
        sha = self.git.rev("refs/heads/main")
        client = HttpClient(5, token=token, token_host=self.server.url)
        github = GitHub(client, self.server.url, "example-org/orbit", own_run_id=own)
        remote = Remote(url=self.git.path.as_uri(), default_branch="main", branches=(Branch(name="main", sha=sha),))
        stores = Stores(remote.url, lambda: 60, cache_dir=self.folder / "cache")
        reader = CommitReader(BranchHistory(stores, remote, "main"))
        self.server.requests.clear()
        checks = github.checks(sha, ("release.yml",), "main")
        expected = github.expected_ci(checks.present(), reader, required, ("release.yml",), "main")
        if expected.unavailable:
            raise NotObserved(expected.unavailable)
        return expected.present()

    def judged(self, **how: Any) -> JudgedCI:
        """What it comes to."""
        return judge_ci(self.look(**how))

    def asked(self, part: str) -> int:
        """How many requests of the last look had this in their path."""
        return sum(part in request.path for request in self.server.requests)


def expected_of(checks: CommitChecks) -> ExpectedCI:
    assert checks.expected is not None
    return checks.expected


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.setattr("release_state.observe.http.client.PAUSES", (0.01, 0.02))
    git = Repository.create_bare(tmp_path / "orbit.git", tmp_path)
    with GitHubServer(tmp_path / "orbit.git") as server:
        server.tokens[TOKEN] = "write"
        made = Project(tmp_path, server, git)
        git.commit(
            "main", "chore: begin", when=NOW - timedelta(days=2), parents=(),
            files={f"{FOLDER}/ci.yml": CI_WORKFLOW.encode(), f"{FOLDER}/notes.txt": b"on: push", "README.md": b"#"},
        )  # fmt: skip
        made.tested()
        yield made


def test_green_is_every_workflow_that_a_push_starts(project: Project) -> None:
    project.tested()
    found = project.look()
    assert judge_ci(found).state == "green"
    assert [(workflow.file, workflow.state) for workflow in expected_of(found).workflows] == [("ci.yml", "starts")]
    # The repository, three for the head, and two for its parent, whose apps are no others.
    assert len(project.server.requests) == 1 + 3 + 2
    assert judge_ci(project.look(token=None)).state == "green"
    assert len(project.server.requests) == 1 + 3
    assert expected_of(project.look(token=None)).apps_unasked


@pytest.mark.parametrize("other", ["status", "Pages"])
@pytest.mark.parametrize(("before", "state"), [("failure", "red"), ("success", "green"), (None, "pending")])
def test_what_a_bot_says_of_a_skipped_commit_is_no_ci(
    project: Project, other: str, before: str | None, state: str
) -> None:
    parent = project.commit()
    project.run(parent, before, check_runs=before is not None)
    head = project.commit("docs: polish [skip ci]")
    if other == "status":
        project.server.add_status(head, "docs-bot/preview")
    else:
        project.run(head, file="dynamic/pages/pages-build-deployment", event="dynamic", jobs=[Job("deploy")])
    found = project.look()
    judged = judge_ci(found)
    assert judged.state == state
    assert (found.nearest, found.nearest_distance) == (parent, 1)
    assert {result.commit for result in judged.results} == {parent}
    assert judged.by_ancestor is (state == "green")
    assert project.asked("/activity") == 0


@pytest.mark.parametrize(("minutes", "state"), [(2, "not begun"), (60, "missing")])
def test_no_older_ancestor_stands_for_one_that_should_have_ci(project: Project, minutes: int, state: str) -> None:
    """A bump with a marker, right after a merge whose CI has not begun."""
    merge = project.commit()
    head = project.commit("chore: bump [skip ci]")
    pushed = datetime.now(timezone.utc) - timedelta(minutes=minutes)
    for sha in (merge, head):
        project.server.add_push(after=sha, at=pushed)
    judged = project.judged()
    assert judged.state == state
    assert f"no result on {merge[:12]} before either" in judged.missing[0]
    project.server.add_push(before=f"{merge}", after=head, at=pushed)
    project.server.add_push(after=merge, at=pushed, actor=BOT)
    assert project.judged().by_ancestor
    project.server.pushes.clear()
    project.server.add_push(before=project.git.rev(f"{merge}^"), after=head, at=pushed)
    assert project.judged().by_ancestor, "both came with one push"


@pytest.mark.parametrize("message", ["x [ci skip]", "x\n\nlonger [no ci] text", "x\n\n\nskip-checks: true\n"])
def test_every_marker_keeps_ci_away(project: Project, message: str) -> None:
    project.commit(message)
    assert project.judged().by_ancestor


@pytest.mark.parametrize("message", ["x [skip-ci]", "x skip ci", "skip-checks: true\n\nas the trailer says"])
def test_what_is_no_marker_does_not(project: Project, message: str) -> None:
    project.commit(message)
    assert project.judged().state == "missing"


@pytest.mark.parametrize(("pushed", "state"), [(0, "not begun"), (9, "not begun"), (11, "missing")])
def test_the_age_is_that_of_the_push_and_not_of_the_commit(project: Project, pushed: int, state: str) -> None:
    head = project.commit()  # a day ago, by its own date
    project.server.add_push(after=head, at=datetime.now(timezone.utc) - timedelta(minutes=pushed), actor="ada")
    judged = project.judged()
    assert judged.state == state
    assert judged.missing == ("ci.yml (starts on a push to main)",)
    assert f"{pushed} min before, by ada" in judged.pushed
    assert project.asked("/check-runs") == 1, "no ancestor stands for what is still to come"


@pytest.mark.parametrize(("conclusion", "state"), [("success", "green"), ("failure", "red")])
def test_a_push_with_the_token_of_a_run_starts_nothing(project: Project, conclusion: str, state: str) -> None:
    parent = project.tested(conclusion)
    head = project.commit("chore: bump the version")
    project.server.add_push(after=head, actor=BOT)
    found = project.look()
    assert judge_ci(found).state == state
    assert found.nearest == parent
    (kept,) = expected_of(found).kept_away
    assert BOT in kept.why
    project.run(head, event="workflow_dispatch")
    assert not project.judged().by_ancestor, "somebody started it by hand"


def test_paths_decide_over_the_whole_range_that_was_pushed(project: Project) -> None:
    project.workflow("ci.yml", "{push: {branches: [main], paths-ignore: ['docs/**', '*.md']}}")
    before = project.tested()
    project.commit("fix: code", {"src/orbit.py": "1\n"})
    head = project.commit("docs: more", {"docs/a/b.md": "1\n", "README.md": "2\n"})
    project.server.add_push(before=before, after=head, at=NOW - timedelta(hours=1))
    assert project.judged().state == "missing", "the first commit of the push changed code"
    project.commit("docs: again", {"docs/a/b.md": "3\n", "README.md": "4\n"})
    assert head[:12] in project.judged().missing[0], "and was never tested: no older ancestor stands for it"
    project.run(before := project.commit())
    project.commit("docs: once more", {"docs/a/b.md": "5\n"})
    found = project.look()
    assert (judge_ci(found).by_ancestor, found.nearest) == (True, before)
    assert expected_of(found).kept_away[0].why == "its path filter excludes all 1 files that the push changed"


def test_paths_that_cannot_be_compared_are_no_exception(project: Project) -> None:
    project.workflow("ci.yml", "{push: {paths: ['src/**']}}")
    project.tested()
    head = project.commit("docs: more", {"README.md": "2\n"})
    project.server.add_push(before="f" * 40, after=head, at=NOW - timedelta(hours=1), kind="force_push")
    assert "could not be read" in project.judged().missing[0]
    project.commit("docs: all", {f"docs/{number}.md": "x" for number in range(301)})
    assert "301 files" in project.judged().missing[0]


def test_a_workflow_that_paths_keep_away_is_judged_by_its_last_run(project: Project) -> None:
    """Others run on the head and on its parent, and are green: the red one lies further back."""
    project.workflow("docs.yml", "push")
    red = project.workflow("ci.yml", "{push: {paths: ['src/**']}}")
    for file, conclusion in (("ci.yml", "failure"), ("docs.yml", "success")):
        project.run(red, conclusion, file)
    for number in range(3):
        project.run(project.commit("docs: more", {"README.md": f"{number}\n"}), file="docs.yml")
    judged = project.judged()
    assert judged.state == "red"
    assert [(result.workflow, result.commit) for result in judged.results] == [("ci.yml", red)]
    project.run(red, "success")
    assert project.judged().state == "green"


@pytest.mark.parametrize(
    ("before", "state"), [("failure", "red"), ("cancelled", "red"), (None, "pending"), ("success", "green")]
)
@pytest.mark.parametrize("beside", [True, False], ids=["beside a green job", "alone"])
def test_a_job_that_is_skipped_is_judged_by_its_last_run(
    project: Project, before: str | None, state: str, beside: bool
) -> None:
    """A job of a matrix loses its matrix when it is skipped; those in between skipped it as well."""
    jobs = [
        Job(f"test ({python})", conclusion=before, status="" if before else "queued") for python in ("3.12", "3.14")
    ]
    ran = project.commit()
    project.run(ran, before, jobs=jobs)
    others = [Job("changes")] if beside else []
    for number in range(2):
        head = project.commit("docs: more", {"README.md": f"{number}\n"})
        project.run(head, jobs=[*others, Job("test", conclusion="skipped"), Job("publish", conclusion="skipped")])
    judged = project.judged()
    assert (judged.state, judged.by_ancestor) == (state, state == "green" and not beside)
    if state != "green":
        assert {(result.commit, result.name) for result in judged.results} == {(ran, job.name) for job in jobs}
        assert judge_ci(project.look(token=None)).state == ("green" if beside else "idle"), "it lies too far back"


def test_a_job_that_waits_for_a_tag_is_not_looked_for(project: Project) -> None:
    """No push to the branch runs it, nor what needs it: no ancestor is asked for its last run."""
    guard = "if: startsWith(github.ref, 'refs/tags/')"
    text = f"on: push\njobs:\n  test: {{}}\n  ship:\n    {guard}\n  tell: {{needs: ship}}\n  docs:\n    if: vars.DOCS\n"
    jobs = [Job("test"), *(Job(name, conclusion="skipped") for name in ("ship", "tell"))]
    before = project.commit("ci: ship", {f"{FOLDER}/ci.yml": text})
    project.run(before, "failure", jobs=[Job(name) for name in ("ship", "tell", "docs")])
    project.run(project.commit(), jobs=jobs)
    assert project.judged().state == "green" and project.asked("/check-runs") == 2
    project.run(project.commit(), jobs=[*jobs, Job("docs", conclusion="skipped")])
    assert project.judged().state == "red"


def test_a_job_that_no_push_runs_was_never_red(project: Project) -> None:
    """What only a schedule runs, or only a pull request, says nothing of a push that skips it."""
    parent = project.tested()
    for event in ("schedule", "pull_request"):
        project.run(parent, "failure", event=event, jobs=[Job("long")])
    project.run(project.commit(), jobs=[Job("test"), Job("long", conclusion="skipped")])
    assert project.judged().state == "green"


def test_what_the_head_has_of_its_own_replaces_what_an_ancestor_has(project: Project) -> None:
    project.workflow("lint.yml", "push")
    parent = project.workflow("ci.yml", "{push: {paths: ['src/**', '.github/**']}}")
    project.run(parent)
    project.run(parent, "failure", "lint.yml", jobs=[Job("lint (old name)")])
    head = project.commit("style: lint", {"README.md": "1\n"})
    project.run(head, file="lint.yml", jobs=[Job("lint")])
    found = project.look()
    assert judge_ci(found).state == "green"
    assert [result.workflow for result in found.nearest_results] == ["ci.yml"]


def beside_a_filter(project: Project) -> tuple[str, str]:
    """Push five commits with green CI, and a head; paths keep a second workflow away from all but the first."""
    project.workflow("docs.yml", "{push: {paths: ['docs/**']}}")
    first = project.commit("docs: more", {"docs/a.md": "1\n"})
    for file in ("ci.yml", "docs.yml"):
        project.run(first, file=file)
    for _ in range(4):
        parent = project.tested()
    project.run(project.commit())
    return first, parent


def test_a_workflow_that_is_kept_away_lets_nothing_else_be_missing(project: Project) -> None:
    _, parent = beside_a_filter(project)
    assert project.judged().state == "green"
    project.server.add_status(parent, "jenkins")
    judged = project.judged(required=["jenkins", "never"])
    assert (judged.state, judged.missing) == ("missing", ("jenkins (required)",))
    assert "min before, by" in judged.pushed
    for back in range(1, 6):
        project.server.add_check_run(project.git.rev(f"main~{back}"), "build", app="buildkite")
    judged = project.judged()
    assert (judged.state, judged.missing) == ("missing", ("buildkite (seen on each of the last 5 commits)",))


def test_a_job_of_a_workflow_that_is_kept_away_may_be_required(project: Project) -> None:
    first, _ = beside_a_filter(project)
    project.run(first, file="docs.yml", jobs=[Job("build the docs")])
    assert project.judged(required=["test", "build the docs"]).state == "green"


@pytest.mark.parametrize("what", ["schedule", "dynamic", "status"])
def test_an_old_ancestor_says_nothing_but_of_the_workflow_that_was_kept_away(project: Project, what: str) -> None:
    """A night that failed, an update of a bot and a coverage of long ago do not make the head red."""
    first, _ = beside_a_filter(project)
    if what == "status":
        project.server.add_status(first, "codecov/patch", state="failure")
    else:
        project.run(first, "failure", "other.yml", event=what, jobs=[Job("other")])
    assert project.judged().state == "green"
    project.run(first, "failure", "docs.yml")
    assert project.judged().state == "red"


def test_no_ancestor_that_had_no_such_workflow_should_have_run_it(project: Project) -> None:
    beside_a_filter(project)
    project.run(project.commit("docs: a tool", {"tools/a.md": "1\n"}))
    project.run(project.workflow("tools.yml", "{push: {paths: ['tools/**']}}"))
    project.tested()
    assert project.judged().state == "green"
    project.run(project.commit("docs: a tool", {"tools/a.md": "2\n"}))
    project.tested()
    assert "tools.yml (it has no result on" in project.judged().missing[0]


def test_workflows_of_other_branches_and_events_are_not_expected(project: Project) -> None:
    project.workflow("pulls.yml", "pull_request")
    project.workflow("next.yml", "{push: {branches: [next, '!main']}}")
    project.workflow("tags.yaml", "{push: {tags: ['v*']}}")
    project.workflow("night.yml", "{schedule: [{cron: '0 0 * * *'}]}")
    project.tested()
    found = project.look()
    assert judge_ci(found).state == "green"
    assert [workflow.file for workflow in expected_of(found).workflows] == ["ci.yml"]


def test_a_workflow_that_is_switched_off_is_not_waited_for(project: Project) -> None:
    project.workflow("old.yml", "push")
    head = project.commit()
    project.run(head)
    assert project.judged().missing == ("old.yml (starts on a push to main)",)
    project.server.add_workflow(f"{FOLDER}/old.yml", state="disabled_manually")
    assert project.judged().state == "green"


def test_no_ancestor_stands_for_what_is_switched_off_since(project: Project) -> None:
    project.server.add_workflow(f"{FOLDER}/ci.yml", state="disabled_manually")
    project.commit()
    assert project.judged().state == "none"
    project.commit("docs: polish [skip ci]")
    head = project.commit()
    assert project.judged().state == "none"
    project.run(head, event="workflow_dispatch")
    assert project.judged().state == "green"


@pytest.mark.parametrize("event", ["issue_comment", "schedule", "release", "workflow_run"])
def test_a_workflow_for_something_else_is_no_ci(project: Project, event: str) -> None:
    """GitHub puts the runs for comments, issues, releases and schedules on the head of the default branch."""
    project.workflow("ci.yml", "{pull_request: }")
    project.workflow("chores.yml", f"{{{event}: }}")
    head = project.commit()
    project.run(head, file="chores.yml", event=event)
    found = project.look()
    assert judge_ci(found).by_ancestor, "a push tested it, when there were workflows for pushes"
    assert found.nearest_distance == 3
    project.server.workflow_runs.clear()
    project.server.check_runs.clear()
    for conclusion in ("success", "skipped"):
        project.run(head, conclusion, file="chores.yml", event=event)
        assert project.judged().state == "none"
    project.run(head, file="ci.yml", event="pull_request")
    assert project.judged().state == "green"


def test_a_schedule_is_ci_where_nothing_else_is(project: Project) -> None:
    head = project.workflow("ci.yml", "{schedule: [{cron: '0 0 * * *'}]}")
    project.run(head, event="schedule")
    assert project.judged().state == "green"


def test_a_file_that_is_all_comment_starts_nothing(project: Project) -> None:
    project.commit("ci: off", {f"{FOLDER}/off.yml": "# on: push\n\n  # jobs:\n", f"{FOLDER}/empty.yml": ""})
    project.tested()
    assert project.judged().state == "green"


def test_a_file_that_cannot_be_read_is_not_taken_for_none(project: Project) -> None:
    project.commit("ci: broken", {f"{FOLDER}/odd.yml": "on: [push\n"})
    head = project.commit()
    project.run(head)
    assert "odd.yml (its file cannot be read" in project.judged().missing[0]
    project.run(head, "failure", "odd.yml", check_runs=False)
    assert project.judged().state == "red"


def test_the_workflow_whose_run_is_asking_is_not_waited_for(project: Project) -> None:
    project.workflow("gate.yml", "push")
    head = project.commit()
    project.run(head)
    own = project.run(head, None, "gate.yml", status="in_progress")
    assert project.judged(own=own).state == "green"
    assert project.judged().state == "pending"


# ── Apps


def external(project: Project, *contexts: str) -> str:
    """Push a commit that these report on, and no workflow."""
    sha = project.commit()
    for context in contexts:
        project.server.add_status(sha, context)
    return sha


def without_workflows(project: Project) -> None:
    project.git.commit("main", "ci: none here", when=project.time, files={f"{FOLDER}/ci.yml": None})
    for number in range(6):
        external(project, "travis", *(["docs-bot"] if number % 2 else []))


@pytest.mark.parametrize("token", [TOKEN, None])
def test_ci_by_an_app_is_what_each_of_five_commits_has(project: Project, token: str | None) -> None:
    without_workflows(project)
    external(project, "travis", "docs-bot")
    found = project.look(token=token)
    assert judge_ci(found).state == "green"
    assert expected_of(found).apps == ("travis",)
    assert len(expected_of(found).apps_of) == 5
    project.server.add_check_run(external(project, "docs-bot"), "x", app="docs-bot")
    assert project.judged().missing == ("travis (seen on each of the last 5 commits)",)


def test_an_app_is_missed_beside_a_green_workflow(project: Project) -> None:
    for number in range(5):
        sha = project.tested()
        project.server.add_check_run(sha, "coverage", app="codecov")
        project.server.add_status(sha, "docs-bot" if number % 2 else "another-bot")
    project.tested()
    judged = project.judged()
    assert (judged.state, judged.missing) == ("missing", ("codecov (seen on each of the last 5 commits)",))
    assert project.judged(token=None).state == "green", "it takes a token to see"


def test_skipped_commits_say_nothing_of_what_is_usual(project: Project) -> None:
    without_workflows(project)
    sha = project.commit("docs: polish [skip ci]")
    project.server.add_status(sha, "docs-bot")
    head = external(project, "docs-bot")
    assert project.judged().missing == ("travis (seen on each of the last 5 commits)",)
    project.server.add_status(head, "travis")
    before = head
    project.server.add_status(project.commit("docs: more [skip ci]"), "docs-bot")
    found = project.look()
    assert (judge_ci(found).by_ancestor, found.nearest) == (True, before)


def test_required_checks_count_once_they_have_reported_on_the_base(project: Project) -> None:
    parent = project.tested()
    project.run(project.commit())
    assert project.judged(required=["stray", "test"]).state == "green"
    project.server.add_check_run(parent, "gate", app="gatekeeper")
    for token in (TOKEN, None):
        judged = project.judged(required=["stray", "gate"], token=token)
        assert (judged.state, judged.missing) == ("missing", ("gate (required)",))


def test_a_required_check_that_the_ancestor_of_a_skipped_head_lacks_is_missing(project: Project) -> None:
    project.server.add_check_run(project.tested(), "gate", app="gatekeeper")
    project.tested()
    project.commit("chore: bump [skip ci]")
    judged = project.judged(required=["stray", "gate", "test"])
    assert (judged.state, judged.missing) == ("missing", ("gate (required)",))


def test_a_merge_queue_tests_the_very_commit(project: Project) -> None:
    project.workflow("ci.yml", "{merge_group: , pull_request: }")
    head = project.commit()
    assert project.judged().by_ancestor, "nothing starts on a push"
    project.run(head, event="merge_group", head_branch="gh-readonly-queue/main/pr-7-abc")
    found = project.look()
    assert (judge_ci(found).state, judge_ci(found).by_ancestor) == ("green", False)
    project.run(head, "failure", event="merge_group", head_branch="gh-readonly-queue/main/pr-7-abc")
    assert project.judged().state == "red"


def test_where_no_push_starts_anything_a_marker_changes_nothing(project: Project) -> None:
    project.workflow("ci.yml", "pull_request")
    project.commit()
    assert project.judged().by_ancestor
    project.commit("docs: polish [skip ci]")
    assert project.judged().by_ancestor


def test_no_ci_anywhere(project: Project) -> None:
    project.git.commit("main", "ci: none here", when=project.time, files={f"{FOLDER}/ci.yml": None})
    project.server.check_runs.clear()
    project.server.workflow_runs.clear()
    assert project.judged().state == "none"
    project.server.add_status(project.commit(), "docs-bot")
    judged = project.judged()
    assert (judged.state, [result.name for result in judged.results]) == ("none", ["docs-bot"])


@pytest.mark.parametrize(("token", "depth"), [(TOKEN, ANCESTORS), (None, ANCESTORS_WITHOUT_TOKEN)])
def test_the_search_for_an_ancestor_ends(project: Project, token: str | None, depth: int) -> None:
    for _ in range(depth):
        project.commit()
    project.commit("docs: polish [skip ci]")
    assert project.judged(token=token).state == "none"
    assert project.asked("/check-runs") == depth + 1


# ── Answers in trouble


def unknown(project: Project) -> str:
    with pytest.raises(NotObserved) as missing:
        project.look()
    return missing.value.problem.why


def test_a_github_without_a_log_of_activities_tells_nothing_of_what_is_missing(project: Project) -> None:
    project.commit()
    project.server.intercept = lambda r: (
        Reply(404, JSON, b'{"message": "Not Found"}') if "/activity" in r.path else None
    )
    assert "404" in unknown(project)


def test_a_push_that_is_not_listed_has_no_age(project: Project) -> None:
    project.commit()
    project.server.intercept = lambda r: Reply(200, JSON, b"[]") if "/activity" in r.path else None
    judged = project.judged()
    assert (judged.state, "does not list the push" in judged.pushed) == ("missing", True)


@pytest.mark.parametrize("part", ["/activity", "/actions/workflows"])
def test_a_question_without_an_answer_is_no_absence(project: Project, part: str) -> None:
    project.commit()
    project.server.intercept = lambda r: Reply(500, JSON) if r.path.endswith(part) else None
    assert "500" in unknown(project)


@pytest.mark.parametrize("part", ["/check-runs", "/status", "/actions/runs"])
def test_half_of_an_ancestor_is_no_ancestor(project: Project, part: str) -> None:
    parent = project.tested()
    project.commit("docs: polish [skip ci]")

    def broken(request: Request) -> Reply | None:
        asked = parent in request.path or request.query.get("head_sha") == parent
        return Reply(500, JSON) if asked and request.path.endswith(part) else None

    project.server.intercept = broken
    assert "500" in unknown(project)


def test_another_branch_is_no_answer(project: Project) -> None:
    head = project.commit()
    item = {
        "id": 1, "node_id": "x", "before": "0" * 40, "after": head, "ref": "refs/heads/next", "activity_type": "push",
        "timestamp": "2026-01-01T00:00:00Z", "actor": None,
    }  # fmt: skip
    import json

    body = json.dumps([item]).encode()
    project.server.intercept = lambda r: Reply(200, JSON, body) if "/activity" in r.path else None
    assert "gave one of refs/heads/next" in unknown(project)


# ── Runs of the head


@pytest.mark.parametrize(
    ("status", "conclusion", "state"),
    [("queued", None, "pending"), ("completed", "startup_failure", "red"), ("completed", "failure", "red")],
)
def test_no_number_of_other_runs_hides_one(project: Project, status: str, conclusion: str | None, state: str) -> None:
    """Behind 130 scheduled runs: one that is queued, could not start, or is red with the job names of a green one."""
    head = project.commit()
    jobs = conclusion == "failure"
    project.run(head, conclusion, "other.yml", status=status, check_runs=jobs)
    project.run(head)
    for _ in range(130):
        project.run(head, file="night.yml", event="schedule", check_runs=False)
    assert project.judged().state == state


def test_a_check_run_with_an_older_address_belongs_to_the_run_of_its_suite(project: Project) -> None:
    head = project.commit()
    for conclusion, file in (("failure", "other.yml"), ("success", "ci.yml")):
        run = project.server.workflow_runs[project.run(head, conclusion, file, check_runs=False)]
        project.server.add_check_run(head, "test", conclusion=conclusion, check_suite=run.check_suite)
        project.server.check_runs[-1].details_url = f"runs/{run.id}"
    found = project.look()
    assert sorted((r.workflow, r.state) for r in found.results) == [("ci.yml", "success"), ("other.yml", "failure")]


@pytest.mark.parametrize("address", ["runs/7", "actions/runs/{other}", "actions"])
def test_what_a_workflow_puts_into_the_suite_of_another_run_is_not_left_out_with_it(
    project: Project, address: str
) -> None:
    """A report of red tests, made with GITHUB_TOKEN: GitHub puts it into a suite that is another workflow's."""
    head = project.commit()
    other = project.run(head)
    released = project.run(head, file="release.yml", event="workflow_dispatch")
    suite = project.server.workflow_runs[released].check_suite
    project.server.add_check_run(head, "test report", conclusion="failure", check_suite=suite)
    project.server.check_runs[-1].details_url = address.format(other=other)
    assert [result.state for result in project.look().results if result.name == "test report"] == ["failure"]


def test_the_check_runs_of_the_newest_suites_alone_are_not_all(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github_ci, "MOST_SUITES", 3)
    head = project.commit()
    for number in range(2):
        project.server.add_check_run(head, "test", check_suite=number + 1)
    project.look()
    project.server.add_check_run(head, "test", check_suite=3)
    with pytest.raises(NotObserved, match="check suites or more"):
        project.look()
