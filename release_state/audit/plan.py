"""What to do about each kind of disagreement, for all of its versions at once (pure).

The plan of an audit destroys nothing. What creates or corrects is given as a command for each version; for everything
else it hands over to the run of that one version, which looks at commits, pull requests and files first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from release_state.audit import kinds
from release_state.audit.audit import Audit
from release_state.audit.judge import Judgement
from release_state.audit.kinds import Kind
from release_state.audit.versions import Audited
from release_state.model.plan import Step, step
from release_state.plan.steps.commands import gh, show_pull, suite


def plan_for(audit: Audit, kind: Kind, judged: Sequence[Judgement]) -> Step:
    """The step that mends one kind: a command for each of its versions, oldest first."""
    versions = [judgement.audited for judgement in judged]
    title, reason, command = _WAYS.get(kind, (_LOOK, _BY_RUN, _run))
    commands = [line for line in (command(audit, audited) for audited in versions) if line]
    return step(title, *commands, reason=reason, advice=not kind.blocking)


def latest_step(audit: Audit, audited: Audited) -> Step:
    """Make a version GitHub's latest release."""
    tag = audit.release_tag(audited)
    if not audited.releases:
        command = _create(audit, audited) or _run(audit, audited)  # without its tag, only a run on it says what to do
        return step(f"Create the GitHub Release {tag}, as the latest", command)
    return step(f"Make {tag} the latest release", gh(audit.target, "release", "edit", tag, "--latest"))


def _run(audit: Audit, audited: Audited) -> list[str]:
    return suite(audit.target, str(audited))


def _create(audit: Audit, audited: Audited) -> list[str]:
    """Create the GitHub Release of a version that is tagged, or publish its draft."""
    tag = audit.release_tag(audited)
    newest = audit.habits.newest_final
    if audited.version.is_prerelease:
        flag = "--prerelease"
    else:
        flag = f"--latest={str(newest is None or audited.version >= newest.version).lower()}"
    if audited.drafts:
        return gh(audit.target, "release", "edit", audited.drafts[0].tag, "--draft=false", flag)
    if not audited.tags:
        return []  # the tag comes first: its own kind says how
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


_LOOK = "Check each version by itself: its plan says what to do"
_BY_RUN = "what mends it hangs on commits, files and pull requests, which are looked at for one version at a time"

Command = Callable[[Audit, Audited], list[str]]

_WAYS: dict[Kind, tuple[str, str, Command]] = {
    kinds.RELEASE_MISSING: (
        "Create the missing GitHub Releases, or publish their drafts",
        "each tag has to be there, which --verify-tag sees to; notes begin at the tagged version before",
        _create,
    ),
    kinds.PRERELEASE_FLAG: ("Correct the mark", "PEP 440 says which versions are pre-releases", _mark),
    kinds.PULL_OPEN: ("Merge or close each pull request", "a person decides which", _pull),
    kinds.YANKED: (
        "Say in the notes that the version is yanked, or withdraw it",
        "a run in the phase rollback says what is left to withdraw",
        lambda audit, audited: suite(audit.target, str(audited), phase="rollback"),
    ),
    kinds.YANKED_IN_PART: (
        "Yank the rest in the web interface of the index, or take the yank back",
        "unless the yanked files alone were broken",
        _run,
    ),
    kinds.DRAFT_LEFT: ("Look at each draft, and delete what is not needed", "the draft may hold better notes", _run),
    kinds.TAGS_DIFFER: (
        "Find out which tag is right",
        "tags are moved by a person who knows what was published; this prints where they are",
        _tags,
    ),
    kinds.TAG_SPELLING: (
        "Leave it, or add the tag in the usual spelling",
        "an added tag has to be on the same commit",
        _tags,
    ),
    kinds.ODD_TAG: ("Look at each tag", "nothing has to be done about a tag that means something else", _tags),
    kinds.RELEASE_WITHOUT_TAG: (
        "Look at each release, and bring its tag back from a clone that has it",
        "without its tag GitHub makes a draft of it",
        _show_release,
    ),
}
