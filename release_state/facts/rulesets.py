"""The refs that a ruleset covers, the rules that block a release, and the refs that an environment admits (pure).

Patterns match like Ruby's `File.fnmatch` with FNM_PATHNAME: `*` and `?` never match a slash, `**/` matches any
folders, and only a dot matches a leading dot.
Sources: https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets,
https://docs.github.com/actions/reference/workflows-and-actions/deployments-and-environments for the policies,
https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows for the ref of each event
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from release_state.common.text import join_items
from release_state.facts.release import Release
from release_state.facts.workflow.triggers import is_taken
from release_state.model.observation import NotObserved, Problem
from release_state.model.process import Publisher, Start
from release_state.model.snapshot import Environment, Rule, Ruleset

_ALL, _DEFAULT = "~ALL", "~DEFAULT_BRANCH"
_ESCAPED = re.compile(r"\\(.)")


def applies(ruleset: Ruleset, ref: str, default_branch: str | None) -> bool:
    """Whether a ruleset covers a full ref name (`refs/heads/main`)."""
    if ruleset.include is None:
        return True
    return _any(ruleset.include, ref, default_branch) and not _any(ruleset.exclude, ref, default_branch)


def matches(pattern: str, ref: str) -> bool:
    """Whether the whole name matches: `refs/heads/release/*`, `refs/tags/v*`, `refs/heads/**/*`."""
    names = ref.split("/")
    # The counts of names that the pattern may have matched so far.
    ways = {0}
    *folders, last = pattern.split("/")
    for part in folders:
        if part == "**":
            ways = {end for start in ways for end in _past_folders(names, start)}
        else:
            ways = {at + 1 for at in ways if at < len(names) and _matches_name(part, names[at])}
    return any(at == len(names) - 1 and _matches_name(last, names[at]) for at in ways)


def _any(patterns: tuple[str, ...], ref: str, default_branch: str | None) -> bool:
    special = {_ALL: True, _DEFAULT: ref == f"refs/heads/{default_branch}"}
    return any(special[pattern] if pattern in special else matches(pattern, ref) for pattern in patterns)


def _past_folders(names: list[str], start: int) -> range:
    hidden = (at for at in range(start, len(names)) if names[at].startswith("."))
    return range(start, next(hidden, len(names)) + 1)


def _matches_name(pattern: str, name: str) -> bool:
    if name.startswith(".") and not pattern.startswith((".", "\\.")):
        return False
    # Python's fnmatch has no backslash, and only ! negates.
    return fnmatchcase(name, _ESCAPED.sub(r"[\1]", pattern).replace("[^", "[!"))


ACTIONS = "Integration 15368"
"""GitHub Actions itself, as a bypass actor of rulesets."""
_COMMITS = {
    "commit_message_pattern": "commits by their message",
    "commit_author_email_pattern": "commits by their author's address",
    "committer_email_pattern": "commits by their committer's address",
}


class Hindrance(Struct, frozen=True):
    """A rule that blocks a release, or that may block it, depending on the commit."""

    what: str
    ruleset: Ruleset | None
    refuses: bool
    """Whether it refuses everyone without a bypass."""

    @property
    def is_certain(self) -> bool:
        """Whether nobody can bypass it, as far as GitHub shows."""
        return self.refuses and self.ruleset is not None and self.ruleset.bypass == ()

    @property
    def text(self) -> str:
        """The finding in words: the rule, its ruleset, and who may bypass it."""
        if self.ruleset is None:
            return self.what
        return f"{self.what} (ruleset “{self.ruleset.name}”: {describe_bypass(self.ruleset)})"


def describe_bypass(ruleset: Ruleset) -> str:
    """Return who may bypass a ruleset, in words."""
    who = ruleset.bypass
    return f"{'this token cannot see who' if who is None else ', '.join(who) or 'nobody'} may bypass it"


def list_rulesets_for(release: Release, kind: str, name: str) -> tuple[Ruleset, ...]:
    """Return the active rulesets that cover a branch or tag of this name. Raises NotObserved if they are unknown."""
    default = release.remote.default_branch
    return tuple(
        ruleset
        for ruleset in release.snapshot.rulesets.present()
        if ruleset.target == kind
        and ruleset.enforcement == "active"
        and applies(ruleset, f"{_PREFIXES[kind]}{name}", default)
    )


def find_hindrances(release: Release, rules: Sequence[Rule], name: str, kind: str) -> tuple[Hindrance, ...]:
    """The rules that block creating a branch or tag of this name, unless Actions may bypass them."""
    rulesets = {ruleset.id: ruleset for ruleset in release.snapshot.rulesets.value or ()}
    found = []
    for rule in rules:
        ruleset = rulesets.get(rule.ruleset) if rule.ruleset is not None else None
        if ruleset is not None and ACTIONS in (ruleset.bypass or ()):
            continue
        found += [Hindrance(what, ruleset, refuses) for what, refuses in _describe_rule(rule, name, kind)]
    return tuple(found)


def list_tag_rules(release: Release, tag: str) -> tuple[Rule, ...]:
    """The active rules for a tag of this name. Raises NotObserved if the rulesets are unknown."""
    return tuple(rule for ruleset in list_rulesets_for(release, "tag", tag) for rule in ruleset.rules)


def find_idle_rulesets(release: Release) -> tuple[Ruleset, ...]:
    """Active rulesets that match no existing branch or tag, and none of this release."""
    target, remote = release.target, release.remote
    created = [target.release_branch_for(target.version, channel.name) for channel in target.channels]
    names = {
        "branch": [f"refs/heads/{name}" for name in (*(branch.name for branch in remote.branches), *created)],
        "tag": [f"refs/tags/{name}" for name in (*(tag.name for tag in remote.tags), target.tag)],
    }
    return tuple(
        ruleset
        for ruleset in release.snapshot.rulesets.present()
        if ruleset.enforcement == "active"
        and ruleset.target in names
        and not any(applies(ruleset, ref, remote.default_branch) for ref in names[ruleset.target])
    )


def _describe_rule(rule: Rule, name: str, kind: str) -> Iterator[tuple[str, bool]]:
    if rule.type == "creation":
        yield f"creating {name} is restricted", True
    elif rule.type == f"{kind}_name_pattern" and (matching := _matches_rule(rule, name)) is not True:
        shown = f"{'not ' * rule.negate}{(rule.operator or 'match').replace('_', ' ')} {rule.pattern!r}"
        yield f"the name {name} must {shown}", matching is False
    elif rule.type == "required_signatures":
        yield "commits must be signed", False
    elif rule.type in _COMMITS:
        yield f"restricts {_COMMITS[rule.type]}: {(rule.operator or '').replace('_', ' ')} {rule.pattern!r}", False
    elif kind == "branch" and rule.type in ("pull_request", "merge_queue"):
        yield "requires pull requests", False
    elif kind == "branch" and rule.type == "required_status_checks" and rule.on_creation:
        yield f"requires passed checks: {', '.join(rule.checks)}", False


def _matches_rule(rule: Rule, name: str) -> bool | None:
    """Whether the name matches a pattern; None for a regular expression, which is untrusted and never runs."""
    tests = {"starts_with": name.startswith, "ends_with": name.endswith, "contains": name.__contains__}
    test = tests.get(rule.operator or "")
    return None if test is None or rule.pattern is None else test(rule.pattern) is not rule.negate


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
    """Return that no ref that can start an upload may deploy to its environment; None if one may.

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
