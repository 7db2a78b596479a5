"""Whether a package states one version: what its users read at run time is what its metadata say."""

from __future__ import annotations

import pytest

from release_state.common.text import join_items
from release_state.facts.declared.version_source import explain_written_later
from release_state.facts.release import Release
from release_state.facts.release_workflow import is_before_release
from release_state.model.observation import value_or
from release_state.model.outcome import ActionNeeded, NotApplicable, Phase
from release_state.model.plan import step
from release_state.verdict.check import check

pytestmark = [pytest.mark.pre_release, pytest.mark.pre_publish, pytest.mark.post_recovery]


@check(
    "META-31",
    reads=["remote", "history", "workflow_files"],
    advice=True,
    may_block=[Phase.PRE_RELEASE, Phase.PRE_PUBLISH],
)
def test_source_states_the_declared_version(release: Release) -> None:
    """The package's `__version__` is the declared version.

    Two files state the version, and only one was changed. The package is published under one version and says another.
    A published file cannot be changed, so this blocks where the release is built from this very commit. It is advice
    where the release sets the version itself, and after the release.

    Only a literal `__version__` in the package's own module counts. A placeholder such as 0.0.0 does not.
    """
    before, gate = is_before_release(release), release.snapshot.phase == Phase.PRE_PUBLISH
    if not before and release.tag is None:
        raise NotApplicable("no tag")
    sha = release.base_head if before or release.tag is None else release.tag.commit
    lineage = release.lineage(sha)
    if lineage.declared_version is None:
        raise NotApplicable("no readable version to compare")
    if others := lineage.other_versions:
        raise ActionNeeded(
            expected=f"{lineage.declared_version} in all files at {sha[:12]}",
            found=f"{lineage.declared_where} says {lineage.declared_version}, "
            + join_items(f"{path} says {version}" for path, version in others),
            why="the package tells its users another version than its index",
            steps=[step(f"Set `__version__` in {join_items(path for path, _ in others)}, commit and push")]
            if before
            else [step("Correct it and release the next version" if gate else "Correct it before the next release")],
            blocks=(before or gate) and value_or(False, lambda: not explain_written_later(release)),
        )
