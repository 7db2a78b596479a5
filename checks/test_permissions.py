"""Permissions: of your token, and of the token that each job of the release workflow gets.

A job's own `permissions` replace those at the top of the file, and a right that a block does not name is `none`.
Without either block, the repository's setting decides. A reusable workflow gets no more than the job that calls it. The
checks read the workflow file at the head of the base branch, with the local workflows and actions that it uses.
"""

from __future__ import annotations

import pytest

from release_state.common.text import join_items
from release_state.facts.release import Release
from release_state.facts.release_workflow import find_lack, is_before_release, make_file_step, read_workflow
from release_state.facts.workflow.needs import CONTENTS, ID_TOKEN, PULLS
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import ActionNeeded, NotApplicable, Phase
from release_state.model.plan import step
from release_state.plan.steps.commands import on_host
from release_state.verdict.check import check

pytestmark = [pytest.mark.pre_release, pytest.mark.post_recovery]

READS = ["remote", "workflow_files", "actions_settings"]


@pytest.mark.rollback
@check("TOKEN-31", reads=["repository"], advice=True)
def test_token_at_hand_may_write(release: Release) -> None:
    """Your token may write to the repository.

    The suite only reads. But most commands of a plan write with this token, and GitHub shows drafts only to those who
    may push. A classic token needs the scope `repo` (`public_repo` for a public repository), and its owner needs the
    right. A fine-grained token needs `contents: write` and `pull-requests: write`.
    """
    repository = release.snapshot.repository.present()
    if release.snapshot.token_source is None:
        raise NotApplicable("no token: public data is read without one")
    scopes = repository.token_scopes
    enough = {"repo"} if repository.private else {"repo", "public_repo"}
    if scopes is not None and not enough.intersection(scopes):
        raise ActionNeeded(
            expected=f"a token with the scope {' or '.join(sorted(enough))}",
            found=f"scopes: {', '.join(scopes) or 'none'}",
            why="GitHub would refuse the commands of a plan",
            steps=[step("Add that scope to the token", link=f"{release.target.github_web}/settings/tokens")],
        )
    if repository.can_push is None:
        raise NotObserved(
            Problem(
                source="GitHub",
                why="it does not say what the token of an app or a workflow may do",
                remedy="use a token with `contents: write` for the commands of a plan",
            )
        )
    if not repository.can_push:
        raise ActionNeeded(
            found=f"{release.snapshot.token_source} may only read {repository.full_name}",
            why="GitHub would refuse the commands of a plan",
            steps=[step("Sign in with an account that may push", on_host(release.target, ["gh", "auth", "login"]))],
        )


@check("PERMISSION-31", reads=READS, advice=True, may_block=[Phase.PRE_RELEASE])
def test_jobs_that_write_may_write(release: Release) -> None:
    """Release jobs that push, tag or release have `contents: write`.

    The check knows `git push`, `gh release`, semantic-release and the usual actions. It does not judge a step that uses
    another token. A job's block without `contents` takes away what the top of the file gives.
    """
    if lack := find_lack(release, CONTENTS):
        fix = make_file_step(release, "Give the job `contents: write`", "a job's own block replaces the one at the top")
        raise ActionNeeded(
            found=join_items(lack.steps),
            why="GitHub refuses the push, tag or release: “Resource not accessible by integration”, or 403",
            steps=[fix],
            blocks=lack.certain,
        )


@check("PERMISSION-32", reads=READS, advice=True, may_block=[Phase.PRE_RELEASE], scenario="D")
def test_jobs_that_open_pull_requests_may_do_so(release: Release) -> None:
    """Jobs that open pull requests have `pull-requests: write`.

    Jobs that change pull requests need it too. The check knows `gh pr` and the usual actions. The repository's setting
    has to let Actions create pull requests as well: SETTING-34.
    """
    if lack := find_lack(release, PULLS):
        raise ActionNeeded(
            found=join_items(lack.steps),
            why="after publishing and tagging, the workflow could not create its pull request",
            steps=[make_file_step(release, "Give the job `pull-requests: write`")],
            blocks=lack.certain,
        )


@check("PERMISSION-33", reads=READS, advice=True, may_block=[Phase.PRE_RELEASE])
def test_jobs_that_publish_without_a_password_may_sign_in(release: Release) -> None:
    """Release jobs that sign in by OpenID Connect have `id-token: write`.

    Trusted publishing signs in like that: gh-action-pypi-publish without a password, `uv publish` without a token. So
    does the signing of artifacts. No default gives this right: name it. The publisher on the index also has to name the
    owner, the repository, this workflow file and the job's environment.
    """
    if lack := find_lack(release, ID_TOKEN):
        raise ActionNeeded(
            found=join_items(lack.steps),
            why="the upload has no password and cannot get an OpenID Connect token",
            steps=[make_file_step(release, "Give the job `id-token: write`")],
            blocks=lack.certain,
        )


@check("PERMISSION-34", reads=READS, advice=True, may_block=[Phase.PRE_RELEASE])
def test_reusable_workflows_ask_for_no_more_than_they_get(release: Release) -> None:
    """No reusable workflow requests more than its calling job allows.

    GitHub checks this before the first job starts, even for jobs that would be skipped. The run fails at once as
    *startup_failure*, with “The nested job … is requesting …, but is only allowed …”.
    """
    workflow = read_workflow(release)
    if not any(placed.caller for placed in workflow.jobs):
        raise NotApplicable("the workflow calls no reusable workflow of the repository")
    if found := workflow.excesses:
        raise ActionNeeded(
            found=join_items(f"{e.where} requests `{e.right}: {e.asked}`, allowed: {e.allowed}" for e in found),
            why="GitHub does not start such a run",
            steps=[make_file_step(release, f"Give {found[0].caller} `{found[0].right}: {found[0].asked}`")],
            blocks=is_before_release(release),
        )
