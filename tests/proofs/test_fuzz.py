"""Nothing but a parser's own errors comes out of it, whatever goes in, and in bounded time."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proofs.fuzz.mutations import mutated
from tests.proofs.fuzz.targets import CORPUS, TARGETS, Target, TooSlow, corpus

EXAMPLES = 40


def test_every_target_has_something_to_begin_with() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_what_once_went_wrong_does_not(name: str) -> None:
    for data in corpus(name):
        TARGETS[name].run(data)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
@settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_only_its_own_errors_come_out(name: str, data: st.DataObject) -> None:
    begun = corpus(name)
    seed = begun[data.draw(st.integers(0, len(begun) - 1))]
    # 32 bits: Hypothesis shrinks what chooses the mutations, not each step of them.
    given = mutated(seed, Random(data.draw(st.integers(0, 2**32 - 1)))) if data.draw(st.booleans()) else None
    TARGETS[name].run(data.draw(st.binary(max_size=200)) if given is None else given)


def test_an_error_that_is_not_its_own_is_noticed() -> None:
    def parse(data: bytes) -> object:
        raise KeyError(data)

    with pytest.raises(KeyError):
        Target(parse, (ValueError,)).run(b"")
    Target(parse, (KeyError,)).run(b"")
    with pytest.raises(UnicodeEncodeError):
        Target(lambda data: "\ud800").run(b"")


def test_what_takes_too_long_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.proofs.fuzz.targets.SECONDS", -1.0)
    with pytest.raises(TooSlow):
        Target(lambda data: None).run(b"")
