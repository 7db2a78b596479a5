"""How commands name the remote, the repository and the version's page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from release_state.model import NotObserved
from release_state.plan import Step, Undecided, step
from release_state.release import Release
from release_state.services import beside
from release_state.steps.again import suite as suite
from release_state.target import Target, repository_of

_GITHUB = "github.com"
PUSH = ("git", "push", "--no-follow-tags")
"""The beginning of every push: where `push.followTags` is set, it would take tags along that only the clone has."""


def remote(release: Release) -> str:
    """The remote as git commands name it.

    Its name only inside a clone where that name points to what was observed, for what is pushed too; else the URL that
    was observed.
    """
    clone, target = release.snapshot.clone.value, release.target
    if clone is None or clone.remote_url != target.remote_url:
        return target.remote_url
    # A fork's address is pushed to where `remote.pushurl` names it, whatever is fetched.
    ours = repository_of(target.remote_url, target.github_web)
    same = (url == target.remote_url or (ours and _is(ours, url, target)) for url in clone.push_urls)
    return target.remote if all(same) else target.remote_url


def _is(repository: str, url: str, target: Target) -> bool:
    """Whether a URL is another spelling of a repository's, as https and ssh are."""
    return (repository_of(url, target.github_web) or "").lower() == repository.lower()


def in_clone(release: Release, *arguments: str) -> list[str]:
    """A git command on the clone, wherever it is typed."""
    return ["git", "-C", release.target.clone or ".", *arguments]


def gh(about: Release | Target, *arguments: str) -> list[str]:
    """A gh command on the repository; on GitHub Enterprise the host is named too."""
    target = about if isinstance(about, Target) else about.target
    host = urlsplit(target.github_web).hostname or _GITHUB
    name = target.repository if host == _GITHUB else f"{host}/{target.repository}"
    return ["gh", *arguments, "--repo", name]


def gh_api(release: Release, path: str, *arguments: str) -> list[str]:
    """A gh api command below the repository."""
    host = urlsplit(release.target.github_web).hostname or _GITHUB
    where = [] if host == _GITHUB else ["--hostname", host]
    return ["gh", "api", *where, *arguments, f"repos/{release.target.repository}/{path}"]


def index_page(release: Release) -> str:
    """The page of the version for a person: on PyPI and TestPyPI the project page, elsewhere the Simple page."""
    return release.target.index_page


def tried(release: Release, decision: str, make: Callable[[], Iterable[Step]]) -> list[Step]:
    """The steps that a function makes, or the one that finds out what they hang on."""
    try:
        return list(make())
    except NotObserved as missing:
        return [find_out(release, missing, decision)]


def find_out(release: Release, missing: NotObserved, decision: str) -> Step:
    """The step in the place of a decision that rests on what could not be observed."""
    problem = missing.problem
    when = f"; ask again after {problem.retry_at:%Y-%m-%d %H:%M:%S} UTC" if problem.retry_at else ""
    undecided = Undecided(source=problem.source, decisions=(decision,))
    return step(
        _title(undecided),
        suite(release.target),
        mends="all",
        reason="; ".join(filter(None, [problem.why + when, problem.remedy, beside(release.snapshot, problem)])),
        undecided=undecided,
    )


def _title(undecided: Undecided) -> str:
    return f"Find out first, to decide {' and '.join(undecided.decisions)}: {undecided.source}"


def by_cause(steps: Iterable[Step]) -> list[Step]:
    """The steps with those that find something out made one for each cause, where the first of it was.

    What several of them in a row would run again is run once, after the last.
    """
    found: list[Step] = []
    first: dict[tuple[str, str], int] = {}
    for each in steps:
        if each.undecided is not None:
            cause = each.undecided.source, each.reason
            if cause in first:
                found[first[cause]] = _joined(found[first[cause]], each.undecided)
                continue
            first[cause] = len(found)
        found.append(each)
    return run_once(found)


def _joined(one: Step, more: Undecided) -> Step:
    """The step that finds out what another one of the same cause would, too."""
    known = one.undecided.decisions if one.undecided else ()
    both = more.model_copy(update={"decisions": tuple(dict.fromkeys((*known, *more.decisions)))})
    return one.model_copy(update={"undecided": both, "title": _title(both)})


def run_once(steps: Sequence[Step]) -> list[Step]:
    """The steps, where one that finds out is followed by another with the same commands, with these at the last."""
    following = [*steps, None][1:]
    return [
        each.model_copy(update={"commands": ()})
        if after and each.mends == after.mends == "all" and each.commands == after.commands
        else each
        for each, after in zip(steps, following, strict=True)
    ]
