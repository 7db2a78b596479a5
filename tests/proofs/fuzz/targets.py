"""The targets: each a parser, what it may be given, and the errors that it may raise. Nothing else comes out.

`TARGETS[name].run(data)` ends without an error where the parser did what it promises. A model that comes out has to be
one that can be written to JSON: a report is made of it.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import Version

from release_state.audit.fleet.projects import read_projects
from release_state.common.addresses import strip_credentials
from release_state.common.errors import UsageProblem
from release_state.common.text import sanitize
from release_state.facts.commits import classify_for_commitizen, classify_message
from release_state.facts.declared.declaration import find_declaration
from release_state.facts.logs.archive import NotALog, read_logs
from release_state.facts.logs.attribution import attribute_log
from release_state.facts.logs.explanation import explain_log
from release_state.facts.logs.lines import parse_log
from release_state.facts.logs.statements import join_lines
from release_state.facts.release import Release
from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.document import NotReadable
from release_state.facts.workflow.parsing import parse_workflow
from release_state.facts.workflow.triggers import read_events, read_push_trigger
from release_state.model.observation import Model
from release_state.model.snapshot import FORMAT
from release_state.model.target import parse_repository, parse_version
from release_state.observe import earlier_reports, recorded
from release_state.observe.git import patches
from release_state.observe.git.answers import ObjectMissing
from release_state.observe.git.command import GitFailed
from release_state.observe.git.history import find_changed_contents, read_commits, read_messages_since, read_tag_dates
from release_state.observe.git.program import GitProgram
from release_state.observe.git.reader import find_repository
from release_state.observe.git.remote import check_url, parse_refs
from release_state.observe.git.tree_files import read_details
from release_state.observe.git.work_tree import parse_status
from release_state.observe.github.api import GitHubApi
from release_state.observe.github.ci import find_branch_runs
from release_state.observe.github.environments import observe_environments
from release_state.observe.github.expected_ci import read_push_log
from release_state.observe.github.github import GitHub
from release_state.observe.github.lists import GitHubList
from release_state.observe.github.run_log import RunLogs
from release_state.observe.github.settings import GitHubSettings
from release_state.observe.http.client import LookupFailed, observe
from release_state.observe.http.response import Response, read_refusal
from release_state.observe.index.access import Index, observe_provenance
from release_state.observe.index.index import observe_index, observe_index_history
from release_state.observe.index.page import NotSimple
from release_state.observe.index.simple import parse_root
from release_state.observe.install.pip import judge_failure
from release_state.observe.next_version.rules import (
    Unreadable,
    find_configuration,
    find_project_name,
    find_project_version,
)
from release_state.observe.published import trees as tree_match
from release_state.observe.published.candidates import look_up_pull_heads
from release_state.observe.published.files import Refused, read_sdist, read_wheel
from release_state.observe.status_page import observe_status_page
from release_state.report.document import Origin
from release_state.report.page import summary
from release_state.settings import sources as settings
from release_state.settings import validate
from release_state.settings.config import Arguments, load
from release_state.settings.sources import selection
from tests.proofs.fuzz.canned import API, REF, CannedClient, CannedGit, asked_over, store
from tests.support import states as s
from tests.support.judged import verdict_of
from tests.support.texts import Texts

CORPUS = Path(__file__).with_name("corpus")
SECONDS = 5.0
"""What one input may take of the processor: a thousand times what the ordinary one takes."""
LONGEST = 64 * 2**10
"""Bytes of an input."""
REPOSITORY = (CORPUS / "github-repository" / "true").read_bytes()
_NAME = "example-org/orbit"
_PLACE = f"/repos/{_NAME}"


class TooSlow(AssertionError):  # noqa: N818 - reads as what happened
    """The input took longer than any may."""


@dataclass(frozen=True)
class Target:
    """A parser."""

    parse: Callable[[bytes], object]
    raises: tuple[type[Exception], ...] = ()
    """Its own errors."""

    def run(self, data: bytes) -> None:
        """Parse; raises what the parser must not raise, and TooSlow."""
        began = time.process_time()
        try:
            _written(self.parse(data))
        except self.raises as error:
            _written(str(error))
        if (took := time.process_time() - began) > SECONDS:
            raise TooSlow(f"{took:.1f} s")


TARGETS: dict[str, Target] = {}


def _target(name: str, *raises: type[Exception]) -> Callable[[Callable[[bytes], object]], Callable[[bytes], object]]:
    def register(function: Callable[[bytes], object]) -> Callable[[bytes], object]:
        TARGETS[name] = Target(function, raises)
        return function

    return register


def _written(found: object) -> None:
    """Write it as a report does: what cannot be written is no answer."""
    if isinstance(found, Model):
        msgspec.json.encode(found).decode()
    elif isinstance(found, str):
        found.encode()
    elif isinstance(found, (list, tuple)):
        for item in found:
            _written(item)


def corpus(name: str) -> list[bytes]:
    """What a target is begun with: true answers, and what once went wrong."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


@cache
def _scratch() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="release-state-fuzz-")
    _kept.append(folder)
    return Path(folder.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []


def _file(name: str, data: bytes) -> Path:
    path = _scratch() / name
    path.write_bytes(data)
    return path


# ---- the index


def _index(data: bytes, content_type: str) -> CannedClient:
    return CannedClient(lambda url: data, {"Content-Type": content_type})


@_target("index-json")
def _(data: bytes) -> object:
    client = _index(data, "application/vnd.pypi.simple.v1+json")
    return observe_index(client, s.PYPI, "orbit-demo", "0.1.0"), observe_index_history(client, s.PYPI, "orbit-demo")


@_target("index-html")
def _(data: bytes) -> object:
    client = _index(data, "text/html; charset=utf-8")
    return observe_index(client, s.PYPI, "orbit-demo", "0.1.0"), observe_index_history(client, s.PYPI, "orbit-demo")


@_target("index-content-type")
def _(data: bytes) -> object:
    return observe_index(_index(b"<html></html>", data.decode("latin-1")), s.PYPI, "orbit-demo", "0.1.0")


@_target("index-root", NotSimple)
def _(data: bytes) -> object:
    kind = "text/html" if data.lstrip()[:1] == b"<" else "application/vnd.pypi.simple.v1+json"
    return list(parse_root(data, {"Content-Type": kind}, "https://index.example/simple/"))


@_target("index-json-api")
def _(data: bytes) -> object:
    return Index(CannedClient(lambda url: data), s.PYPI, 1e9).files_by_json("orbit-demo", Version("0.2.0"))


@_target("index-provenance")
def _(data: bytes) -> object:
    file = s.file(provenance_url="https://index.example/p", sha256="0" * 64)
    return observe(lambda: _plain(observe_provenance(Index(CannedClient(lambda url: data), s.PYPI, 1e9), file)))


def _plain(found: object) -> Any:
    return str(found)


@_target("status-page")
def _(data: bytes) -> object:
    return observe_status_page(CannedClient(lambda url: data), "GitHub", "https://status.example")


# ---- GitHub: what each question makes of an answer


def _github(data: bytes) -> GitHub:
    def body(url: str) -> bytes:
        return REPOSITORY if url == f"{API}{_PLACE}" else data

    return GitHub(CannedClient(body), API, _NAME, own_run_id=7, now=s.NOW)


def _asks(name: str, ask: Callable[[GitHub], object]) -> None:
    TARGETS[f"github-{name}"] = Target(lambda data: ask(_github(data)))


TARGETS["github-repository"] = Target(lambda data: GitHub(CannedClient(lambda url: data), API, _NAME).repository())
_asks("pulls", lambda github: (github.pulls("release/pypi-v0.2.0"), github.open_release_pulls(lambda name: True)))
_asks("release", lambda github: (github.release_by_tag("v0.2.0"), github.latest_release()))
_asks("releases", lambda github: (github.drafts("v0.2.0".__eq__), github.releases(), github.drafts()))
_asks("checks", lambda github: github.checks(REF))
_asks("runs", lambda github: github.runs("release.yml"))
_asks("branch-runs", lambda github: github.observe(lambda api, place: find_branch_runs(api, place, "main", "x.yml")))
_asks("rulesets", lambda github: GitHubSettings(github).rulesets())
_asks("environment", lambda github: observe_environments(github, ("pypi",)))
_asks("settings", lambda github: GitHubSettings(github).actions_settings())


@_target("github-ruleset")
def _(data: bytes) -> object:
    listed = b'[{"id":42,"name":"n","target":"branch","enforcement":"active","source":"o/r"}]'
    return GitHubSettings(_github_with(data, "/rulesets", listed)).rulesets()


@_target("github-rules")
def _(data: bytes) -> object:
    detail = b'{"id":42,"name":"n","target":"branch","enforcement":"active","source":"o/r"}'
    more = {"/rulesets": b"[" + detail + b"]", "/rulesets/42": detail}
    return GitHubSettings(_github_with(data, more=more)).branch_rules("main")


@_target("github-branch")
def _(data: bytes) -> object:
    return GitHubSettings(_github_with(data, "/rulesets", b"[]")).base_rules("main")


@_target("github-protection")
def _(data: bytes) -> object:
    branch = b'{"name":"main","protected":true,"protection":{"enabled":true}}'
    return GitHubSettings(_github_with(data, more={"/rulesets": b"[]", "/branches/main": branch})).base_rules("main")


@_target("github-environment-patterns")
def _(data: bytes) -> object:
    policy = '"deployment_branch_policy":{"protected_branches":false,"custom_branch_policies":true}'
    room = f'{{"name":"pypi","url":"{API}{_PLACE}/environments/pypi",{policy}}}'.encode()
    return observe_environments(_github_with(data, "/environments/pypi", room), ("pypi",))


@_target("github-activity")
def _(data: bytes) -> object:
    client = CannedClient(lambda url: data)
    return observe(lambda: read_push_log(GitHubApi(client, API), "/x", "main", client.deadline()))


@_target("workflow-triggers", NotReadable)
def _(data: bytes) -> object:
    trigger = read_push_trigger(read_events(data.decode("utf-8", "replace")))
    return trigger and (trigger.is_for("main"), trigger.takes(["src/a.py", "docs/b.md"]), trigger.has_paths)


def _github_with(data: bytes, path: str = "", body: bytes = b"", more: dict[str, bytes] | None = None) -> GitHub:
    """GitHub with true answers for some paths of the repository, and the data for the others."""
    true = {f"{API}{_PLACE}{name}": text for name, text in {path: body, **(more or {}), "": REPOSITORY}.items()}
    return GitHub(CannedClient(lambda url: true.get(url, data)), API, _NAME, now=s.NOW)


@_target("github-jobs")
def _(data: bytes) -> object:
    run = s.run("completed", conclusion="failure", title="x", head_branch="main")
    log = b"2026-01-01T00:00:00.0000000Z ##[error]no space left\n"
    client = CannedClient(lambda url: log if url.endswith("/logs") else data)
    return RunLogs(client, API).last_run(_NAME, s.target(), s.runs(run).present(), "in doubt")


@_target("github-pages", ValueError)
def _(data: bytes) -> object:
    client = CannedClient(lambda url: b"[]", {"Content-Type": "application/json", "Link": data.decode("latin-1")})
    return observe(lambda: GitHubList(GitHubApi(client, API), "/x", "things").read() and None), observe(
        lambda: GitHubList(GitHubApi(client, API), "/x", "things", at_once=True).read() and None
    )


@_target("http", LookupFailed)
def _(data: bytes) -> object:
    """An answer as it comes over the wire."""
    found, answer = asked_over(data)
    with suppress(ValueError):
        return [str(found), *answer.links.values()]
    return str(found)


@_target("refusal")
def _(data: bytes) -> object:
    """A refusal: lines of headers, an empty one, and the body."""
    head, _, body = data.partition(b"\n\n")
    lines = [line.partition(":") for line in head.decode("latin-1").split("\n")]
    headers = {name: value.strip() for name, _, value in lines if name}
    responses = [Response(status, headers, body, "") for status in (401, 403, 429, 500, 503)]
    refusals = [read_refusal(response, with_credentials=True) for response in responses]
    return [text for refusal in refusals for text in (refusal.why, refusal.remedy or "")]


# ---- git


def _from_git(name: str, parse: Callable[[bytes], object]) -> None:
    TARGETS[f"git-{name}"] = Target(parse, (GitFailed,))


_from_git("ls-remote", lambda data: parse_refs("https://github.example/o/r.git", data))
_from_git(
    "ls-remote-pulls", lambda data: look_up_pull_heads(CannedGit(5, output=data), "https://github.example/o/r.git")
)
_from_git("status", lambda data: (parse_status(data), None)[1])
_from_git("log", lambda data: [each.subject for each in read_messages_since(store(data), REF, None)])
_from_git("commits", lambda data: read_commits(store(data), [REF]))
_from_git("tag", lambda data: str(read_tag_dates(store(data, "tag"), [REF])))
_from_git("diff-tree", lambda data: [change.commit for change in patches.read_changes(store(data), [REF])])
_from_git("diff-pairs", lambda data: [name for name, _ in tree_match.read_changes(store(data), [(REF, REF)])])
_from_git("contents", lambda data: sorted(find_changed_contents(store(data), REF)))
_from_git("tree", lambda data: [*tree_match.read_tree(store(data, "tree"), REF)])
_from_git("patch", lambda data: len(patches.sign_patch(data)))
_from_git(
    "files", lambda data: [str(each) for each in read_details(store(data, "tree"), [REF], "CHANGELOG.md").values()]
)


@_target("git-object-header", ObjectMissing, ValueError)
def _(data: bytes) -> object:
    program = GitProgram("/nonexistent", Path("/"), {}, 0)
    return str(program._parse_object_header(data))


@_target("git-address", GitFailed, UsageProblem)
def _(data: bytes) -> object:
    url = _text(data)
    parse_repository(url, "https://github.com")
    try:
        check_url(url)
    finally:
        shown = strip_credentials(url)
    return validate.git_url("--remote-url", url), shown


# ---- what lies in a repository


@_target("sdist", Refused)
def _(data: bytes) -> object:
    name = "x-1.zip" if data[:2] == b"PK" else "x-1.tar.gz"
    files = read_sdist(name, data, sha256=False, deadline=time.monotonic() + SECONDS)
    assert not [path for path in files if path.startswith("/") or ".." in path.split("/")]
    return list(files)


@_target("wheel", Refused)
def _(data: bytes) -> object:
    files = read_wheel(data, sha256=True, deadline=time.monotonic() + SECONDS)
    assert not [path for path in files if path.startswith("/") or ".." in path.split("/")]
    return list(files)


@_target("workflow", NotReadable)
def _(data: bytes) -> object:
    parsed = parse_workflow(_text(data))
    whole = ReleaseWorkflow(".github/workflows/x.yml", {".github/workflows/x.yml": _text(data)}, "read")
    told: Iterable[object] = (
        whole.problem,
        whole.needs,
        whole.excesses,
        whole.minutes,
        whole.called_paths,
        whole.missing_paths,
    )
    return [str(told), str(parsed)]


@_target("declared-version", Unreadable)
def _(data: bytes) -> object:
    """A pyproject.toml, a form feed, a setup.cfg, a setup.py, a module, a Cargo.toml."""
    parts = _text(data).split("\f")
    files = dict(zip(("pyproject.toml", "setup.cfg", "setup.py", "x/__init__.py", "Cargo.toml"), parts, strict=False))
    found = find_declaration(Texts(files), "x")
    assert len(found.version or "") <= 200 and len(found.where) <= 200
    return [str(found), find_project_name(files) or "", find_project_version(files) or ""]


@_target("version-rules", Unreadable)
def _(data: bytes) -> object:
    """A file of each kind of configuration, and a workflow, parted by form feeds."""
    names = ("pyproject.toml", "releaserc.json", ".cz.json", ".cz.yaml", "setup.cfg")
    *parts, workflow = [*_text(data).split("\f"), ""]
    return str(find_configuration(dict(zip(names, parts, strict=False)), "auto", workflow))


@_target("commit-message")
def _(data: bytes) -> object:
    return [classify_message(_text(data)), classify_for_commitizen(_text(data))]


@_target("changelog")
def _(data: bytes) -> object:
    return Release(s.ready()).has_changelog_entry(_text(data))


# ---- logs


@_target("log")
def _(data: bytes) -> object:
    lines = parse_log(_text(data))
    attribute_log(lines, _of_orbit())
    return [sanitize(line) for line in explain_log(lines).lines]


@_target("log-statements")
def _(data: bytes) -> object:
    """Lines that a tool broke, joined: none of the output is lost, doubled or moved."""
    lines = parse_log(_text(data))
    every = list(join_lines(lines))
    said = [line.text for line in lines if not line.is_script and line.text.strip()]
    assert [text for each in every for text in each.texts if text.strip()] == said
    within = ("2026-01-02T03:04:05", "2026-01-02T03:04:06")
    explained = explain_log(lines, within=within)
    return [sanitize(text) for text in (*(each.text for each in every), *explained.lines)]


@_target("log-archive", NotALog)
def _(data: bytes) -> object:
    return [text for _, text in read_logs(data, 2**20)]


@_target("log-archive-explained", NotALog)
def _(data: bytes) -> object:
    """An archive of a run, read, joined and explained job by job, as `explain` does."""
    logs = read_logs(data, 2**20)
    return [[name, *map(sanitize, explain_log(parse_log(text)).lines)] for name, text in logs]


@_target("pip-output")
def _(data: bytes) -> object:
    said, _, log = _text(data).partition("\f")
    return judge_failure(said, log, "orbit").line


# ---- what a person gives


@lru_cache(maxsize=1)
def _of_orbit() -> Any:
    return s.target()


@_target("configuration", UsageProblem)
def _(data: bytes) -> object:
    _file("pyproject.toml", data)
    settings.table(_scratch())
    given = {"package": "orbit", "repository": "octo/orbit"}
    config = load(Arguments(versions=("0.2.0",), settings=given), {}, _scratch(), find_repository)
    return list(config.targets)


@_target("project-list", UsageProblem)
def _(data: bytes) -> object:
    path = _file("projects.toml", data)
    return [each.name for each in read_projects(path, Arguments(versions=("0.2.0",)), {}, _scratch())]


@_target("snapshot", UsageProblem)
def _(data: bytes) -> object:
    """As it is, and as whoever writes a digest to it would give it."""
    recorded_of(data)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return None
    document = {"release_state_snapshot": FORMAT, "sha256": "", "snapshots": content}
    try:
        document["sha256"] = recorded._digest(content)
        text = json.dumps(document).encode()
    except (ValueError, RecursionError):
        return None
    snapshots = recorded.load(_file("snapshot.json", text))
    for snapshot in recorded.update_phases(snapshots, None):
        verdict = verdict_of(snapshot)
        _written(summary((verdict,), {verdict.target.key: snapshot}, Origin(host="here"), {}))
    return snapshots


def recorded_of(data: bytes) -> None:
    """Load what is no snapshot; nobody guesses a digest."""
    try:
        recorded.load(_file("raw.json", data))
    except UsageProblem:
        return
    raise AssertionError("taken without a digest")


@_target("report-of-an-earlier-run", earlier_reports.NotAReport)
def _(data: bytes) -> object:
    return [str(record) for record in earlier_reports.read_report(_file("report.json", data)).records]


@_target("version", UsageProblem)
def _(data: bytes) -> object:
    text = _text(data)
    parse_version(text)
    with suppress(UsageProblem):
        selection(text)
    return validate.version(text)


@_target("names", UsageProblem)
def _(data: bytes) -> object:
    """Every kind of name and address that may be typed."""
    text = _text(data)
    for check in (validate.package, validate.repository, validate.channel_name):
        _refused(check, text)
    for option in (validate.http_url, validate.status_url, validate.link, validate.folder, validate.relative_path):
        _refused(partial(option, "--x"), text)
    _refused(partial(validate.workflow_file, "--workflow"), text)
    canonicalize_name(text)
    return validate.ref_name("--x", text)


def _refused(check: Callable[[str], object], text: str) -> None:
    try:
        check(text)
    except UsageProblem as problem:
        _written(str(problem))


@_target("tag", UsageProblem)
def _(data: bytes) -> object:
    """A template, a line feed, a tag or branch that may be of it."""
    template, _, name = _text(data).partition("\n")
    target = _of_orbit()
    try:
        given = validate.ref_template("--tag-template", template, ("version", "package"))
        target = replace_target(given)
    finally:
        target.parse_tag(name)
        target.parse_release_branch(name)
    return target.tag


def replace_target(template: str) -> Any:
    """The target with another template of tags."""
    return s.target(tag_template=template)
