"""Histories written down by hand: a project's versions in a line each, for tests of the audit."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from msgspec import structs

from release_state.audit.audit import Audit
from release_state.audit.judge import Judgement
from release_state.audit.session import Function, list_expected, list_parameters
from release_state.audit.verdict import AuditVerdict, judge_audit
from release_state.audit.versions import AuditSnapshot
from release_state.model.observation import Observation, known
from release_state.model.outcome import CheckResult
from release_state.model.snapshot import Branch, GitHubRelease, Repository, Tag
from release_state.model.snapshot.index import IndexedVersion, IndexHistory
from release_state.verdict.check import conclude, describe
from tests.support.facts import build
from tests.support.states import WEB, release, remote, runs, target

FIRST = datetime(2020, 1, 1, tzinfo=timezone.utc)
BOTH = ("sdist", "wheel")
FILE = Path(__file__).parent.parent.parent / "checks" / "test_audit.py"


def day(number: int) -> datetime:
    """So many days after the first."""
    return FIRST + timedelta(days=number)


def sha(text: str) -> str:
    """A commit of one's own for each text."""
    return text.encode().hex().ljust(40, "0")[:40]


def indexed(
    version: str, at: int | None = 0, kinds: Sequence[str] = BOTH, yanked: Sequence[str] = ()
) -> IndexedVersion:
    """A version on the index, uploaded so many days after the first."""
    files = tuple((f"orbit-{version}.{kind}", kind, kind in yanked) for kind in kinds)
    uploaded = None if at is None else day(at)
    return IndexedVersion(version=version, files=files, uploaded_at=uploaded)


def index(*versions: IndexedVersion, **more: Any) -> Observation[IndexHistory]:
    """The index's page."""
    values: dict[str, Any] = {"listed": True, "versions": versions, **more}
    return known(build(IndexHistory, url="https://index.example/simple/orbit/", **values))


def tagged(name: str, commit: str | None = None) -> Tag:
    """An annotated tag, on a commit of its own unless said otherwise."""
    commit = commit or sha(name)
    return Tag(name=name, object=sha(f"object of {name}"), commit=commit, annotated=True)


def released(version: str, at: int = 0, **changes: Any) -> GitHubRelease:
    """The GitHub Release of a version, published so many days after the first."""
    values: dict[str, Any] = {"id": hash(version) % 10**9, "published_at": day(at), **changes}
    return release(values.pop("tag", f"v{version}"), **values)


def history(**changes: Any) -> AuditSnapshot:
    """Versions 0.1.0, 0.2.0 and 0.3.0, a day apart, each whole; nothing is left behind."""
    versions = ("0.1.0", "0.2.0", "0.3.0")
    values: dict[str, Any] = {
        "observed_at": day(10),
        "target": target(version="0", clone=None),
        "selection": "all",
        "remote": remote(*(tagged(f"v{version}") for version in versions)),
        "index": index(*(indexed(version, at) for at, version in enumerate(versions))),
        "clone_tags": known(None),
        "repository": known(Repository(full_name="octo/orbit", default_branch="main", can_push=True, html_url=WEB)),
        "releases": known(tuple(released(version, at) for at, version in enumerate(versions))),
        "drafts": known(()),
        "latest_release": known(release("v0.3.0")),
        "open_pulls": known(()),
        "runs": runs(),
        **changes,
    }
    return build(AuditSnapshot, **values)


def with_more(*refs: Branch | Tag, more: Sequence[IndexedVersion] = (), releases: Sequence[GitHubRelease] = (),
              **changes: Any) -> AuditSnapshot:  # fmt: skip
    """The whole history with more refs, versions of the index, and releases."""
    whole = history()
    found = whole.remote.present()
    names = {ref.name for ref in refs}
    grown: dict[str, Any] = {
        "remote": remote(*(tag for tag in found.tags if tag.name not in names), *refs),
        "index": index(*whole.index.present().versions, *more),
        "releases": known((*whole.releases.present(), *releases)),
        **changes,
    }
    return structs.replace(whole, **grown)


def of(audit: Audit, version: str) -> Judgement:
    """What became of one version."""
    return next(judgement for judgement in audit.judgements if str(judgement.audited) == version)


def kinds_of(audit: Audit, version: str) -> list[str]:
    """The kinds of disagreement of one version."""
    return [finding.kind.id for finding in of(audit, version).findings]


def functions() -> list[Function]:
    """The checks of the audit."""
    spec = importlib.util.spec_from_file_location("audit_checks_under_test", FILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [each for each in vars(module).values() if callable(each) and describe(each)]


CHECKS = functions()


def results(audit: Audit) -> list[CheckResult]:
    """What every check says, as a run has it."""
    found = []
    for function in CHECKS:
        info = describe(function)
        assert info
        for _, key, given in list_parameters(audit, function):
            error: Exception | None = None
            try:
                function(**given)
            except Exception as raised:
                error = raised
            found.append(conclude(info, error, key, seconds=0.0, where="here"))
    return found


def verdict_of(
    audit: Audit, said: Sequence[CheckResult] | None = None, *, advice: bool = False, broken: Sequence[str] = ()
) -> AuditVerdict:
    """The verdict of a run in which the checks said this; all of them by default."""
    found, whole = results(audit) if said is None else said, list_expected(audit, CHECKS)
    return judge_audit(audit, found, whole, block_on_advice=advice, broken=broken)
