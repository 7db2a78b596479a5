"""The rows of the matrix: every request that a run can make, in the state of the world in which it is told most by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tests.proofs.faults.gateway import Asked

Kind = Literal[
    "advert", "rpc", "page", "root", "file", "attestation", "object", "list", "log", "text", "status", "opinion"
]
"""How an answer is read.

advert, rpc: git's own protocol. page, root: of a Simple index. file, attestation: of the index. object, list: GitHub's
JSON, one or over pages. log: GitHub's redirect to a log; text: the log. status: of a status page. opinion: a second
one, which changes nothing where it does not come.
"""

GUARDED, ROOM = "guarded", "an upload with an environment"
READY, RELEASED = "ready to release", "released"
SHARED = "a tag of two channels"


@dataclass(frozen=True)
class Row:
    """One question of a run, and what rests on its answer."""

    name: str
    state: str
    kind: Kind
    fact: str
    """The fact that the answer gives, as `facts` names it."""
    where: tuple[str, str, str]
    """Service, path and query as regular expressions; of git's the body instead of the query."""
    behind: frozenset[str] = field(default_factory=frozenset)
    """Other facts that rest on it."""
    blocking: bool = True
    """Whether an unknown fact keeps this state from exit 0."""
    begins: str | None = None
    """The root that the row begins with: faults of the address are those of this root itself."""
    first: int = 0
    """How many requests of the same form come before: git asks for the refs first, then for these."""

    @property
    def touches(self) -> frozenset[str]:
        """Every fact that may be unknown where this row has a fault."""
        return self.behind | {self.fact}

    def claims(self, asked: Asked) -> bool:
        """Whether a request is this row's."""
        service, path, rest = self.where
        text = asked.body.decode("latin-1") if asked.service == "git" else asked.target.partition("?")[2]
        return asked.service == service and bool(re.fullmatch(path, asked.path) and re.search(rest, text))


_OF_SETTINGS = ("rulesets", "branch_rules", "base_rules", "actions_settings")
_ALL_OF_GITHUB = (
    *("pulls", "open_pulls", "release", "latest_release", "drafts", "ci", "runs", "last_run", "branch_pulls"),
    *("base_runs", "earlier_pulls", "earlier_releases", "environments", "workflow_states", *_OF_SETTINGS),
)
_BEHIND_FILES = ("workflow_files", "runs", "ci", "base_runs", "last_run", "environments", "workflow_states")
"""Which workflow publishes is in its file, and what is no CI follows from that."""
_BEHIND_BASE = (*_BEHIND_FILES, "base_rules", "rehearsal", "calculation")
_BEHIND_COMMITS = (*_BEHIND_FILES, "published", "clone", "calculation")
_BEHIND_PAGE = ("published", "contents", "last_run", "calculation")
_BEHIND_REFS = (
    *("history", "clone", "published", "branch_pulls", "index testpypi", "earlier_pulls", "earlier_releases"),
    *_BEHIND_BASE,
)


def _row(
    name: str,
    state: str,
    kind: Kind,
    fact: str,
    where: tuple[str, str, str],
    *behind: str,
    blocking: bool = True,
    begins: str | None = None,
    first: int = 0,
) -> Row:
    return Row(name, state, kind, fact, where, frozenset(behind), blocking, begins, first)


def _git(command: str) -> tuple[str, str, str]:
    return "git", r"/.*\.git/git-upload-pack", f"command={command}"


def _index(path: str) -> tuple[str, str, str]:
    return "index", path, ""


def _api(path: str, query: str = "") -> tuple[str, str, str]:
    return "github", f"/repos/[^/]+/[^/]+{path}", query


_CAN = ("git", r"/.*\.git/info/refs", "")
_PAGE, _ROOT, _SECOND = _index("/pypi/simple/[^/]+/"), _index("/pypi/simple/"), _index("/testpypi/simple/[^/]+/")
_SECOND_JSON = _index("/testpypi/pypi/.*/json")
_SECOND_ROOT = _index("/testpypi/simple/")
_WHEEL = _index(r"/pypi/files/.*\.whl")
_SDIST, _PROVENANCE = _index(r"/pypi/files/.*\.tar\.gz"), _index("/pypi/integrity/.*")
_OWN_PULLS, _OTHER_PULLS = _api("/pulls", "head=.*pypi-v0.2.0"), _api("/pulls", "head=.*testpypi-v0.3")
_OF_TAG, _RESPELLED = _api("/releases/tags/[^/]*0[.]2[.]0"), _api("/releases/tags/[0-9][^/]*")
_EARLIER_PULLS = _api("/pulls", "head=.*(pypi-v0[.]1[.]0|release-please)")
_EARLIER_RELEASES = _api("/releases/tags/v0[.]1[.]0")
_WORKFLOWS = _api("/actions/workflows")
_RUNS = _api("/actions/workflows/[^/]+/runs")
_JOBS, _LOG = _api("/actions/runs/[0-9]+/jobs"), _api("/actions/jobs/[0-9]+/logs")
_OWN_JOBS = _api("/actions/runs/[0-9]+/jobs", "filter=all")
_STORED = ("storage", "/_logs/.*", "")
_CHECK_RUNS, _STATUSES = _api("/commits/[0-9a-f]+/check-runs"), _api("/commits/[0-9a-f]+/status")
_RULES, _OF_BRANCH = ("branch_rules", "base_rules"), _api("/rules/branches/.*")
_SETTINGS = _api("/actions/permissions/workflow")
_PATTERNS = _api("/environments/[^/]+/deployment-branch-policies")
_STATUS, _PYPI_STATUS = ("status", "/github/.*", ""), ("status", "/pypi/.*", "")

_TABLE = (
    _row("git: what the remote can do", READY, "advert", "remote", _CAN, *_BEHIND_REFS, begins="git"),
    _row("git: refs", RELEASED, "rpc", "remote", _git("ls-refs"), *_BEHIND_REFS),
    _row("git: commits", "clone that is behind", "rpc", "history", _git("fetch"), *_BEHIND_COMMITS),
    _row("git: heads of pull requests", "published without a tag", "rpc", "published", _git("ls-refs"), first=1),
    _row("index: page", READY, "page", "index pypi", _PAGE, "last_run", begins="pypi"),
    _row("index: JSON API", READY, "opinion", "index pypi", _index("/pypi/pypi/.*/json"), "last_run"),
    _row("second index", READY, "page", "index testpypi", _SECOND, "rehearsal", blocking=False, begins="testpypi"),
    _row("index of who shares the tag", SHARED, "page", "index testpypi", _SECOND, blocking=False, begins="testpypi"),
    _row("index of who shares the tag: JSON API", SHARED, "opinion", "index testpypi", _SECOND_JSON, blocking=False),
    _row("index: published version", RELEASED, "page", "index pypi", _PAGE, *_BEHIND_PAGE, begins="pypi"),
    _row("index: new project", "new project", "page", "index pypi", _PAGE, begins="pypi"),
    _row("index: root", "new project", "root", "index pypi", _ROOT),
    _row("second index: root", "new project", "root", "rehearsal", _SECOND_ROOT, blocking=False),
    _row("index: wheel", RELEASED, "file", "contents", _WHEEL),
    _row("index: sdist", RELEASED, "file", "published", _SDIST, blocking=False),
    _row("index: provenance", RELEASED, "attestation", "published", _PROVENANCE, blocking=False),
    _row("GitHub: repository", READY, "object", "repository", _api(""), *_ALL_OF_GITHUB, begins="github"),
    _row("GitHub: pull requests", READY, "list", "pulls", _OWN_PULLS),
    _row("GitHub: merged pull request", RELEASED, "list", "pulls", _OWN_PULLS, "history", "last_run"),
    _row("GitHub: open pull requests", READY, "list", "open_pulls", _api("/pulls", "state=open")),
    _row("GitHub: of another branch", READY, "list", "branch_pulls", _OTHER_PULLS, blocking=False),
    _row("GitHub: release, absent", READY, "object", "release", _OF_TAG),
    _row("GitHub: release", RELEASED, "object", "release", _OF_TAG, "last_run"),
    _row("GitHub: release, another spelling", "tagged twice", "object", "other_releases", _RESPELLED, blocking=False),
    _row("GitHub: earlier pull requests", READY, "list", "earlier_pulls", _EARLIER_PULLS, blocking=False),
    _row("GitHub: earlier releases", READY, "object", "earlier_releases", _EARLIER_RELEASES, blocking=False),
    _row("GitHub: latest release", RELEASED, "object", "latest_release", _api("/releases/latest")),
    _row("GitHub: drafts", RELEASED, "list", "drafts", _api("/releases"), "last_run", blocking=False),
    _row("GitHub: release runs", READY, "list", "runs", _RUNS, "last_run"),
    _row("GitHub: jobs of a run", READY, "list", "last_run", _JOBS, blocking=False),
    _row("GitHub: log of a job", READY, "log", "last_run", _LOG, blocking=False),
    _row("GitHub: jobs of this run", "about to publish", "list", "own_jobs", _OWN_JOBS),
    _row("GitHub: storage of logs", READY, "text", "last_run", _STORED, blocking=False),
    _row("GitHub: check runs", READY, "list", "ci", _CHECK_RUNS),
    _row("GitHub: statuses", READY, "list", "ci", _STATUSES),
    _row("GitHub: runs of a commit", READY, "list", "ci", _api("/actions/runs", "head_sha=")),
    _row("GitHub: pushes", "CI of an ancestor", "list", "ci", _api("/activity", "ref=")),
    _row("GitHub: workflows", "CI of an ancestor", "list", "ci", _WORKFLOWS, "workflow_states"),
    _row("GitHub: rulesets", GUARDED, "list", "rulesets", _api("/rulesets"), *_RULES, blocking=False),
    _row("GitHub: a ruleset", GUARDED, "object", "rulesets", _api("/rulesets/[0-9]+"), *_RULES, blocking=False),
    _row("GitHub: rules of a branch", GUARDED, "list", "branch_rules", _OF_BRANCH, "base_rules", "ci"),
    _row("GitHub: base branch", GUARDED, "object", "base_rules", _api("/branches/[^/]+"), "ci"),
    _row("GitHub: protection", GUARDED, "object", "base_rules", _api("/branches/[^/]+/protection"), blocking=False),
    _row("GitHub: settings of Actions", GUARDED, "object", "actions_settings", _SETTINGS, blocking=False),
    _row("GitHub: environment", ROOM, "object", "environments", _api("/environments/[^/]+"), blocking=False),
    _row("GitHub: patterns of an environment", ROOM, "list", "environments", _PATTERNS, blocking=False),
    _row("GitHub: which workflows are off", READY, "list", "workflow_states", _WORKFLOWS, blocking=False),
    _row("GitHub: runs on the base", READY, "list", "base_runs", _api("/actions/runs", "branch="), blocking=False),
    _row("status page of GitHub", READY, "status", "services GitHub", _STATUS, blocking=False, begins="github-status"),
    _row("status page of PyPI", READY, "status", "services PyPI", _PYPI_STATUS, blocking=False, begins="pypi-status"),
)  # fmt: skip

ROWS: Mapping[str, Row] = {row.name: row for row in _TABLE}


class RowOf:
    """Which of some rows a request belongs to."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = tuple(rows)

    def __call__(self, asked: Asked) -> str | None:
        """The row's name, None where none claims it."""
        return next((row.name for row in self._rows if row.claims(asked)), None)


def rows_of(state: str) -> list[Row]:
    """The rows that are looked at in a state."""
    return [row for row in ROWS.values() if row.state == state]
