"""What keeps a release run from starting, makes it start twice, fail half-way or publish too much.

These checks read the workflow files at the head of the base branch. They are advice: what only a run can tell is no
finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from release_state.common.text import join_items
from release_state.facts.publishers import describe_starts, find_publishers, takes_release, takes_tag
from release_state.facts.release import Release
from release_state.facts.release_workflow import is_before_release, make_file_step, read_workflow
from release_state.facts.rulesets import RefRefusal, find_refusal, is_spelling_known
from release_state.facts.workflow import artifacts, hazards
from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.publishing import Evidence, find_uploads
from release_state.model.observation import NotObserved
from release_state.model.outcome import ActionNeeded, NotApplicable, Phase
from release_state.model.plan import step
from release_state.model.process import Publisher
from release_state.plan.steps.start import switch_on
from release_state.verdict.check import check

pytestmark = pytest.mark.pre_release

READS = ["remote", "workflow_files"]


@check("WORKFLOW-7", reads=[*READS, "workflow_states"], advice=True, may_block=[Phase.PRE_RELEASE])
def test_workflow_starts(release: Release) -> None:
    """The release workflow's triggers reach its upload.

    A push filter may name a branch that was renamed, and a tag filter may not take the project's tags. GitHub sends
    `release: created` only if no draft comes first. A tag or GitHub Release that a workflow makes with GITHUB_TOKEN
    starts no other workflow. An upload behind `!needs.JOB.outputs.NAME` is skipped if the output is the text “false”:
    compare it with a text.

    Nothing starts a workflow that is switched off: by a person, or by GitHub, which does so after sixty days without
    activity where a schedule starts it, too. Nor does a tag that its filter or condition does not take, or a
    pre-release where it waits for `released`. If nothing starts the upload of this version, that blocks.

    Sources: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#release,
    https://docs.github.com/actions/concepts/security/github_token
    """
    read_workflow(release)
    target, files = release.target, release.snapshot.workflow_files.present()
    publishers = find_publishers(target, files)
    if not publishers:
        raise NotApplicable("no step is seen to upload")
    off = release.switched_off
    if stopped := [name for name in dict.fromkeys(each.workflow for each in publishers) if name in off]:
        raise ActionNeeded(
            found=f"switched off: {join_items(stopped)}",
            why="the tag or the GitHub Release is made, and nothing is published",
            steps=[switch_on(release, name) for name in stopped],
            blocks=is_before_release(release) and all(each.workflow in off for each in publishers),
        )
    uploads = [each for each in find_uploads(files.texts) if each.may_be_to(release.channel.name)]
    waiting = [each for each in publishers if _lacks_event(release, each)]
    _report(
        release,
        [
            *hazards.find_never_started(publishers, target.tag, release.base_branch, files.texts),
            *(f"{each.workflow} waits for {describe_starts(each)}" for each in waiting),
            *hazards.find_false_texts(uploads, files.texts),
        ],
        why="the release is made, and nothing is published",
        fix="Correct what starts it under `on:`, or make the tag or GitHub Release with a token of your own",
        blocks=is_before_release(release) and all(_is_never_started(release, each) for each in publishers),
    )
    release.snapshot.workflow_states.present()


def _is_never_started(release: Release, publisher: Publisher) -> bool:
    """Whether the version's own tag or GitHub Release is certain to start no upload, and nothing else starts it."""
    is_passed = [each.kind for each in publisher.starts] == ["tag"] and not takes_tag(publisher, release.target.tag)
    return not publisher.is_guess and (_lacks_event(release, publisher) or (is_passed and is_spelling_known(release)))


def _lacks_event(release: Release, publisher: Publisher) -> bool:
    """Whether it waits for a kind of GitHub Release alone that the version is not."""
    is_only = {each.kind for each in publisher.starts} == {"release"}
    return is_only and not takes_release(publisher, release.target)


@check("WORKFLOW-8", reads=READS, advice=True)
def test_upload_starts_once(release: Release) -> None:
    """One event starts the upload of a version.

    A GitHub Release pushes its tag, so `push: tags` and `release` start two runs. For one release, GitHub sends
    `created`, `published` and `released`: `on: release` without `types` starts three. In `push`, `branches` and `tags`
    start one each. The second run finds files that exist, and fails. An upload that skips existing files stands it.

    Source: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#release
    """
    read_workflow(release)
    files = release.snapshot.workflow_files.present()
    # Where a run chooses the index, each event may have one of its own.
    known = {each.job.where for each in find_uploads(files.texts) if each.index or each.evidence < Evidence.KNOWN}
    _report(
        release,
        hazards.find_double_starts(
            [each for each in find_publishers(release.target, files) if each.job in known],
            release.target.tag,
            release.base_branch,
            files.texts,
            is_prerelease=release.target.parsed_version.is_prerelease,
        ),
        why="two runs upload the same version, and the second fails",
        fix="Keep one of the two triggers",
    )


@check("WORKFLOW-9", reads=READS, advice=True)
def test_upload_waits_for_success(release: Release) -> None:
    """The upload runs only if every job before it succeeded.

    With `if: always()` a job runs although a build failed or was cancelled. Then a part of the files is published. With
    `continue-on-error`, the run is green although the upload failed.

    Source: https://docs.github.com/actions/reference/workflows-and-actions/expressions#status-check-functions
    """
    _report_workflow(
        release,
        hazards.find_careless_uploads,
        why="a failed build job publishes a part of the files, and nobody sees an upload that fails",
        fix="Use `if: ${{ !cancelled() && needs.JOB.result == 'success' }}`, or no condition; no `continue-on-error`",
    )


@check("WORKFLOW-10", reads=READS, advice=True)
def test_artifacts_have_names_of_their_own(release: Release) -> None:
    """No two jobs of the release run upload an artifact of one name.

    Since version 4 of actions/upload-artifact the second one fails with 409, and nothing is published. Artifacts of
    version 3 and before are not found by version 4 and later of actions/download-artifact, and the other way round.
    Without a name and without `merge-multiple`, a download puts each artifact into a folder of its own, where the
    publish action does not look.

    Sources: https://github.com/actions/upload-artifact#breaking-changes,
    https://github.com/pypa/gh-action-pypi-publish/issues/235
    """
    _report_workflow(
        release,
        artifacts.find_artifact_clashes,
        why="the second upload of a name fails with 409",
        fix="Put the matrix into the name (`name: dist-${{ matrix.os }}`), and download with `merge-multiple`",
    )
    _report_workflow(
        release,
        artifacts.find_artifact_generations,
        why="neither generation of the two actions finds the artifacts of the other",
        fix="Use version 4 or later of both upload-artifact and download-artifact",
    )
    _report_workflow(
        release,
        artifacts.find_lost_artifacts,
        why="the upload finds no distribution where it looks",
        fix="Download with `pattern: NAME-*`, `path: dist` and `merge-multiple: true`",
    )


@check("WORKFLOW-11", reads=READS, advice=True)
def test_pushes_have_credentials(release: Release) -> None:
    """A release job that pushes keeps its checkout's credentials.

    With `persist-credentials: false`, `git push` asks for a user name and fails, often after the upload. Actions that
    commit, such as git-auto-commit-action and add-and-commit, push with the checkout's credentials, too. zizmor's
    `artipacked` asks for that setting: it belongs into the jobs that do not push.

    Source: https://github.com/actions/checkout#usage
    """
    _report_workflow(
        release,
        hazards.find_pushes_without_credentials,
        why="the push fails, often after the upload: a published version without its tag",
        fix="Set `persist-credentials: true` in that job, or push with a token in the address",
    )


@check("WORKFLOW-12", reads=READS, advice=True)
def test_uploads_have_folders_of_their_own(release: Release) -> None:
    """Two uploads of one job do not share a folder.

    The publish action leaves attestations beside the files, and a second upload of the folder meets them.

    Source: https://github.com/pypa/gh-action-pypi-publish/issues/319
    """
    _report_workflow(
        release,
        hazards.find_shared_folders,
        why="the second upload fails on what the first one left",
        fix="Publish to each index in a job of its own, or set `attestations: false` for the rehearsal",
    )


@check("WORKFLOW-13", reads=READS, advice=True)
def test_publish_action_runs_on_linux(release: Release) -> None:
    """The publish action runs on Linux.

    pypa/gh-action-pypi-publish is a container, and GitHub runs containers on Linux only.

    Source: https://github.com/pypa/gh-action-pypi-publish/issues/15
    """
    _report_workflow(
        release,
        hazards.find_foreign_runners,
        why="GitHub runs container actions on Linux only",
        fix="Publish in a job of its own with `runs-on: ubuntu-latest`",
    )


@check("WORKFLOW-14", reads=[*READS, "environments", "base_rules"], advice=True, may_block=[Phase.PRE_RELEASE])
def test_environment_admits_the_ref(release: Release) -> None:
    """The upload's environment lets the ref deploy that starts it.

    An environment can name the branches and tags that may deploy to it, or admit protected branches alone, which no tag
    is. GitHub ends the job of another ref before its first step: “Tag … is not allowed to deploy to … due to
    environment protection rules”. An environment that does not exist yet admits all. A name that a run computes is not
    judged.

    Source: https://docs.github.com/actions/reference/workflows-and-actions/deployments-and-environments
    """
    read_workflow(release)
    publishers = find_publishers(release.target, release.snapshot.workflow_files.present())
    named = [each for each in publishers if each.environment and not each.is_guess]
    if not named:
        raise NotApplicable("no job that is seen to upload names an environment")
    environments = {each.name: each for each in release.snapshot.environments.present()}
    refusals, missing = list[RefRefusal](), list[NotObserved]()
    for each in named:
        if environment := environments.get(each.environment or ""):
            try:
                refusals += filter(None, [find_refusal(release, each, environment)])
            except NotObserved as unknown:  # another upload may be refused for certain
                missing.append(unknown)
    if refusals:
        places = dict.fromkeys((each.ref, each.environment) for each in refusals)
        raise ActionNeeded(
            found=join_items((each.text for each in refusals), most=5),
            why="GitHub ends that job before its first step, and nothing is published",
            steps=[
                step(
                    f"Admit the {ref} in the environment {name}, under Deployment branches and tags",
                    link=f"{release.target.web}/settings/environments",
                )
                for ref, name in list(places)[:5]
            ],
            blocks=is_before_release(release)
            and len(refusals) == len(publishers)
            and all(each.is_certain for each in refusals),
        )
    if missing:
        raise missing[0]


def _report_workflow(release: Release, find: Callable[[ReleaseWorkflow], Iterable[str]], *, why: str, fix: str) -> None:
    _report(release, find(read_workflow(release)), why=why, fix=fix)


def _report(release: Release, found: Iterable[str], *, why: str, fix: str, blocks: bool = False) -> None:
    if hazard := list(dict.fromkeys(found)):
        steps = [make_file_step(release, fix)]
        raise ActionNeeded(found=join_items(hazard, most=5), why=why, steps=steps, blocks=blocks)
