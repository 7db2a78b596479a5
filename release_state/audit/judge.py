"""The judgement of each version: whether tag, index and GitHub Release agree, and what was left behind (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timezone

from msgspec import Struct, structs

from release_state.audit import kinds
from release_state.audit.habits import INDEX, RELEASE, TAG, Habits, Maturity
from release_state.audit.kinds import Kind
from release_state.audit.versions import Audited, AuditSnapshot
from release_state.common.text import format_count, join_items, sanitize
from release_state.facts.index import may_be_of_version
from release_state.model.observation import Observation, Problem, unavailable
from release_state.model.outcome import Outcome
from release_state.model.snapshot.index import IndexHistory
from release_state.settings.waivers import Waiver


class Finding(Struct, frozen=True):
    """One disagreement of one version."""

    kind: Kind
    found: str
    waiver: Waiver | None = None
    """The waiver that covers it: it then decides nothing."""

    @property
    def words(self) -> str:
        """What was found, and why it is waived."""
        waiver = self.waiver
        return self.found + (f" (waived until {waiver.until}: {waiver.reason})" if waiver else "")


class Judgement(Struct, frozen=True):
    """The outcome of one version, with its findings."""

    audited: Audited
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    """Those that no waiver covers."""
    waived: tuple[Finding, ...] = ()
    unknown: tuple[Problem, ...] = ()
    note: str = ""
    """Which traces exist, or why the version is not judged."""

    @property
    def blocking(self) -> bool:
        """Whether the verdict depends on it."""
        return self.outcome is not Outcome.ACTION_NEEDED or any(finding.kind.blocking for finding in self.findings)

    @property
    def words(self) -> str:
        """The findings, in one line."""
        said = [finding.words for finding in (*self.findings, *self.waived)]
        said += [f"could not read {problem.source}: {problem.why}" for problem in self.unknown]
        return "; ".join([*said, *([self.note] if self.note else [])])


def read_index(history: AuditSnapshot) -> Observation[IndexHistory]:
    """The index's answer; unavailable for a quarantined project, whose files are hidden (PEP 792)."""
    index = history.index.value
    if index and index.status == "quarantined":
        return unavailable(f"index {history.target.channel.name}", "the project is quarantined: its files are hidden")
    return history.index


def is_expired(waiver: Waiver, history: AuditSnapshot) -> bool:
    """Return whether a waiver's last day was over when the history was observed."""
    return waiver.until < history.observed_at.astimezone(timezone.utc).date()


def find_pending(judged: Sequence[Judgement]) -> list[Judgement]:
    """The judgements that an unfinished release run may still change: blocking, and newer than every whole version."""
    whole = [each.audited.version for each in judged if each.audited.indexed and each.outcome is Outcome.HOLDS]
    newest = max(whole, default=None)
    wrong = (each for each in judged if each.outcome is Outcome.ACTION_NEEDED and each.blocking)
    return [each for each in wrong if newest is None or each.audited.version > newest]


class Judge:
    """Judges the versions of one history."""

    def __init__(self, habits: Habits) -> None:
        self.habits, self.history, self.leaves = habits, habits.history, habits.target.channel.leaves
        self._index = read_index(self.history)
        self._index_known = self._index.is_known
        self._remote_known = self.history.remote.is_known
        self._releases_known = self.history.releases.is_known
        in_force = (waiver for waiver in self.history.waivers if not is_expired(waiver, self.history))
        self._waivers = {(waiver.version, waiver.kind, waiver.found): waiver for waiver in in_force}

    def all(self, versions: Sequence[Audited]) -> tuple[Judgement, ...]:
        """A judgement for each version, in the same order."""
        judged = [self.one(audited) for audited in versions]
        runs = self.history.runs.value.runs if self.history.runs.value else ()
        if running := next((run for run in runs if not run.is_finished), None):
            pending = set(map(id, find_pending(judged)))
            note = f"release run #{running.number} is in progress ({running.status})"
            judged = [
                structs.replace(each, outcome=Outcome.IN_PROGRESS, note=note) if id(each) in pending else each
                for each in judged
            ]
        return tuple(judged)

    def one(self, audited: Audited) -> Judgement:
        """The judgement of one version, ignoring workflow runs."""
        if not audited.is_known:
            return self._prepared(audited)
        if str(audited) in self.history.catching_up:
            coming = "published, but not yet listed by the index's Simple API"
            return Judgement(audited, Outcome.IN_PROGRESS, note=f"{self._there(audited)}; {coming}")
        findings, waived = self._waive(audited, self._findings(audited))
        if any(finding.kind.blocking for finding in findings):
            return Judgement(audited, Outcome.ACTION_NEEDED, findings, waived)
        if unknown := self._unknown(audited):
            return Judgement(audited, Outcome.UNKNOWN, findings, waived, unknown)
        if findings:
            return Judgement(audited, Outcome.ACTION_NEEDED, findings, waived)
        if waived:
            return Judgement(audited, Outcome.HOLDS, (), waived, note=self._there(audited))
        if not audited.indexed:
            return Judgement(audited, Outcome.NOT_APPLICABLE, note=f"{self._there(audited)}; {self._unneeded(audited)}")
        return Judgement(audited, Outcome.HOLDS, note=self._there(audited))

    def _unneeded(self, audited: Audited) -> str:
        """Why the index need not have a version."""
        if not self.habits.since.get(INDEX):
            return "nothing is published here"
        stage = Maturity.find(audited.version)
        began = self.habits.began(INDEX, stage)
        if began is None:
            return f"{stage.value} are usually not published here"
        return f"older than {began.version}, since which versions are usually published here"

    def _unknown(self, audited: Audited) -> tuple[Problem, ...]:
        """The failed look-ups that the judgement of a version needs."""
        history = self.history
        missing = [self._index.unavailable, history.remote.unavailable, history.clone_tags.unavailable]
        if RELEASE in self.leaves:
            missing.append(history.releases.unavailable)
        if audited.branches:
            missing.append(history.open_pulls.unavailable)
        missing.append(self._doubt(audited))
        return tuple(dict.fromkeys(problem for problem in missing if problem))

    def _doubt(self, audited: Audited) -> Problem | None:
        """The doubt whether a version without files is published: a file name without a readable version."""
        index = self._index.value
        if index is None or audited.indexed or audited.listed_empty or index.lists_versions:
            return None
        names = [name for name in index.skipped if may_be_of_version(name, self.habits.target.name, audited.version)]
        if not names:
            return None
        why = f"{join_items(names, 3)} has no readable version in its name and may be {audited}"
        return Problem(source=f"index {self.habits.target.channel.name}", why=why, remedy="open the files on the index")

    def _prepared(self, audited: Audited) -> Judgement:
        """The judgement of a version with only a branch, a pull request or a draft."""
        if unknown := self._unknown(audited):
            return Judgement(audited, Outcome.UNKNOWN, unknown=unknown)
        if audited.branches and not audited.pulls:
            orphaned = Finding(kinds.BRANCH_ORPHANED, f"only branch {audited.branches[0].name}{_into(audited)}")
            findings, waived = self._waive(audited, [orphaned])
            return Judgement(audited, Outcome.ACTION_NEEDED if findings else Outcome.HOLDS, findings, waived)
        return Judgement(audited, Outcome.NOT_APPLICABLE, note=f"in preparation: {self._there(audited)}")

    def _waive(self, audited: Audited, findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
        """The findings of a version that decide, and those that a waiver covers today."""
        name = str(audited)
        told = [
            structs.replace(each, waiver=self._waivers.get((name, each.kind.id, sanitize(each.found))))
            for each in findings
        ]
        return tuple(each for each in told if not each.waiver), tuple(each for each in told if each.waiver)

    def _findings(self, audited: Audited) -> Iterator[Finding]:
        if self._index_known:
            yield from self._of_files(audited)
        if self._remote_known:
            yield from self._of_tags(audited)
        if self._releases_known:
            yield from self._of_releases(audited)
        yield from self._left_behind(audited)

    def _of_files(self, audited: Audited) -> Iterator[Finding]:
        indexed, there = audited.indexed, self._there(audited)
        if indexed is None:
            if audited.tags or audited.releases:
                if not self.habits.expects(INDEX, audited):
                    return
                if odd := _odd(audited):
                    yield Finding(kinds.ODD_TAG, f"{there}: {odd}")
                elif not self._doubt(audited):
                    empty = "the index lists it without files" if audited.listed_empty else "no file on the index"
                    yield Finding(kinds.NOT_PUBLISHED, f"{there}, {empty}")
            else:
                yield Finding(kinds.LISTED_EMPTY, "listed without files")
            return
        if indexed.all_yanked:
            if audited.releases:
                reason = f" ({indexed.yanked_reason})" if indexed.yanked_reason else ""
                yield Finding(kinds.YANKED, f"yanked{reason}, GitHub Release {audited.releases[0].tag}")
            return
        expected = self.habits.target.expected_files
        missing = [kind for kind in expected if kind not in indexed.kinds and self.habits.expects(kind, audited)]
        if missing:
            there = ", ".join(sorted(indexed.kinds))
            yield Finding(kinds.FILES_MISSING, f"no {' and no '.join(missing)}, only {there}")
        if indexed.yanked:
            yield Finding(kinds.YANKED_IN_PART, f"{indexed.yanked} of {len(indexed.files)} files are yanked")

    def _of_tags(self, audited: Audited) -> Iterator[Finding]:
        habits, indexed = self.habits, audited.indexed
        offered = indexed is not None and not indexed.all_yanked
        if self._index_known and offered and not audited.tags and habits.expects(TAG, audited):
            moving = f"; only {audited.moving[0].name}, with fewer numbers" if audited.moving else ""
            yield Finding(kinds.TAG_MISSING, f"no tag {habits.target.tag_for(str(audited))}{moving}")
        names = ", ".join(f"{tag.name} at {tag.commit[:9]}" for tag in audited.tags)
        if len({tag.commit for tag in audited.tags}) > 1:
            yield Finding(kinds.TAGS_DIFFER, names)
        remote = {tag.name: tag for tag in audited.tags}
        for local in audited.local_tags:
            if (tag := remote.get(local.name)) and tag.object != local.object:
                yield Finding(
                    kinds.CLONE_TAG, f"{local.name} is {local.commit[:9]} in the clone, {tag.commit[:9]} on the remote"
                )
            elif tag is None and not audited.tags:
                yield Finding(kinds.CLONE_TAG, f"{local.name} is only in the clone")

    def _of_releases(self, audited: Audited) -> Iterator[Finding]:
        indexed, version = audited.indexed, audited.version
        offered = indexed is not None and not indexed.all_yanked
        if self._index_known and offered and not audited.releases and self.habits.expects(RELEASE, audited):
            draft = ", only a draft" if audited.drafts else ""
            yield Finding(kinds.RELEASE_MISSING, f"no GitHub Release{draft}")
        names = {tag.name for tag in (*audited.tags, *audited.moving)}
        for release in audited.releases:
            if self._remote_known and release.tag not in names:
                yield Finding(kinds.RELEASE_WITHOUT_TAG, f"GitHub Release for {release.tag}, but no such tag")
            if release.prerelease != version.is_prerelease:
                flag = "a pre-release" if release.prerelease else "final"
                meant = "a pre-release" if version.is_prerelease else "final"
                yield Finding(kinds.PRERELEASE_FLAG, f"GitHub calls it {flag}, PEP 440 {meant}")
        if audited.releases and audited.drafts:
            count = len(audited.drafts)
            yield Finding(kinds.DRAFT_LEFT, f"{format_count(count, 'draft')} for {audited.drafts[0].tag}")

    def _left_behind(self, audited: Audited) -> Iterator[Finding]:
        if audited.branches and audited.indexed and "pull-request" not in self.leaves:
            # On such a channel a release deletes its branch, whether or not a pull request is open.
            yield Finding(kinds.BRANCH_LEFT, f"branch {audited.branches[0].name}{_into(audited)}")
        elif audited.pulls:
            number = audited.pulls[0].number
            yield Finding(kinds.PULL_OPEN, f"pull request #{number} is open")
        elif audited.branches and audited.indexed and self.history.open_pulls.is_known:
            yield Finding(kinds.BRANCH_LEFT, f"branch {audited.branches[0].name}{_into(audited)}")

    def _there(self, audited: Audited) -> str:
        """The traces of a version, in words."""
        indexed, traces = audited.indexed, []
        if indexed:
            yanked = " (yanked)" if indexed.all_yanked else ""
            traces.append(f"{format_count(len(indexed.files), 'file')}{yanked}")
        traces += [f"tag {tag.name}" for tag in audited.tags]
        traces += [f"GitHub Release {release.tag}" for release in audited.releases]
        traces += [f"draft for {draft.tag}" for draft in audited.drafts]
        traces += [f"branch {branch.name}" for branch in audited.branches]
        traces += [f"pull request #{pull.number}" for pull in audited.pulls]
        return ", ".join(traces)


def _into(audited: Audited) -> str:
    """The pull request that would close with the release branch; it does not keep the branch in use."""
    pulls = audited.pulls_into
    return f" (first handle pull request #{pulls[0].number}, which merges into it)" if pulls else ""


def _odd(audited: Audited) -> str:
    """Why a tag may not mean the version that PEP 440 reads from it; empty if it does."""
    version = audited.version
    if version.local:
        return "a local version, which no public index accepts"
    if version.is_devrelease:
        return "a development version, often only the start of the next one"
    if version.is_postrelease and not any("post" in tag.name.lower() for tag in audited.tags):
        return f"PEP 440 reads it as the post-release {version}"
    return ""
