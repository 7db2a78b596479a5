"""The verdict and exit code of an audit, from the results of its checks, and the fix of each kind (pure).

The plan destroys nothing. It gives a command for each version where something is created or corrected. For the rest it
points to the run of that version, which checks commits, pull requests and files first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from msgspec import Struct

from release_state.audit import kinds
from release_state.audit.audit import Audit
from release_state.audit.judge import Finding, Judgement
from release_state.audit.kinds import KINDS, Kind
from release_state.audit.versions import Audited
from release_state.model.outcome import CheckResult, Exit, Outcome, Verdict, merge_unknown
from release_state.model.plan import Step, step
from release_state.plan.steps.commands import gh, show_pull, suite_command
from release_state.verdict.verdict import decide_verdict


class Expected(Struct, frozen=True):
    """A result that a complete audit has: the check and its subject."""

    check: str
    key: str
    blocking: bool
    is_version: bool = False


class AuditVerdict(Struct, frozen=True, dict=True):
    """The verdict on one channel's history."""

    audit: Audit
    verdict: Verdict
    exit: Exit
    ran: int
    expected: int
    results: tuple[CheckResult, ...]
    """The results of the whole project, then one for each version, oldest first."""
    version_check: str
    """The ID of the check of single versions."""
    broken: tuple[str, ...] = ()
    """Look-ups with a bug, in words: whatever depends on them is unknown, and the run is never green."""

    @property
    def words(self) -> str:
        """The verdict as shown."""
        words = f"PARTIAL {self.ran} of {self.expected}" if self.verdict is Verdict.PARTIAL else self.verdict.value
        return words + (f", {len(self.waived)} waived" if self.waived else "")

    @cached_property
    def waived(self) -> tuple[tuple[Judgement, Finding], ...]:
        """The findings that a waiver covers, with their versions, among those that ran."""
        return tuple((judged, finding) for judged in self._ran for finding in judged.waived)

    @cached_property
    def _ran(self) -> tuple[Judgement, ...]:
        pairs = zip(self.audit.keys, self.audit.judgements, strict=True)
        return tuple(judged for key, judged in pairs if key in self.version_results)

    @cached_property
    def project_results(self) -> tuple[CheckResult, ...]:
        """The results of the whole project."""
        return tuple(result for result in self.results if result.id != self.version_check)

    @cached_property
    def findings(self) -> tuple[CheckResult, ...]:
        """The findings about the whole project; several unknowns with one cause are one finding."""
        return tuple(merge_unknown(result for result in self.project_results if result.is_finding))

    @cached_property
    def version_results(self) -> dict[str, CheckResult]:
        """The result of each judged version, by its key."""
        return {result.target: result for result in self.results if result.id == self.version_check}

    @cached_property
    def counts(self) -> dict[Outcome, int]:
        """How many versions ended how."""
        found = [result.outcome for result in self.version_results.values()]
        return {outcome: count for outcome in Outcome if (count := found.count(outcome))}

    @property
    def counts_in_words(self) -> str:
        """The counts in a line: `12 holds, 1 action needed`."""
        return ", ".join(f"{count} {outcome.words}" for outcome, count in self.counts.items()) or "none"

    @cached_property
    def by_kind(self) -> dict[Kind, tuple[Judgement, ...]]:
        """The versions with each kind of disagreement, among those that ran, in the order of the kinds."""
        found = {
            kind: tuple(j for j in self._ran if any(finding.kind is kind for finding in j.findings)) for kind in KINDS
        }
        return {kind: judged for kind, judged in found.items() if judged}

    @cached_property
    def plans(self) -> dict[Kind, Step]:
        """The fix of each kind of disagreement."""
        return {kind: plan_kind(self.audit, kind, judged) for kind, judged in self.by_kind.items()}


def judge_audit(
    audit: Audit,
    results: Sequence[CheckResult],
    expected: Sequence[Expected],
    *,
    block_on_advice: bool,
    broken: Sequence[str] = (),
) -> AuditVerdict:
    """The verdict of one audit. `expected` are the results of a complete one; `broken` names look-ups with a bug."""
    order = {(each.check, each.key): number for number, each in enumerate(expected)}
    ran = {(result.id, result.target) for result in results if result.outcome is not Outcome.DEFECT}
    left_out = [each for each in expected if (each.check, each.key) not in ran]
    missing_blocking = any(each.blocking or block_on_advice for each in left_out)
    version_check = next((each.check for each in expected if each.is_version), "")
    verdict, code = decide_verdict(
        {result.outcome for result in results if result.decides(block_on_advice)},
        has_judged=any(r.id == version_check and r.outcome is not Outcome.NOT_APPLICABLE for r in results),
        partial=(Exit.UNKNOWN if missing_blocking else Exit.OK) if left_out else None,
        green=Verdict.AGREES,
        broken=bool(broken),
    )
    return AuditVerdict(
        audit=audit,
        verdict=verdict,
        exit=code,
        ran=len(expected) - len(left_out),
        expected=len(expected),
        results=tuple(sorted(results, key=lambda result: order.get((result.id, result.target), len(order)))),
        version_check=version_check,
        broken=tuple(broken),
    )


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
    # The tag comes first, and `tag-missing` has its fix: for a draft without one GitHub would make it, on today's head.
    if not audited.tags:
        return []
    names = {found.name for found in audited.tags}
    if draft := next((draft for draft in audited.drafts if draft.tag in names), None):
        return gh(audit.target, "release", "edit", draft.tag, "--draft=false", flag)
    before = audit.before(audited)
    start = ["--notes-start-tag", before.tags[0].name] if before else []
    words = ("release", "create", tag, "--verify-tag", "--title", tag, "--generate-notes")
    return gh(audit.target, *words, *start, flag)


def _mark(audit: Audit, audited: Audited) -> list[str]:
    wrong = next(each for each in audited.releases if each.prerelease != audited.version.is_prerelease)
    wanted = str(audited.version.is_prerelease).lower()
    return gh(audit.target, "release", "edit", wrong.tag, f"--prerelease={wanted}")


def _tags(audit: Audit, audited: Audited) -> list[str]:
    refs = (f"refs/tags/{tag.name}{peeled}" for tag in audited.tags for peeled in ("", "^{}"))
    return ["git", "ls-remote", "--exit-code", audit.target.remote_url, *refs]


_LOOK = "Run each version on its own and follow its plan"
_BY_RUN = "the fix depends on commits, files and pull requests, which only the run of one version checks"

Command = Callable[[Audit, Audited], list[str]]

_WAYS: dict[Kind, tuple[str, str, Command]] = {
    kinds.RELEASE_MISSING: (
        "Create the missing GitHub Releases, or publish their drafts",
        "only while each tag is there: GitHub makes a missing one for a draft; notes start at the previous tagged "
        "version; each one starts the workflows that wait for a GitHub Release",
        _create,
    ),
    kinds.PRERELEASE_FLAG: ("Correct the pre-release flag", "PEP 440 says which versions are pre-releases", _mark),
    kinds.PULL_OPEN: (
        "Merge or close each pull request",
        "you decide which",
        lambda audit, audited: show_pull(audit.target, audited.pulls[0].number),
    ),
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
    kinds.ODD_TAG: ("Review each tag", "a tag that means something else needs no action", _tags),
    kinds.RELEASE_WITHOUT_TAG: (
        "Review each GitHub Release and push its tag again from a clone that has it",
        "without its tag, GitHub turns the release into a draft",
        lambda audit, audited: gh(audit.target, "release", "view", audit.release_tag(audited)),
    ),
}
