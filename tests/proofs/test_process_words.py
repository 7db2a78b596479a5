"""No word for the process makes a red state of the demo world green, whatever its workflow files say of the start."""

from __future__ import annotations

import re

import pytest
from msgspec import structs

from release_state.demo import flows
from release_state.demo.scenarios import SCENARIOS, VERSION
from release_state.facts.process import resolve
from release_state.model.observation import known
from release_state.model.outcome import Exit
from release_state.model.process import PROCESS_WORDS, ProcessKind
from release_state.model.snapshot import Snapshot
from tests.proofs.convergence.bench import Bench
from tests.proofs.convergence.test_flows import FLOWS
from tests.support.built import built
from tests.support.judged import verdict_of

RED = {
    "partial": None,
    "tag-exists": None,
    **{f"{name}-failed": flow for name, flow in FLOWS.items()},
}
_ON = re.compile(r"^on:.*?(?=^\S)", re.MULTILINE | re.DOTALL)


def seen_by(snapshot: Snapshot, word: ProcessKind | None, *, is_said: bool) -> Snapshot:
    """The same observations by a word for the process; where the start is not said, the files tell no trigger."""
    given = (*(key for key in snapshot.target.given if key != "process"), *(["process"] if word else []))
    target = structs.replace(snapshot.target, given=given, process_kind=word)
    files = snapshot.workflow_files.present()
    texts = [structs.replace(each, text=_ON.sub("on: deployment\n", each.text)) for each in files.files]
    unsaid = known(structs.replace(files, files=tuple(texts), at_tag=None))
    return resolve(structs.replace(snapshot, target=target, **({} if is_said else {"workflow_files": unsaid})))


RIGHT: dict[str, ProcessKind] = {
    "tag-driven": "tag",
    "release-driven": "release",
    "release-please": "release-pull-request",
    "released": "dispatch",
}


def observe(scenario: str, flow: flows.Flow | None) -> Snapshot:
    """What is observed of a scenario, with the target as it is configured."""
    with built(scenario, SCENARIOS[scenario].build) as world:
        if flow:
            world.tags, world.folder = flow.tags, flow.folder
        with Bench(world, flow).open() as bench:
            observed = bench.snapshot(VERSION, "pypi", "auto", None)
            return structs.replace(observed, target=bench.config(VERSION, "pypi", "auto", True, "auto").targets[0])


@pytest.mark.parametrize("scenario", RED)
def test_a_word_makes_no_green_of_a_red(scenario: str) -> None:
    bare = observe(scenario, RED[scenario])
    for is_said in (True, False):
        plain = verdict_of(seen_by(bare, None, is_said=is_said))
        assert plain.exit is Exit.ACTION_NEEDED
        red = {each.id for each in plain.findings if each.decides(False)}
        for word in PROCESS_WORDS:
            found = seen_by(bare, word, is_said=is_said)
            of_word = any(start.is_of_word for start in found.target.process.starts)
            assert of_word is (not is_said and bool(PROCESS_WORDS[word].started_by))
            verdict = verdict_of(found)
            assert verdict.exit is Exit.ACTION_NEEDED, (word, is_said)
            assert red <= {each.id for each in verdict.findings if each.decides(False)}, (word, is_said)


@pytest.mark.parametrize("scenario", RIGHT)
def test_the_right_word_leaves_a_good_release_as_it_is(scenario: str) -> None:
    bare = observe(scenario, FLOWS.get(scenario))
    plain, said = (seen_by(bare, word, is_said=True) for word in (None, RIGHT[scenario]))
    assert said.target.channel.leaves == plain.target.channel.leaves
    assert said.target.process.publishers == plain.target.process.publishers
    assert verdict_of(said).exit is verdict_of(plain).exit is Exit.OK
