"""Workflow files of public reports, rewritten, with the checks that have to say so: `workflows.txt`.

Each begins with `== its name`. The line below has the checks that need action, or `none`. Further lines with `>` say
what the project builds with, how it spells tags, and what its environment admits. `--- NAME` begins a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import structs

from release_state.model.observation import known
from release_state.model.snapshot import Environment, RefPattern, Snapshot
from tests.support import states as s
from tests.support import workflows as w

_FILE = Path(__file__).with_name("workflows.txt")


def read_workflows() -> Iterator[tuple[str, frozenset[str], Snapshot]]:
    """Yield the name, the checks that need action, and the state before the release of each report."""
    for block in _FILE.read_text(encoding="utf-8").removeprefix("== ").split("\n== "):
        head, *texts = block.split("\n--- ")
        name, expected, *more = head.split("\n")
        files = {path.removesuffix(".yml"): text for path, _, text in (each.partition("\n") for each in texts)}
        text = files.pop("release")
        others: dict[str, Any] = {f"workflows_{path}": each for path, each in files.items()}
        given = dict(line.removeprefix("> ").split(" ", 1) for line in more)
        requires = given.get("builds", "").removeprefix("with ")
        state = s.ready(workflow_files=w.observed(text, build=requires, **others))
        if template := given.get("tags"):
            state = structs.replace(state, target=structs.replace(state.target, tag_template=template))
        if admitted := given.get("admits"):
            refs = (each.split(" ") for each in admitted.split(", "))
            patterns = tuple(RefPattern(kind=kind, pattern=pattern) for kind, pattern in refs)
            room = Environment(name="pypi", admits="selected", patterns=patterns)
            state = structs.replace(state, environments=known((room,)))
        yield name, frozenset(expected.removeprefix("> ").split()) - {"none"}, state
