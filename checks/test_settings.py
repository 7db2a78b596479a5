"""Repository settings that block a release: rulesets, branch protection, and the rights of Actions."""

from __future__ import annotations

import pytest

from release_state.common.text import format_count, join_items
from release_state.facts.release import Release
from release_state.facts.release_workflow import find_pull_request_steps, find_pushes_to_base, is_before_release
from release_state.facts.rulesets import Hindrance, find_hindrances, find_idle_rulesets, list_tag_rules
from release_state.model.observation import NotObserved
from release_state.model.outcome import ActionNeeded, NotApplicable, Phase
from release_state.model.plan import Step, step
from release_state.model.snapshot import BaseRules
from release_state.verdict.check import check

pytestmark = [pytest.mark.pre_release, pytest.mark.post_recovery]


@check("SETTING-31", reads=["repository", "rulesets", "branch_rules"], advice=True, may_block=[Phase.PRE_RELEASE])
def test_no_rule_is_in_the_way_of_the_push(release: Release) -> None:
    """No ruleset blocks the creation of this version's release branch.

    A ruleset can restrict creation or names, and require pull requests, signed commits or passed checks. GitHub then
    refuses the workflow's push with GH013. Only those who may edit a ruleset see who may bypass it. If nobody may, the
    release is certain to fail.
    """
    branch = release.target.release_branch
    if found := find_hindrances(release, release.snapshot.branch_rules.present(), branch, "branch"):
        raise ActionNeeded(
            found=join_items(hindrance.text for hindrance in found),
            why="GitHub would refuse the workflow's push",
            steps=[_bypass_step(release, found, branch)],
            blocks=is_before_release(release) and any(hindrance.is_certain for hindrance in found),
        )


@check("SETTING-32", reads=["repository", "remote", "rulesets"], advice=True, may_block=[Phase.PRE_RELEASE])
def test_no_rule_is_in_the_way_of_the_tag(release: Release) -> None:
    """No ruleset blocks the creation of this version's tag.

    A ruleset that restricts `refs/tags/v*` is meant to stop tags made by hand. It stops the workflow too, unless GitHub
    Actions may bypass it. Patterns match as on GitHub: `*` stops at a slash.
    """
    if "tag" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} leaves no tag")
    tag = release.target.tag
    if found := find_hindrances(release, list_tag_rules(release, tag), tag, "tag"):
        raise ActionNeeded(
            found=join_items(hindrance.text for hindrance in found),
            why="GitHub would refuse the tag after the version is published",
            steps=[_bypass_step(release, found, tag)],
            blocks=is_before_release(release) and any(hindrance.is_certain for hindrance in found),
        )


@check("SETTING-33", reads=["repository", "remote", "base_rules", "workflow_files"], advice=True)
def test_merging_needs_nobody(release: Release) -> None:
    """The base branch needs no manual approval.

    Required reviews and checks are no fault: the release pull request waits for them. A pull request that was opened
    with the workflow's own token starts no CI, so required checks never report. Close and reopen it, or open it with
    another token. GitHub refuses a workflow that pushes to the base branch directly.
    """
    if "pull-request" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} changes nothing on the base branch")
    base = release.snapshot.base_rules.present()
    asks = _list_demands(base)
    if not asks and base.hidden is not None:
        raise NotObserved(base.hidden)
    if base.by_pull_request_only and (pushes := find_pushes_to_base(release)):
        fix = step("Let the workflow open a pull request, or let it bypass the rules", link=_rules_page(release))
        raise ActionNeeded(
            expected=f"no direct push to {base.branch}",
            found=f"{join_items(push.where for push in pushes)}; {base.branch} requires {join_items(asks)}",
            why="GitHub refuses a direct push, unless the workflow may bypass the rules",
            steps=[fix],
        )
    if asks:
        hidden = f" (some rules are hidden: {base.hidden.why})" if base.hidden else ""
        raise ActionNeeded(
            expected=f"a release pull request can be merged into {base.branch} without approval",
            found=f"{base.branch} requires {join_items(asks)}{hidden}",
            why="until then the release branch stays, and the base branch lacks the release",
            steps=[step("Have a reviewer ready, and check that CI runs on the release pull request", advice=True)],
        )


@check(
    "SETTING-34",
    reads=["remote", "repository", "actions_settings", "workflow_files"],
    advice=True,
    may_block=[Phase.PRE_RELEASE],
    scenario="D",
)
def test_actions_may_create_pull_requests(release: Release) -> None:
    """The repository lets Actions create pull requests.

    This is the most common cause of a release without a pull request: “GitHub Actions is not permitted to create or
    approve pull requests”. The setting is off by default, and an organization can keep it off. It does not matter if
    the workflow opens the pull request with another token. Only administrators can see the setting.
    """
    if "pull-request" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} leaves no pull request")
    if release.snapshot.actions_settings.present().may_create_pull_requests:
        return
    steps = find_pull_request_steps(release)
    if steps and not any(found.need.own_token for found in steps):
        return  # another token opens it, to which the setting does not apply
    raise ActionNeeded(
        expected="“Allow GitHub Actions to create and approve pull requests” is on",
        found="off" + (f", and {join_items(found.where for found in steps)} creates one" if steps else ""),
        why="after publishing and tagging, the workflow could not create its pull request",
        steps=[
            step(
                "Turn it on in Settings > Actions > General > Workflow permissions",
                link=f"{release.snapshot.repository.present().html_url}/settings/actions",
            )
        ],
        blocks=is_before_release(release) and any(found.need.own_token for found in steps),
    )


@check("SETTING-35", reads=["repository", "remote", "rulesets"], advice=True)
def test_every_ruleset_is_for_something(release: Release) -> None:
    """Every active ruleset matches a branch or a tag.

    It may match an existing ref, or one that the release creates. A ruleset that matches nothing protects nothing.
    Often `release*` was meant to match `release/x`, but `*` stops at a slash: use `release/**/*`. Or the pattern lacks
    `refs/heads/`.
    """
    if not any(ruleset.enforcement == "active" for ruleset in release.snapshot.rulesets.present()):
        raise NotApplicable("no ruleset is active")
    if found := find_idle_rulesets(release):
        shown = (f"“{each.name}” for {each.target}: {', '.join(each.include or ()) or 'nothing'}" for each in found)
        raise ActionNeeded(
            found=join_items(shown),
            why="it protects nothing",
            steps=[step("Fix its patterns, or remove it", link=found[0].html_url or _rules_page(release))],
        )


def _list_demands(base: BaseRules) -> list[str]:
    """What the rules of the base branch require of a change, in words."""
    asks = []
    if base.locked:
        asks.append("that nothing changes: it is locked")
    if base.by_pull_request_only and not base.all_approvals:
        asks.append("pull requests")
    if base.all_approvals:
        asks.append(f"{format_count(base.all_approvals, 'approving review')}")
    if base.all_checks:
        asks.append(f"the checks {', '.join(base.all_checks)}")
    return asks


def _bypass_step(release: Release, found: tuple[Hindrance, ...], name: str) -> Step:
    page = next((each.ruleset.html_url for each in found if each.ruleset and each.ruleset.html_url), None)
    return step(f"Let the workflow bypass the ruleset, or exclude {name} from it", link=page or _rules_page(release))


def _rules_page(release: Release) -> str:
    return f"{release.target.web}/settings/rules"
