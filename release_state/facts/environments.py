"""Whether an upload's environment admits the ref that starts it (pure).

Sources: https://docs.github.com/actions/reference/workflows-and-actions/deployments-and-environments for the policies,
https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows for the ref of each event
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from release_state.common.text import join_items
from release_state.facts.release import Release
from release_state.facts.rulesets import matches
from release_state.facts.workflow.triggers import is_taken
from release_state.model.observation import NotObserved, Problem
from release_state.model.process import Publisher, Start
from release_state.model.snapshot import Environment

_PREFIXES = {"branch": "refs/heads/", "tag": "refs/tags/"}
Ref = tuple[str, str]
"""Its kind, "branch" or "tag", and its name."""


class RefRefusal(Struct, frozen=True):
    """An upload that no start gets into its environment."""

    text: str
    environment: str
    ref: str
    """A ref that starts the upload, with its kind."""
    is_certain: bool
    """Whether nothing that GitHub does not show can admit the ref, and the ref's name is no guess."""


def find_refusal(release: Release, publisher: Publisher, environment: Environment) -> RefRefusal | None:
    """
    Return that no ref that can start an upload may deploy to its environment; None if one may.

    None, too, if the ref of a start is not known. Raises NotObserved if only protected branches may deploy, and GitHub
    does not say which are.
    """
    if environment.admits == "all" or any(start.kind not in _STARTED for start in publisher.starts):
        return None
    refs = list(dict.fromkeys(ref for start in publisher.starts for ref in _list_refs(release, start)))
    if not refs:
        return None
    if environment.admits == "protected":
        base = release.snapshot.base_rules.present()
        if not base.protected:
            why = f"{environment.name} admits protected branches, {base.branch} is none, and if no branch is, any may"
            raise NotObserved(Problem(source="GitHub", why=why, remedy=f"name in {environment.name} what may deploy"))
        is_refused = all(kind == "tag" for kind, _ in refs)
    else:
        is_refused = not any(_is_admitted(environment, *ref) for ref in refs)
    if not is_refused:
        return None
    patterns = (f"{each.kind or 'branch or tag'} {each.pattern}" for each in environment.patterns)
    admitted = "protected branches" if environment.admits == "protected" else join_items(patterns, most=5) or "no ref"
    ref = " ".join(refs[0])
    text = f"{publisher.job}, started from {ref}: environment {environment.name} admits {admitted}"
    is_spelled = all(kind != "tag" for kind, _ in refs) or is_spelling_known(release)
    return RefRefusal(text, environment.name, ref, environment.admits == "selected" and is_spelled)


def is_spelling_known(release: Release) -> bool:
    """Return whether the tag's name is more than a default: a first release may be tagged in any spelling."""
    return "tag-template" in release.target.given or bool(release.version_tags or release.find_earlier_tags(1))


_STARTED = ("tag", "release", "dispatch", "branch")
"""The starts whose ref is known before."""


def _list_refs(release: Release, start: Start) -> Iterator[Ref]:
    """The refs that a run can be of; a person can choose any, and the version's tag may be there by then."""
    tag, base = release.target.tag, release.base_branch
    if start.kind in ("branch", "dispatch"):
        filters = start.filters if start.kind == "branch" else ()
        names = (base, *(branch.name for branch in release.remote.branches))
        yield from (("branch", name) for name in names if name == base or not filters or is_taken(filters, name))
    if start.kind in ("release", "dispatch") or (
        start.kind == "tag" and (not start.filters or is_taken(start.filters, tag))
    ):
        yield "tag", tag


def _is_admitted(environment: Environment, kind: str, name: str) -> bool:
    """Whether a pattern takes a ref, by its short or its full name: GitHub's pages show both."""
    names = (name, f"{_PREFIXES[kind]}{name}")
    return any(matches(each.pattern, ref) for each in environment.patterns if each.kind in ("", kind) for ref in names)
