"""Describe each trace: the state expected in a phase, the observed state, and its page (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote

from release_state.common.text import join_items
from release_state.facts.ci import judge_ci
from release_state.facts.release import Release
from release_state.model.observation import NotObserved
from release_state.model.outcome import Phase
from release_state.model.snapshot import CICheck, CommitChecks, GitHubRelease


def describe_expected(trace: str, release: Release, phase: Phase) -> str:
    """The state of a trace when its phase ends well."""
    return _or_why_not(lambda: _EXPECTED[trace](release, phase))


def describe_observed(trace: str, release: Release) -> str:
    """The observed state of a trace, or why it is unknown."""
    return _or_why_not(lambda: _OBSERVED[trace](release))


def _or_why_not(text: Callable[[], str]) -> str:
    try:
        return text()
    except NotObserved as missing:
        return f"not observed: {missing.problem.source}: {missing.problem.why}"


# --- what is expected ------------------------------------------------------------------------------------------


def _branch_expected(release: Release, phase: Phase) -> str:
    name = release.target.release_branch
    if phase is not Phase.POST_RECOVERY or "pull-request" not in release.channel.leaves:
        return f"no {name}"
    try:
        pull = release.pull
    except NotObserved:
        pull = None
    if pull is None:
        return f"{name} until its pull request is merged"
    return f"no {name}: #{pull.number} is merged" if pull.merged else f"{name} while #{pull.number} is open"


def _tag_expected(release: Release, phase: Phase) -> str:
    if phase is Phase.POST_RECOVERY:
        return release.target.tag if "tag" in release.channel.leaves else f"none: {release.channel.name} leaves no tag"
    kept = ", or kept while every file is yanked" if phase is Phase.ROLLBACK else ""
    return f"no {release.target.tag}{kept}"


def _index_expected(release: Release, phase: Phase) -> str:
    if phase is Phase.POST_RECOVERY:
        return f"{' and '.join(release.target.expected_files)} of {release.version}, not yanked"
    return f"no file of {release.version}{' that is not yanked' if phase is Phase.ROLLBACK else ''}"


def _release_expected(release: Release, phase: Phase) -> str:
    if phase is Phase.POST_RECOVERY:
        leaves = "release" in release.channel.leaves
        return f"published for {release.target.tag}" if leaves else f"none: {release.channel.name} leaves no release"
    return f"none for {release.target.tag}"


def _pull_expected(release: Release, phase: Phase) -> str:
    if phase is Phase.POST_RECOVERY:
        leaves = "pull-request" in release.channel.leaves
        return "open or merged" if leaves else f"none: {release.channel.name} makes no pull request"
    return "none open"


def _ci_expected(release: Release, phase: Phase) -> str:
    if phase is not Phase.PRE_RELEASE:
        return "not judged in this phase"
    try:
        return f"green on {release.base_branch} at {release.base_head[:12]}"
    except NotObserved:
        return "green on the head of the base branch"


_EXPECTED: dict[str, Callable[[Release, Phase], str]] = {
    "branch": _branch_expected,
    "tag": _tag_expected,
    "index": _index_expected,
    "release": _release_expected,
    "pull-request": _pull_expected,
    "ci": _ci_expected,
}

# --- what was observed -----------------------------------------------------------------------------------------


def _branch_observed(release: Release) -> str:
    own = f"{release.branch.name} at {release.branch.sha[:12]}" if release.branch else "none"
    try:
        others = [f"{other.branch.name} ({other.state})" for other in release.other_branches]
    except NotObserved:
        parsed = (branch.name for branch in release.remote.branches if release.target.parse_release_branch(branch.name))
        others = [name for name in parsed if name != release.target.release_branch]
    return f"{own}; others: {join_items(others, 3)}" if others else own


def _tag_observed(release: Release) -> str:
    parts = []
    if release.tag:
        kind = "annotated" if release.tag.annotated else "lightweight"
        parts.append(f"{release.tag.name} at {release.tag.commit[:12]}, {kind}")
    if release.other_tags:
        parts.append(f"equal to it: {join_items((f'{t.name} at {t.commit[:12]}' for t in release.other_tags), 3)}")
    try:
        there = {tag.name for tag in release.remote.tags}
        if mine := [tag.name for tag in release.local_tags if tag.name not in there]:
            parts.append(f"only in the clone: {join_items(mine, 3)}")
    except NotObserved:
        pass  # the row is about the remote's tags; what the clone has is for information
    return "; ".join(parts) or "none"


def _index_observed(release: Release) -> str:
    project, version = release.project, release.version
    coming = f"catching up, not listed yet: {join_items(release.catching_up, 3)}" if release.catching_up else ""
    if not project.listed:
        return coming or f"{release.channel.name} lists nothing of this name"
    status = f"; the project is {project.status}" if project.status not in (None, "active") else ""
    if not release.files:
        listed = f"{version} is listed without any file" if project.lists_empty(version) else "none"
        return (coming or listed) + status
    kinds = join_items(dict.fromkeys(file.kind for file in release.files))
    yanked = sum(file.yanked for file in release.files)
    count = f"{len(release.files)} file{'' if len(release.files) == 1 else 's'}: {kinds.replace(';', ',')}"
    return "; ".join(filter(None, [count, f"{yanked} yanked" if yanked else "", coming])) + status


def _release_observed(release: Release) -> str:
    if found := release.releases:
        return "; ".join(map(_release_words, found))
    try:
        drafts = release.all_drafts
    except NotObserved:
        return "none published; drafts are not visible"
    others = [draft.tag for draft in drafts if draft.tag != release.target.tag]
    return (f"a draft only, of {join_items(others, 3)}" if others else "a draft only") if drafts else "none"


def _release_words(found: GitHubRelease) -> str:
    when = f", published {found.published_at:%Y-%m-%d %H:%M} UTC" if found.published_at else ""
    return f"{found.tag}{when}{', marked as a pre-release' if found.prerelease else ''}"


def _pull_observed(release: Release) -> str:
    def words(number: int, merged: bool, is_open: bool, base: str) -> str:
        state = "merged" if merged else "open" if is_open else "closed, not merged"
        return f"#{number} {state}" + (f" (into {base})" if base != release.base_branch else "")

    return join_items((words(p.number, p.merged, p.is_open, p.base_branch) for p in release.pulls), 3) or "none"


def _ci_observed(release: Release) -> str:
    ci = release.ci
    try:
        judged = judge_ci(ci)
    except NotObserved:  # what is expected of it was not asked for, as this phase does not judge it
        return _passed(ci.results) if ci.results else "no check run and no status"
    at = judged.results[0].commit if judged.results else None
    where = f", on {at[:12]}, {ci.nearest_distance} before the head" if at and at == ci.nearest else ""
    names = join_items((result.name for result in judged.results), 3)
    if judged.state == "none":
        return f"no CI, only {names}" if judged.results else "no check run and no status"
    if judged.state in ("not begun", "missing"):
        return f"{'not begun' if judged.state == 'not begun' else 'no result'}: {join_items(judged.missing, 3)}"
    if judged.state == "idle":
        return f"only skipped or neutral{where}"
    if judged.state != "green":
        return f"{judged.state}: {names}{where}"
    before = "" if judged.by_ancestor else _before(ci)
    own = judged.results if judged.by_ancestor else ci.results
    return f"green: {_passed(own)}{where}{before}"


def _passed(results: Sequence[CICheck]) -> str:
    return f"{sum(result.state == 'success' for result in results)} of {len(results)} passed"


def _before(ci: CommitChecks) -> str:
    """The green results from ancestors, besides the commit's own."""
    names = dict.fromkeys(result.workflow or result.name for result in ci.nearest_results)
    return f"; as green on ancestors: {join_items(names, 3)}" if names else ""


_OBSERVED: dict[str, Callable[[Release], str]] = {
    "branch": _branch_observed,
    "tag": _tag_observed,
    "index": _index_observed,
    "release": _release_observed,
    "pull-request": _pull_observed,
    "ci": _ci_observed,
}

# --- where to see it -------------------------------------------------------------------------------------------


def repository_page(release: Release) -> str:
    """The repository's web page, under its current name if GitHub told it."""
    found = release.snapshot.repository.value
    return found.html_url if found else f"{release.target.github_web}/{release.target.repository}"


def find_page(trace: str, release: Release) -> str:
    """The web page that shows the trace."""
    snapshot, target, page = release.snapshot, release.target, repository_page(release)
    if trace == "branch":
        return f"{page}/branches/all?query={quote(target.release_branch, safe='')}"
    if trace == "tag":
        there = snapshot.remote.value is not None and release.tag is not None
        return f"{page}/tree/{quote(target.tag)}" if there else f"{page}/tags"
    if trace == "index":
        return target.index_page
    if trace == "release":
        return snapshot.release.value.html_url if snapshot.release.value else f"{page}/releases"
    if trace == "pull-request":
        pulls = snapshot.pulls.value or ()
        if pulls:
            return max(pulls, key=lambda pull: (pull.merged or pull.is_open, pull.number)).html_url
        return f"{page}/pulls?q={quote(f'is:pr head:{target.release_branch}', safe='')}"
    ci = snapshot.ci.value
    return _ci_link((*ci.results, *ci.nearest_results) if ci else (), release, page)


def _ci_link(results: Sequence[CICheck], release: Release, page: str) -> str:
    for state in ("failure", "pending"):
        for result in results:
            if result.state == state and result.html_url:
                return result.html_url
    try:
        return f"{page}/commit/{release.base_head}/checks"
    except NotObserved:
        return f"{page}/actions"
