"""Commits beside the base branch that a version may have been published from: other tags, and other branches."""

from __future__ import annotations

import re
from collections.abc import Collection

from release_state.model.snapshot import Branch, Remote, Tag
from release_state.model.target import Target
from release_state.observe.git.command import GitFailed
from release_state.observe.git.store import WantedCommit
from release_state.observe.published.candidates import CandidateSearch, CommitRef
from release_state.observe.published.trees import read_tree

_MOST_TAGS = 40
_MOST_BRANCHES = 10
_MOST_COMMITS = 50
"""How many first parents of another branch's head are compared."""
_MOST_FOUND = 3
_LINE = re.compile(r"(?:^|[/v_-])[0-9]+(?:[._](?:[0-9]+|x))*$|release|stable|maint|develop|next|^(?:main|master)$")
"""Names of branches that releases are made from."""


def find_elsewhere(search: CandidateSearch, remote: Remote, compared: Collection[str]) -> list[CommitRef]:
    """The commits of other tags (of sibling packages too) and branches that match better than all before.

    Best effort, within limits: a tag or a branch that cannot be fetched is no candidate. Raises GitFailed if the time
    is over.
    """
    tags = [tag for tag in _choose_tags(search.target, remote) if tag.commit not in compared]
    branches = [each for each in _choose_branches(search, remote) if each.sha not in compared]
    wanted = [WantedCommit(tag.commit, f"refs/tags/{tag.name}") for tag in tags]
    wanted += [WantedCommit(branch.sha, f"refs/heads/{branch.name}") for branch in branches]
    present: set[str] = set()
    try:
        present = search.store.obtain(wanted)
    except GitFailed as failed:
        if failed.stopped:
            raise
    found = {tag.commit: _rate_tag(search, tag) for tag in tags if tag.commit in present}
    for branch in branches:
        if branch.sha in present and (rated := _rate_branch(search, branch)):
            found.setdefault(rated[1].sha, rated)
    better = sorted((each for each in found.values() if each[0] > search.most_votes), key=lambda each: -each[0])
    return [commit for _, commit in better[:_MOST_FOUND]]


def _rate_tag(search: CandidateSearch, tag: Tag) -> tuple[int, CommitRef]:
    [step] = search.walk([tag.commit], read_tree(search.store, tag.commit))
    return step.votes, CommitRef(tag.commit, f"refs/tags/{tag.name}", f"the commit of the tag {tag.name}")


def _rate_branch(search: CandidateSearch, branch: Branch) -> tuple[int, CommitRef] | None:
    """The best commit of a branch that the base's first parents lack; None if there is none."""
    limits = ("--first-parent", f"--max-count={_MOST_COMMITS}", branch.sha, f"^{search.base_head}")
    shas = search.store.run("rev-list", *limits, "--").text.split()[::-1]
    if not shas:
        return None
    best = max(search.walk(shas, read_tree(search.store, shas[0])), key=lambda step: step.votes)
    what = f"the head of {branch.name}" if best.sha == branch.sha else f"a commit of {branch.name}"
    return best.votes, CommitRef(best.sha, f"refs/heads/{branch.name}", what)


def _choose_tags(target: Target, remote: Remote) -> list[Tag]:
    """The tags to look at: first those that name the version for another package, then those of the next versions."""
    versions = sorted({v for tag in remote.tags if (v := target.parse_tag(tag.name))} | {target.parsed_version})
    place = versions.index(target.parsed_version)
    near = {version: abs(number - place) for number, version in enumerate(versions)}

    def order(tag: Tag) -> tuple[bool, int, str]:
        version = target.parse_tag(tag.name)
        return target.version not in tag.name, near[version] if version else len(near), tag.name

    return sorted(remote.tags, key=order)[:_MOST_TAGS]


def _choose_branches(search: CandidateSearch, remote: Remote) -> list[Branch]:
    """The branches to look at, those that may be another line first."""
    others = (branch for branch in remote.branches if branch.name != search.base_branch)
    return sorted(others, key=lambda branch: (not _LINE.search(branch.name), branch.name))[:_MOST_BRANCHES]
