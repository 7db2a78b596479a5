"""The traces in words: what a phase expects of each, what was observed, and the page that shows it (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote

from release_state.common.text import format_count, join_items
from release_state.facts.health import judge_ci
from release_state.facts.origin import find_replacement
from release_state.facts.release import Release
from release_state.model.observation import NotObserved, value_or
from release_state.model.outcome import Phase
from release_state.model.snapshot import CICheck, GitHubRelease, PullRequest

NOTHING = "none"
"""What is observed of a trace that is missing."""
NOT_OBSERVED = "not observed: "
"""The start of what is observed of a trace that is unknown."""
_NOT_JUDGED = "not judged in this phase"


def _branch_expected(release: Release, phase: Phase) -> str:
    name = release.target.release_branch
    if phase is not Phase.POST_RECOVERY or "pull-request" not in release.channel.leaves:
        return f"no {name}"
    pull = value_or(None, lambda: release.pull)
    if pull is None:
        return f"{name} until its pull request is merged"
    return f"no {name}: #{pull.number} is merged" if pull.merged else f"{name} while #{pull.number} is open"


def _tag_expected(release: Release, phase: Phase) -> str:
    if phase is Phase.PRE_PUBLISH:
        return f"{release.target.tag} at {release.commit_to_release[:12]}, the commit of this run"
    if phase is Phase.POST_RECOVERY:
        return release.target.tag if "tag" in release.channel.leaves else f"none: {release.channel.name} leaves no tag"
    exception = ", or kept while every file is yanked" if phase is Phase.ROLLBACK else ""
    return f"no {release.target.tag}{exception}"


def _index_expected(release: Release, phase: Phase) -> str:
    if phase is Phase.POST_RECOVERY:
        return f"{' and '.join(release.target.expected_files)} of {release.version}, not yanked"
    return f"no file of {release.version}{' that is not yanked' if phase is Phase.ROLLBACK else ''}"


def _release_expected(release: Release, phase: Phase) -> str:
    if phase is Phase.POST_RECOVERY:
        leaves = "release" in release.channel.leaves
        return f"published for {release.target.tag}" if leaves else f"none: {release.channel.name} leaves no release"
    newer = value_or(None, lambda: find_replacement(release))
    return f"none for {release.target.tag}" + (f", or kept: {newer} replaced it" if newer else "")


def _pull_expected(release: Release, phase: Phase) -> str:
    if phase is Phase.POST_RECOVERY:
        leaves = "pull-request" in release.channel.leaves
        return "open or merged" if leaves else f"none: {release.channel.name} makes no pull request"
    return "none open"


def _ci_expected(release: Release, phase: Phase) -> str:
    if phase is Phase.PRE_PUBLISH:
        return f"green on {release.commit_to_release[:12]}, the commit of this run"
    if phase is not Phase.PRE_RELEASE:
        return _NOT_JUDGED
    head = value_or("the head of the base branch", lambda: f"{release.base_branch} at {release.base_head[:12]}")
    return f"green on {head}"


def _branch_observed(release: Release) -> str:
    own = f"{release.branch.name} at {release.branch.sha[:12]}" if release.branch else NOTHING
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
    if others := [f"{tag.name} at {tag.commit[:12]}" for tag in release.other_tags]:
        parts.append(f"in another spelling: {join_items(others, 3)}")
    names = {tag.name for tag in release.remote.tags}
    local_tags = value_or((), lambda: release.local_tags)  # for information: the row is about the remote's tags
    if local := [tag.name for tag in local_tags if tag.name not in names]:
        parts.append(f"only in the clone: {join_items(local, 3)}")
    return "; ".join(parts) or NOTHING


def _index_observed(release: Release) -> str:
    project, version = release.project, release.version
    coming = f"catching up, not listed yet: {join_items(release.catching_up, 3)}" if release.catching_up else ""
    if not project.listed:
        return coming or f"{release.channel.name} lists nothing of this name"
    status = f"; the project is {project.status}" if project.status not in (None, "active") else ""
    if not release.files:
        listed = f"{version} is listed without any file" if project.lists_empty(version) else NOTHING
        return (coming or listed) + status
    kinds = join_items(dict.fromkeys(file.kind for file in release.files))
    yanked = sum(file.yanked for file in release.files)
    count = f"{format_count(len(release.files), 'file')}: {kinds.replace(';', ',')}"
    lost = release.wheel_gap.unexplained
    gap = f"no wheel for {join_items(lost, 3).replace(';', ',')}" if lost else ""
    return "; ".join(filter(None, [count, f"{yanked} yanked" if yanked else "", gap, coming])) + status


def _release_observed(release: Release) -> str:
    if release.releases:
        return "; ".join(map(describe_release, release.releases))
    drafts = value_or(None, lambda: release.all_drafts)
    if drafts is None:
        return "none published; drafts are not visible"
    others = [draft.tag for draft in drafts if draft.tag != release.target.tag]
    return (f"a draft only, of {join_items(others, 3)}" if others else "a draft only") if drafts else NOTHING


def describe_release(found: GitHubRelease) -> str:
    """A GitHub Release in words: its tag, and when it was published."""
    when = f", published {found.published_at:%Y-%m-%d %H:%M} UTC" if found.published_at else ""
    return f"{found.tag}{when}{', marked as a pre-release' if found.prerelease else ''}"


def _pull_observed(release: Release) -> str:
    def describe(pull: PullRequest) -> str:
        state = "merged" if pull.merged else "open" if pull.is_open else "closed, not merged"
        base = f" (into {pull.base_branch})" if pull.base_branch != release.base_branch else ""
        return f"#{pull.number} {state}{base}"

    return join_items(map(describe, release.pulls), 3) or NOTHING


def _ci_observed(release: Release) -> str:
    ci = release.ci
    try:
        summary = judge_ci(ci)
    except NotObserved:  # this phase does not judge CI, and did not look up what to expect of it
        return _passed(ci.results) if ci.results else "no check run and no status"
    at = summary.results[0].commit if summary.results else None
    where = f", on {at[:12]}, {ci.nearest_distance} before the head" if at and at == ci.nearest else ""
    names = join_items((result.name for result in summary.results), 3)
    if summary.state == "none":
        return f"no CI, only {names}" if summary.results else "no check run and no status"
    if summary.state in ("not begun", "missing"):
        return f"{'not begun' if summary.state == 'not begun' else 'no result'}: {join_items(summary.missing, 3)}"
    if summary.state == "idle":
        return f"only skipped or neutral{where}"
    if summary.state != "green":
        return f"{summary.state}: {names}{where}"
    if summary.by_ancestor:
        return f"green: {_passed(summary.results)}{where}"
    ancestors = dict.fromkeys(result.workflow or result.name for result in ci.nearest_results)
    besides = f"; as green on ancestors: {join_items(ancestors, 3)}" if ancestors else ""
    return f"green: {_passed(ci.results)}{where}{besides}"


def _passed(results: Sequence[CICheck]) -> str:
    return f"{sum(result.state == 'success' for result in results)} of {len(results)} passed"


_WORDS: dict[str, tuple[Callable[[Release, Phase], str], Callable[[Release], str]]] = {
    "branch": (_branch_expected, _branch_observed),
    "tag": (_tag_expected, _tag_observed),
    "index": (_index_expected, _index_observed),
    "release": (_release_expected, _release_observed),
    "pull-request": (_pull_expected, _pull_observed),
    "ci": (_ci_expected, _ci_observed),
}


def describe(trace: str, release: Release, phase: Phase) -> tuple[str, str]:
    """The state of a trace when the phase ends well, and the observed state or why it is unknown."""
    expected, observed = _WORDS[trace]
    if phase is Phase.PRE_PUBLISH and trace in ("branch", "release", "pull-request"):
        return _NOT_JUDGED, _or_why_not(lambda: observed(release))
    return _or_why_not(lambda: expected(release, phase)), _or_why_not(lambda: observed(release))


def _or_why_not(text: Callable[[], str]) -> str:
    try:
        return text()
    except NotObserved as missing:
        return f"{NOT_OBSERVED}{missing}"


def repository_page(release: Release) -> str:
    """The repository's web page, by its current name if known."""
    repository = release.snapshot.repository.value
    return repository.html_url if repository else release.target.web


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
    results = (*ci.results, *ci.nearest_results) if ci else ()
    for state in ("failure", "pending"):
        for result in results:
            if result.state == state and result.html_url:
                return result.html_url
    return value_or(f"{page}/actions", lambda: f"{page}/commit/{release.commit_to_release}/checks")
