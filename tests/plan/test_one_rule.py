"""Gate and audit judge the same facts by the same rules: over the states that a release can be in."""

from __future__ import annotations

from msgspec import structs

from release_state.audit import kinds
from release_state.audit.audit import Audit
from release_state.audit.judge import Judgement
from release_state.audit.versions import AuditSnapshot
from release_state.model.observation import Observation, known
from release_state.model.outcome import Outcome, Phase
from release_state.model.snapshot import Snapshot
from tests.support import space
from tests.support import states as s
from tests.support.histories import index, indexed, released, tagged
from tests.support.judged import verdict_of

ASIDE = frozenset({"permission", "workflow", "token", "service", "testpypi", "version", "ci", "clone", "setting"})
SAME = {kind.check for kind in kinds.KINDS if kind.blocking} | {"BRANCH-12"}
"""Checks of one version whose fact an audit judges too, and that decide in both; BRANCH-12 is BRANCH-11 elsewhere."""
BEFORE = ("0.0.8", "0.0.9")


def history_of(snapshot: Snapshot) -> AuditSnapshot:
    """What an audit observes of the same state; two whole versions lie before."""
    page, remote, clone = snapshot.index[snapshot.target.channel.name], snapshot.remote, snapshot.clone
    found = page.value
    mine = [indexed("0.2.0", 5, [file.kind for file in found.files])] if found and found.files else []
    if found and found.files and all(file.yanked for file in found.files):
        mine = [indexed("0.2.0", 5, each := [file.kind for file in found.files], each)]
    if remote.value:
        tags = (*(tagged(f"v{version}") for version in BEFORE), *remote.value.tags)
        remote = known(structs.replace(remote.value, tags=tags))
    release = snapshot.release
    if release.is_known:
        own = [release.value, *(other.value for other in snapshot.other_releases.values())]
        old = [released(version, at) for at, version in enumerate(BEFORE)]
    return AuditSnapshot(
        observed_at=s.NOW,
        target=snapshot.target,
        selection="all",
        remote=remote,
        index=index(*(indexed(version, at) for at, version in enumerate(BEFORE)), *mine)
        if found
        else Observation(value=None, unavailable=page.unavailable),
        catching_up=("0.2.0",) if found and found.catching_up else (),
        clone_tags=Observation(value=clone.value.tags if clone.value else None, unavailable=clone.unavailable),
        repository=snapshot.repository,
        releases=known((*old, *filter(None, own)))
        if release.is_known
        else Observation(value=None, unavailable=release.unavailable),
        drafts=snapshot.drafts,
        latest_release=snapshot.latest_release,
        open_pulls=snapshot.open_pulls,
        runs=snapshot.runs,
    )


def judgement_of(snapshot: Snapshot) -> Judgement | None:
    """What the audit says of the version; None where nothing names it."""
    judged = Audit(history_of(snapshot)).judgements
    return next((each for each in judged if str(each.audited) == "0.2.0"), None)


def test_what_one_calls_for_the_other_does_not_call_whole() -> None:
    compared = 0
    for state in space.spread(2):
        if state["at work"] != "no":
            continue
        snapshot = space.snapshot(state)
        verdict, judged = verdict_of(snapshot, left_out=ASIDE), judgement_of(snapshot)
        gate = {result.id for result in verdict.results if result.blocking and result.outcome is Outcome.ACTION_NEEDED}
        audit = {each.kind.id for each in judged.findings if each.kind.blocking} if judged else set()
        assert gate or not audit, f"only the audit, {audit}: {state}"
        # A yank is meant: who verifies a release is told that it is not whole, a history only what does not fit.
        if judged is None or verdict.phase is not Phase.POST_RECOVERY or "INDEX-13" in gate:
            continue
        if judged.outcome in (Outcome.HOLDS, Outcome.ACTION_NEEDED):
            compared += 1
            assert audit or not gate & SAME, f"only the gate, {gate & SAME}: {state}"
    assert compared > 40
