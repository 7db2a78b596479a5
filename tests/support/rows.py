"""The rows of the runbook's table, all of them: what each state is called and what its plan says.

`python -m tests.support.rows > docs/states.md` writes the document anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from release_state.model.observation import Observation, known
from release_state.model.snapshot import Branch, Contents, Installation, Opened, Snapshot, Tag
from tests.support import states as s
from tests.support.judged import verdict_of

HEAD = """# The states of a release and the way out of each

Made by `python -m tests.support.rows`, from the same code that judges a run.

The runbook names four rows of a partial release. A channel that leaves a tag, a GitHub Release and a pull request has
sixteen. A channel that leaves only its files on the index has four. The rows with a pull request have a release branch
too, at a commit that the base branch lacks. The published files were built from that commit, and it is the recorded
head of the pull request. Every other fact is as a good release leaves it.

Traces can also differ in other ways: different tags, another spelling, yanked files, drafts, immutable releases, and
each fact *unavailable*. With the runs, the clone and the rules, that makes 1,046,304 states. Each has a name. Its plan
loses nothing, and has no command that is known to fail. The plan is empty (but for advice) exactly where the verdict
is green. `tests/plan/test_state_space.py --every-state` judges all of them. A usual run of the tests judges 3,133,
which contain every possible combination of three dimensions' values.
"""


_INSTALLED: dict[str, Observation[Any]] = {
    "installation": known(Installation(attempted=True, succeeded=True, installed_version="0.2.0")),
    "opened": known(Opened()),
    "contents": known(Contents()),
}


def pypi(tag: bool, index: bool, release: bool, pull: bool) -> Snapshot:
    """One of the sixteen rows."""
    pulls = (s.open_pull(),) if pull else ()
    refs: list[Branch | Tag] = [*([s.tag()] if tag else []), *([s.branch()] if pull else [])]
    return s.ready(
        remote=s.remote(*refs),
        index={"pypi": s.project(s.file(), s.file("sdist")) if index else s.project()},
        release=known(s.release() if release else None),
        latest_release=known(s.release() if release else s.release("v0.1.0")),
        pulls=known(pulls),
        open_pulls=known(pulls),
        history=s.history(s.lineage(s.HEAD, unmerged_count=1)),
        published=s.published(s.candidate()) if index else known(None),
        **(_INSTALLED if index else {}),
    )


def testpypi(index: bool, branch: bool) -> Snapshot:
    """One of the four rows of a channel that leaves nothing on GitHub."""
    target = s.target(channel=s.TESTPYPI)
    return s.ready(
        target=target,
        remote=s.remote(*([s.branch(target.release_branch)] if branch else [])),
        index={"testpypi": s.project(s.file(), s.file("sdist")) if index else s.project()},
        history=s.history(s.lineage(s.HEAD, unmerged_count=1)),
        **(_INSTALLED if index else {}),
    )


testpypi.__test__ = False  # type: ignore[attr-defined]  # a name, no test


def line(snapshot: Snapshot, *facts: bool) -> str:
    """A row of a table."""
    verdict = verdict_of(snapshot)
    steps = "<br>".join(
        f"{number}. {'*advice:* ' if step.advice else ''}{step.title}" + (" **(destroys)**" if step.destroys else "")
        for number, step in enumerate(verdict.plan.steps, 1)
    )
    words = ["yes" if fact else "no" for fact in facts]
    diagnosis = verdict.diagnosis
    cells = [*words, verdict.words, f"**{diagnosis.scenario}**<br>{diagnosis.title}", verdict.plan.direction, steps]
    return f"| {' | '.join(cells)} |"


def lines() -> Iterator[str]:
    """The document."""
    yield HEAD
    yield "## `pypi`\n"
    yield "| tag | index | GitHub Release | PR | verdict | state | direction | plan |"
    yield "|---|---|---|---|---|---|---|---|"
    for facts in itertools.product((True, False), repeat=4):
        yield line(pypi(*facts), *facts)
    yield "\n## `testpypi`\n"
    yield "| index | branch | verdict | state | direction | plan |"
    yield "|---|---|---|---|---|---|"
    for facts in itertools.product((True, False), repeat=2):
        yield line(testpypi(*facts), *facts)


def main() -> None:
    """Print the document."""
    print("\n".join(lines()))


if __name__ == "__main__":
    main()
