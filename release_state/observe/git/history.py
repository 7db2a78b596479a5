"""How the commits that the decision depends on lie to the base branch and to each other."""

from __future__ import annotations

from collections.abc import Sequence

from release_state.model.observation import Observation, known
from release_state.model.snapshot import Clone, History, Lineage
from release_state.observe.git.clone import SHOWN
from release_state.observe.git.commits import BranchHistory, CommitSet
from release_state.observe.git.log import read_commits, read_tag_dates
from release_state.observe.git.messages import GitFailed
from release_state.observe.git.patches import find_unmerged_commits
from release_state.observe.git.store import Store, WantedCommit
from release_state.observe.git.tree_files import Details, read_details

SOURCE = "git history"


def observe_history(
    history: BranchHistory,
    wanted: Sequence[WantedCommit],
    pairs: Sequence[tuple[str, str]],
    *,
    changelog_file: str = "CHANGELOG.md",
) -> Observation[History]:
    """Look at the wanted commits, and at each pair (older, newer) for ancestry.

    Fetches only objects that neither the clone nor the cache has, and never into the clone. Known also where single
    commits could not be had: they are `missing`. Unavailable where the base's head could not be had.
    """
    asked = [*wanted, *(WantedCommit(sha) for pair in pairs for sha in pair)]
    shas = tuple(dict.fromkeys(commit.sha for commit in asked))
    detailed = {commit.sha for commit in wanted if commit.details}
    tags = [tag.object for tag in history.remote.tags if tag.annotated and tag.commit in shas]

    def look(store: Store, found: CommitSet) -> History:
        base, present = history.head, found.present
        details = read_details(store, (sha for sha in shas if sha in present and sha in detailed), changelog_file)
        lineages = [_lineage(store, base, sha, details.get(sha, Details())) for sha in shas if sha in present]
        ancestors = [pair for pair in dict.fromkeys(pairs) if present.issuperset(pair) and _is_ancestor(store, *pair)]
        missing = tuple(sha for sha in shas if sha not in present)
        return History(
            base_head=base,
            lineages=tuple(lineages),
            ancestors=tuple(ancestors),
            missing=missing,
            missing_why=found.why_missing if missing else None,
            commits=read_commits(store, [base, *(sha for sha in shas if sha in present and sha != base)]),
            tag_dates=read_tag_dates(store, tags),
        )

    try:
        return known(history.read(look, asked, along=tags))
    except GitFailed as failed:
        return Observation[History](value=None, unavailable=failed.as_problem(SOURCE))


def relate_clone(clone: Observation[Clone], history: BranchHistory) -> Observation[Clone]:
    """Return the clone with `ahead` and `behind` of the branch's head filled in.

    Equal hashes are equal without an object. Both are unavailable where the history between the two cannot be had, as
    for a shallow clone whose HEAD the remote does not know.
    """
    if clone.value is None:
        return clone
    try:
        ahead, behind = _ahead_behind(clone.value, history)
        update = {"ahead": known(ahead), "behind": known(behind)}
    except GitFailed as failed:
        not_known = Observation[int](value=None, unavailable=failed.as_problem("clone"))
        update = {"ahead": not_known, "behind": not_known}
    return known(clone.value.model_copy(update=update))


def _ahead_behind(clone: Clone, history: BranchHistory) -> tuple[int, int]:
    if (head := clone.head) is None:
        raise GitFailed("the clone has no commits")
    if head == history.head:
        return 0, 0

    def look(store: Store, found: CommitSet) -> tuple[int, int]:
        if head not in found.present:
            why = "and the clone is shallow" if clone.shallow else "and its objects could not be borrowed"
            raise GitFailed(f"HEAD {head[:12]} of the clone is not on the remote, {why}")
        return _counts(store, history.head, head)

    return history.read(look, [WantedCommit(head)], any_clone=True)


def _lineage(store: Store, base: str, sha: str, details: Details) -> Lineage:
    ahead, behind = _counts(store, base, sha)
    unmerged = find_unmerged_commits(store, base, sha) if ahead else []
    return Lineage(
        sha=sha,
        on_base=not ahead,
        ahead=ahead,
        behind=behind,
        unmerged=tuple(unmerged[:SHOWN]),
        unmerged_count=len(unmerged),
        declared_version=details.declared_version,
        version_is_dynamic=details.version_is_dynamic,
        changelog=details.changelog,
    )


def _counts(store: Store, base: str, sha: str) -> tuple[int, int]:
    """Commits that only `sha` holds, and commits that only `base` holds."""
    behind, ahead = store.run("rev-list", "--left-right", "--count", f"{base}...{sha}", "--").text.split()
    return int(ahead), int(behind)


def _is_ancestor(store: Store, older: str, newer: str) -> bool:
    return store.run("merge-base", "--is-ancestor", older, newer, accept=(0, 1)).code == 0
