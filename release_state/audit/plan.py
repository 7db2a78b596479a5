"""The fix of each kind of disagreement, for all its versions at once (pure).

The plan of an audit destroys nothing. It gives a command for each version where something is created or corrected. For
the rest it points to the run of that version, which checks commits, pull requests and files first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from release_state.audit import kinds
from release_state.audit.audit import Audit
from release_state.audit.judge import Judgement
from release_state.audit.kinds import Kind
from release_state.audit.versions import Audited
from release_state.model.plan import Step, step
from release_state.plan.steps.commands import gh, show_pull, suite_command


def plan_kind(audit: Audit, kind: Kind, judged: Sequence[Judgement]) -> Step:
    """The step that fixes one kind: a command for each version, oldest first."""
    versions = [judgement.audited for judgement in judged]
    title, reason, command = _WAYS.get(kind, (_LOOK, _BY_RUN, _run))
    commands = [line for line in (command(audit, audited) for audited in versions) if line]
    return step(title, *commands, reason=reason, advice=not kind.blocking)


def plan_latest(audit: Audit, audited: Audited) -> Step:
    """The step that makes a version GitHub's latest release."""
    tag = audit.release_tag(audited)
    if not audited.releases:
        command = _create(audit, audited) or _run(audit, audited)  # without its tag, only its own run has a plan
        return step(f"Create the GitHub Release {tag}, as the latest", command)
    return step(f"Make {tag} the latest release", gh(audit.target, "release", "edit", tag, "--latest"))


def _run(audit: Audit, audited: Audited) -> list[str]:
    return suite_command(audit.target, str(audited))


def _create(audit: Audit, audited: Audited) -> list[str]:
    """Create the GitHub Release of a tagged version, or publish its draft; empty without a tag."""
    tag = audit.release_tag(audited)
    newest = audit.habits.newest_final
    if audited.version.is_prerelease:
        flag = "--prerelease"
    else:
        flag = f"--latest={str(newest is None or audited.version >= newest.version).lower()}"
    if audited.drafts:
        return gh(audit.target, "release", "edit", audited.drafts[0].tag, "--draft=false", flag)
    if not audited.tags:
        return []  # the tag comes first: `tag-missing` has the fix
    before = audit.before(audited)
    start = ["--notes-start-tag", before.tags[0].name] if before else []
    words = ("release", "create", tag, "--verify-tag", "--title", tag, "--generate-notes")
    return gh(audit.target, *words, *start, flag)


def _mark(audit: Audit, audited: Audited) -> list[str]:
    wrong = next(each for each in audited.releases if each.prerelease != audited.version.is_prerelease)
    wanted = str(audited.version.is_prerelease).lower()
    return gh(audit.target, "release", "edit", wrong.tag, f"--prerelease={wanted}")


def _pull(audit: Audit, audited: Audited) -> list[str]:
    return show_pull(audit.target, audited.pulls[0].number)


def _show_release(audit: Audit, audited: Audited) -> list[str]:
    return gh(audit.target, "release", "view", audit.release_tag(audited))


def _tags(audit: Audit, audited: Audited) -> list[str]:
    refs = (f"refs/tags/{tag.name}{peeled}" for tag in audited.tags for peeled in ("", "^{}"))
    return ["git", "ls-remote", "--exit-code", audit.target.remote_url, *refs]


_LOOK = "Run each version on its own and follow its plan"
_BY_RUN = "the fix depends on commits, files and pull requests, which only the run of one version checks"

Command = Callable[[Audit, Audited], list[str]]

_WAYS: dict[Kind, tuple[str, str, Command]] = {
    kinds.RELEASE_MISSING: (
        "Create the missing GitHub Releases, or publish their drafts",
        "--verify-tag fails if the tag is missing; notes start at the previous tagged version",
        _create,
    ),
    kinds.PRERELEASE_FLAG: ("Correct the pre-release flag", "PEP 440 says which versions are pre-releases", _mark),
    kinds.PULL_OPEN: ("Merge or close each pull request", "you decide which", _pull),
    kinds.YANKED: (
        "Write in the release notes that the version is yanked, or withdraw it",
        "a run with --phase rollback lists what is left to withdraw",
        lambda audit, audited: suite_command(audit.target, str(audited), phase="rollback"),
    ),
    kinds.YANKED_IN_PART: (
        "Yank the other files on the index's website, or undo the yank",
        "unless only the yanked files were broken",
        _run,
    ),
    kinds.DRAFT_LEFT: ("Review each draft and delete what you do not need", "the draft may have better notes", _run),
    kinds.TAGS_DIFFER: (
        "Find out which tag is right",
        "only a person who knows what was published can move a tag; this prints the tags",
        _tags,
    ),
    kinds.TAG_SPELLING: (
        "Leave it, or add a tag in the usual spelling",
        "the new tag must be on the same commit",
        _tags,
    ),
    kinds.ODD_TAG: ("Review each tag", "a tag that means something else needs no action", _tags),
    kinds.RELEASE_WITHOUT_TAG: (
        "Review each GitHub Release and push its tag again from a clone that has it",
        "without its tag, GitHub turns the release into a draft",
        _show_release,
    ),
}
