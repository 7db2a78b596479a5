"""The stand-in for GitHub's REST API answers as GitHub does."""

from __future__ import annotations

import io
import shutil
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
from urllib3.util import SKIP_HEADER

from release_state.demo.github import Job, Step
from release_state.demo.github.gitstore import GitStore
from release_state.demo.github.render import Renderer
from release_state.demo.loopback import Request
from tests.standins.github import GitHubServer
from tests.standins.services import Reply
from tests.support import openapi

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
TOKENS = {"adm": "admin", "wri": "write", "rea": "read", "non": "none", "ghp_c": "write", "ghs_w": "write"}
BRANCH = "release/pypi-v0.2.0"


def history() -> str:
    """A stream for `git fast-import`: two commits on main, four branches, an annotated and a light tag."""

    def commit(ref: str, mark: int, parent: int | None, message: str, files: dict[str, str]) -> str:
        when = f"Dev <dev@example.org> {1767225600 + mark * 3600} +0000"
        lines = [f"commit refs/heads/{ref}", f"mark :{mark}", f"author {when}", f"committer {when}"]
        lines += [f"data {len(message)}", message, *([f"from :{parent}"] if parent else [])]
        for name, text in files.items():
            lines += [f"M 100644 inline {name}", f"data {len(text)}", text]
        return "\n".join(lines) + "\n\n"

    return "".join([
        commit("main", 1, None, "feat: begin", {"README.md": "one\n", "src/orbit/__init__.py": "x = 1\n"}),
        commit("main", 2, 1, "fix: go on", {"README.md": "two\n"}),
        commit(BRANCH, 3, 2, "chore(release): 0.2.0 [skip ci]", {"CHANGELOG.md": "# 0.2.0\n"}),
        commit("conflict", 4, 1, "docs: differ", {"README.md": "three\n"}),
        "reset refs/heads/same\nfrom :2\n\n",
        "reset refs/heads/with-dash\nfrom :2\n\n",
        "tag v0.1.0\nfrom :1\ntagger Dev <dev@example.org> 1767229300 +0000\ndata 6\nv0.1.0\n",
        "reset refs/tags/v0.1.1\nfrom :2\n\n",
    ])  # fmt: skip


def bare(path: Path) -> GitStore:
    """A new bare repository."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
    return GitStore(path)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository with the history, made once."""
    path = tmp_path_factory.mktemp("template") / "orbit.git"
    bare(path).run("fast-import", "--quiet", stdin=history().encode())
    return path


@pytest.fixture
def git_dir(template: Path, tmp_path: Path) -> Path:
    """A bare repository with the history, of the test's own."""
    return shutil.copytree(template, tmp_path / "orbit.git")


@pytest.fixture
def server(git_dir: Path) -> Iterator[GitHubServer]:
    """A running server, every answer of which must be valid by GitHub's own document."""
    with GitHubServer(git_dir, now=lambda: NOW) as running:
        running.tokens.update(TOKENS)
        with openapi.validated(running) as violations:
            yield running
        assert violations == []


class Client:
    """Sends requests below the repository as one caller."""

    def __init__(self, server: GitHubServer, token: str | None = "adm") -> None:
        self.server = server
        self.session = requests.Session()
        self.session.headers.update({"Authorization": f"Bearer {token}"} if token else {})

    def __call__(self, path: str, method: str = "GET", **arguments: Any) -> requests.Response:
        whole = path if path.startswith("http") else f"{self.server.url}{self.prefix(path)}{path}"
        arguments.setdefault("allow_redirects", False)
        return self.session.request(method, whole, timeout=10, **arguments)

    def prefix(self, path: str) -> str:
        """The repository's path, unless the request is for the API itself."""
        return "" if path.startswith(("/rate_limit", "/user", "/repos", "/_logs")) else "/repos/example-org/orbit"

    def json(self, path: str, **parameters: str | int) -> Any:
        """The body of a successful answer."""
        answer = self(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()


def sha(server: GitHubServer, name: str) -> str:
    """The commit that a name stands for."""
    found = server.git.resolve(name)
    assert found
    return found


def fill(server: GitHubServer) -> dict[str, int]:
    """Some of everything; returns the ids."""
    main = sha(server, "main")
    pull = server.add_pull(BRANCH, title="Release v0.2.0", created_at="2026-02-01T00:00:00Z")
    server.add_pull("conflict", title="Old", state="closed", body=None, created_at="2026-01-01T00:00:00Z")
    server.add_pull("gone", title="Merged", merged=True, head_sha=sha(server, BRANCH), head_repo="someone/orbit")
    server.add_pull("fork", title="Deleted fork", head_sha=sha(server, BRANCH), head_repo=None)
    release = server.add_release("v0.1.0", assets={"orbit-0.1.0.tar.gz": b"data"})
    draft = server.add_release("v0.2.0", draft=True, author=None)
    server.add_check_run(main, "test")
    server.add_check_run(main, "test", conclusion="failure")
    server.add_check_run(main, "test", check_suite=7, status="in_progress")
    server.add_check_run(main, "lint", status="queued", app="other-app")
    server.add_status(main, "ci/a", "failure", created_at="2026-01-01T00:00:00Z")
    server.add_status(main, "ci/a", "success")
    server.add_status(main, "ci/b", "pending")
    workflow = server.add_workflow()
    job = Job("publish", steps=[Step("Set up job"), Step("Create branch", conclusion="failure")], log="fatal: no\nend")
    run = server.add_run(conclusion="failure", jobs=[job, Job("second / part", log="ok")], title="Release pypi",
                         created_at="2026-02-10T10:00:00Z")  # fmt: skip
    queued = server.add_run(status="queued", created_at="2026-02-20T10:00:00Z", attempt=2)
    server.add_run("ci.yml", event="push", head_branch="same", created_at="2026-02-15T10:00:00Z", check_runs=True)
    return {
        "pull": pull, "release": release, "draft": draft, "workflow": workflow, "run": run, "queued": queued,
        "job": server.workflow_runs[run].jobs[0].id,
    }  # fmt: skip


READS = [
    "", "/pulls", "/pulls?state=all", "/pulls/{pull}", "/pulls/2", "/pulls/3", "/pulls/{pull}/commits",
    "/commits/{main}/pulls", "/releases", "/releases/latest", "/releases/tags/v0.1.0", "/releases/{release}",
    "/releases/{draft}", "/branches", "/branches/main", f"/branches/{BRANCH}",
    f"/branches/{BRANCH.replace('/', '%2F')}", "/branches/main/protection", "/rules/branches/main", "/rulesets",
    "/rulesets/42", "/git/ref/heads/main", "/git/ref/tags/v0.1.0", "/git/matching-refs/tags/v0.1",
    "/git/matching-refs/pull/", "/tags", "/commits", "/commits?sha=v0.1.0&path=README.md", "/commits/main",
    f"/commits/{BRANCH}", "/commits/{main}", "/commits/v0.1.0", "/commits/main/check-runs",
    f"/commits/{BRANCH}/check-runs", "/commits/main/status", f"/commits/{BRANCH}/status", "/commits/main/statuses",
    f"/compare/main...{BRANCH}", "/compare/main...conflict", "/compare/main...same", "/compare/main...v0.1.0",
    "/contents/README.md", "/contents/src", "/contents/src/orbit?ref=v0.1.0", "/contents", "/actions/workflows",
    "/actions/workflows/release.yml", "/actions/workflows/{workflow}", "/actions/workflows/release.yml/runs",
    "/actions/runs", "/actions/runs/{run}", "/actions/runs/{queued}", "/actions/runs/{run}/jobs",
    "/actions/runs/{queued}/jobs", "/actions/jobs/{job}", "/actions/permissions/workflow", "/rate_limit", "/user",
    "/environments/pypi", "/environments/docs%2Fmain", "/environments/all",
    "/environments/PyPI/deployment-branch-policies",
]  # fmt: skip


DEMO_READS = [
    "", "/pulls?state=all", "/releases", "/releases/latest", "/releases/tags/v0.1.0", "/branches/main",
    "/commits/main/check-runs", "/actions/workflows", "/actions/workflows/release.yml/runs", "/actions/runs",
    "/actions/runs/{run}/jobs", "/actions/runs/{queued}/jobs",
]  # fmt: skip


def is_part(part: object, whole: object) -> bool:
    """Whether a document has nothing but fields of another one, with the same values."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and is_part(value, whole[key]) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(is_part, part, whole))
    return part == whole


def test_the_demo_world_shows_a_part_of_the_same_answers(git_dir: Path) -> None:
    """It leaves out the fields that no look-up reads; those that it has are as in the answers of the tests."""
    with GitHubServer(git_dir, now=lambda: NOW) as server:
        server.tokens.update(TOKENS)
        ids, get = fill(server), Client(server)
        whole = {path: get.json(path.format(**ids)) for path in DEMO_READS}
        server.renderer = Renderer
        for path in DEMO_READS:
            assert is_part(get.json(path.format(**ids)), whole[path]), path
            assert get.json(path.format(**ids)) != whole[path]


def test_every_read_is_valid_by_githubs_document(server: GitHubServer) -> None:
    """Each route answers 200 with all that GitHub's document requires, by name and by the repository's id."""
    ids = fill(server)
    names = {**{key: str(value) for key, value in ids.items()}, "main": sha(server, "main")}
    server.protection["main"] = {"required_status_checks": {"strict": True, "contexts": ["test"]}}
    server.environments.update({"pypi": [{"name": "v*", "type": "tag"}], "docs/main": True, "all": None})
    server.rules["ma*"] = [{"type": "deletion"}, {"type": "non_fast_forward"}]
    server.rulesets.append({"name": "tags", "target": "tag", "rules": [{"type": "creation"}], "conditions": {}})
    get = Client(server)
    for path in READS:
        answer = get(path.format(**names))
        assert answer.status_code == 200, (path, answer.text)
        assert answer.headers["Content-Type"].startswith("application/json")
        if get.prefix(path):
            by_id = get(f"{server.url}/repositories/{server.repository_id}{path.format(**names)}")
            assert by_id.status_code == 200, path


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/pulls/99", 404, "Not Found"),
        ("/pulls/x", 404, "Not Found"),
        ("/nothing", 404, "Not Found"),
        ("/releases/latest", 404, "Not Found"),
        ("/releases/tags/v9", 404, "Not Found"),
        ("/releases/1", 404, "Not Found"),
        ("/branches/nope", 404, "Branch not found"),
        ("/branches/nope/protection", 404, "Branch not found"),
        ("/branches/main/protection", 404, "Branch not protected"),
        ("/rulesets/1", 404, "Not Found"),
        ("/git/ref/heads/mai", 404, "Not Found"),
        ("/commits?sha=nope", 404, "Not Found"),
        ("/commits/nope", 422, "No commit found for SHA: nope"),
        ("/commits/main~1", 422, "No commit found for SHA: main~1"),
        ("/commits/nope/check-runs", 422, "No commit found for SHA: nope"),
        ("/commits/nope/status", 404, "Not Found"),
        ("/compare/main...nope", 404, "Not Found"),
        ("/compare/main..same", 404, "Not Found"),
        ("/contents/nope", 404, "Not Found"),
        ("/contents/README.md?ref=nope", 404, "No commit found for the ref nope"),
        ("/actions/workflows/nope.yml", 404, "Not Found"),
        ("/actions/runs/1", 404, "Not Found"),
        ("/actions/jobs/1", 404, "Not Found"),
        ("/repos/other/orbit", 404, "Not Found"),
        ("/repositories/1", 404, "Not Found"),
    ],
)
def test_what_does_not_exist_is_refused_in_githubs_words(
    server: GitHubServer, path: str, status: int, message: str
) -> None:
    """A refusal has GitHub's status and message."""
    answer = Client(server)(path)
    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert answer.json()["status"] == str(status)


# ---------------------------------------------------------------------- who may


def test_a_bad_token_is_401_even_on_public_data(server: GitHubServer) -> None:
    """A token that GitHub does not know is refused, although no token at all would do."""
    assert Client(server, None)("").status_code == 200
    answer = Client(server, "wrong")("")
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")
    assert "wrong" not in repr(server.requests)
    assert [bool(request.authorization) for request in server.requests] == [False, True]


@pytest.mark.parametrize("scheme", ["token adm", "bearer adm", "Basic dTphZG0="])
def test_every_scheme_of_authorization_is_understood(server: GitHubServer, scheme: str) -> None:
    """The older scheme and Basic work as well."""
    answer = requests.get(f"{server.url}/user", headers={"Authorization": scheme}, timeout=5)
    assert answer.json()["login"] == "octo-admin"


def test_a_private_repository_is_404_without_access(server: GitHubServer) -> None:
    """Neither 401 nor 403 tells that a private repository exists."""
    server.private = True
    server.renamed_from.add("example-org/old")
    assert [Client(server, token)("").status_code for token in (None, "non", "rea", "wrong")] == [404, 404, 200, 401]
    assert Client(server, None)("/repos/example-org/old").status_code == 404
    assert Client(server, "non")("/pulls", "POST", json={}).status_code == 404


@pytest.mark.parametrize(
    ("token", "status", "message"),
    [
        (None, 401, "Requires authentication"),
        ("rea", 403, "Resource not accessible by personal access token"),
        ("wri", 403, "Resource not accessible by personal access token"),
        ("ghs_w", 403, "Resource not accessible by integration"),
        ("ghp_c", 404, "Not Found"),
        ("adm", 404, "Branch not protected"),
    ],
)
def test_protection_is_for_administrators(server: GitHubServer, token: str | None, status: int, message: str) -> None:
    """Only the administrator's 404 says that a branch is not protected."""
    answer = Client(server, token)("/branches/main/protection")
    assert (answer.status_code, answer.json()["message"]) == (status, message)


def test_writing_needs_the_right_to(server: GitHubServer) -> None:
    """Every writing route refuses readers and anonymous callers, and changes nothing."""
    ids = fill(server)
    server.git.set_ref("refs/heads/keep", sha(server, "main"))
    for method, path in [
        ("POST", "/pulls"), ("PATCH", "/pulls/1"), ("PUT", "/pulls/1/merge"), ("POST", "/releases"),
        ("PATCH", f"/releases/{ids['release']}"), ("DELETE", f"/releases/{ids['release']}"),
        ("POST", "/git/refs"), ("DELETE", "/git/refs/heads/keep"),
        ("POST", "/actions/workflows/release.yml/dispatches"),
    ]:  # fmt: skip
        assert Client(server, "rea")(path, method, json={}).status_code == 403, path
        assert Client(server, None)(path, method, json={}).status_code == 401, path
    assert server.git.ref("refs/heads/keep")
    assert ids["release"] in server.releases


def test_drafts_are_for_those_who_may_push(server: GitHubServer) -> None:
    """A draft is listed for a writer only, and found by its tag for nobody."""
    ids = fill(server)
    for token, seen in (("wri", True), ("rea", False), (None, False)):
        get = Client(server, token)
        assert ("v0.2.0" in [item["tag_name"] for item in get.json("/releases")]) is seen
        assert (get(f"/releases/{ids['draft']}").status_code == 200) is seen
        assert get("/releases/tags/v0.2.0").status_code == 404


def test_headers_tell_what_a_token_may(server: GitHubServer) -> None:
    """Classic tokens show scopes, the others the permission that a route accepts."""
    classic, fine = Client(server, "ghp_c")("/pulls"), Client(server, "rea")("/pulls")
    assert classic.headers["X-OAuth-Scopes"] == "repo, workflow"
    assert "X-OAuth-Scopes" not in fine.headers
    assert fine.headers["X-Accepted-GitHub-Permissions"] == "pull_requests=read"
    assert fine.headers["X-GitHub-Api-Version-Selected"] == "2022-11-28"
    assert fine.headers["X-GitHub-Request-Id"]


def test_the_callers_account_and_its_absence(server: GitHubServer) -> None:
    """`/user` needs an account; a workflow's token has none."""
    assert [Client(server, token)("/user").status_code for token in ("rea", None, "ghs_w")] == [200, 401, 403]


# ---------------------------------------------------------------------- limits, caching, paging, renaming


def test_the_limit_counts_down_and_then_refuses(server: GitHubServer) -> None:
    """Sixty an hour without a token; at zero 403 with the reset, and `/rate_limit` costs nothing."""
    get = Client(server, None)
    assert get("").headers["X-RateLimit-Remaining"] == "59"
    assert get("/rate_limit").json()["rate"] == {"limit": 60, "used": 1, "remaining": 59, "reset": 1772370000}
    server.set_rate_limit(0, reset="2026-03-01T12:30:00Z")
    refused = get("")
    assert refused.status_code == 403
    assert refused.json()["message"].startswith("API rate limit exceeded for 127.0.0.1.")
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert refused.headers["X-RateLimit-Reset"] == "1772368200"
    assert Client(server)("").headers["X-RateLimit-Limit"] == "5000"
    server.now = lambda: datetime(2026, 3, 1, 12, 30, tzinfo=timezone.utc)
    assert get("").status_code == 200


def test_a_limit_of_a_token_is_its_own(server: GitHubServer) -> None:
    """One token's limit leaves the others alone."""
    server.set_rate_limit(0, token="rea")
    refused = Client(server, "rea")("")
    assert (refused.status_code, refused.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert "for user ID" in refused.json()["message"]
    assert Client(server, "wri")("").status_code == 200


def test_an_unchanged_answer_is_304_and_free(server: GitHubServer) -> None:
    """With the answer's ETag the same answer comes as 304, at no cost for an authorized caller."""
    get = Client(server)
    first = get("/branches")
    again = get("/branches", headers={"If-None-Match": f'"other", {first.headers["ETag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["X-RateLimit-Remaining"] == first.headers["X-RateLimit-Remaining"]
    server.git.set_ref("refs/heads/new", sha(server, "main"))
    assert get("/branches", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_pages_are_linked(server: GitHubServer) -> None:
    """`Link` leads through all pages, by absolute addresses with the repository's id."""
    get = Client(server)
    answer = get("/branches", params={"per_page": 2})
    assert set(answer.links) == {"next", "last"}
    assert answer.links["next"]["url"].startswith(f"{server.url}/repositories/{server.repository_id}/branches?")
    names = [branch["name"] for branch in answer.json()]
    while "next" in answer.links:
        answer = get(answer.links["next"]["url"])
        names += [branch["name"] for branch in answer.json()]
    assert names == ["conflict", "main", BRANCH, "same", "with-dash"]
    assert set(answer.links) == {"prev", "first"}
    assert get("/branches", params={"page": 9}).json() == []
    for index in range(105):
        server.git.set_ref(f"refs/heads/many/{index:03}", sha(server, "main"))
    assert len(get("/branches").json()) == 30
    assert len(get("/branches", params={"per_page": 500}).json()) == 100


def test_a_renamed_repository_redirects_to_its_id(server: GitHubServer) -> None:
    """The older name answers 301 with the address by id; a client that follows arrives."""
    server.renamed_from.add("Old-Owner/Orbit")
    get = Client(server)
    answer = get("/repos/old-owner/orbit/pulls?state=all")
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{server.url}/repositories/{server.repository_id}/pulls?state=all"
    assert answer.json()["url"] == answer.headers["Location"]
    assert get("/repos/old-owner/orbit", allow_redirects=True).json()["full_name"] == "example-org/orbit"
    assert get("/repos/old-owner/orbit/git/refs", "POST", json={}).status_code == 307


# ---------------------------------------------------------------------- pull requests


def test_pulls_are_found_by_state_head_and_base(server: GitHubServer) -> None:
    """Only open ones by default; a head without its owner does not filter at all."""
    fill(server)
    get = Client(server)

    def numbers(**query: str) -> list[int]:
        return [pull["number"] for pull in get.json("/pulls", **query)]

    assert numbers() == [4, 1]
    assert numbers(state="closed") == [3, 2]
    assert numbers(state="all", head=f"example-org:{BRANCH}") == [1]
    assert numbers(state="all", head="someone:gone") == [3]
    assert numbers(state="all", head=BRANCH) == [4, 3, 1, 2]
    assert numbers(base="other") == []
    assert numbers(state="all", sort="created", direction="asc") == [2, 1, 3, 4]
    fork = get.json("/pulls/4")
    assert (fork["head"]["repo"], fork["head"]["user"], fork["head"]["label"]) == (None, None, None)
    assert get.json("/pulls/3")["merged"] is True
    assert get.json("/pulls/1")["merge_commit_sha"], "an open one has GitHub's trial merge"


def test_an_open_pull_follows_its_branch(server: GitHubServer) -> None:
    """A push moves its head and refs/pull; deleting the branch closes it, and it can't be reopened then."""
    number = server.add_pull(BRANCH, title="Release v0.2.0")
    get = Client(server)
    server.git.set_ref(f"refs/heads/{BRANCH}", sha(server, "conflict"))
    assert get.json(f"/pulls/{number}")["head"]["sha"] == sha(server, "conflict")
    assert sha(server, f"refs/pull/{number}/head") == sha(server, "conflict")
    assert get(f"/git/refs/heads/{BRANCH}", "DELETE").status_code == 204
    assert get.json(f"/pulls/{number}")["state"] == "closed"
    refused = get(f"/pulls/{number}", "PATCH", json={"state": "open"})
    assert refused.status_code == 422
    assert "branch has been deleted" in refused.json()["errors"][0]["message"]


def test_a_pull_whose_base_is_deleted_is_closed_and_stays_so(server: GitHubServer) -> None:
    """Deleted by git or over the API: no new base then, and no opening again."""
    stacked = server.add_pull("conflict", BRANCH, title="Stacked")
    strange = server.add_pull(
        "patch", BRANCH, title="A fork's", head_repo="eve/orbit", head_sha=sha(server, "conflict")
    )
    get = Client(server)
    again = get(f"/pulls/{stacked}", "PATCH", json={"base": "main"})
    assert again.status_code == 200 and get(f"/pulls/{stacked}", "PATCH", json={"base": BRANCH}).status_code == 200
    assert get(f"/git/refs/heads/{BRANCH}", "DELETE").status_code == 204
    for number, change in ((stacked, {"base": "main"}), (stacked, {"state": "open"}), (strange, {"base": "main"})):
        assert get.json(f"/pulls/{number}")["state"] == "closed"
        assert get(f"/pulls/{number}", "PATCH", json=change).status_code == 422


@pytest.mark.parametrize(
    ("head", "base", "error"),
    [
        ("same", "main", {"code": "custom", "message": "No commits between main and same"}),
        ("nope", "main", {"code": "invalid", "field": "head"}),
        (BRANCH, "nope", {"code": "invalid", "field": "base"}),
        ("conflict", "main", {"code": "custom", "message": "A pull request already exists for example-org:conflict."}),
        ("", "main", {"code": "missing_field", "field": "head"}),
    ],
)
def test_a_pull_that_can_not_be_is_refused(server: GitHubServer, head: str, base: str, error: dict[str, str]) -> None:
    """422 says which of GitHub's reasons it is."""
    server.add_pull("conflict", title="There")
    answer = Client(server, "wri")("/pulls", "POST", json={"title": "T", "head": head, "base": base})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"resource": "PullRequest", **error}]


def test_a_workflow_needs_the_permission_to_open_pulls(server: GitHubServer) -> None:
    """The setting that keeps Actions from opening pull requests answers 403 to a workflow's token."""
    body = {"title": "T", "head": BRANCH, "base": "main"}
    refused = Client(server, "ghs_w")("/pulls", "POST", json=body)
    assert refused.json()["message"] == "GitHub Actions is not permitted to create or approve pull requests."
    server.workflow_permissions["can_approve_pull_request_reviews"] = True
    assert Client(server, "ghs_w")("/pulls", "POST", json=body).json()["user"]["login"] == "github-actions[bot]"


def test_a_pull_lives_from_opening_to_squash(server: GitHubServer) -> None:
    """Opened over the API, closed, reopened, and squashed into a real commit on the base branch."""
    put = Client(server, "wri")
    body = {"title": "Release v0.2.0", "head": f"example-org:{BRANCH}", "base": "main", "body": "text"}
    made = put("/pulls", "POST", json=body)
    assert (made.status_code, made.json()["commits"], made.json()["changed_files"]) == (201, 1, 1)
    path = f"/pulls/{made.json()['number']}"
    assert put(path, "PATCH", json={"state": "closed"}).json()["closed_at"] == "2026-03-01T12:00:00Z"
    assert put(path, "PATCH", json={"state": "open"}).json()["closed_at"] is None
    before = sha(server, "main")
    assert put(f"{path}/merge", "PUT", json={"sha": before}).status_code == 409
    assert put(f"{path}/merge", "PUT", json={"merge_method": "rebase"}).status_code == 405
    server.delete_branch_on_merge = True
    stacked = server.add_pull("conflict", BRANCH, title="Stacked")
    merged = put(f"{path}/merge", "PUT", json={"merge_method": "squash"}).json()
    assert merged["sha"] == sha(server, "main")
    commit = server.git.commit(merged["sha"])
    assert (commit.parents, commit.message) == ((before,), "Release v0.2.0 (#1)")
    shown = put.json(path)
    assert (shown["state"], shown["merged"], shown["merge_commit_sha"]) == ("closed", True, merged["sha"])
    assert server.git.resolve(BRANCH) is None
    left = put.json(f"/pulls/{stacked}")
    assert (left["state"], left["base"]["ref"]) == ("open", "main"), "what a merge deletes is replaced as a base"
    assert [pull["number"] for pull in put.json(f"/commits/{merged['sha']}/pulls")] == [1]
    assert [item["commit"]["message"] for item in put.json(f"{path}/commits")] == ["chore(release): 0.2.0 [skip ci]"]
    assert put(f"{path}/merge", "PUT", json={}).status_code == 405
    assert put(path, "PATCH", json={"state": "open"}).status_code == 422


def test_a_conflict_and_a_draft_do_not_merge(server: GitHubServer) -> None:
    """405 for both; a plain merge has two parents."""
    put = Client(server, "wri")
    one = server.add_pull("conflict", title="C")
    two = server.add_pull(BRANCH, title="D", draft=True)
    assert put(f"/pulls/{one}/merge", "PUT", json={}).status_code == 405
    assert put(f"/pulls/{two}/merge", "PUT", json={}).status_code == 405
    server.pulls[two].draft = False
    assert len(server.git.commit(put(f"/pulls/{two}/merge", "PUT", json={}).json()["sha"]).parents) == 2


# ---------------------------------------------------------------------- releases


def test_the_latest_release_is_the_marked_or_the_newest(server: GitHubServer) -> None:
    """A mark wins over date and version; drafts and pre-releases never count."""
    get = Client(server)
    same = "2026-01-05T00:00:00Z"
    server.add_release("v0.9.0", created_at=same)
    server.add_release("v0.10.0", created_at=same)
    server.add_release("v1.0.0rc1", created_at="2026-01-06T00:00:00Z", prerelease=True)
    server.add_release("v2.0.0", created_at="2026-01-06T00:00:00Z", draft=True)
    assert get.json("/releases/latest")["tag_name"] == "v0.10.0"
    server.add_release("v0.8.1", created_at="2026-01-04T00:00:00Z", make_latest="true")
    assert get.json("/releases/latest")["tag_name"] == "v0.8.1"


def test_a_release_lives_from_draft_to_deletion(server: GitHubServer) -> None:
    """A draft makes no tag, publishing does, and deleting the release leaves the tag."""
    put = Client(server, "wri")
    body = {"tag_name": "v0.2.0", "draft": True, "target_commitish": "main", "generate_release_notes": True}
    made = put("/releases", "POST", json=body)
    assert made.status_code == 201
    assert made.json()["html_url"].rsplit("/", 1)[-1].startswith("untagged-")
    assert server.git.ref("refs/tags/v0.2.0") is None
    path = f"/releases/{made.json()['id']}"
    published = put(path, "PATCH", json={"draft": False, "name": "v0.2.0"}).json()
    assert (published["draft"], published["published_at"]) == (False, "2026-03-01T12:00:00Z")
    assert sha(server, "tags/v0.2.0") == sha(server, "main")
    assert put.json("/releases/latest")["id"] == made.json()["id"]
    again = put("/releases", "POST", json={"tag_name": "v0.2.0"})
    assert again.json()["errors"] == [{"resource": "Release", "code": "already_exists", "field": "tag_name"}]
    assert put("/releases", "POST", json={}).status_code == 422
    assert put("/releases", "POST", json={"tag_name": "a..b"}).status_code == 422
    assert put("/releases", "POST", json={"tag_name": "v3", "target_commitish": "nope"}).status_code == 422
    assert put(path, "DELETE").status_code == 204
    assert put(path).status_code == 404
    assert server.git.ref("refs/tags/v0.2.0")


def test_a_release_is_dated_by_its_commit(server: GitHubServer) -> None:
    """`created_at` is the commit's date, not the day of publication."""
    shown = server.add_release("v0.1.0")
    server.releases[shown].immutable = True
    body = Client(server).json(f"/releases/{shown}")
    assert (body["created_at"], body["published_at"]) == ("2026-01-01T01:00:00Z", "2026-03-01T12:00:00Z")
    assert body["immutable"] is True


def test_a_release_without_its_tag_is_a_draft_again(server: GitHubServer) -> None:
    """Deleting the tag of a published release turns it into a draft, hidden from readers."""
    shown = server.add_release("v0.1.0")
    assert Client(server, "wri")("/git/refs/tags/v0.1.0", "DELETE").status_code == 204
    assert Client(server, "wri").json(f"/releases/{shown}")["draft"] is True
    assert Client(server, "rea").json("/releases") == []
    assert Client(server, "rea")("/releases/latest").status_code == 404
    lost = server.add_release("v0.0.1")
    assert Client(server).json(f"/releases/{lost}")["draft"] is False, "a test may want a release that never had a tag"


# ---------------------------------------------------------------------- references and commits


def test_references_are_made_and_deleted(server: GitHubServer) -> None:
    """Creating and deleting change the repository itself; what is wrong is refused."""
    put, main = Client(server, "wri"), sha(server, "main")

    def make(ref: str, target: str) -> requests.Response:
        return put("/git/refs", "POST", json={"ref": ref, "sha": target})

    assert make("refs/tags/v0.3.0", main).status_code == 201
    assert server.git.text("rev-parse", "v0.3.0") == main
    assert make("refs/tags/v0.3.0", main).json()["message"] == "Reference already exists"
    assert make("refs/tags/v0.4.0", "0" * 40).json()["message"] == "Object does not exist"
    assert make("v0.5.0", main).status_code == 422
    assert put("/git/refs/tags/v0.3.0", "DELETE").status_code == 204
    assert put("/git/refs/tags/v0.3.0", "DELETE").json()["message"] == "Reference does not exist"
    assert put("/git/refs/heads/main", "DELETE").status_code == 422


def test_an_annotated_tag_shows_its_object_and_its_commit(server: GitHubServer) -> None:
    """The reference leads to the tag's object; the list of tags to the commit."""
    get = Client(server)
    shown = get.json("/git/ref/tags/v0.1.0")["object"]
    first = sha(server, "v0.1.0")
    assert shown["type"] == "tag"
    assert shown["sha"] != first
    assert {tag["name"]: tag["commit"]["sha"] for tag in get.json("/tags")}["v0.1.0"] == first
    assert [ref["ref"] for ref in get.json("/git/matching-refs/tags/v0.1")] == ["refs/tags/v0.1.0", "refs/tags/v0.1.1"]
    assert get.json("/git/matching-refs/heads/none") == []


def test_commits_are_compared_from_their_ancestor(server: GitHubServer) -> None:
    """Ahead, behind, diverged and identical, with counts and files."""
    get = Client(server)
    for head, word, ahead, behind in [
        (BRANCH, "ahead", 1, 0), ("v0.1.0", "behind", 0, 1), ("conflict", "diverged", 1, 1),
        ("same", "identical", 0, 0),
    ]:  # fmt: skip
        body = get.json(f"/compare/main...example-org:{head}")
        assert (body["status"], body["ahead_by"], body["behind_by"]) == (word, ahead, behind)
        assert body["total_commits"] == len(body["commits"]) == ahead
    assert [file["filename"] for file in get.json(f"/compare/main...{BRANCH}")["files"]] == ["CHANGELOG.md"]
    full = get.json("/commits/main")
    assert full["stats"] == {"total": 2, "additions": 1, "deletions": 1}
    assert [item["sha"] for item in get.json("/commits", sha="main", per_page=1)] == [sha(server, "main")]


def test_contents_come_as_json_or_raw(server: GitHubServer) -> None:
    """A file in base64 or as it is, of any ref; a folder as a list."""
    get = Client(server)
    raw = get("/contents/README.md?ref=v0.1.0", headers={"Accept": "application/vnd.github.raw+json"})
    assert raw.content == b"one\n"
    assert get.json("/contents/README.md")["content"] == "dHdvCg==\n"
    assert [(entry["path"], entry["type"]) for entry in get.json("/contents/src")] == [("src/orbit", "dir")]


def test_an_empty_repository_has_no_commits(tmp_path: Path) -> None:
    """409 says that the repository is empty; its other lists are."""
    path = tmp_path / "empty.git"
    bare(path)
    with GitHubServer(path) as server, openapi.validated(server) as violations:
        get = Client(server, None)
        assert get("/commits").status_code == 409
        assert get.json("/branches") == get.json("/tags") == get.json("/pulls") == []
        assert get("").status_code == 200
    assert violations == []


def test_rules_are_those_that_match_the_branch(server: GitHubServer) -> None:
    """A pattern that matches no branch gives no rule; a matching one makes the branch protected."""
    server.rules["release/*"] = [{"type": "creation"}]
    get = Client(server, None)
    assert get.json("/rules/branches/main") == []
    assert [rule["type"] for rule in get.json(f"/rules/branches/{BRANCH}")] == ["creation"]
    assert [branch["name"] for branch in get.json("/branches", protected="true")] == [BRANCH]


# ---------------------------------------------------------------------- checks and workflow runs


def test_the_latest_checks_are_one_of_each_suite_and_name(server: GitHubServer) -> None:
    """A re-run hides the older result of its suite only; `filter=all` shows everything."""
    fill(server)
    get = Client(server)

    def seen(**query: str) -> list[tuple[str, str | None]]:
        body = get.json("/commits/main/check-runs", **query)
        return [(run["name"], run["conclusion"]) for run in body["check_runs"]]

    assert seen() == [("release", "success"), ("lint", None), ("test", None), ("test", "failure")]
    assert len(seen(filter="all")) == 5
    assert get.json("/commits/main/check-runs", per_page=1)["total_count"] == 4


def test_statuses_combine_by_context(server: GitHubServer) -> None:
    """The newest of each context counts; none at all is `pending`."""
    fill(server)
    get = Client(server)
    body = get.json("/commits/main/status")
    assert (body["state"], body["total_count"]) == ("pending", 2)
    assert len(get.json("/commits/main/statuses")) == 3
    assert get.json("/commits/v0.1.0/status")["state"] == "pending"
    server.add_status(sha(server, "main"), "ci/b", "error")
    assert get.json("/commits/main/status")["state"] == "failure"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["queued", "failure"]),
        ({"status": "failure"}, ["failure"]),
        ({"status": "queued"}, ["queued"]),
        ({"status": "in_progress"}, []),
        ({"branch": "same"}, []),
        ({"event": "workflow_dispatch", "per_page": "1"}, ["queued"]),
    ],
)
def test_runs_are_found_by_status_branch_and_event(
    server: GitHubServer, query: dict[str, str], found: list[str]
) -> None:
    """Newest first; `status` means a status or a conclusion."""
    fill(server)
    runs = Client(server).json("/actions/workflows/release.yml/runs", **query)["workflow_runs"]
    assert [run["conclusion"] or run["status"] for run in runs] == found
    assert Client(server).json("/actions/runs", event="push")["total_count"] == 1


def test_jobs_tell_the_failing_step(server: GitHubServer) -> None:
    """Steps are numbered and have their own conclusions; an unfinished job has no end."""
    ids = fill(server)
    get = Client(server)
    first = get.json(f"/actions/runs/{ids['run']}/jobs")["jobs"][0]
    assert [(step["number"], step["conclusion"]) for step in first["steps"]] == [(1, "success"), (2, "failure")]
    waiting = get.json(f"/actions/runs/{ids['queued']}/jobs")["jobs"][0]
    assert (waiting["status"], waiting["completed_at"], waiting["steps"]) == ("queued", None, [])


def test_logs_come_by_a_redirect(server: GitHubServer) -> None:
    """302 to a text or an archive, for callers with an account, of runs that have ended and still have logs."""
    ids = fill(server)
    get = Client(server, "rea")
    redirect = get(f"/actions/jobs/{ids['job']}/logs")
    assert redirect.status_code == 302
    text = requests.get(redirect.headers["Location"], timeout=5).content.decode()
    assert text == "\ufeff2026-02-10T10:00:00.0000000Z fatal: no\n2026-02-10T10:00:00.0000000Z end\n"
    archive = get(f"/actions/runs/{ids['run']}/logs", allow_redirects=True)
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        assert opened.namelist() == ["0_publish.txt", "1_second _ part.txt"]
        assert "fatal: no" in opened.read("0_publish.txt").decode()
    refused = Client(server, None)(f"/actions/runs/{ids['run']}/logs")
    assert (refused.status_code, refused.json()["message"]) == (403, "Must have admin rights to Repository.")
    assert get(f"/actions/runs/{ids['queued']}/logs").status_code == 404
    server.workflow_runs[ids["run"]].log_expired = True
    assert get(f"/actions/runs/{ids['run']}/logs").status_code == 410


def test_a_dispatch_reaches_the_callback(server: GitHubServer) -> None:
    """204, and the callback gets file, ref and inputs; a missing or unknown ref is refused."""
    server.add_workflow()
    seen: list[tuple[str, str, dict[str, Any]]] = []
    server.on_dispatch = lambda *call: seen.append(call)
    put = Client(server, "wri")
    path = "/actions/workflows/release.yml/dispatches"
    body = {"ref": "main", "inputs": {"target_environment": "pypi"}}
    assert put(path, "POST", json=body).status_code == 204
    assert seen == [("release.yml", "main", {"target_environment": "pypi"})]
    assert put(path, "POST", json={}).status_code == 422
    assert put(path, "POST", json={"ref": "nope"}).status_code == 422


# ---------------------------------------------------------------------- the server itself


def test_faults_can_be_put_in_place_of_answers(server: GitHubServer) -> None:
    """A test's own answer, a truncated one, and none at all; None lets the server answer."""
    get = Client(server)

    def fault(request: Request) -> Reply | None:
        faults = {
            "/tags": Reply(502, {"Content-Type": "text/html"}, b"<html>"),
            "/pulls": Reply(200, {"Content-Length": "100", "Content-Type": "application/json"}, b"[{"),
            "/branches": Reply(0),
        }
        return next((reply for end, reply in faults.items() if request.path.endswith(end)), None)

    server.intercept = fault
    assert get("/tags").status_code == 502
    for path in ("/pulls", "/branches"):
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            get(path)
    assert get("/releases").status_code == 200
    # An idle connection that ended is opened anew and the request sent again, so the last may come twice.
    assert {request.status for request in server.requests} == {0, 200, 502}


def test_requests_are_recorded_with_query_and_status(server: GitHubServer) -> None:
    """The record has the query and the headers, and no trace of the token."""
    Client(server)("/pulls?state=all&head=a%3Ab", headers={"Accept": "x/y"})
    record = server.requests[-1]
    assert (record.method, record.path) == ("GET", "/repos/example-org/orbit/pulls")
    assert record.query == {"state": "all", "head": "a:b"}
    assert (record.status, bool(record.authorization), record.headers["accept"]) == (200, True, "x/y")
    assert "adm" not in repr(record)


def test_a_request_names_its_client(server: GitHubServer) -> None:
    """Without a User-Agent GitHub refuses."""
    silent = {"User-Agent": SKIP_HEADER}
    assert Client(server)("", headers=silent).status_code == 403


@pytest.mark.parametrize("body", ["{", "[]"])
def test_a_body_must_be_an_object(server: GitHubServer, body: str) -> None:
    """400 for what is no JSON object."""
    assert Client(server)("/pulls", "POST", data=body).status_code == 400


def test_stopping_leaves_no_thread(git_dir: Path) -> None:
    """Not even with a connection that the client keeps open; and a stopped server can start again."""
    before = set(threading.enumerate())
    server = GitHubServer(git_dir)
    server.stop()
    for _ in range(2):
        server.start()
        session = requests.Session()
        assert session.get(f"{server.url}/rate_limit", timeout=5).status_code == 200
        began = time.monotonic()
        server.stop()
        assert set(threading.enumerate()) == before
        assert time.monotonic() - began < 5
        session.close()
    with pytest.raises(RuntimeError):
        _ = server.url


def test_setting_up_what_can_not_be_is_refused(server: GitHubServer) -> None:
    """A branch that is not there needs a commit given by hand; a moment needs its zone."""
    with pytest.raises(ValueError, match="no branch nope"):
        server.add_pull("nope", title="T")
    with pytest.raises(ValueError, match="no branch nope"):
        server.add_run(head_branch="nope")
    with pytest.raises(ValueError, match="zone"):
        server.add_release("v1", created_at="2026-01-01T00:00:00")


# ---------------------------------------------------------------------- the validator


def test_the_validator_sees_what_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A missing field, a wrong type, a moment without zone, an unknown status; and not the nulls of real answers."""
    document = openapi.validator()
    kind = {"Content-Type": "application/json"}

    def check(path: str, status: int, body: bytes) -> list[str]:
        return document.violations("GET", path, status, kind, body)

    ref = '{"ref":"r","node_id":"n","url":"u","object":{"type":"commit","sha":"%s","url":"u"}}'
    path = "/repos/a/b/git/ref/heads/x/y"
    assert check(path, 200, (ref % ("0" * 40)).encode()) == []
    assert "is too short" in check(path, 200, (ref % "0").encode())[0]
    assert "required" in check(path, 200, b"{}")[0]
    assert "not in the document" in check(path, 200 + 2, b"{}")[0]
    assert "not JSON" in check(path, 404, b"<")[0]
    assert "no such route" in check("/repos/a/b/nonsense/x/y", 200, b"{}")[0]
    run = b'{"total_count": 0, "workflows": [{"created_at": "2026-01-01T00:00:00"}]}'
    assert any("date-time" in text for text in check("/repos/a/b/actions/workflows", 200, run))
    release = check("/repos/a/b/releases/1", 200, b'{"author": null, "assets": null}')
    assert any(" at assets: " in text for text in release)
    assert not any(" at author: " in text for text in release)
    monkeypatch.setenv("RELEASE_STATE_OPENAPI", str(tmp_path / "missing.json"))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="missing"):
        openapi.validator()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="missing"):
        openapi.validator()
