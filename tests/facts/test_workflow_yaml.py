"""The YAML of a workflow file: a stranger's text becomes plain data within limits, or says why not."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from release_state.facts.workflow.document import LARGEST, NotReadable, read_yaml
from release_state.facts.workflow.parsing import parse_workflow
from tests.support import workflows as w


def test_words_are_text_as_they_are_for_github() -> None:
    data = read_yaml(
        "on: push\nyes: no\noctal: 0o14\nzeros: 010\ntime: 1:30\nday: 2026-01-02\nempty:\nright: true\n~: x\n"
    )
    assert data == {
        "on": "push", "yes": "no", "octal": "0o14", "zeros": 10, "time": "1:30", "day": "2026-01-02", "empty": None,
        "right": True, "~": "x",
    }  # fmt: skip
    assert yaml.safe_load("on: push") == {True: "push"}, "what PyYAML itself makes of it"


def test_anchors_stand_for_what_they_name() -> None:
    assert read_yaml("a: &x {k: [1]}\nb: *x\n") == {"a": {"k": [1]}, "b": {"k": [1]}}
    assert read_yaml("a: &x {k: 1}\nb: {<<: *x}\n")["b"] == {"<<": {"k": 1}}, "merge keys are none of GitHub's"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
)
REFUSED = {
    "a key twice": ("a: 1\nb: 2\na: 3\n", "line 3: duplicate key 'a'"),
    "a key twice, deep": ("jobs:\n  x:\n    if: a\n    if: b\n", "line 4: duplicate key 'if'"),
    "a list": ("[1, 2]", "not an object at the top"),
    "nothing": ("# only a comment\n", "empty"),
    "two documents": ("a: 1\n---\nb: 2\n", "line 2"),
    "an open bracket": ("a: [", "line 1"),
    "a tab": ("a:\n\tb: 1\n", "line 2"),
    "an unknown alias": ("a: *x\n", "line 1"),
    "an alias to itself": ("a: &x [*x]\n", "inside its own value"),
    "an alias to what is above": ("a: &x {b: {c: *x}}\n", "inside its own value"),
    "aliases of aliases": (BOMB, "use of an alias counted"),
    "many values": ("a:\n" + "- b\n" * 12_000, None),
    "nested deep": ("a: " + "[" * 200 + "]" * 200, "nested deeper"),
    "nested deep, never closed": ("[" * 30_000, "nested deeper"),
    "an object as a key": ("? {a: b}\n: c\n", "line 1: a key that is not text"),
    "a Python object": ("a: !!python/object/apply:os.system [id]\n", "line 1"),
    "bytes": ("a: !!binary aGk=\n", "line 1"),
    "a set": ("a: !!set {b}\n", "line 1"),
    "a tag of nobody": ("a: !mine b\n", "line 1"),
    "a number that is none": ("a: !!int b\n", "not valid YAML"),
    "a boolean that is none": ("a: !!bool b\n", "not valid YAML"),
    "a character that is none": ("a: \x00\n", "not allowed"),
    "too long": ("a: " + "b" * LARGEST, "larger than 512 KiB"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_github_would_not_take_either_or_has_no_end(name: str) -> None:
    text, why = REFUSED[name]
    if why is None:
        assert len(read_yaml(text)["a"]) == 12_000, "under the limits"
        return
    with pytest.raises(NotReadable) as refused:
        read_yaml(text)
    assert why in str(refused.value)
    assert len(str(refused.value)) < 300


def test_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def called(*arguments: Any, **more: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", called)
    for text in ("!!python/object/new:subprocess.Popen [[id]]", "a: !!python/name:os.system", "!!python/module:os x"):
        with pytest.raises(NotReadable):
            read_yaml(text)


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="abon:-[]{}&*!?|>'\"#%@,~ \n\t0123", max_size=60))
def test_every_text_is_data_or_refused(text: str) -> None:
    try:
        data = read_yaml(text)
    except NotReadable:
        return
    assert isinstance(data, dict)


@settings(deadline=None, max_examples=60)
@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                    max_leaves=8))  # fmt: skip
def test_a_workflow_of_any_form_is_parsed(value: Any) -> None:
    """Where a text is expected an object can stand, and the other way round: what has no sense is left out."""
    for key in ("on", "permissions", "concurrency", "jobs", "env"):
        parse_workflow(yaml.safe_dump({key: value, "x": 1}))
    for key in ("steps", "needs", "permissions", "uses", "timeout-minutes", "if", "env", "concurrency"):
        found = parse_workflow(yaml.safe_dump({"jobs": {"a": {key: value}}})).jobs[0]
        assert found.id == "a"
    for key in ("uses", "run", "with", "env", "if", "name", "continue-on-error"):
        parse_workflow(yaml.safe_dump({"jobs": {"a": {"steps": [{key: value}]}}}))


def test_triggers_in_their_three_spellings() -> None:
    for text in ("on: push", "on: [push]", "on: {push: {tags: ['v*']}}", "'on': push"):
        assert parse_workflow(text + "\n").triggers == ("push",)


def test_a_large_file_takes_no_time_to_speak_of() -> None:
    """Bounded by its size: the slowest text of the largest size, in time of the processor."""
    text = "a:\n" + "- b: c\n" * (LARGEST // 7 - 2)
    began = time.process_time()
    with pytest.raises(NotReadable, match="more than 50000 values"):
        read_yaml(text)
    assert time.process_time() - began < 30


def test_the_good_one_is_read() -> None:
    workflow = parse_workflow(w.GOOD)
    assert [given.options for given in workflow.inputs] == [("testpypi", "pypi")]
    assert workflow.concurrency and workflow.concurrency.group == "release"
    [job] = workflow.jobs
    assert job.limit == 20 and len(job.steps) == 4
