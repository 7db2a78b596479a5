"""Look-ups of a repository's settings on GitHub.

Sources: https://docs.github.com/rest/repos/rules, /rest/repos/rulesets, /rest/branches/branch-protection,
/rest/actions/permissions
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import quote

from msgspec import structs

from release_state.model.observation import Observation, Problem
from release_state.model.snapshot import ActionsSettings, BaseRules, Repository, Rule, Ruleset
from release_state.observe.github.api import SOURCE, Fields, GitHubApi, failure, require_address
from release_state.observe.github.github import GitHub
from release_state.observe.github.lists import GitHubList
from release_state.observe.http.response import LookupFailed

ADMINISTRATORS = "give an administrator's token with the permission administration=read"
MOST_RULESETS = 30
_NOT_IN_PLAN = "(403: Upgrade to "
"""In GitHub's message for a private repository whose plan has no protection: none is enforced then."""
_NOT_PROTECTED = "Branch not protected"


class GitHubSettings:
    """Observes the settings of one repository; each method is one look-up, never raises, and may run beside others."""

    def __init__(self, github: GitHub) -> None:
        self._github = github

    def rulesets(self) -> Observation[tuple[Ruleset, ...]]:
        """Every ruleset of the repository and its owner; active ones with their rules, by one request each."""
        return self._github.observe(self._read_rulesets)

    def branch_rules(self, branch: str) -> Observation[tuple[Rule, ...]]:
        """The active rules for a branch name; the branch need not exist. No request if no ruleset is for branches."""
        return self._github.observe(lambda api, place: self._read_rules(api, place, branch))

    def base_rules(self, branch: str) -> Observation[BaseRules]:
        """What a branch requires of a change; `hidden` if only administrators can see a part of it."""

        def ask(api: GitHubApi, place: str) -> BaseRules:
            item = api.one(f"{place}/branches/{quote(branch, safe='')}", "branch")
            if item is None or item.text("name") != branch:
                raise failure(f"requested the branch {branch}, GitHub gave another one")
            rules = self._read_rules(api, place, branch)
            base = BaseRules(branch=branch, protected=item.flag("protected"), rules=rules)
            classic = item.optional_child("protection")
            if classic is None or not classic.optional_flag("enabled"):
                return base
            base = structs.replace(base, checks=_parse_required(classic.optional_child("required_status_checks")))
            return _add_classic(api, place, self._github.visible_repository, base)

        return self._github.observe(ask)

    def actions_settings(self) -> Observation[ActionsSettings]:
        """What workflows may do by default, and whether they may create pull requests; only for administrators."""

        def ask(api: GitHubApi, place: str) -> ActionsSettings:
            if not api.has_token or self._github.visible_repository().can_administer is False:
                raise failure("GitHub shows the Actions settings only to administrators", ADMINISTRATORS)
            item = api.one(f"{place}/actions/permissions/workflow", "settings of Actions")
            if item is None:
                raise failure("GitHub gave no settings of Actions")
            level = item.text("default_workflow_permissions")
            if level not in ("read", "write"):
                raise failure(f"unexpected shape of the answer: workflows may {level!r:.40} by default")
            return ActionsSettings(
                default_permissions=level, may_create_pull_requests=item.flag("can_approve_pull_request_reviews")
            )

        return self._github.observe(ask)

    def _read_rulesets(self, api: GitHubApi, place: str) -> tuple[Ruleset, ...]:
        def ask() -> tuple[Ruleset, ...]:
            try:
                # Older GitHub Enterprise Servers know no rulesets, and say 404.
                listed = GitHubList(api, f"{place}/rulesets", "rulesets", absent=True).read()
            except LookupFailed as refused:
                if self._github.visible_repository().private and _NOT_IN_PLAN in refused.problem.why:
                    return ()
                raise
            rulesets = [_parse_ruleset(item) for item in listed]
            active = [each for each in rulesets if each.enforcement == "active" and each.target in ("branch", "tag")]
            if len(active) > MOST_RULESETS:
                raise failure(f"{len(active)} rulesets are active; at most {MOST_RULESETS} are read")
            complete = {each.id: _fetch_ruleset(api, f"{place}/rulesets/{each.id}", each) for each in active}
            return tuple(complete.get(each.id, each) for each in rulesets)

        return api.once(f"rulesets of {place}", ask)

    def _read_rules(self, api: GitHubApi, place: str, branch: str) -> tuple[Rule, ...]:
        try:
            rulesets = self._read_rulesets(api, place)
        except LookupFailed:
            pass  # the rules of the branch have a request of their own, which is complete
        else:
            if not any(item.target == "branch" and item.enforcement == "active" for item in rulesets):
                return ()
        path = f"{place}/rules/branches/{quote(branch, safe='')}"
        return tuple(map(_parse_rule, GitHubList(api, path, "rules of a branch").read()))


def _add_classic(api: GitHubApi, place: str, repository: Callable[[], Repository], base: BaseRules) -> BaseRules:
    """Add the full classic protection, or why it is hidden."""
    hidden = Problem(
        source=SOURCE, why="GitHub shows the full classic protection only to administrators", remedy=ADMINISTRATORS
    )
    if not api.has_token or repository().can_administer is False:
        return structs.replace(base, hidden=hidden)
    try:
        path = f"{place}/branches/{quote(base.branch, safe='')}/protection"
        data, response = api.get(api.root + path, absent=True)
        protection = Fields(data, "protection")
        if response.status == 404:  # it can have several reasons
            return base if protection.text("message") == _NOT_PROTECTED else structs.replace(base, hidden=hidden)
        # All other fields are optional: only the address shows that this is a protection.
        require_address(protection, place, "protection", f"/branches/{base.branch}/protection")
    except LookupFailed as refused:
        remedy = refused.problem.remedy or ADMINISTRATORS
        return structs.replace(base, hidden=structs.replace(refused.problem, remedy=remedy))
    reviews, lock = protection.optional_child("required_pull_request_reviews"), protection.optional_child("lock_branch")
    required = _parse_required(protection.optional_child("required_status_checks"))
    return structs.replace(
        base,
        checks=tuple(dict.fromkeys((*base.checks, *required))),
        pull_request=reviews is not None,
        approvals=(reviews.optional_number("required_approving_review_count") or 0) if reviews else 0,
        locked=bool(lock and lock.optional_flag("enabled")),
        restricted=protection.optional_child("restrictions") is not None,
    )


def _parse_required(checks: Fields | None) -> tuple[str, ...]:
    """The names of required checks, in both formats that GitHub has had."""
    if checks is None:
        return ()
    newer = [check.text("context") for check in checks.optional_objects("checks")]
    return tuple(dict.fromkeys((*checks.optional_texts("contexts"), *newer)))


def _parse_ruleset(item: Fields) -> Ruleset:
    return Ruleset(
        id=item.number("id"),
        name=item.text("name"),
        target=item.optional_text("target") or "branch",
        enforcement=item.text("enforcement"),
        source=item.text("source"),
    )


def _fetch_ruleset(api: GitHubApi, path: str, listed: Ruleset) -> Ruleset:
    item = api.one(path, "ruleset")
    if item is None or item.number("id") != listed.id:
        raise failure(f"requested the ruleset {listed.name} ({listed.id}), GitHub gave another one")
    conditions, links = item.optional_child("conditions"), item.optional_child("_links")
    refs = conditions.optional_child("ref_name") if conditions else None
    page = links.optional_child("html") if links else None
    return structs.replace(
        _parse_ruleset(item),
        include=tuple(refs.optional_texts("include")) if refs else None,
        exclude=tuple(refs.optional_texts("exclude")) if refs else (),
        rules=tuple(_parse_rule(rule, listed.id) for rule in item.optional_objects("rules")),
        bypass=_list_bypassing(item.optional_objects("bypass_actors")) if item.has("bypass_actors") else None,
        html_url=page.optional_text("href") if page else None,
    )


def _list_bypassing(actors: Iterable[Fields]) -> tuple[str, ...]:
    """Who can always bypass the rules; those who can only on a pull request do not count."""
    passing = (actor for actor in actors if actor.optional_text("bypass_mode") != "pull_request")
    return tuple(f"{actor.text('actor_type')} {actor.optional_number('actor_id') or ''}".strip() for actor in passing)


def _parse_rule(item: Fields, ruleset: int | None = None) -> Rule:
    details = item.optional_child("parameters") or Fields({}, "parameters")
    return Rule(
        type=item.text("type"),
        ruleset=ruleset if ruleset is not None else item.optional_number("ruleset_id"),
        approvals=details.optional_number("required_approving_review_count") or 0,
        checks=tuple(check.text("context") for check in details.optional_objects("required_status_checks")),
        on_creation=not details.optional_flag("do_not_enforce_on_create"),
        operator=details.optional_text("operator"),
        pattern=details.optional_text("pattern"),
        negate=bool(details.optional_flag("negate")),
    )
