"""Settings of the repository that block a release: rulesets, branch protection, and what Actions may do."""

from __future__ import annotations

import pytest

from release_state.common.text import listing
from release_state.facts.release import Release
from release_state.facts.rulesets import Hindrance, in_the_way, tag_rules, without_refs
from release_state.facts.workflow.release_workflow import is_ahead, pull_request_steps, pushes_to_base
from release_state.model.observation import NotObserved
from release_state.model.outcome import ActionNeeded, NotApplicable
from release_state.model.plan import Step, step
from release_state.model.snapshot import BaseRules
from release_state.verdict.check import check

pytestmark = [pytest.mark.pre_release, pytest.mark.post_recovery]


@check("SETTING-31", reads=["repository", "rulesets", "branch_rules"], advice=True)
def test_no_rule_is_in_the_way_of_the_push(release: Release) -> None:
    """No rule of a ruleset is in the way of creating this version's release branch.

    Restricted creation, a pattern for names, pull requests only, signed commits or checks that must have passed: what
    the workflow pushes is then refused with GH013. Who may pass a ruleset by is shown to those who may write to it;
    where nobody may, the release fails for certain.
    """
    branch = release.target.release_branch
    if found := in_the_way(release, release.snapshot.branch_rules.present(), branch, "branch"):
        raise ActionNeeded(
            expected=f"{branch} can be pushed",
            found=listing(hindrance.text for hindrance in found),
            why="the workflow's push of its branch would be refused",
            steps=[_let_pass(release, found, branch)],
            blocks=is_ahead(release) and any(hindrance.is_certain for hindrance in found),
        )


@check("SETTING-32", reads=["repository", "remote", "rulesets"], advice=True)
def test_no_rule_is_in_the_way_of_the_tag(release: Release) -> None:
    """No rule of a ruleset is in the way of creating this version's tag.

    A ruleset for `refs/tags/v*` that restricts creation is meant to keep people from making tags by hand, and keeps the
    workflow from it as well, unless it lets GitHub Actions pass. Patterns are matched as GitHub does: `*` stops at a
    slash.
    """
    if "tag" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} leaves no tag")
    tag = release.target.tag
    if found := in_the_way(release, tag_rules(release, tag), tag, "tag"):
        raise ActionNeeded(
            expected=f"{tag} can be pushed",
            found=listing(hindrance.text for hindrance in found),
            why="the version is published by then, and its tag would be refused",
            steps=[_let_pass(release, found, tag)],
            blocks=is_ahead(release) and any(hindrance.is_certain for hindrance in found),
        )


@check("SETTING-33", reads=["repository", "remote", "base_rules", "workflow_files"], advice=True)
def test_merging_needs_nobody(release: Release) -> None:
    """The base branch asks nothing of the release that needs somebody at hand.

    Reviews and checks that classic protection or a ruleset requires are no fault: the release pull request waits for
    them. One that was opened with the workflow's own token starts no CI, so that required checks never report: close
    and open it again, or open it with another token. A workflow that pushes to the base branch itself is refused.
    """
    if "pull-request" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} changes nothing on the base branch")
    base = release.snapshot.base_rules.present()
    asks = _asks(base)
    if not asks and base.hidden is not None:
        raise NotObserved(base.hidden)
    if base.by_pull_request_only and (pushes := pushes_to_base(release)):
        raise ActionNeeded(
            expected=f"no direct push to {base.branch}",
            found=f"{listing(push.where for push in pushes)}; {base.branch} asks for {listing(asks)}",
            why="a push that is no pull request is refused, unless the rules let the workflow pass",
            steps=[step("Let the workflow open a pull request, or let it pass the rules", link=_settings(release))],
        )
    if asks:
        hidden = f" (not all is shown: {base.hidden.why})" if base.hidden else ""
        raise ActionNeeded(
            expected=f"a release pull request can be merged into {base.branch} as it is",
            found=f"{base.branch} asks for {listing(asks)}{hidden}",
            why="the release branch stays, and the base branch lacks the release, until that is given",
            steps=[step("Have a reviewer at hand, and see that CI runs on the release pull request", advice=True)],
        )


@check("SETTING-34", reads=["remote", "repository", "actions_settings", "workflow_files"], advice=True, scenario="D")
def test_actions_may_create_pull_requests(release: Release) -> None:
    """The repository lets Actions create pull requests.

    The commonest cause of a release without a pull request: “GitHub Actions is not permitted to create or approve pull
    requests”. The setting is off by default, and an organization can keep it off. It does not matter to a workflow that
    opens the pull request with another token than its own. Shown to administrators only.
    """
    if "pull-request" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} leaves no pull request")
    if release.snapshot.actions_settings.present().may_create_pull_requests:
        return
    steps = pull_request_steps(release)
    if steps and not any(found.need.own_token for found in steps):
        return  # another token opens it, to which the setting does not apply
    raise ActionNeeded(
        expected="“Allow GitHub Actions to create and approve pull requests”",
        found="off" + (f", and {listing(found.where for found in steps)} creates one" if steps else ""),
        why="the release is published and tagged by then, and its pull request cannot be created",
        steps=[
            step(
                "Allow it in Settings > Actions > General > Workflow permissions",
                link=f"{release.snapshot.repository.present().html_url}/settings/actions",
            )
        ],
        blocks=is_ahead(release) and any(found.need.own_token for found in steps),
    )


@check("SETTING-35", reads=["repository", "remote", "rulesets"], advice=True)
def test_every_ruleset_is_for_something(release: Release) -> None:
    """Every active ruleset matches a branch or a tag that is there, or that the release makes.

    One that matches nothing protects nothing: often `release*` was meant for `release/x` (`*` stops at a slash:
    `release/**/*`), or the pattern lacks `refs/heads/`.
    """
    if not any(ruleset.enforcement == "active" for ruleset in release.snapshot.rulesets.present()):
        raise NotApplicable("no ruleset is active")
    if found := without_refs(release):
        shown = (f"“{each.name}” for {each.target}: {', '.join(each.include or ()) or 'nothing'}" for each in found)
        raise ActionNeeded(
            expected="rulesets that match something",
            found=listing(shown),
            why="what was meant to be protected is not",
            steps=[step("Mend its patterns, or remove it", link=found[0].html_url or _settings(release))],
        )


def _asks(base: BaseRules) -> list[str]:
    asks = []
    if base.locked:
        asks.append("no change at all: it is locked")
    if base.by_pull_request_only and not base.all_approvals:
        asks.append("pull requests only")
    if base.all_approvals:
        asks.append(f"{base.all_approvals} approving review{'' if base.all_approvals == 1 else 's'}")
    if base.all_checks:
        asks.append(f"the checks {', '.join(base.all_checks)}")
    return asks


def _let_pass(release: Release, found: tuple[Hindrance, ...], name: str) -> Step:
    page = next((each.ruleset.html_url for each in found if each.ruleset and each.ruleset.html_url), None)
    return step(f"Let the workflow pass the ruleset, or except {name} from it", link=page or _settings(release))


def _settings(release: Release) -> str:
    return f"{release.target.github_web}/{release.target.repository}/settings/rules"
