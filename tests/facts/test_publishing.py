"""Which job uploads to an index, what starts it, and what else its workflow makes."""

from __future__ import annotations

import pytest

from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.making import builds_platform_wheels, find_made, find_tag_jobs
from release_state.facts.workflow.publishing import Evidence, choose_surest, find_uploads
from release_state.facts.workflow.starts import find_starts, starts_only_uploads
from release_state.facts.workflow.triggers import is_taken

FOLDER = ".github/workflows"
PATH = f"{FOLDER}/ship.yml"


def job(step: str, on: str = "{push: {tags: ['v*']}}", more: str = "") -> dict[str, str]:
    """A workflow with one job of one step, in YAML's flow style."""
    return {PATH: f"on: {on}\njobs:\n  ship:\n    runs-on: ubuntu-latest\n{more}    steps:\n      - {step}\n"}


@pytest.mark.parametrize(
    ("step", "how", "index"),
    [
        ("uses: pypa/gh-action-pypi-publish@release/v1", "pypa/gh-action-pypi-publish", "pypi"),
        ("uses: PyPA/gh-action-PyPI-publish@v1", "PyPA/gh-action-PyPI-publish", "pypi"),
        (
            "{uses: pypa/gh-action-pypi-publish@v1, with: {repository-url: 'https://test.pypi.example/legacy/'}}",
            "pypa/gh-action-pypi-publish",
            "testpypi",
        ),
        (
            "{uses: pypa/gh-action-pypi-publish@v1, with: {repository-url: 'https://pkgs.example.com/simple'}}",
            "pypa/gh-action-pypi-publish",
            "https://pkgs.example.com/simple",
        ),
        (
            "{uses: pypa/gh-action-pypi-publish@v1, with: {repository-url: '${{ inputs.index }}'}}",
            "pypa/gh-action-pypi-publish",
            None,
        ),
        ("run: uv publish", "uv publish", "pypi"),
        ("run: uv publish --index testpypi", "uv publish", "testpypi"),
        ("run: python -m twine upload dist/*", "twine upload", "pypi"),
        ("run: twine upload -r testpypi dist/*", "twine upload", "testpypi"),
        ("{run: twine upload dist/*, env: {TWINE_REPOSITORY: testpypi}}", "twine upload", "testpypi"),
        ("run: flit publish", "flit publish", "pypi"),
        ("run: docker run --rm -v $PWD:/w image twine upload /w/dist/*", "twine upload", "pypi"),
        ("run: \"podman run image bash -c 'uv publish --index testpypi'\"", "uv publish", "testpypi"),
        ("run: poetry publish --build", "poetry publish", "pypi"),
        ("run: hatch publish", "hatch publish", "pypi"),
        ("run: pdm publish --no-build", "pdm publish", "pypi"),
        ("run: maturin upload --skip-existing wheels/*", "maturin upload", "pypi"),
        ("{uses: PyO3/maturin-action@v1, with: {command: upload}}", "PyO3/maturin-action upload", "pypi"),
        ("{uses: messense/maturin-action@v1, with: {command: publish}}", "messense/maturin-action publish", "pypi"),
        (
            "uses: jupyter-server/jupyter-releaser/.github/actions/finalize-release@v2",
            "jupyter-server/jupyter-releaser/.github/actions/finalize-release",
            "pypi",
        ),
        ("run: python setup.py sdist upload", "python setup.py", "pypi"),
        (
            "{uses: relekang/python-semantic-release@v7, with: {pypi_token: x}}",
            "relekang/python-semantic-release",
            "pypi",
        ),
    ],
)  # fmt: skip
def test_a_step_that_uploads(step: str, how: str, index: str | None) -> None:
    (upload,) = find_uploads(job(step))
    assert (upload.how, upload.index, upload.evidence) == (how, index, Evidence.KNOWN)


@pytest.mark.parametrize(
    "step",
    [
        "run: uv build",
        "run: twine check dist/*",
        "run: uv publish --dry-run",
        "run: echo uv publish",
        "run: pixi publish",
        "run: docker build -t twine .",
        "{run: pip install x, env: {PIP_EXTRA_INDEX_URL: 'https://${{ secrets.PYPI_TOKEN }}@x.example'}}",
        "{run: uv sync, env: {UV_INDEX_OWN_PASSWORD: '${{ secrets.PYPI_PASSWORD }}'}}",
        "{uses: some/setup@v1, with: {token: '${{ secrets.PYPI_READ_TOKEN }}'}}",
        "{run: ./bin/check-release, env: {TOKEN: '${{ secrets.PYPI_TOKEN }}'}}",
        "{run: 'git fetch; python -m pip install build', env: {TOKEN: '${{ secrets.PYPI_TOKEN }}'}}",
        "{uses: some/action@v1, with: {pypi_token: x}}",
        "{uses: PyO3/maturin-action@v1, with: {command: build}}",
        "uses: peaceiris/actions-gh-pages@v3",
        "{uses: python-semantic-release/python-semantic-release@v9, with: {github_token: x}}",
    ],
)
def test_a_step_that_uploads_nothing(step: str) -> None:
    assert find_uploads(job(step)) == ()


def test_credentials_of_an_index_are_weaker_evidence_and_a_name_is_the_weakest() -> None:
    texts = {
        **job("{run: scripts/ship, env: {TWINE_PASSWORD: '${{ secrets.X }}'}}"),
        f"{FOLDER}/name.yml": "on: push\njobs:\n  a:\n    uses: other/repo/.github/workflows/publish-pypi.yml@v1\n",
    }
    by_path = {upload.workflow: upload for upload in find_uploads(texts)}
    assert by_path[PATH].evidence is Evidence.CREDENTIALS and by_path[f"{FOLDER}/name.yml"].evidence is Evidence.NAME
    assert [upload.workflow for upload in choose_surest(find_uploads(texts))] == [PATH]
    with_known = {**texts, f"{FOLDER}/z.yml": job("run: uv publish")[PATH]}
    assert [upload.workflow for upload in choose_surest(find_uploads(with_known))] == [f"{FOLDER}/z.yml", PATH]


@pytest.mark.parametrize(
    ("more", "is_hint"),
    [("    environment: pypi\n", True), ("    permissions: {id-token: write}\n", True), ("", False),
     ("    permissions: {contents: write}\n", False), ("    environment: docs\n", False),
     ("    environment: github-pages\n    permissions: {id-token: write}\n", False)],
)  # fmt: skip
def test_a_task_by_its_name_is_a_hint_where_the_job_may_upload(more: str, is_hint: bool) -> None:
    for step in (
        "make publish", "bash ./bin/publish-pypi", "scripts/upload_to_pypi.sh", "./build.sh publish", "bin/publish",
        "./release/deploy.py --verbose", "cd tools && ./release.sh 1.0",
    ):  # fmt: skip
        found = find_uploads(job(f"run: {step}", more=more))
        assert [upload.evidence for upload in found] == [Evidence.NAME] * is_hint, step
    for step in ("./bin/publish-docs", "./deploy.sh docs", "npm publish", "mike deploy", "gh release upload"):
        assert not find_uploads(job(f"run: {step}", more=more)), step


@pytest.mark.parametrize(
    ("index", "channels"),
    [("pypi", "pypi internal"), ("testpypi", "testpypi"), ("https://i.example", "internal"),
     ("${{ inputs.index }}", "pypi testpypi internal")],
)  # fmt: skip
def test_the_channels_that_an_upload_may_be_to(index: str, channels: str) -> None:
    (upload,) = find_uploads(job(f"run: twine upload --repository-url {index} dist/*"))
    assert [name for name in ("pypi", "testpypi", "internal") if upload.may_be_to(name)] == channels.split()


def test_an_upload_in_a_reusable_workflow_and_a_local_action_is_one_of_the_caller() -> None:
    texts = {
        f"{FOLDER}/caller.yml": "on: {release: {types: [published]}}\n"
        "jobs: {go: {uses: ./.github/workflows/called.yml}}\n",
        f"{FOLDER}/called.yml": "on: workflow_call\njobs:\n  up:\n    steps:\n      - uses: ./tools/up\n",
        "tools/up/action.yml": "runs: {using: composite, steps: [{run: uv publish, shell: bash}]}\n",
    }  # fmt: skip
    (upload,) = find_uploads(texts)
    assert (upload.workflow, upload.job.job.id) == (f"{FOLDER}/caller.yml", "up")
    assert [start.kind for start in find_starts(upload, texts[upload.workflow])] == ["release"]


@pytest.mark.parametrize(
    ("called", "is_upload"),
    [("pypi-publish.yml", True), ("release.yml", True), ("publish-docs.yml", False), ("lint.yml", False)],
)
def test_a_reusable_workflow_of_elsewhere_is_taken_by_its_name(called: str, is_upload: bool) -> None:
    text = f"on: push\njobs: {{go: {{uses: octo/shared/.github/workflows/{called}@v1}}}}\n"
    assert bool(list(find_uploads({PATH: text}))) is is_upload


@pytest.mark.parametrize("secrets", ["", ", secrets: {token: '${{ secrets.PYPI_TOKEN }}'}"])
def test_a_call_of_elsewhere_is_a_rehearsal_by_the_name_of_its_job(secrets: str) -> None:
    for name, index in (("go", None), ("test-pypi", "testpypi")):
        call = f"{{uses: octo/shared/.github/workflows/release.yml@v1{secrets}}}"
        (upload,) = find_uploads({PATH: f"on: push\njobs: {{{name}: {call}}}\n"})
        assert upload.index == index


def test_a_job_that_tests_and_uploads_is_no_rehearsal() -> None:
    text = "on: push\njobs:\n  test:\n    name: Test\n    steps: [{run: pytest}, {run: twine upload dist/*}]\n"
    (upload,) = find_uploads({PATH: text})
    assert upload.index == "pypi"
    (rehearsal,) = find_uploads({PATH: text.replace("name: Test", "environment: test")})
    assert rehearsal.index == "testpypi"


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("env: {TWINE_PASSWORD: x}\njobs: {up: {steps: [{run: tox -e release}]}}\n", "step 1"),
        ("jobs: {up: {env: {UV_PUBLISH_TOKEN: x}, steps: [{run: python make.py pypi_release}]}}\n", "step 1"),
        (
            "jobs: {up: {uses: o/r/.github/workflows/pipeline.yml@v1, secrets: {A: '${{ secrets.PYPI_TOKEN }}'}}}\n",
            "o/r/.github/workflows/pipeline.yml",
        ),
    ],
)
def test_who_gets_credentials_uploads(text: str, how: str) -> None:
    (upload,) = find_uploads({PATH: f"on: push\n{text}"})
    assert upload.how == how and upload.evidence < Evidence.KNOWN


def test_the_rehearsal_is_told_by_environment_or_job_name_and_not_by_an_expression() -> None:
    named = job("run: uv publish", more="    environment: test-pypi\n")
    chosen = job("run: uv publish", more="    environment: ${{ inputs.testpypi && 'testpypi' || 'pypi' }}\n")
    assert [upload.index for upload in (*find_uploads(named), *find_uploads(chosen))] == ["testpypi", None]
    (rehearsal,), (upload,) = find_uploads(named), find_uploads(chosen)
    assert rehearsal.may_be_to("testpypi") and not rehearsal.may_be_to("pypi")
    assert upload.may_be_to("pypi") and upload.may_be_to("testpypi"), "a run chooses the environment"


@pytest.mark.parametrize(
    ("on", "condition", "kinds"),
    [
        ("{push: {tags: ['v*']}}", "", ["tag"]),
        ("{push: {branches: [main]}}", "", ["branch"]),
        ("{push: {branches: [other]}}", "", []),
        ("push", "", ["tag", "branch"]),
        ("push", "startsWith(github.ref, 'refs/tags/')", ["tag"]),
        ("[push, pull_request]", "github.ref == 'refs/heads/main'", ["branch"]),
        ("{push: {branches-ignore: [x]}, pull_request: {}}", "", ["branch"]),
        ("{release: {types: [published]}}", "", ["release"]),
        ("{release: {types: [created]}, workflow_dispatch: {}}", "github.event_name == 'release'", ["release"]),
        ("{push: {}, release: {types: [published]}}", "github.event.action == 'published'", ["release"]),
        ("workflow_dispatch", "inputs.publish", ["dispatch"]),
        ("{schedule: [{cron: '0 0 * * *'}]}", "", ["schedule"]),
        ("{workflow_run: {workflows: [Build]}}", "github.event.workflow_run.conclusion == 'success'", ["workflow"]),
        ("{pull_request: {types: [closed]}}", "github.event.pull_request.merged == true", ["pull-request"]),
        ("pull_request", "", ["pull-request"]),
        ("pull_request", "github.event_name == 'push'", []),
        ("{push: {tags: ['v*']}}", "github.repository == 'someone/else'", []),
        ("push", "startsWith(github.event.ref, 'refs/tags')", ["tag"]),
        ("{push: {tags: ['*']}}", "startsWith(github.ref, 'refs/tags/v')", ["tag"]),
        ("{push: {tags: ['*']}, schedule: [{cron: '0 0 * * *'}]}", "github.ref_type == 'tag'", ["tag"]),
        ("{pull_request: {}, workflow_dispatch: {}}", "", ["dispatch", "pull-request"]),
        ("{pull_request: {}, workflow_dispatch: {}}", "github.event.label", ["dispatch"]),
    ],
)
def test_what_starts_an_upload(on: str, condition: str, kinds: list[str]) -> None:
    texts = job("run: uv publish", on, more=f"    if: {condition}\n" if condition else "")
    (upload,) = find_uploads(texts)
    assert [start.kind for start in find_starts(upload, texts[PATH], "example/orbit")] == kinds


@pytest.mark.parametrize(
    ("on", "condition", "filters"),
    [
        ("{push: {tags: ['*']}}", "startsWith(github.ref, 'refs/tags/v')", ("*",)),
        ("{push: {tags: ['*']}}", "startsWith(github.ref_name, 'v')", ("*",)),
        ("{push: {tags: ['*']}}", "startsWith(github.event.ref, 'refs/tags/v')", ("*",)),
        ("{push: {tags: ['*']}}", "startsWith(github.ref, 'refs/tags/release-')", ("*", "!v0.2.0")),
        ("{push: {tags: ['*']}}", "startsWith(github.ref_name, 'other-v')", ("*", "!v0.2.0")),
        ("{push: {tags: ['a-v*', 'b-v*']}}", "startsWith(github.ref, 'refs/tags/b-v')", ("a-v*", "b-v*")),
        ("push", "startsWith(github.ref, 'refs/tags/release-')", ("**", "!v0.2.0")),
        ("{push: {tags-ignore: [x*]}}", "github.ref_name == 'v0.2.0'", ("**", "!x*")),
    ],
)
def test_a_condition_says_which_of_the_tags_start_an_upload(on: str, condition: str, filters: tuple[str, ...]) -> None:
    texts = job("run: uv publish", on, more=f'    if: "{condition}"\n')
    (upload,) = find_uploads(texts)
    (start,) = find_starts(upload, texts[PATH], tag="v0.2.0")
    assert (start.kind, start.filters) == ("tag", filters)
    assert is_taken(filters, "v0.2.0") is (not filters[-1].startswith("!v") and not filters[0].startswith("a"))


@pytest.mark.parametrize(
    ("condition", "surely"),
    [("", True), ("github.ref_name == 'v0.2.0'", True), ("vars.PUBLISH == 'yes'", False)],
)
def test_a_start_is_sure_where_nothing_else_decides(condition: str, surely: bool) -> None:
    for on in ("{push: {tags: ['v*']}}", "{release: {types: [published]}}"):
        texts = job("run: uv publish", on, more=f"    if: {condition}\n" if condition else "")
        (upload,) = find_uploads(texts)
        assert [start.surely for start in find_starts(upload, texts[PATH], tag="v0.2.0")] == [surely]


def test_a_tag_that_a_condition_excludes_is_excluded_to_the_letter() -> None:
    texts = job("run: uv publish", "push", more="    if: startsWith(github.ref, 'refs/tags/x')\n")
    (upload,) = find_uploads(texts)
    (start,) = find_starts(upload, texts[PATH], tag="v1.0+[a]*")
    assert not is_taken(start.filters, "v1.0+[a]*") and is_taken(start.filters, "v1.00a")


def test_one_of_the_types_of_a_github_release_is_enough() -> None:
    on = "{release: {types: [created, edited]}}"
    texts = job("run: uv publish", on, more="    if: github.event.action == 'edited'\n")
    (upload,) = find_uploads(texts)
    assert [start.kind for start in find_starts(upload, texts[PATH])] == ["release"]
    texts = job("run: uv publish", on, more="    if: github.event.action == 'published'\n")
    (upload,) = find_uploads(texts)
    assert find_starts(upload, texts[PATH]) == ()


def test_a_need_that_is_skipped_skips_the_upload_unless_its_condition_asks_for_a_status() -> None:
    def text(condition: str) -> str:
        return (
            "on: [push, workflow_dispatch]\njobs:\n"
            "  build:\n    if: github.event_name == 'workflow_dispatch'\n    steps: [{run: make}]\n"
            f"  up:\n    needs: build\n{condition}    steps: [{{run: uv publish}}]\n"
        )

    for condition, kinds in (("", ["dispatch"]), ("    if: always()\n", ["tag", "branch", "dispatch"])):
        (upload,) = find_uploads({PATH: text(condition)})
        assert [start.kind for start in find_starts(upload, text(condition))] == kinds


def test_only_some_runs_of_a_workflow_that_tests_and_releases_are_releases() -> None:
    for on, condition, only in (
        ("{push: {tags: ['v*']}}", "", True),
        ("{push: {tags: ['v*']}, pull_request: {}}", "", False),
        ("push", "startsWith(github.ref, 'refs/tags/')", False),
        ("{release: {types: [published]}, workflow_dispatch: {}}", "", True),
        ("{release: {types: [published]}, schedule: [{cron: 0 0 * * *}]}", "github.event_name != 'schedule'", False),
    ):
        texts = job("run: uv publish", on, more=f"    if: {condition}\n" if condition else "")
        (upload,) = find_uploads(texts)
        assert starts_only_uploads(find_starts(upload, texts[PATH]), texts[PATH]) is only, on


@pytest.mark.parametrize(
    ("step", "made"),
    [
        ("uses: softprops/action-gh-release@v2", ("tag", "release")),
        ("{uses: softprops/action-gh-release@v2, with: {draft: true}}", ("tag", "draft")),
        ("uses: release-drafter/release-drafter@v6", ("draft",)),
        ("{uses: release-drafter/release-drafter@v6, with: {publish: true}}", ("release",)),
        ("uses: googleapis/release-please-action@v4", ("tag", "release", "pull-request")),
        ("run: gh release create v1 dist/*", ("tag", "release")),
        ("run: gh release -R o/r create v1", ("tag", "release")),
        ("run: autopub githubrelease", ("tag", "release")),
        ("run: bump-my-version bump minor --no-tag", ()),
        ("{uses: actions/github-script@v7, with: {script: 'github.rest.repos.createRelease({})'}}", ("tag", "release")),
        (
            "{uses: actions/github-script@v7, with: {script: 'repos.createRelease({draft: true})'}}",
            ("tag", "draft"),
        ),
        ("run: gh release create v1 --verify-tag", ("release",)),
        ("run: gh release create v1 --draft", ("tag", "draft")),
        ("run: git tag -a v1 -m v1", ("tag",)),
        ("run: git tag --list", ()),
        ("run: git tag -d v1", ()),
        ("run: gh pr create --fill", ("pull-request",)),
        ("run: semantic-release version", ("tag", "release")),
        ("run: semantic-release version --print", ()),
        ("run: cz bump --yes", ("tag",)),
        ("run: gh release view v1", ()),
        ("run: gh release edit v1 --draft=false", ("release",)),
        ("run: gh release edit v1 --title x", ()),
        ("run: npx changelogithub", ("release",)),
        ("uses: jupyter-server/jupyter_releaser/.github/actions/finalize-release@v2", ("tag", "release")),
        ("uses: changesets/action@v1", ("pull-request",)),
        ("{uses: changesets/action@v1, with: {publish: pnpm ship}}", ("tag", "release", "pull-request")),
        (
            "{uses: changesets/action@v1, with: {publish: pnpm ship, createGithubReleases: false}}",
            ("tag", "pull-request"),
        ),
    ],
)
def test_what_a_workflow_makes(step: str, made: tuple[str, ...]) -> None:
    assert find_made(ReleaseWorkflow(PATH, job(step))) == made


def test_the_jobs_that_make_the_tag_are_named_as_a_run_shows_them() -> None:
    called = {f"{FOLDER}/tag.yml": "on: workflow_call\njobs:\n  tag: {steps: [{run: git tag v1}]}\n"}
    text = (
        "on: push\njobs:\n  one: {name: Make it, steps: [{uses: googleapis/release-please-action@v4}]}\n"
        "  two: {uses: ./.github/workflows/tag.yml}\n  up: {steps: [{run: uv publish}]}\n"
    )
    assert find_tag_jobs(ReleaseWorkflow(PATH, {PATH: text, **called})) == ("Make it", "two")


def test_platform_wheels() -> None:
    for step, many in (
        ("uses: pypa/cibuildwheel@v2", True),
        ("run: python -m cibuildwheel", True),
        ("uses: PyO3/maturin-action@v1", True),
        ("run: python -m build", False),
    ):
        assert builds_platform_wheels(ReleaseWorkflow(PATH, job(step))) is many


def test_a_file_that_cannot_be_read_uploads_nothing_and_hides_no_other() -> None:
    texts = {**job("run: uv publish"), f"{FOLDER}/a.yml": "jobs: [", f"{FOLDER}/b.yml": "on: push\njobs: 3\n"}
    assert [upload.workflow for upload in find_uploads(texts)] == [PATH]
