"""What a person needs before steps that delete or replace refs which rulesets protect (pure).

GitHub would refuse the push in the middle of the plan, with the GitHub Release deleted already.
Source: https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from release_state.facts.release import Release
from release_state.facts.rulesets import applies
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
    rulesets = [ruleset for ruleset in release.snapshot.rulesets.value or () if ruleset.enforcement == "active"]
    for change, ref in _list_changes(each) if rulesets else ():
        kind, _, name = ref.removeprefix("refs/").partition("/")
        kind = {"heads": "branch", "tags": "tag"}[kind]
        for ruleset in rulesets:
            is_refused = any(rule.type in _RULES[change] for rule in ruleset.rules)
            if ruleset.target == kind and is_refused and applies(ruleset, ref, release.remote.default_branch):
                yield _ask(each, ruleset, f"{change} the {kind} {name}")


def _ask(each: Step, ruleset: Ruleset, what: str) -> Step:
    who = ruleset.bypass
    bypass = "this token cannot see who may" if who is None else f"{', '.join(who) or 'nobody'} may"
    return step(
        f"Make sure that you may {what}: the ruleset “{ruleset.name}” restricts it",
        mends=each.mends,
        reason=f"{bypass} bypass it; GitHub would refuse a step after others are done. Else exclude it there first",
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
