"""The last run of a release and its log, read from the stand-in for GitHub over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from release_state.demo.github import Job, Step
from release_state.demo.loopback import Request
from release_state.facts.logs.families.identity import ENVIRONMENT
from release_state.facts.release import Release
from release_state.model.observation import Observation, Problem, known
from release_state.model.outcome import Phase, Statement
from release_state.model.process import Process, Publisher, Start
from release_state.model.snapshot import ExplainedRun
from release_state.model.snapshot.runs import UPLOAD_SKIPPED
from release_state.model.target import Target
from release_state.observe.collect import collect
from release_state.observe.git.reader import find_repository
from release_state.observe.github import run_log
from release_state.observe.github.github import GitHub
from release_state.observe.github.run_log import RunLogs, Success
from release_state.observe.http.client import HttpClient
from release_state.observe.lookups import lookups_of_phase
from release_state.plan.recovery import Recovery
from release_state.run.checks import catalogue
from release_state.run.session import Controller
from release_state.settings.config import Arguments, load
from release_state.verdict.check import select_phase
from tests.facts.test_logs import FAILURES
from tests.incidents.claims import TOKEN as CLAIMED
from tests.incidents.claims import action, own_target
from tests.observe.conftest import NOW
from tests.standins.github import GitHubServer
from tests.standins.services import Reply
from tests.support import states as s
from tests.support.cli import ROOT
from tests.support.judged import CHECKS, ended
from tests.support.worlds import run, world_of

TOKEN = "wri"
BRANCH = "release/pypi-v0.2.0"
REFUSED = f"fatal: a branch named '{BRANCH}' already exists\n##[error]Process completed with exit code 128.\n"
OTHER = REFUSED.replace("0.2.0", "0.3.0")
SKIPPED = "Version 0.2.0 already exists on PyPI, skipping publish\n"


@pytest.fixture
def server(own_server: GitHubServer) -> GitHubServer:
    own_server.tokens.update({TOKEN: "read"})
    return own_server


def job(conclusion: str = "failure", name: str = "release", log: str | None = None, publish: str = "skipped") -> Job:
    """A job of the release workflow that ends in its second step, or not at all."""
    first = conclusion if conclusion != "success" else "success"
    steps = [Step("Set up job"), Step("Create release branch", conclusion=first), Step("Publish", conclusion=publish)]
    return Job(name, conclusion=conclusion, steps=steps, log=log)


def add(
    server: GitHubServer, log: str = REFUSED, conclusion: str = "failure", jobs: Sequence[Job] = (), **more: Any
) -> int:
    """Add a run, newer than those that are there."""
    at = NOW - timedelta(days=1) + timedelta(minutes=len(server.workflow_runs))
    return server.add_run(
        conclusion=conclusion, created_at=at, jobs=jobs or [job(conclusion)], log=log, **{"title": "Release", **more}
    )


def look(
    server: GitHubServer, success: Success = "in doubt", *, token: str | None = TOKEN, target: Target | None = None
) -> Observation[ExplainedRun]:
    """The look-up, after that of the runs; only its own requests are left in the server's list."""
    client = HttpClient(5, token=token, token_host=server.url)
    runs = GitHub(client, server.url, "example-org/orbit", now=NOW).runs("release.yml").present()
    server.requests.clear()
    return RunLogs(client, server.url).last_run("example-org/orbit", target or s.target(), runs, success)


def asked(server: GitHubServer) -> list[str]:
    """What was asked for, without numbers: "jobs", "logs", and "text" for where the log's redirect leads."""
    return [
        "text" if request.path.startswith("/_logs/") else request.path.split("/")[-1] for request in server.requests
    ]


def explained(server: GitHubServer, **options: Any) -> ExplainedRun:
    return look(server, **options).present()


def problem(observation: Observation[Any]) -> Problem:
    assert observation.unavailable is not None, observation
    assert observation.unavailable.source == "GitHub"
    return observation.unavailable


ONE_LOG = ["jobs", "logs", "text"]


# ── A run that failed


@pytest.mark.parametrize("conclusion", ["failure", "cancelled", "timed_out"])
def test_a_failed_run_is_explained_in_three_requests(server: GitHubServer, conclusion: str) -> None:
    number = add(server, conclusion=conclusion)
    add(server, status="in_progress", conclusion="")
    found = explained(server)
    assert (found.run.id, found.job, found.step) == (number, "release", "Create release branch")
    assert (found.scenario, found.attributed_by) == ("A", "log")
    assert found.lines[0] == f"fatal: a branch named '{BRANCH}' already exists"
    assert "release branch" in found.meaning
    assert asked(server) == ONE_LOG
    assert server.requests[0].query == {"per_page": "100"}


def test_the_fix_is_that_of_what_the_log_shows(server: GitHubServer) -> None:
    """After an upload, the index comes first; RUN-31 says so in its step."""
    said = ["##[group]Run twine upload dist/*", "##[endgroup]", "Uploading orbit-0.2.0.tar.gz", f"to {BRANCH}"]
    said += ["##[group]Run announce", "##[endgroup]", "x.sh: line 2: announce: command not found", "##[error]exit"]
    add(server, log="\n".join(said))
    found = explained(server)
    assert found.meaning.endswith("; an upload to the index came before it.")
    assert found.fix.startswith("See which files the index has, before anything else. Then: install the tool")
    _, ended_as = ended(CHECKS["RUN-31"], Recovery(Release(s.released(last_run=known(found)))))
    assert isinstance(ended_as, Statement) and [each.reason for each in ended_as.steps] == [found.fix]


@pytest.mark.parametrize(("name", "is_own"), [("publish", True), ("publish-rehearsal", False)])
def test_a_token_is_held_against_the_publisher_of_its_job(server: GitHubServer, name: str, is_own: bool) -> None:
    text = f"Switched to a new branch '{BRANCH}'\n" + action({**CLAIMED, "environment": "rehearsal"})
    add(server, log=text, jobs=[job(name=name)])
    found = explained(server, target=own_target())
    assert found.scenario == "trusted publisher"
    assert (found.meaning == ENVIRONMENT.meaning) is is_own
    assert ("environment rehearsal (configured: pypi)" in found.lines[-1]) is is_own


def test_every_known_failure_is_explained_from_the_api(server: GitHubServer) -> None:
    for scenario, line in FAILURES:
        add(server, log=f"Switched to a new branch '{BRANCH}'\n{line}\n##[error]Process completed with exit code 1.\n")
        assert explained(server).scenario == scenario, line


def test_the_token_does_not_go_to_the_logs_host(server: GitHubServer) -> None:
    """GitHub's logs are on another host, whose address is its own permission."""
    seen: list[dict[str, str]] = []

    class Storage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append({name.lower(): text for name, text in self.headers.items()})
            body = REFUSED.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    add(server)
    with ThreadingHTTPServer(("127.0.0.1", 0), Storage) as storage:
        Thread(target=storage.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{storage.server_address[1]}/log?sig=x"
        server.intercept = answering("/logs", Reply(302, {"Location": address}))
        assert explained(server).scenario == "A"
        storage.shutdown()
    assert len(seen) == 1
    assert "authorization" not in seen[0]
    assert server.requests[-1].authorization


def test_what_two_targets_ask_for_is_asked_once(server: GitHubServer) -> None:
    add(server)
    client = HttpClient(5, token=TOKEN, token_host=server.url)
    runs = GitHub(client, server.url, "example-org/orbit", now=NOW).runs("release.yml").present()
    server.requests.clear()
    logs = RunLogs(client, server.url)
    assert logs.last_run("example-org/orbit", s.target(), runs, "in doubt").present().scenario == "A"
    assert logs.last_run("example-org/orbit", s.target(version="0.4.0"), runs, "in doubt").known() is None
    assert asked(server) == ONE_LOG


def test_the_job_that_failed_is_read_and_not_the_one_cancelled_with_it(server: GitHubServer) -> None:
    jobs = [
        job("cancelled", "notify", log="x"),
        job("failure", "Production Release (PyPI)"),
        job("skipped", "TestPyPI"),
    ]
    add(server, jobs=jobs)
    found = explained(server)
    assert (found.job, found.attributed_by) == ("Production Release (PyPI)", "job name and log")


def test_a_log_that_nobody_knows_still_names_the_step(server: GitHubServer) -> None:
    add(server, f"git push origin {BRANCH}\nstrange words\n##[error]Process completed with exit code 1.\n")
    found = explained(server)
    assert (found.scenario, found.meaning, found.step) == (None, "", "Create release branch")
    assert "strange words" in found.lines


# ── Which run


def test_runs_of_others_are_passed_over(server: GitHubServer) -> None:
    add(server)  # ours, and the oldest
    add(server, jobs=[job(name="Test Release (TestPyPI)")])
    add(server, log=OTHER)
    add(server, title="Release v0.3.0 to PyPI")
    add(server, title="Release to testpypi")
    add(server, head_branch="release/pypi-v0.3.0", head_sha=server.git.resolve("main"))
    add(server, title="Release (dry run)")
    add(server, conclusion="skipped")
    assert explained(server).scenario == "A"
    assert asked(server) == [*ONE_LOG, "jobs", *ONE_LOG]


def test_three_runs_are_asked_about_and_no_more(server: GitHubServer) -> None:
    add(server)
    for _ in range(run_log.MOST_RUNS):
        add(server, log=OTHER)
    assert look(server).known() is None
    assert asked(server) == ONE_LOG * 3


def test_a_run_that_waited_and_was_cancelled_did_nothing(server: GitHubServer) -> None:
    add(server)
    waited = [Job("release", conclusion="cancelled", steps=[], status="queued")]
    add(server, conclusion="cancelled", jobs=waited)
    assert explained(server).scenario == "A"
    assert asked(server) == ["jobs", *ONE_LOG]


@pytest.mark.parametrize("log", ["  DRY_RUN: true\n", "dry_run=true\n"])
def test_a_dry_run_is_no_release_run(server: GitHubServer, log: str) -> None:
    add(server, log + REFUSED)
    assert look(server).known() is None


def test_a_run_on_the_release_branch_is_known_by_it(server: GitHubServer) -> None:
    add(server, "boom\n##[error]boom\n", head_branch=BRANCH, head_sha=server.git.resolve("main"))
    assert explained(server).attributed_by == "head branch"


def test_a_run_that_nothing_gives_to_a_release_is_unknown(server: GitHubServer) -> None:
    add(server, "creating pull request failed\n##[error]Process completed with exit code 1.\n")
    found = problem(look(server))
    assert "told neither by its branch, title, job names nor log" in found.why
    assert "run #1 ended as failure in step 'Create release branch' of job 'release'" in found.why
    assert "/actions/runs/" in str(found.remedy)


def test_a_run_without_a_job_is_unknown(server: GitHubServer) -> None:
    add(server, conclusion="startup_failure", jobs=[Job("release", conclusion="failure", steps=[], status="queued")])
    assert "before a job began" in problem(look(server)).why
    add(
        server, conclusion="startup_failure", jobs=[Job(status="queued")], head_branch=BRANCH,
        head_sha=server.git.resolve("main"),
    )  # fmt: skip
    assert explained(server).meaning == "The run ended before a job began."


def test_no_runs_cost_nothing(server: GitHubServer) -> None:
    server.add_workflow()
    assert look(server).known() is None
    assert asked(server) == []


# ── A run that calls itself a success


def test_a_success_that_skipped_is_scenario_c(server: GitHubServer) -> None:
    add(server, SKIPPED, "success")
    found = explained(server)
    assert (found.scenario, found.run.conclusion, found.step) == ("C", "success", None)
    assert found.lines == (SKIPPED.strip(),)
    assert asked(server) == ONE_LOG


@pytest.mark.parametrize(("success", "requests"), [("impossible", ONE_LOG), ("believed", []), ("in doubt", ONE_LOG)])
def test_a_success_is_asked_about_where_it_is_in_doubt(
    server: GitHubServer, success: Success, requests: list[str]
) -> None:
    add(server)
    add(server, f"git push origin {BRANCH}\n", "success")
    found = look(server, success).known()
    assert asked(server) == requests
    if success == "impossible":  # nothing of it is published: the success was of another version, the failure counts
        assert found and found.scenario == "A"
    elif success == "in doubt":
        assert found and found.run.conclusion == "success" and found.scenario is None
    else:
        assert found is None


@pytest.mark.parametrize(
    ("jobs", "skipped"),
    [
        ([("build", "success"), ("up", "skipped")], True),
        ([("build", "success"), ("up (3.13)", "skipped"), ("up (3.14)", "skipped")], True),
        ([("build", "success"), ("up", "success")], False),
        ([("build", "success"), ("up (3.13)", "skipped"), ("up (3.14)", "success")], False),
        ([("build", "success"), ("upper", "skipped")], False),
    ],
)
def test_a_green_run_whose_upload_was_skipped_published_nothing(
    server: GitHubServer, jobs: list[tuple[str, str]], skipped: bool
) -> None:
    made = [Job(name, conclusion=conclusion, steps=[Step("Run")]) for name, conclusion in jobs]
    sha = server.git.resolve("main")
    add(server, conclusion="success", jobs=made, event="push", head_branch="v0.2.0", head_sha=sha)
    publisher = Publisher(
        workflow="release.yml", job="job up", job_name="up", how="uv publish", starts=(Start(kind="tag"),)
    )
    target = s.target(process=Process(publishers=(publisher,)))
    found = look(server, "impossible", target=target).known()
    assert (found.scenario if found else None) == (UPLOAD_SKIPPED if skipped else None)


def test_a_believed_success_on_the_release_branch_is_told(server: GitHubServer) -> None:
    add(server, conclusion="success", head_branch=BRANCH, head_sha=server.git.resolve("main"))
    found = explained(server, success="believed")
    assert (found.run.conclusion, found.scenario, found.attributed_by) == ("success", None, "head branch")
    assert asked(server) == []


def test_a_success_of_nobody_knows_what_ends_the_search(server: GitHubServer) -> None:
    add(server)
    add(server, "all is well\n", "success")
    assert look(server).known() is None
    add(server, "released=skipped\n", "success")
    assert "whether it was for 0.2.0 on pypi" in problem(look(server)).why


def test_a_success_that_speaks_of_a_dry_run_and_published_nothing_is_none(server: GitHubServer) -> None:
    add(server, f"This is a dry run of {BRANCH}\n{SKIPPED}", "success")
    assert look(server).known() is None
    add(server, f"Working out the version in a dry run\n{SKIPPED}", "success", jobs=[job("success", publish="success")])
    assert explained(server).scenario == "C"


# ── Logs that cannot be read


def answering(end: str, reply: Reply) -> Callable[[Request], Reply | None]:
    return lambda request: reply if request.path.endswith(end) else None


STEP = "run #1 ended as failure in step 'Create release branch' of job 'release'; its log cannot be read"


def test_without_a_token_no_log_is_asked_for(server: GitHubServer) -> None:
    add(server)
    found = problem(look(server, token=None))
    assert found.why == f"{STEP} without a token"
    assert found.remedy and "actions=read" in found.remedy
    assert asked(server) == ["jobs"]


ERROR = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("reply", "why", "remedy"),
    [
        (Reply(403, ERROR, b'{"message": "Must have admin rights"}'), "(403", "use a token"),
        (Reply(404, ERROR, b'{"message": "Not Found"}'), "(404)", "actions=read"),
        (Reply(410, ERROR, b'{"message": "Gone"}'), "expired (410)", "look at http"),
        (Reply(500, {}, b""), "answered 500", "None"),
        (Reply(200, {"Content-Type": "text/html"}, b"<html>log in</html>"), "HTML instead of a log", "again"),
        (Reply(302, {"Location": "ftp://x/"}), "unusable address", "None"),
        (Reply(200, {"Content-Type": "text/plain"}, b"x" * (run_log.MOST_BYTES + 1)), "more than the limit", ""),
    ],
    ids=["403", "404", "410", "500", "html", "redirect", "large"],
)
def test_a_log_that_cannot_be_read_is_unknown(server: GitHubServer, reply: Reply, why: str, remedy: str) -> None:
    add(server)
    server.intercept = answering("/logs", reply)
    found = problem(look(server))
    assert found.why.startswith(STEP)
    assert why in found.why
    assert remedy in str(found.remedy)


def test_an_expired_log(server: GitHubServer) -> None:
    add(server, log_expired=True)
    assert "expired" in problem(look(server)).why


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"total_count": 1, "jobs": [{}]}', b'{"total_count": 1, "jobs": [{"id": 1, "name": "x"}]}'],
)
def test_jobs_of_another_shape_are_unknown(server: GitHubServer, body: bytes) -> None:
    add(server)
    server.intercept = answering("/jobs", Reply(200, {"Content-Type": "application/json"}, body))
    problem(look(server))


def test_hostile_names_and_lines_are_bounded(server: GitHubServer) -> None:
    evil = "\x1b[31m<script>\u202e" + "x" * 5000
    steps = [Step(evil, conclusion="failure")]
    add(server, f"{evil}{BRANCH}\n##[error]{evil}\n", jobs=[Job(evil, steps=steps)])
    found = look(server)
    assert found.unavailable is None or len(found.unavailable.why) <= 1000
    add(server, "nothing\n", jobs=[Job(evil, steps=steps)])
    why = problem(look(server)).why
    assert len(why) <= 1000
    assert "\x1b" not in why and "\u202e" not in why


# ── From the other facts of a run


@pytest.mark.parametrize(
    ("scenario", "found", "requests"),
    [
        ("clean", None, []),
        ("branch-exists", "A", ONE_LOG),
        ("tag-exists", "B", ONE_LOG),
        ("version-published", "C", ONE_LOG),
        ("released", None, []),
        ("rolled-back", None, []),
    ],
)
def test_what_the_scenarios_cost(scenario: str, found: str | None, requests: list[str], tmp_path: Path) -> None:
    with world_of(scenario) as world:
        arguments = Arguments(
            versions=("0.2.0",),
            repo=str(world.clone),
            settings={
                "package": world.package,
                "repository": world.repository,
                "remote-url": world.remote_url,
                "reports-dir": str(tmp_path),
            },
            index_urls=tuple(f"{name}={world.index_url(name)}" for name in ("pypi", "testpypi")),
            github_api_url=world.github.url,
        )
        wanted = lookups_of_phase() | {"last_run"}
        (snapshot,) = collect(
            load(arguments, {}, tmp_path, find_repository), wanted, fixed_phase=None, token=world.token,
            token_source=None, own_run_id=None, environ={},
        )  # fmt: skip
        last = snapshot.last_run.known()
        assert (last.scenario if last else None) == found
        assert [name for name in asked(world.github) if name in ("jobs", "logs", "text")] == requests


# ── The check in a file of its own


def expected(files: Sequence[str], *, block_on_advice: bool = False) -> set[str]:
    """The checks that the verdict of a pre-release run counts."""
    snapshot = s.ready()
    controller = Controller(
        [snapshot.target],
        lambda: catalogue(ROOT / "checks"),
        Phase.PRE_RELEASE,
        lambda *_: [snapshot],
        narrowed=False,
        with_workers=False,
        block_on_advice=block_on_advice,
        wanted="auto",
        files=files,
    )
    controller.start()
    controller.snapshots()
    return set(controller.verdicts()[0].not_run)


def test_naming_a_phases_file_leaves_advice_of_other_files_out() -> None:
    own = {check.id for check in catalogue(ROOT / "checks") if check.file == "test_pre_release.py"}
    named = expected(["test_pre_release.py"])
    assert own <= named
    assert "RUN-31" not in named
    assert "RUN-31" in expected([])
    assert "RUN-31" in expected(["test_pre_release.py", "test_runs.py"])
    assert "RUN-31" in expected(["test_pre_release.py"], block_on_advice=True)


def test_what_blocks_is_part_of_the_phase_wherever_it_is_written() -> None:
    checks = catalogue(ROOT / "checks")
    blocking = {check.id for check in select_phase(checks, Phase.PRE_RELEASE) if check.blocking}
    assert blocking <= {check.id for check in select_phase(checks, Phase.PRE_RELEASE, ["test_runs.py"])}


def test_the_pre_release_file_alone_lacks_advice_that_may_block(tmp_path: Path) -> None:
    with world_of("clean") as world:
        ran = run(world, "-n", "0", reports=tmp_path / "reports", first=("checks/test_pre_release.py",))
    assert ran.code == 6 and (ran.verdict or "").startswith("PARTIAL"), ran.output
    (left_out,) = (line for line in ran.output.splitlines() if "not run:" in line)
    assert "WORKFLOW-7" in left_out and "RUN-31" not in left_out, left_out
