"""From which commit the version was published, in words; and how a tag beside the base gets into its history."""

from __future__ import annotations

from release_state.common.text import join_items
from release_state.facts.origin import find_on_base
from release_state.facts.release import Release
from release_state.model.plan import Step, step
from release_state.model.snapshot import Candidate, Published
from release_state.plan.steps.commands import PUSH, gh, pick_free_branch


def describe_fit(release: Release, candidate: Candidate) -> str:
    """How well a commit fits what was published."""
    found = release.snapshot.published.value
    if found is None or found.file is None:
        return ""
    count = "all" if candidate.equal == found.compared else f"{candidate.equal} of"
    text = f"{count} {found.compared} files of {found.file} match"
    if candidate.differing:
        text += f"; different: {join_items(candidate.differing)}"
    if candidate.absent:
        text += f"; missing: {join_items(candidate.absent)}"
    return text


def explain_choice(release: Release, chosen: Candidate, alike: tuple[Candidate, ...]) -> str:
    """Why this commit is the one to tag, what else there is, and what the tag does to the next version."""
    sentences = [describe_fit(release, chosen)]
    if len(alike) > 1:
        others = join_items(f"{other.sha[:12]}, {other.what}" for other in alike[1:])
        sentences.append(
            f"commit {others} fits just as well" + (f", beside {release.base_branch}" if chosen.on_base else "")
        )
    sentences += _attested(release.snapshot.published.value, chosen)
    if not chosen.on_base:
        sentences.append(
            f"it is not in the history of {release.base_branch}: a tool that reads that history, such as "
            f"python-semantic-release, does not see this tag, counts from an older one and can compute "
            f"{release.version} again"
        )
        if other := find_on_base(release):
            sentences.append(
                f"the alternative, {other.sha[:12]}, {other.what}, would fix that, but its files are not what was "
                f"published: {join_items((*other.differing, *other.absent))} differ{'s' * (_unlike(other) == 1)}"
            )
            sentences.append(
                "tag the published commit: a tag on other content misleads forever, while the "
                "history can be fixed: see the next step"
            )
    return ". ".join(sentence[:1].upper() + sentence[1:] for sentence in sentences if sentence)


def _unlike(candidate: Candidate) -> int:
    return len(candidate.differing) + len(candidate.absent)


def _attested(found: Published | None, chosen: Candidate) -> list[str]:
    if found is None or found.provenance_commit is None:
        return []
    same = found.provenance_commit == chosen.sha
    named = "the same commit" if same else f"another commit, {found.provenance_commit[:12]}: check that one first"
    return [f"the index's attestation (not verified here) names {named}"]


def bring_into_history(release: Release) -> Step:
    """Bring a tag that lies beside the base branch into its history, without a change to any file."""
    target, base = release.target, release.base_branch
    folder = f"{target.name}-{release.version}-history"
    branch = pick_free_branch(release, f"history/{target.tag}", f"history-of-{target.tag.replace('/', '-')}")
    title = f"Bring {target.tag} into the history of {base}"
    return step(
        f"Before the next release: {title[0].lower()}{title[1:]}, in an empty folder",
        ["git", "clone", "--branch", base, "--origin", "origin", target.remote_url, folder],
        ["git", "-C", folder, "switch", "--create", branch],
        [
            "git",
            "-C",
            folder,
            "merge",
            "--no-ff",
            "--strategy",
            "ours",
            "--message",
            f"chore: {title[0].lower()}{title[1:]}",
            target.tag,
        ],
        ["git", "-C", folder, *PUSH[1:], "origin", f"refs/heads/{branch}"],
        gh(release, "pr", "create", "--base", base, "--head", branch, "--title", title, "--body", _BODY),
        mends="tag",
        in_empty_folder=True,
        reason=f"the next version is then computed from {target.tag}; no file in {base} changes. Merge the "
        "pull request with a merge commit: a squash or rebase has no effect",
        advice=True,
    )


_BODY = "No file changes. Merge with a merge commit: a squash or rebase has no effect."
