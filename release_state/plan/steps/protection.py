"""What a person needs before steps that delete or replace refs which rulesets protect (pure).

GitHub would refuse the push in the middle of the plan, with the GitHub Release deleted already.
Source: https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from release_state.common.text import join_items
from release_state.facts.release import Release
from release_state.facts.rulesets import describe_bypass, list_rulesets_for
from release_state.model.observation import Problem
from release_state.model.plan import Mends, Step, step
from release_state.model.snapshot import Ruleset

_RULES = {"delete": ("deletion",), "replace": ("update", "non_fast_forward"), "create": ("creation",)}
"""The rules that refuse a change of a ref."""


def put_permission_first(release: Release, steps: Sequence[Step]) -> list[Step]:
    """Return the steps; before the first that destroys something, one for each ruleset that refuses their pushes.

    Where the rulesets could not be read, one that leads to their page.
    """
    changes = [(each.mends, change, *_name(ref)) for each in steps for change, ref in _list_changes(each)]
    if changes and (problem := release.snapshot.rulesets.unavailable):
        asks = [
            _look(release, problem, changes[0][0], [" ".join((change, "the", *ref)) for _, change, *ref in changes])
        ]
    else:
        asks = [
            _ask(mends, ruleset, f"{change} the {kind} {name}")
            for mends, change, kind, name in changes
            for ruleset in list_rulesets_for(release, kind, name)
            if any(rule.type in _RULES[change] for rule in ruleset.rules)
        ]
    first = next((number for number, each in enumerate(steps) if each.destroys), 0)
    return [*steps[:first], *dict.fromkeys(asks), *steps[first:]]


def _name(ref: str) -> tuple[str, str]:
    """The kind of a ref, and its name."""
    folder, _, name = ref.removeprefix("refs/").partition("/")
    return "branch" if folder == "heads" else "tag", name


def _look(release: Release, problem: Problem, mends: Mends | None, changes: Iterable[str]) -> Step:
    return step(
        f"Make sure that no ruleset and no protection keeps you from this: {join_items(dict.fromkeys(changes))}",
        mends=mends,
        reason=f"the rulesets could not be read ({problem.why}); GitHub would refuse a step after others are done",
        link=f"{release.target.web}/rules",
    )


def _ask(mends: Mends | None, ruleset: Ruleset, what: str) -> Step:
    return step(
        f"Make sure that you may {what}: the ruleset “{ruleset.name}” restricts it",
        mends=mends,
        reason=f"{describe_bypass(ruleset)}; GitHub would refuse a step after others are done. "
        "Else exclude it there first",
        link=ruleset.html_url,
    )


def _list_changes(each: Step) -> Iterator[tuple[str, str]]:
    """The changes of refs on a remote that a step pushes; a creation only after its deletion."""
    deleted = set[str]()
    for command in each.commands:
        if command[:2] != ("git", "push"):
            continue
        leases = {word.partition("=")[2].partition(":")[0] for word in command if word.startswith("--force-with")}
        for word in [word for word in command[2:] if not word.startswith("--")][1:]:
            source, colon, ref = word.rpartition(":")
            if not ref.startswith(("refs/heads/", "refs/tags/")):
                continue
            if colon and not source:
                deleted.add(ref)
                yield "delete", ref
            elif ref in deleted:
                yield "create", ref
            elif ref in leases:
                yield "replace", ref
