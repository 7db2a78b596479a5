"""The commands that steps are made of, and the steps that stand in for a decision not made yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, count

from release_state.common.addresses import parse_host
from release_state.common.text import join_items
from release_state.facts.git import refs_conflict
from release_state.facts.release import Release
from release_state.facts.services import explain_by_status
from release_state.model.observation import NotObserved
from release_state.model.plan import Mends, Step, Undecided, step
from release_state.model.target import Target, parse_repository
from release_state.plan.steps.again import suite_command as suite_command

PUSH = ("git", "push", "--no-follow-tags", "--no-recurse-submodules", "--no-signed")
"""The beginning of every push: it pushes what is named and nothing else, whatever the person's git is set to.

`push.followTags` would take tags along that only the clone has, `push.recurseSubmodules` push submodules, and with
`only` nothing but them; with `push.gpgSign` a push to GitHub fails.
"""
FETCH = ("git", "fetch", "--no-tags", "--no-prune")
"""The beginning of every fetch: it takes what is named, and deletes and changes nothing else in the clone.

`remote.NAME.tagOpt` would fetch every tag, and fail on one that differs; `fetch.pruneTags` delete the clone's own.
"""


def name_remote(release: Release) -> str:
    """The remote as git commands name it.

    Its name only inside a clone where that name points to what was observed, for what is pushed too; else the URL that
    was observed.
    """
    clone, target = release.snapshot.clone.value, release.target
    if clone is None or clone.remote_url != target.remote_url:
        return target.remote_url
    if clone.mirrors:
        return target.remote_url  # a push by the name of a mirror's remote takes no ref, and would delete others
    # A fork's address is pushed to where `remote.pushurl` names it, whatever is fetched.
    ours = parse_repository(target.remote_url, target.github_web)
    same = (url == target.remote_url or (ours and _is(ours, url, target)) for url in clone.push_urls)
    return target.remote if all(same) else target.remote_url


def push_replacing(release: Release, ref: str, held: str, *changes: str) -> list[str]:
    """The push that makes these changes of the remote, all or none, only while a ref of it holds this object."""
    atomic = ["--atomic"] if len(changes) > 1 else []
    return [*PUSH, *atomic, f"--force-with-lease={ref}:{held}", name_remote(release), *changes]


def _is(repository: str, url: str, target: Target) -> bool:
    """Whether a URL is another spelling of a repository's, as https and ssh are."""
    return (parse_repository(url, target.github_web) or "").lower() == repository.lower()


def in_clone(release: Release, *arguments: str) -> list[str]:
    """A git command on the clone, wherever it is typed."""
    return ["git", "-C", release.target.clone or ".", *arguments]


def gh(about: Release | Target, *arguments: str) -> list[str]:
    """A gh command on the repository. The host is always named: `GH_HOST` would send it to another one."""
    target = about if isinstance(about, Target) else about.target
    return ["gh", *arguments, "--repo", f"{parse_host(target.github_web)}/{target.repository}"]


def gh_api(about: Release | Target, path: str, *arguments: str) -> list[str]:
    """A gh api command below the repository."""
    target = about if isinstance(about, Target) else about.target
    return on_host(target, ["gh", "api"], *arguments, f"repos/{target.repository}/{path}")


def on_host(target: Target, command: Sequence[str], *arguments: str) -> list[str]:
    """A gh command that takes `--hostname`, which refuses a port: with one, `GH_HOST` names the host."""
    host = parse_host(target.github_web)
    if ":" in host:
        return ["env", f"GH_HOST={host}", *command, *arguments]
    return [*command, "--hostname", host, *arguments]


def show_pull(about: Release | Target, number: int) -> list[str]:
    """Show a pull request. Without `--json` gh 2.23 to 2.82 ask for its projects, which GitHub no longer answers."""
    fields = "number,title,state,baseRefName,headRefName,headRefOid,url"
    return gh(about, "pr", "view", str(number), "--json", fields)


def set_base(release: Release, number: int, base: str) -> list[str]:
    """Let a pull request be merged into another branch; by the API, as `gh pr edit` fails for the same reason."""
    return gh_api(release, f"pulls/{number}", "--method", "PATCH", "--raw-field", f"base={base}", "--jq", ".base.ref")


def check_holds(release: Release, ref: str, sha: str) -> list[str]:
    """The command that succeeds only if the remote answers and a ref of it holds this object."""
    return ["sh", "-c", 'git ls-remote "$1" "$2" | grep "^$3"', "sh", name_remote(release), ref, sha]


def check_gone(*listing: str) -> list[str]:
    """The command that succeeds only if another one does and lists nothing.

    By itself a listing that is empty looks like one that was not to be had, and ends with 0 where something is there.
    """
    return ["sh", "-c", 'left=$("$@") && test -z "$left" && echo gone', "sh", *listing]


def check_lacks(release: Release, ref: str) -> list[str]:
    """The command that succeeds only if the remote answers and does not have a ref."""
    return check_gone("git", "ls-remote", name_remote(release), ref)


def pick_free_branch(release: Release, *wanted: str) -> str:
    """The first of these names that a branch can have beside the remote's, else the last one with a number.

    Git keeps no branch `a/b` beside one that is named `a`.
    """
    taken = [branch.name for branch in release.remote.branches]
    names = chain(wanted, (f"{wanted[-1]}-{number}" for number in count(2)))
    return next(name for name in names if not any(_collide(name, other) for other in taken))


def _collide(one: str, other: str) -> bool:
    # Without regard to case: on some file systems the clone could hold but one of them.
    one, other = one.casefold(), other.casefold()
    return one == other or refs_conflict(one, other)


def index_page(release: Release) -> str:
    """The page of the version for a person: on PyPI and TestPyPI the project page, elsewhere the Simple page."""
    return release.target.index_page


def try_steps(release: Release, decision: str, make: Callable[[], Iterable[Step]]) -> list[Step]:
    """The steps that a function makes, or the one that finds out what they hang on."""
    try:
        return list(make())
    except NotObserved as missing:
        return [find_out_first(release, missing, decision)]


def find_out_first(release: Release, missing: NotObserved, decision: str) -> Step:
    """The step in the place of a decision that rests on what could not be observed."""
    problem = missing.problem
    when = f"; retry after {problem.retry_at:%Y-%m-%d %H:%M:%S} UTC" if problem.retry_at else ""
    undecided = Undecided(source=problem.source, decisions=(decision,))
    return step(
        _title(undecided),
        suite_command(release.target),
        mends="all",
        reason="; ".join(
            filter(None, [problem.why + when, problem.remedy, explain_by_status(release.snapshot, problem)])
        ),
        undecided=undecided,
    )


def _title(undecided: Undecided) -> str:
    return f"Look up again first, to decide {' and '.join(undecided.decisions)}: {undecided.source}"


def merge_by_cause(steps: Iterable[Step]) -> list[Step]:
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
    return drop_repeated_runs(found)


def _joined(one: Step, more: Undecided) -> Step:
    """The step that finds out what another one of the same cause would, too."""
    known = one.undecided.decisions if one.undecided else ()
    both = more.model_copy(update={"decisions": tuple(dict.fromkeys((*known, *more.decisions)))})
    return one.model_copy(update={"undecided": both, "title": _title(both)})


def drop_repeated_runs(steps: Sequence[Step]) -> list[Step]:
    """The steps, where one that finds out is followed by another with the same commands, with these at the last."""
    following = [*steps, None][1:]
    return [
        each.model_copy(update={"commands": ()})
        if after and each.mends == after.mends == "all" and each.commands == after.commands
        else each
        for each, after in zip(steps, following, strict=True)
    ]


def leave_to_others(release: Release, what: str, others: tuple[str, ...], mends: Mends) -> Step:
    """Leave a trace that other channels rest on."""
    return step(
        f"Keep {what}: {release.version} is published on {join_items(others)}, which needs it",
        mends=mends,
        reason=f"{release.channel.name} cannot decide on it; if {others[0]} does not leave it, remove it from "
        f"channels.{others[0]}.leaves in the configuration",
        advice=True,
    )


def ask_others_first(release: Release, others: tuple[str, ...], what: str, why: str) -> Step:
    """Look at the version on another channel first: what is to be done here would change what that one rests on."""
    return step(
        f"First check {release.version} on {others[0]}, and keep {what} until then",
        suite_command(release.target, channel=others[0]),
        mends="all",
        reason=f"{release.version} is published on {join_items(others)}too, which needs {what}: {why}",
    )
