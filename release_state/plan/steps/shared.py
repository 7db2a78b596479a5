"""Steps about traces that another channel rests on: they stay, and its own run says what becomes of them."""

from __future__ import annotations

from release_state.common.text import join_items
from release_state.facts.release import Release
from release_state.model.plan import Mends, Step, step
from release_state.plan.steps.commands import suite_command


def leave_to_others(release: Release, what: str, others: tuple[str, ...], mends: Mends) -> Step:
    """Leave a trace that other channels rest on."""
    return step(
        f"Leave {what}: {release.version} is published on {join_items(others)}, which rests on it",
        mends=mends,
        reason=f"{release.channel.name} has no say in it; if {others[0]} does not leave it, take it out of "
        f"channels.{others[0]}.leaves in the configuration",
        advice=True,
    )


def ask_others_first(release: Release, others: tuple[str, ...], what: str, why: str) -> Step:
    """Look at the version on another channel first: what is to be done here would change what that one rests on."""
    return step(
        f"Look at {release.version} on {others[0]} first, and leave {what} until then",
        suite_command(release.target, channel=others[0]),
        mends="all",
        reason=f"{release.version} is published on {join_items(others)}, too, which rests on {what}: {why}",
    )
