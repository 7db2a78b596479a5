"""The release workflow with what it calls: rights by block, setting and caller; limits; patterns of real projects."""

from __future__ import annotations

import pytest
from msgspec import structs

from release_state.facts.release import Release
from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.weaknesses import find_unpinned
from release_state.model.observation import known
from release_state.model.outcome import ActionNeeded, Outcome
from release_state.model.snapshot import Snapshot
from release_state.plan.recovery import Recovery
from release_state.plan.steps.publication import run_workflow
from tests.checks.cases.calculation import calculation
from tests.checks.cases.declared import declares, started_by
from tests.checks.cases.hazards import TAGS, room
from tests.checks.cases.permissions import FROM_TOP, UNSAID
from tests.support import states as s
from tests.support import workflows as w
from tests.support.facts import workflow
from tests.support.judged import CHECKS, ended, verdict_of

PATH, OTHER = w.PATH, ".github/workflows/x.yml"
CALL = "./.github/workflows/x.yml"


def built(text: str, default: str | None = None, **others: str) -> ReleaseWorkflow:
    """The release workflow and others, as `w.observed` names them."""
    return ReleaseWorkflow(PATH, {file.path: file.text for file in w.files(text, **others)}, default)


def finding(check: str, snapshot: Snapshot) -> ActionNeeded:
    outcome, said = ended(CHECKS[check], Recovery(Release(snapshot)))
    assert outcome is Outcome.ACTION_NEEDED and isinstance(said, ActionNeeded), (outcome, said)
    return said


# ---- rights


def test_a_jobs_block_replaces_the_one_at_the_top() -> None:
    [placed] = built(w.without("      contents: write\n")).jobs
    assert placed.permissions
    assert [placed.permissions.get(right) for right in ("contents", "id-token")] == ["none", "write"]


@pytest.mark.parametrize(
    ("default", "contents", "token"), [("write", "write", "none"), ("read", "read", "none"), (None, None, None)]
)
def test_without_a_block_the_setting_decides(default: str | None, contents: str | None, token: str | None) -> None:
    [placed] = built(UNSAID, default).jobs
    rights = placed.permissions
    assert (rights and rights.get("contents"), rights and rights.get("id-token")) == (contents, token)


def test_a_called_workflow_gets_what_both_allow() -> None:
    calling = w.called(CALL, "{contents: write, packages: write}")
    *_, inner = built(calling, workflows_x=w.reusable(permissions="{contents: read, packages: write}")).jobs
    assert inner.permissions
    assert [inner.permissions.get(right) for right in ("contents", "packages", "issues")] == ["read", "write", "none"]
    assert inner.where == f"job call → job inner of {OTHER}"
    *_, inner = built(calling, workflows_x=w.reusable()).jobs
    assert inner.permissions and inner.permissions.get("contents") == "write", "without a block it gets the caller's"


def test_more_than_the_caller_allows_is_found_however_deep() -> None:
    middle = w.called("./.github/workflows/y.yml").replace("workflow_dispatch", "workflow_call")
    inner = w.reusable("true", "{contents: write}")
    [excess] = built(w.called(CALL, "{contents: read}"), workflows_x=middle, workflows_y=inner).excesses
    assert (excess.right, excess.asked, excess.allowed) == ("contents", "write", "read")
    assert (
        excess.where.endswith("→ job inner of .github/workflows/y.yml")
        and excess.caller == f"job call → job call of {OTHER}"
    )


def test_a_generous_setting_lets_a_called_workflow_sign_in() -> None:
    """It gives no job `id-token`, but where the repository's own workflow asks for it, GitHub allows it."""
    inner = w.reusable("uv publish", "{id-token: write}")
    assert not built(w.called(CALL), "write", workflows_x=inner).excesses
    assert [e.right for e in built(w.called(CALL), "read", workflows_x=inner).excesses] == ["id-token"]
    assert not built(w.called(CALL), None, workflows_x=inner).excesses, "not known is not too much"


def test_what_calls_itself_has_an_end() -> None:
    calls = "".join(f"  j{n}:\n    uses: {CALL}\n" for n in range(30))
    workflow = built(w.called(CALL), workflows_x=f"on: workflow_call\njobs:\n{calls}")
    assert len(workflow.jobs) == 300
    assert workflow.minutes is None
    action = "runs:\n  using: composite\n  steps:\n" + "    - uses: ./.github/actions/x\n" * 30
    steps = built("on: push\njobs:\n  a:\n    steps:\n      - uses: ./.github/actions/x\n", x=action).steps
    assert len(steps) == 3000


def test_both_spellings_of_the_same_repository() -> None:
    for own in ("./", "$/", "$/./"):
        workflow = built(w.called(f"{own}.github/workflows/x.yml", "{contents: read}"), workflows_x=w.reusable())
        assert [placed.job.id for placed in workflow.jobs] == ["call", "inner"]
        assert not workflow.remote_calls and not workflow.missing_paths and find_unpinned(workflow) == ()
        step = f"on: push\njobs:\n  a:\n    steps:\n      - uses: {own}.github/actions/x\n"
        action = "runs: {using: composite, steps: [{run: git push}]}"
        assert [found.need.what for found in built(step, x=action).needs] == ["git push"]


def test_paths_that_lead_out_of_the_repository_are_none() -> None:
    for uses in ("./../../x.yml", "./.github/workflows/../../../etc/x.yml", "./x.yml", "/etc/x.yml"):
        assert built(w.called(uses)).called_paths == ()


# ---- time limits


def limits(*jobs: str) -> int | None:
    return built("on: push\njobs:\n" + "".join(f"  {job}\n" for job in jobs)).minutes


def test_limits_of_jobs_that_wait_for_each_other_add_up() -> None:
    assert limits("a: {timeout-minutes: 5}", "b: {timeout-minutes: 7, needs: a}", "c: {timeout-minutes: 9}") == 12
    assert limits("a: {timeout-minutes: 5}", "b: {needs: [a]}") == 365
    assert limits("a: {timeout-minutes: '${{ x }}'}") is None
    assert limits("a: {needs: b}", "b: {needs: a}") is None
    assert limits("a: {needs: nobody}") is None
    called = built(w.called(CALL), workflows_x=w.reusable())
    assert called.minutes == 5
    assert built(w.called("a/b/.github/workflows/x.yml@v1")).minutes is None
    chain = [f"j{n}: {{timeout-minutes: 1, needs: [{f'j{n - 1}' if n else ''}]}}" for n in range(1500)]
    assert limits(*chain) is None or limits(*chain) == 1500


# ---- what decides


LACKS = {
    "PERMISSION-31": (w.without("      contents: write\n"), True),  # git push runs in any case
    "PERMISSION-32": (w.without("      pull-requests: write\n"), True),  # conditional, but a release needs one of them
    "PERMISSION-33": (w.without("      id-token: write\n"), True),
}


@pytest.mark.parametrize("check", LACKS)
def test_what_makes_a_release_fail_for_certain_blocks_it(check: str) -> None:
    text, certain = LACKS[check]
    before = s.ready(workflow_files=w.observed(text))
    assert finding(check, before).blocks is certain
    assert verdict_of(before).verdict.value == "ACTION NEEDED"
    after = s.released(workflow_files=w.observed(text))
    assert not finding(check, after).blocks, "a release that was made did not fail on it"
    assert verdict_of(after).verdict.value == "RELEASED AND VERIFIED"


def test_what_may_not_be_needed_is_advice() -> None:
    """One job that may write is enough for a release; another one, under a condition, may never run."""
    docs = "  docs:\n    if: inputs.docs\n    steps:\n      - run: git push origin gh-pages\n"
    said = finding("PERMISSION-31", s.ready(workflow_files=w.observed(w.GOOD + docs)))
    assert "job docs" in said.found and not said.blocks
    twine = w.without(f"uses: pypa/gh-action-pypi-publish@{w.SHA}", "run: twine upload dist/*", FROM_TOP)
    assert not finding("PERMISSION-33", s.ready(workflow_files=w.observed(twine))).blocks, "a file may hold a password"


def test_a_run_that_github_does_not_start_blocks() -> None:
    calling = w.observed(w.called(CALL, "{}"), workflows_x=w.reusable("true", "{contents: read}"))
    assert finding("PERMISSION-34", s.ready(workflow_files=calling)).blocks
    assert finding("WORKFLOW-1", s.ready(workflow_files=w.observed(None))).blocks
    assert finding("WORKFLOW-1", s.ready(workflow_files=w.observed(w.called(CALL)))).blocks
    local = w.observed(w.without("- name: Tag", "- uses: ./x\n      - name: Tag"))
    assert not finding("WORKFLOW-1", s.ready(workflow_files=local)).blocks, "an earlier step may make it"


def test_settings_block_where_nobody_gets_past_them() -> None:
    rule = s.rule("creation")
    for bypass, certain in (((), True), (None, False), (("RepositoryRole 5",), False)):
        tags = s.ready(rulesets=known((s.ruleset(rule, bypass=bypass),)))
        assert finding("SETTING-32", tags).blocks is certain
        branches = known((s.ruleset(rule, target="branch", include=("~ALL",), bypass=bypass),))
        assert finding("SETTING-31", s.ready(branch_rules=known((rule,)), rulesets=branches)).blocks is certain
    off = s.settings(pulls=False)
    assert finding("SETTING-34", s.ready(actions_settings=off)).blocks
    assert not finding("SETTING-34", s.ready(actions_settings=off, workflow_files=s.failed())).blocks
    assert not finding("SETTING-34", s.released(actions_settings=off)).blocks


def test_unknown_settings_never_decide() -> None:
    """A maintainer without administration rights can still be ready to release."""
    blind = {name: s.failed() for name in ("rulesets", "branch_rules", "base_rules", "actions_settings", "base_runs")}
    assert verdict_of(s.ready(**blind)).verdict.value == "READY TO RELEASE"
    assert verdict_of(s.ready(workflow_files=s.failed("git"))).verdict.value == "READY TO RELEASE"


# ---- patterns that workflows of well-known projects have, in texts of our own


def only_advice(text: str, **changes: object) -> set[str]:
    """The checks of the workflow's file and its jobs that find something; none of it decides."""
    snapshot = s.ready(workflow_files=w.observed(text), **changes)
    found = [result for result in verdict_of(snapshot).results if result.outcome is Outcome.ACTION_NEEDED]
    assert not any(result.blocking for result in found)
    return {result.id for result in found}


BY_TAG = f"""\
on: {{push: {{tags: ['v*']}}}}
permissions: {{contents: read}}
jobs:
  build: {{steps: [{{uses: actions/checkout@{w.SHA}}}, {{run: python -m build}}]}}
  publish:
    needs: build
    environment: pypi
    permissions: {{id-token: write}}
    steps: [{{uses: pypa/gh-action-pypi-publish@{w.SHA}}}]
"""
TAG_AFTER_PUBLISHING = f"""\
on: {{workflow_dispatch: {{inputs: {{version: {{type: string}}}}}}}}
permissions: {{}}
jobs:
  publish:
    timeout-minutes: 30
    permissions: {{id-token: write}}
    steps: [{{uses: pypa/gh-action-pypi-publish@{w.SHA}}}]
  tag:
    needs: publish
    timeout-minutes: 10
    permissions: {{contents: write}}
    steps: [{{uses: actions/checkout@{w.SHA}, with: {{fetch-depth: 0}}}}, {{run: git push origin v1}}]
  notes:
    needs: tag
    timeout-minutes: 10
    permissions: {{contents: write}}
    steps: [{{run: gh release create v1}}]
"""
BY_AN_APP = f"""\
on: {{push: {{branches: [main]}}}}
concurrency: release
permissions: {{contents: read}}
jobs:
  bump:
    timeout-minutes: 5
    steps:
      - uses: actions/create-github-app-token@{w.SHA}
        id: app
      - uses: actions/checkout@{w.SHA}
        with: {{token: '${{{{ steps.app.outputs.token }}}}', fetch-depth: 0}}
      - run: cz bump --yes && git push --follow-tags
"""
WITH_A_PASSWORD = """\
on: {push: {tags: ['v*']}}
jobs:
  publish:
    steps: [{uses: actions/checkout@v4}, {run: twine upload dist/*, env: {TWINE_PASSWORD: '${{ secrets.T }}'}}]
"""
ON_EVERY_PUSH = f"""\
on: {{push: {{branches: [main]}}}}
permissions: {{contents: read}}
jobs:
  validate: {{uses: ./.github/workflows/x.yml}}
  release:
    needs: validate
    permissions: {{contents: write}}
    concurrency: '${{{{ github.workflow }}}}-release-${{{{ github.ref_name }}}}'
    timeout-minutes: 10
    steps:
      - {{uses: 'actions/checkout@{w.SHA}', with: {{ref: '${{{{ github.ref_name }}}}', fetch-depth: 0}}}}
      - {{uses: 'python-semantic-release/python-semantic-release@{w.SHA}', with: {{build: 'false'}}}}
"""


def test_patterns_of_other_projects() -> None:
    assert only_advice(BY_TAG) == {"WORKFLOW-2"}
    assert only_advice(TAG_AFTER_PUBLISHING) == {"WORKFLOW-3"}
    assert only_advice(BY_AN_APP) == set()
    assert only_advice(WITH_A_PASSWORD) == {"WORKFLOW-2", "WORKFLOW-6"}
    assert built(TAG_AFTER_PUBLISHING).minutes == 50
    dry = w.reusable("semantic-release version --print").replace("- run", "- uses: a/b@main\n      - run")
    workflow = built(ON_EVERY_PUSH, workflows_x=dry)
    assert [found.at.job.job.id for found in workflow.needs] == ["release"]
    assert find_unpinned(workflow) == ("a/b@main",)
    shown = s.ready(workflow_files=w.observed(ON_EVERY_PUSH, workflows_x=dry))
    outcome, _ = ended(CHECKS["WORKFLOW-3"], Recovery(Release(shown)))
    assert outcome is Outcome.HOLDS, "pushes to one branch are of one group"


# ---- patterns of the workflow that the process description comes from


def test_one_group_for_each_channel_lets_both_run_at_once() -> None:
    by_channel = w.without(
        "group: release\n", "group: release-${{ github.repository }}-${{ inputs.target_environment }}\n"
    )
    said = finding("WORKFLOW-3", s.ready(workflow_files=w.observed(by_channel)))
    assert "differs by inputs.target_environment" in said.found


def test_a_channel_under_another_name_is_not_offered() -> None:
    renamed = w.without("[testpypi, pypi]", "[testpypi, release]")
    said = finding("WORKFLOW-4", s.ready(workflow_files=w.observed(renamed)))
    assert said.found == "target_environment: testpypi, release"
    on_testpypi = s.ready(workflow_files=w.observed(renamed), target=s.target(channel=s.TESTPYPI))
    assert ended(CHECKS["WORKFLOW-4"], Recovery(Release(on_testpypi)))[0] is Outcome.HOLDS


ON_PUSH = "on: {push: {tags: ['v*']}}\njobs: {release: {steps: [{run: make}]}}\n"
DISPATCH = "on: {workflow_dispatch: {inputs: %s}}\njobs: {release: {steps: [{run: make}]}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DISPATCH % "{target_environment: {type: choice, options: [testpypi, pypi]}}", ["target_environment=pypi"]),
        (DISPATCH % "{index: {type: choice, options: [testpypi, pypi]}, dry_run: {}}", ["index=pypi"]),
        (DISPATCH % "{target_environment: {required: true}}", ["target_environment=pypi"]),
        (DISPATCH % "{}", []),
        ("on: workflow_dispatch\njobs: {release: {steps: [{run: make}]}}\n", []),
        (DISPATCH % "{where: {default: testpypi}}", "there is no command for release.yml: it asks a person for where"),
        (DISPATCH % "{version: {required: true, type: string}}", "it asks a person for version"),
        (DISPATCH % "{target_environment: {}, version: {required: true}}", "it asks a person for version, too"),
        (DISPATCH % "{target_environment: {}, bump: {required: true, default: minor}}", ["target_environment=pypi"]),
        (DISPATCH % "{target_environment: {}, dry: {required: true, type: boolean}}", ["target_environment=pypi"]),
        (
            DISPATCH % "{target_environment: {type: choice, options: [testpypi]}}",
            "it asks a person for target_environment",
        ),
        (ON_PUSH, "not started by hand, but by: push"),
    ],
)
def test_a_start_names_the_workflows_own_inputs(text: str, expected: list[str] | str) -> None:
    """Never a start with defaults that may publish elsewhere."""
    found = run_workflow(Release(s.ready(workflow_files=workflow(text))))
    if isinstance(expected, str):
        assert not found.commands and found.link and expected in found.reason
        return
    (command,) = found.commands
    assert [word for word in command if "=" in word] == expected
    assert command[:4] == ("gh", "workflow", "run", "release.yml")


@pytest.mark.parametrize(("wanted", "differs"), [("0.2.0", False), ("0.3.0", True), (None, False)])
def test_a_start_that_computes_another_version_says_so(wanted: str | None, differs: bool) -> None:
    found = run_workflow(Release(s.ready(calculation=calculation(wanted))))
    said = ", and the workflow releases 0.2.0: the commits call for 0.3.0"
    assert found.precondition == f"the remote has no release branch and no tag of this version{said * differs}"


def test_a_tool_that_opens_the_release_pull_request_sets_the_version_there() -> None:
    """Where a push starts the upload, nobody sets the version by hand that a pull request sets."""
    for step, title in (
        ("{uses: googleapis/release-please-action@v4}", "Merge the release pull request, which sets 0.2.0 in x.toml"),
        ("{run: make}", "Set the version to 0.2.0 in x.toml, commit and push; this push starts the upload"),
    ):
        text = f"on: {{push: {{branches: [main]}}}}\njobs: {{ship: {{steps: [{step}, {{run: uv publish}}]}}}}\n"
        said = finding("META-1", declares("0.1.0", started_by("branch"), {"workflow_files": workflow(text)}))
        assert said.advice and said.steps[0].title.startswith(title), said.steps


def test_a_configured_workflow_that_was_not_read_is_started_as_usual() -> None:
    found = s.ready(workflow_files=s.failed(), target=s.target(given=("workflow",)))
    (command,) = run_workflow(Release(found)).commands
    assert "target_environment=pypi" in command


def test_the_step_names_the_ref_and_the_environment() -> None:
    assert [each.title for each in finding("WORKFLOW-14", room(TAGS, "branch main")).steps] == [
        "Admit the tag v0.2.0 in the environment pypi, under Deployment branches and tags"
    ]


def test_a_guessed_tag_blocks_no_first_release() -> None:
    """Without earlier tags, `v{version}` is a default: the environment may admit what the project will use."""
    first = room(TAGS, "tag [0-9]*", remote=s.remote())
    assert not finding("WORKFLOW-14", first).blocks
    for changes in (
        {"remote": s.remote(s.tag("v0.1.0", s.OTHER))},
        {"target": s.target(given=("tag-template",))},
    ):
        assert finding("WORKFLOW-14", structs.replace(first, **changes)).blocks
    assert finding("WORKFLOW-14", room("{push: {branches: [main]}}", "branch master", remote=s.remote())).blocks, (
        "no tag is in play"
    )
    others = s.remote(s.branch("next"), s.tag("v0.1.0", s.OTHER))
    for admitted, expected in (("branch main", Outcome.HOLDS), ("branch next", Outcome.ACTION_NEEDED)):
        found = room("{push: {branches: [main]}}", admitted, remote=others)
        assert ended(CHECKS["WORKFLOW-14"], Recovery(Release(found)))[0] is expected, admitted
