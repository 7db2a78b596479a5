"""How two commits lie to each other: what only one of them has in its history, and where the histories part."""

from __future__ import annotations

from msgspec import Struct

from release_state.observe.git.store import Store


class Sides(Struct, frozen=True):
    """The commits that only one of two commits has in its history, newest first."""

    base: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    fork: str | None = None
    """The best common ancestor; None without one, and where one of the two is in the history of the other."""


def compare_sides(store: Store, base: str, head: str) -> Sides:
    """Return what only the history of `base` has, and what only that of `head` has. Raises GitFailed."""
    if base == head:
        return Sides()
    listed = store.run("rev-list", "--left-right", "--boundary", f"{base}...{head}", "--").text.split()
    sides = {mark: tuple(line[1:] for line in listed if line[0] == mark) for mark in "<>-"}
    store.ancestry[base, head] = not sides["<"]
    store.ancestry[head, base] = not sides[">"]
    fork = None
    if sides["<"] and sides[">"] and sides["-"]:
        # Every best common ancestor is a boundary; others are too where one side merged an older state.
        is_clear = len(sides["-"]) == 1
        fork = sides["-"][0] if is_clear else store.run("merge-base", base, head).text.strip()
    return Sides(sides["<"], sides[">"], fork)


def is_ancestor(store: Store, older: str, newer: str) -> bool:
    """Return whether a commit is in the history of another; a commit is in its own. Raises GitFailed."""
    if older == newer:
        return True
    if (older, newer) not in store.ancestry:
        answer = store.run("merge-base", "--is-ancestor", older, newer, accept=(0, 1))
        store.ancestry[older, newer] = answer.code == 0
    return store.ancestry[older, newer]
