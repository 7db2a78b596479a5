"""Which steps of a workflow make a branch: they push one that was not there, or create it through the API."""

from __future__ import annotations

import json

import pytest

from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.making import find_made, list_makers
from tests.facts.test_publishing import PATH
from tests.support.hostile import HOSTILE, LONG

REPOSITORY = "gh api repos/octo/orbit/git/refs"


def flow(*steps: str, env: str = "{}", base: str = "stable") -> tuple[str, ...]:
    """What a workflow with one job of these steps makes."""
    text = f"on: workflow_dispatch\njobs:\n  ship:\n    env: {env}\n    steps:\n"
    return find_made(ReleaseWorkflow(PATH, {PATH: text + "".join(f"      - {step}\n" for step in steps)}), base)


def run(script: str) -> str:
    return f"run: {json.dumps(script)}"


@pytest.mark.parametrize(
    "script",
    [
        "git push origin HEAD:release/1.2",
        "git push origin release/1.2",
        "git push origin +release/1.2",
        "git push origin refs/heads/release/1.2",
        'git push origin "release/$VERSION"',
        'git push --force origin +HEAD:refs/heads/bump-"$VERSION"',
        "git push origin HEAD:bump-${{ inputs.version }}",
        'git checkout -b "bump-$V" && git push origin "bump-${V}"',
        "git switch --create bump\ngit commit -am x\ngit push --set-upstream origin HEAD",
        "git switch -c bump\ngit push",
        "git checkout --quiet -B bump\ngit push -u --tags origin bump",
        "git branch bump && git push origin bump:bump",
        "git checkout -b bump && git checkout main && git checkout bump && git push",
        'BRANCH="release/v$VERSION"\ngit push origin "$BRANCH"',
        "git push origin main v1 HEAD:release/1",
        "git -c user.name=x -C here push -o ci.skip origin HEAD:release/1",
        "git push https://x:$T@github.example/${{ github.repository }} HEAD:release/1",
        "git push https://x:$T@github.example/$GITHUB_REPOSITORY.git HEAD:release/1",
        f"{REPOSITORY} -f ref=refs/heads/x -f sha=$SHA",
        f'{REPOSITORY} --method POST --raw-field "ref=refs/heads/$NAME" -f sha=$SHA',
    ],
)
def test_a_script_that_makes_a_branch(script: str) -> None:
    assert flow(run(script)) == ("branch",)


@pytest.mark.parametrize(
    "script",
    [
        "git push",
        "git push origin",
        "git push origin HEAD",
        "git push --follow-tags",
        "git push --tags",
        "git checkout -b bump && git push --tags",
        # the base branch, other branches that last, and the one that the run is of
        "git push origin main",
        "git push origin HEAD:main",
        "git push origin stable:refs/heads/stable",
        "git push origin HEAD:refs/heads/stable",
        "git checkout -B stable && git push --force origin HEAD",
        "B=main\ngit push origin HEAD:$B",
        "git checkout -b bump && git checkout stable && git push",
        "git push origin HEAD:latest",
        "git push origin HEAD:$GITHUB_REF_NAME",
        "git push origin HEAD:${GITHUB_REF#refs/heads/}",
        "git push origin HEAD:${{ github.head_ref || github.ref_name }}",
        'branch="$(git branch --show-current)"\ngit push origin "HEAD:refs/heads/$branch"',
        'git push origin "HEAD:$(git branch --show-current)"',
        "git push origin gh-pages:gh-pages",
        "git checkout --orphan gh-pages && git push origin gh-pages",
        # tags
        'git push origin "v$VERSION"',
        'git push origin "$TAG"',
        "git push origin HEAD:refs/tags/release/1",
        "git push origin refs/tags/release/1",
        "git push origin HEAD:refs/tags/v$VERSION",
        # nothing, or of another repository
        "git push origin --delete release/1",
        "git push origin :release/1",
        "git push --dry-run origin HEAD:release/1",
        "git push bot HEAD:release/1",
        "git push https://github.example/octo/other HEAD:release/1",
        "git checkout -b bump",
        "git branch -d bump && git push origin bump",
        "echo git push origin HEAD:release/1",
        "echo 'git push origin HEAD:release/1'",
        "# git push origin HEAD:release/1",
        "cat > x <<EOF\ngit push origin HEAD:release/1\nEOF",
        "gh api repos/octo/orbit/git/refs/heads/x -X PATCH -f ref=refs/heads/x",
        REPOSITORY,
    ],
)
def test_a_script_that_makes_none(script: str) -> None:
    assert flow(run(script)) == ()


def test_a_tag_is_no_branch() -> None:
    assert flow(run("git tag release/1 && git push origin release/1")) == ("tag",)
    assert flow(run("git tag release/$V && git push origin HEAD:main release/$V")) == ("tag",)
    assert flow(run("git tag v1"), run("git checkout -b bump && git push origin bump v1")) == ("tag", "branch")
    assert flow(run(f"{REPOSITORY} -f ref=refs/tags/v1 -f sha=$SHA")) == ("tag",)


@pytest.mark.parametrize(
    ("step", "made"),
    [
        ("uses: ad-m/github-push-action@v1, with: {branch: 'release/${{ inputs.version }}'}", True),
        ("uses: ad-m/github-push-action@v1, with: {branch: stable}", False),
        ("uses: ad-m/github-push-action@v1, with: {branch: '${{ github.ref }}'}", False),
        ("uses: ad-m/github-push-action@v1, with: {branch: release/1, repository: octo/other}", False),
        ("uses: ad-m/github-push-action@v1", False),
        ("uses: stefanzweifel/git-auto-commit-action@v7, with: {branch: 'bump-${{ inputs.version }}'}", True),
        ("uses: stefanzweifel/git-auto-commit-action@v7", False),
        ("uses: EndBug/add-and-commit@v9, with: {new_branch: bump}", True),
        ("uses: EndBug/add-and-commit@v9", False),
        ("uses: devops-infra/action-commit-push@v1, with: {target_branch: bump}", True),
        ("uses: devops-infra/action-commit-push@v1, with: {target_branch: gh-pages}", False),
        ("uses: peterjgrainger/action-create-branch@v3, with: {branch: bump}", True),
        ("uses: peaceiris/actions-gh-pages@v4", False),
        ("uses: actions/github-script@v8, with: {script: 'github.rest.git.createRef({ref: `refs/heads/${x}`})'}", True),
        ("uses: actions/github-script@v8, with: {script: 'github.rest.git.createRef({ref: `refs/tags/${x}`})'}", False),
        ("uses: actions/github-script@v8, with: {script: 'github.rest.git.getRef({ref: `refs/heads/${x}`})'}", False),
    ],
)
def test_an_action_that_makes_a_branch(step: str, made: bool) -> None:
    assert flow(f"{{{step}}}") == (("branch",) if made else ())


def test_the_branch_of_a_tools_pull_request_is_told_as_the_pull_request() -> None:
    assert flow("uses: peter-evans/create-pull-request@v7") == ("pull-request",)
    assert flow(run("git switch -c bump && git push origin HEAD && gh pr create --fill")) == ("branch", "pull-request")


def test_a_name_is_known_from_other_steps_of_the_job_and_from_its_variables() -> None:
    assert flow(run("git checkout -b bump"), run("git push origin bump")) == ("branch",)
    assert flow(run('echo "B=release/$V" >> "$GITHUB_ENV"'), run("git push origin $B")) == ("branch",)
    assert flow(run("git push origin ${{ env.B }}"), env="{B: release/1}") == ("branch",)
    assert flow(run("git push origin HEAD:${{ env.B }}"), env="{B: stable}") == ()
    assert flow(run("git push origin HEAD:$B"), env="{B: '${{ github.event.repository.default_branch }}'}") == ()


def test_what_another_job_created_is_not_in_the_clone() -> None:
    text = "on: push\njobs:\n  a: {steps: [{run: git checkout -b bump}]}\n  b: {steps: [{run: git push origin bump}]}\n"
    assert find_made(ReleaseWorkflow(PATH, {PATH: text})) == ()


def test_a_push_from_the_clone_of_another_repository_makes_no_branch_here() -> None:
    push, own = "git push origin HEAD:release/1", "uses: actions/checkout@v6"
    other = "{uses: actions/checkout@v6, with: {repository: octo/other, path: site}}"
    there = f"{{working-directory: ./site, {run(push)}}}"
    assert flow(other.replace(", path: site", ""), run(push)) == ()
    assert flow("{uses: actions/checkout@v6, with: {repository: '${{ github.repository }}'}}", run(push)) == ("branch",)
    assert flow(own, other, run(push)) == flow(other, own, run(push)) == ("branch",)
    for elsewhere in (there, run(f"cd site\n{push}"), run("git -C site push origin HEAD:release/1")):
        assert flow(own, other, elsewhere) == ()
        assert flow(own, elsewhere) == ("branch",)
    assert flow(own, other, run(f"cd site && cd .. && {push}")) == ("branch",)
    for url in ("https://x:$T@github.example/octo/other.git", "git@github.example:octo/site.git"):
        assert flow(own, run(f"git clone --depth 1 {url} site"), there) == ()
    assert flow(own, run("git clone https://github.example/octo/site.git"), there) == ()
    assert flow(own, run("git clone https://github.example/$GITHUB_REPOSITORY site"), there) == ("branch",)


def test_what_is_made_of_another_repository_is_not_of_this_one() -> None:
    other = "{uses: actions/checkout@v6, with: {repository: octo/other, path: site}}"
    for command, made in (("gh pr create --fill", "pull-request"), ("git tag v1", "tag")):
        assert (
            flow(other, f"{{working-directory: site, {run(command)}}}") == flow(other, run(f"cd site; {command}")) == ()
        )
        assert flow(other, run(command)) == (made,)
        here = f"{{working-directory: site, env: {{GH_REPO: x}}, {run(command)}}}"
        assert flow(other, here) == flow(other, run(f"cd site; {command} --repo $GITHUB_REPOSITORY")) == (made,)
    assert flow(other.replace(", path: site", ""), "uses: softprops/action-gh-release@v2") == ("tag", "release")


def test_the_step_is_named() -> None:
    text = f"on: push\njobs:\n  ship:\n    steps:\n      - {{name: Cut, {run('git push origin HEAD:release/1')}}}\n"
    [(at, made)] = list_makers(ReleaseWorkflow(PATH, {PATH: text}), "main")
    assert (at.where, made) == ("job ship, step “Cut”", ("branch",))


@pytest.mark.parametrize(
    "name", [HOSTILE, LONG, "[(*", "$", "${", "${{", "$(", "a" * 100_000, "$a" * 50_000, "--x", " "]
)
def test_a_name_of_any_form_is_read(name: str) -> None:
    for script in (
        "git push origin 'HEAD:release/{}'",
        "git checkout -b '{}' && git push origin HEAD",
        "B='{}'\ngit push",
    ):
        assert set(flow(run(script.replace("{}", name)))) <= {"branch"}
    for script in (
        "git push origin HEAD:",
        "git push origin :",
        "git push origin +",
        "git checkout -b",
        "git -C",
        "git",
    ):
        assert flow(run(script)) == ()
