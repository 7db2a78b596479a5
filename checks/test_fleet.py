"""Many projects: one audit or gate per project, one result each. Runs with `--project-list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release_state.common.text import join_items
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import ActionNeeded, Exit, InProgress, NotApplicable
from release_state.verdict.check import check

if TYPE_CHECKING:
    from release_state.audit.fleet.session import Asked

pytestmark = pytest.mark.fleet


@check("FLEET-1", reads=["remote", "index", "repository"])
def test_project_is_as_it_should_be(asked: Asked) -> None:
    """The audit or the gate of this project is green.

    One result for each project of the list, from every check of its audit or of its phase. The project's row in the
    report has the findings and their fixes.
    """
    row = asked.row()
    if row.defect:
        raise RuntimeError(row.defect)
    found = f"{row.verdict}: {join_items(row.findings, most=3)}"
    if row.exit is Exit.ACTION_NEEDED:
        raise ActionNeeded(expected="no blocking finding", found=found, why="see its row", steps=row.steps)
    if row.exit is Exit.IN_PROGRESS:
        raise InProgress(expected="nothing in progress", found=found)
    if row.exit is Exit.NOTHING_CHECKED:
        raise NotApplicable(found)
    if row.exit is not Exit.OK:
        raise NotObserved(Problem(source=row.project, why=found))
