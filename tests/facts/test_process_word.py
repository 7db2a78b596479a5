"""The setting `process`: a word that says what no file shows, and takes away nothing that was observed."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from msgspec import structs

from release_state.facts.hints import find_hints
from release_state.facts.process import resolve
from release_state.facts.publishers import is_release_run, list_run_filters
from release_state.facts.release import Release
from release_state.model.observation import known, unavailable
from release_state.model.outcome import Exit, Outcome, Verdict
from release_state.model.process import PROCESS_WORDS, ProcessKind
from release_state.model.snapshot import Snapshot
from release_state.model.target import Target
from release_state.plan.recovery import Recovery
from release_state.report.process import build_process
from release_state.verdict.verdict import TargetVerdict
from tests.checks.cases import declared
from tests.facts.test_process import CI, ON_RELEASE, ON_TAG, snapshot, target
from tests.support import states as s
from tests.support.judged import CHECKS, ended, verdict_of

UNSAID = ON_TAG.replace("{push: {tags: ['v*']}}", "deployment")
"""A workflow whose start nothing here says."""
UNSEEN = "on: [deployment, pull_request]\njobs: {up: {steps: [{run: ./ship.sh}]}}\n"
"""One whose upload nobody sees."""
FAILED: Any = unavailable("GitHub", "no answer")


def of_word(word: ProcessKind | None, *given: str, **changes: Any) -> Target:
    return target("0.3.0", *(["process"] if word else []), *given, process_kind=word, **changes)


def resolved(texts: dict[str, str], about: Target, **changes: Any) -> Snapshot:
    return resolve(snapshot(texts, about, **changes))


def starts(texts: dict[str, str], about: Target) -> list[str]:
    return [start.kind for start in resolved(texts, about).target.process.starts]


def test_every_word_is_in_the_table() -> None:
    assert tuple(PROCESS_WORDS) == get_args(ProcessKind)


@pytest.mark.parametrize("word", PROCESS_WORDS)
def test_it_says_what_starts_the_upload_where_no_file_does(word: ProcessKind) -> None:
    said = list(PROCESS_WORDS[word].started_by)
    assert starts({"ship.yml": UNSAID}, of_word(None)) == []
    assert starts({"ship.yml": UNSAID}, of_word(word)) == said
    assert starts({"ci.yml": CI, "mine.yml": UNSEEN}, of_word(word, "workflow", workflow="mine.yml")) == said
    both = {"one.yml": UNSAID, "two.yml": ON_TAG}
    assert starts(both, of_word(word)) == ["tag"], "a file says it of one of them"
    assert starts({"ci.yml": CI}, of_word(word)) == [], "none is known to publish"


@pytest.mark.parametrize("word", PROCESS_WORDS)
@pytest.mark.parametrize("text", [ON_TAG, ON_RELEASE, ON_TAG.replace("push", "workflow_dispatch: , push")])
def test_what_the_files_say_counts_before_it(word: ProcessKind, text: str) -> None:
    plain, said = (resolved({"ship.yml": text}, of_word(each)).target for each in (None, word))
    assert said.process.publishers == plain.process.publishers
    assert set(said.channel.leaves) >= set(plain.channel.leaves)


def test_a_setting_that_is_given_itself_counts_before_it() -> None:
    given = of_word("release", "started-by", started_by=("dispatch",))
    assert starts({"ship.yml": UNSAID}, given) == ["dispatch"]
    assert find_hints(resolved({"ship.yml": UNSAID}, given)) == (
        "process release is not started-by dispatch, which counts",
    )
    bare = of_word("release-pull-request", "channels.pypi.leaves")
    bare = structs.replace(bare, channel=structs.replace(bare.channel, leaves=("tag",)))
    assert resolved({"ship.yml": ON_TAG}, bare).target.channel.leaves == ("tag",)


def test_every_run_counts_where_nothing_but_the_word_says_what_starts_them() -> None:
    """A failed one is not taken for one that only tests."""
    for text in (UNSAID, UNSEEN):
        about = resolved({"ship.yml": text}, of_word("dispatch", "workflow", workflow="ship.yml")).target
        assert list_run_filters(about, "ship.yml", "main") == ({},)
        assert is_release_run(s.run(event="push", head_branch="v0.3.0", workflow="ship.yml"), about, None)


LEFT = {None: ("tag",), "tag": ("tag",), "release": ("tag", "release"), "dispatch": ("tag",)}


@pytest.mark.parametrize("word", [None, *PROCESS_WORDS])
def test_it_asks_for_its_traces_at_least(word: ProcessKind | None) -> None:
    every = ("tag", "release", "pull-request")
    found = resolved({"ship.yml": ON_TAG}, of_word(word)).target
    assert found.channel.leaves == LEFT.get(word, every)
    contrary = [line for line in found.process.evidence if "asks for it all the same" in line]
    assert len(contrary) == len(found.channel.leaves) - 1, "each that no earlier version has"
    had = {"earlier_pulls": {"release/pypi-v0.2.0": known((s.pull(),))}, "latest_release": FAILED}
    assert resolved({"ship.yml": ON_TAG}, of_word(word), **had).target.channel.leaves == every, "as earlier ones had"
    unsure = dict(resolved({"ship.yml": ON_TAG}, of_word(word), **had).target.process.unsure)
    assert set(unsure) == ({"release"} if word in (None, "tag", "dispatch") else set())
    rehearsal = resolved({"ship.yml": ON_TAG}, of_word(word, channel=s.TESTPYPI)).target
    assert rehearsal.channel.leaves == () and not any("all the same" in line for line in rehearsal.process.evidence)


def test_a_word_that_the_files_contradict_is_said() -> None:
    def hints(texts: dict[str, str], word: ProcessKind) -> tuple[str, ...]:
        return find_hints(resolved(texts, of_word(word)))

    assert hints({"ship.yml": ON_TAG}, "release") == (
        "process release has no effect on what starts ship.yml: its file says tag, which counts",
    )
    for word in PROCESS_WORDS:
        found = hints({"ci.yml": CI}, word)
        assert bool(found) is (word != "release-pull-request")
        assert all("no workflow is known to publish: name it with --workflow FILE" in line for line in found)
        assert hints({"ship.yml": UNSAID}, word) == ()
    assert hints({"ship.yml": ON_TAG}, "tag") == hints({"ship.yml": ON_TAG}, "release-pull-request") == ()


def test_every_report_says_that_it_is_configured() -> None:
    shown = build_process(Release(resolved({"ship.yml": UNSAID}, of_word("tag"))))
    assert shown.summary.startswith("tag (configured); tag any starts ship.yml (job up: uv publish); tags v{version}")
    assert "process: tag (configured)" in shown.evidence
    assert any(line.endswith("; started by a pushed tag, as the setting process says") for line in shown.evidence)
    assert shown.configured == ("process",)
    assert (shown.origins["process"], shown.origins["started-by"]) == ("configured", "process tag")
    asked = build_process(Release(resolved({"ship.yml": ON_TAG}, of_word("release"))))
    assert asked.origins["channels.pypi.leaves"] == "found out from earlier releases, at least as process release says"
    assert asked.origins["started-by"] == "found out from the workflow files"


def judged(word: ProcessKind | None, version: str) -> TargetVerdict:
    """The verdict by this word, before a release, where the base branch declares a version."""
    files = snapshot({"ship.yml": UNSAID.replace("jobs:", "permissions: {id-token: write}\njobs:")}).workflow_files
    about = s.target(given=("process",) if word else (), process_kind=word)
    return verdict_of(resolve(structs.replace(declared.declares(version, about), workflow_files=files)))


def started(word: ProcessKind | None) -> list[str]:
    verdict = judged(word, "0.2.0")
    assert verdict.verdict is Verdict.READY
    return [step.reason for step in verdict.start.steps] if verdict.start else []


def test_a_project_whose_files_say_nothing_of_the_start_is_judged_by_it() -> None:
    """The base branch declares the version before: with a pushed tag, it would be built again."""
    verdicts = {word: judged(word, "0.1.0") for word in (None, *PROCESS_WORDS)}
    ends = {word: next(r.outcome for r in each.results if r.id == "META-1") for word, each in verdicts.items()}
    red = Outcome.ACTION_NEEDED
    assert verdicts["tag"].exit is Exit.ACTION_NEEDED and verdicts[None].exit is Exit.UNKNOWN
    assert ends.pop("tag") is ends.pop("release") is red
    assert set(ends.values()) == {Outcome.UNKNOWN}
    said = "main declares this version; as the setting process says, this starts ship.yml, which publishes"
    assert started("tag") == started("release") == [said]
    assert (
        started(None)
        == started("dispatch")
        == ["there is no command for ship.yml: it is not started by hand, but by: deployment"]
    )


@pytest.mark.parametrize("word", PROCESS_WORDS)
def test_a_wrong_word_hides_no_draft_no_version_and_no_pull_request(word: ProcessKind) -> None:
    """They would be a preparation, the work of a run, or somebody else's, if the word were right."""
    steps = "{run: uv publish}, {run: poetry version 3}, {run: gh pr create}"
    files = snapshot({"ship.yml": UNSAID.replace("{run: uv publish}", steps)}).workflow_files
    about = s.target(given=("process",), process_kind=word)
    left = resolve(s.ready(target=about, workflow_files=files, drafts=known((s.release(draft=True),))))
    assert left.target.process.version_writer is not None
    assert ended(CHECKS["RELEASE-2"], Recovery(Release(left)))[0] is Outcome.ACTION_NEEDED
    other = declared.tagged("0.1.0", about, {"workflow_files": files})
    assert ended(CHECKS["META-11"], Recovery(Release(resolve(other))))[0] is Outcome.ACTION_NEEDED
    none = resolved({"ship.yml": UNSAID.replace("{run: uv publish}", steps)}, of_word(word))
    assert "pull-request" in none.target.channel.leaves
