"""What a person needs before steps that delete or replace refs which rulesets protect (pure).

GitHub would refuse the push in the middle of the plan, with the GitHub Release deleted already.
Source: https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from release_state.facts.release import Release
from release_state.facts.rulesets import describe_bypass, list_rulesets_for
from release_state.model.plan import Step, step
from release_state.model.snapshot import Ruleset

_RULES = {"delete": ("deletion",), "replace": ("update", "non_fast_forward"), "create": ("creation",)}
"""The rules that refuse a change of a ref."""


def put_permission_first(release: Release, steps: Sequence[Step]) -> list[Step]:
    """Return the steps; before the first that destroys something, one for each ruleset that refuses their pushes."""
    asks = {ask: None for each in steps for ask in _list_asks(release, each)}
    first = next((number for number, each in enumerate(steps) if each.destroys), 0)
    return [*steps[:first], *asks, *steps[first:]]


def _list_asks(release: Release, each: Step) -> Iterator[Step]:
    # Where the rulesets could not be read, the plan is the one without them.
    for change, ref in _list_changes(each) if release.snapshot.rulesets.value else ():
        folder, _, name = ref.removeprefix("refs/").partition("/")
        kind = "branch" if folder == "heads" else "tag"
        for ruleset in list_rulesets_for(release, kind, name):
            if any(rule.type in _RULES[change] for rule in ruleset.rules):
                yield _ask(each, ruleset, f"{change} the {kind} {name}")


def _ask(each: Step, ruleset: Ruleset, what: str) -> Step:
    return step(
        f"Make sure that you may {what}: the ruleset “{ruleset.name}” restricts it",
        mends=each.mends,
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
